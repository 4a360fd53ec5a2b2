import { expect } from 'chai';
import type { Case } from '../../../src/tools/lab/case.js';
import { type CaseScores, emptyScores, type Stretch, walkForward } from '../../../src/tools/lab/walk.js';
import { createNormal } from '../../support/random-data.js';
import { PARAMETERS } from '../../support/small-cluster.js';
import { recordingOf, type WrittenPod } from './recording.js';

const QUICK = { ...PARAMETERS, estimators: 20, maxSamples: 64 };
const PODS = ['a', 'b', 'c'];

/** Three noisy pods, the same noise every time; `change` replaces values of pod a. */
function noisy(minutes: number, change: (minute: number) => number = () => 1): Case {
  const normal = createNormal(7);
  const noise = Array.from({ length: minutes * PODS.length }, normal);
  const pods = PODS.map(
    (pod, index): WrittenPod => ({
      pod,
      at: (minute) => {
        const wobble = 1 + 0.05 * (noise[minute * PODS.length + index] as number);
        return [wobble * (index === 0 ? change(minute) : 1), 1e9 * wobble];
      },
    }),
  );
  return recordingOf(minutes, pods);
}

function walk(recording: Case): CaseScores & { readonly stretches: readonly Stretch[] } {
  const scores = emptyScores(recording);
  const stretches = [...walkForward(recording, QUICK, scores)];
  return { ...scores, stretches };
}

describe('the walk through a case', () => {
  it('trains after an hour and every 15 minutes, and scores every minute from then on', () => {
    const { stretches, detector, robustZ, unscored } = walk(noisy(100));
    expect(stretches).to.deep.equal([
      { from: 60, to: 75 },
      { from: 75, to: 90 },
      { from: 90, to: 100 },
    ]);
    for (const scores of [...detector, ...robustZ]) {
      expect(Array.from(scores.slice(0, 60)).every(Number.isNaN)).to.equal(true);
      expect(Array.from(scores.slice(60)).some(Number.isNaN)).to.equal(false);
    }
    expect(unscored.size).to.equal(0);
  });

  it('flags what is unusual, and little else', () => {
    const { detector } = walk(noisy(120, (minute) => (minute >= 100 && minute < 105 ? 4 : 1)));
    const flagged = detector.map((scores) => Array.from(scores.keys()).filter((at) => (scores[at] ?? 0) > 0));
    expect(flagged[0]).to.include.members([100, 101, 102, 103, 104]);
    expect(flagged.flat().length).to.be.at.most(10);
  });

  it('knows nothing of the future: a change from a minute on leaves all scores before as they were', () => {
    const plain = walk(noisy(130));
    for (const from of [76, 90, 104]) {
      const changed = walk(noisy(130, (minute) => (minute >= from ? 50 : 1)));
      for (const kind of ['detector', 'robustZ'] as const) {
        PODS.forEach((pod, index) => {
          const [before, after] = [plain[kind][index], changed[kind][index]];
          expect(after?.slice(0, from), `${kind} of ${pod}`).to.deep.equal(before?.slice(0, from));
        });
        expect(changed[kind][0]?.[from]).to.not.equal(plain[kind][0]?.[from]);
      }
    }
  });

  it('knows nothing of what is longer ago than its windows', () => {
    const plain = walk(noisy(130));
    const changed = walk(noisy(130, (minute) => (minute < 15 ? 50 : 1)));
    expect(changed.detector[0]?.slice(60, 75)).to.not.deep.equal(plain.detector[0]?.slice(60, 75));
    expect(changed.robustZ[0]?.slice(75)).to.deep.equal(plain.robustZ[0]?.slice(75));
  });

  it('trains on faults as on anything else', () => {
    const { robustZ } = walk(noisy(120, (minute) => (minute >= 60 ? 50 : 1)));
    expect(robustZ[0]?.[89], 'a quarter of the window is the incident').to.be.greaterThan(100);
    expect(robustZ[0]?.[110], 'most of it is').to.be.lessThan(20);
  });

  it('says of pod-minutes without a score why there is none', () => {
    // Too little to train on up to minute 75, and nobody there for two hours later on.
    const gappy = recordingOf(400, [
      {
        pod: 'a',
        at: (minute) => (minute % 10 === 0 || minute >= 66 ? [1 + (minute % 3) / 10, 1e9] : undefined),
      },
    ]);
    const { detector, unscored } = walk(gappy);
    expect(Object.fromEntries(unscored)).to.deep.equal({ no_model: 10 });
    expect(detector[0]?.filter((score) => !Number.isNaN(score))).to.have.lengthOf(325);
  });

  it('goes on with the last model where the window is too empty to train on', () => {
    const away = recordingOf(400, [
      {
        pod: 'a',
        at: (minute) => (minute < 100 || minute >= 300 ? [1 + (minute % 3) / 10, 1e9] : undefined),
      },
    ]);
    const { detector, unscored } = walk(away);
    expect(unscored.size).to.equal(0);
    expect(detector[0]?.filter((score) => !Number.isNaN(score))).to.have.lengthOf(140);
  });

  it('has nothing to say of a case of an hour or less', () => {
    expect(walk(noisy(60)).stretches).to.deep.equal([]);
  });
});
