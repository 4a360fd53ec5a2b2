import { expect } from 'chai';
import { measure, tallyCase } from '../../../src/tools/lab/measures.js';
import { type CaseScores, emptyScores } from '../../../src/tools/lab/scores.js';
import { faultOn, recordingOf, START } from './recording.js';

const MINUTES = 60 + 1440;
const recording = recordingOf(MINUTES, [
  { pod: 'a', at: () => [1, 1] },
  { pod: 'b', at: () => [1, 1] },
]);

const ALL_SCORED = new Map<string, number>();

/** All minutes after the first hour at -0.5, and pod a at these scores from a minute of the case. */
function scored(...runs: readonly (readonly [minute: number, ...scores: number[]])[]): CaseScores {
  const scores = emptyScores(recording);
  for (const ofPod of [...scores.detector, ...scores.robustZ]) ofPod.fill(-0.5, 60);
  for (const [minute, ...values] of runs) scores.detector[0]?.set(values, minute);
  return scores;
}

describe('the measures of a case', () => {
  it('count points, flags and episodes on normal time', () => {
    const tally = tallyCase(recording, scored([100, 0.1], [200, 0.1, 0.1, 0.1]), ALL_SCORED, []);
    const measures = measure([tally]);
    expect(measures).to.include({ podDays: 2, normalPoints: 2880, episodes: 1, episodesPerPodDay: 0.5 });
    expect(measures.flaggedShare).to.be.closeTo(4 / 2880, 1e-15);
    expect(measures.scoredShare).to.equal(1);
    expect(tally.episodes).to.deep.equal([{ case: 'case', namespace: 'ns', pod: 'a', timestamp: START + 60 * 202 }]);
  });

  it('tell faults that are caught, how soon, and why others are left out', () => {
    const faults = [
      faultOn('a', 100, 103),
      faultOn('a', 200, 203, { mustTouch: false, type: 'network_delay' }),
      faultOn('b', 300, 303),
      faultOn('b', 400, 403, { visible: false }),
      faultOn('b', 10, 13),
      faultOn('x', 500, 503),
    ];
    const measures = measure([
      tallyCase(recording, scored([100, 0.1, 0.1, 0.1], [201, 0.1, 0.1, 0.1]), ALL_SCORED, faults),
    ]);
    expect(measures.visible).to.deep.equal({ faults: 3, caught: 2, meanDelayMinutes: 3.5 });
    expect(measures.mustTouch).to.deep.equal({ faults: 2, caught: 1, meanDelayMinutes: 3 });
    expect(Object.fromEntries(measures.leftOut)).to.deep.equal({ not_visible: 1, learning: 1, no_data: 1 });
    expect(measures.positivePoints).to.equal(9);
    // Each of five faults takes ten minutes of two pods, the sixth is in the first hour.
    expect(measures.normalPoints).to.equal(2880 - 5 * 20);
    expect(measures.episodes).to.equal(0);
    expect(measures.detector.auroc).to.be.closeTo((5 + 4 / 2) / 9, 1e-15);
    expect(measures.robustZ.auroc).to.equal(0.5);
  });

  it('count what has no score, warm-up aside', () => {
    const blank = Array.from({ length: 44 }, () => Number.NaN);
    const scores = scored([100, ...blank]);
    const reasons = new Map([
      ['warmup', 30],
      ['not_scored', 14],
    ]);
    const { scoredShare, scoredMinutes, normalPoints, podDays, unscored } = measure([
      tallyCase(recording, scores, reasons, []),
    ]);
    expect(scoredMinutes).to.equal(2836);
    expect(scoredShare).to.be.closeTo(2836 / 2850, 1e-15);
    expect([normalPoints, podDays]).to.deep.equal([2836, 2]);
    expect(Object.fromEntries(unscored)).to.deep.equal({ warmup: 30, not_scored: 14 });
  });

  it('take pod-minutes that lack a feature for minutes without a score', () => {
    const lacking = { ...recording, incomplete: new Map([['missing_cpu', 120]]) };
    expect(measure([tallyCase(lacking, scored(), ALL_SCORED, [])]).scoredShare).to.be.closeTo(2880 / 3000, 1e-15);
  });

  it('add up over a set: shares of all points, not means of shares', () => {
    const first = tallyCase(recording, scored([100, 0.1, 0.1, 0.1]), ALL_SCORED, [faultOn('a', 100, 103)]);
    const second = tallyCase(recording, scored([300, 0.2, 0.2, 0.2]), ALL_SCORED, [faultOn('b', 100, 103)]);
    const set = measure([first, second]);
    expect(set).to.include({ normalPoints: 2 * 2860, positivePoints: 6, episodes: 1 });
    expect(set.visible).to.deep.equal({ faults: 2, caught: 1, meanDelayMinutes: 3 });
    expect(set.flaggedShare).to.be.closeTo(3 / 5720, 1e-15);
    const normals = 5720;
    expect(set.detector.auroc).to.be.closeTo((3 * (normals - 3) + (3 * (normals - 3)) / 2) / (6 * normals), 1e-12);
  });

  it('have no shares of nothing', () => {
    const { podDays, flaggedShare, episodesPerPodDay, scoredShare, visible, detector } = measure([]);
    expect(podDays).to.equal(0);
    expect(
      [flaggedShare, episodesPerPodDay, scoredShare, visible.meanDelayMinutes, detector.auroc].every(Number.isNaN),
    ).to.equal(true);
  });
});
