import { expect } from 'chai';
import type { Case } from '../../../src/tools/lab/case.js';
import { minuteOf } from '../../../src/tools/lab/case.js';
import { OWNER_QUERIES, piecesOf } from '../../../src/tools/lab/recorded-history.js';
import { addPiece, type CaseScores, emptyScores } from '../../../src/tools/lab/scores.js';
import { run } from '../../../src/tools/lab/worker.js';
import type { ReplayParameters } from '../../../src/tools/replay/replay.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { createNormal } from '../../support/random-data.js';
import { recordingOf, type WrittenPod } from './recording.js';

const QUICK = { ...QUICK_PARAMETERS, estimators: 20, maxSamples: 64 };
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

/** Replays a recording as `evaluate` does, without threads. */
async function walk(recording: Case): Promise<CaseScores & { readonly minutesWithoutModel: number }> {
  const scores = emptyScores(recording);
  const parameters: ReplayParameters = {
    features: recording.features,
    ownerQueries: OWNER_QUERIES,
    model: QUICK,
    sensitivities: [4],
    chosen: 0,
    lookbackSeconds: 3600,
    stepSeconds: 60,
    trainingIntervalSeconds: 900,
    historyDays: 7,
  };
  let minutesWithoutModel = 0;
  for (const piece of piecesOf(recording, parameters)) {
    const task = { piece: await piece(), parameters };
    const { result, scores: own } = await run({ task, progress: { postMessage: () => undefined } });
    addPiece(recording, scores, own, minuteOf(recording, result.startSeconds));
    minutesWithoutModel += result.minutesWithoutModel;
  }
  return { ...scores, minutesWithoutModel };
}

describe('the replay of a recording', () => {
  it('scores every minute after the first hour', async () => {
    const { detector, robustZ, minutesWithoutModel } = await walk(noisy(100));
    for (const scores of [...detector, ...robustZ]) {
      expect(Array.from(scores.slice(0, 60)).every(Number.isNaN)).to.equal(true);
      expect(Array.from(scores.slice(60)).some(Number.isNaN)).to.equal(false);
    }
    expect(minutesWithoutModel).to.equal(0);
  });

  it('flags what is unusual, and little else', async () => {
    // With some hours to remember: after the first one alone, three workloads say little about how far is unusual.
    const recording = noisy(300, (minute) => (minute >= 250 && minute < 262 ? 4 : 1));
    const { detector } = await walk({ ...recording, learningMinutes: 240 });
    const flagged = detector.map((scores) => Array.from(scores.keys()).filter((at) => (scores[at] ?? 0) > 0));
    // What is unusual for the last hours for three minutes, and from the sixth on what lasts.
    expect(flagged[0]).to.include.members([250, 251, 252, 255, 256, 257, 258, 259, 260, 261]);
    expect(flagged.flat().length).to.be.at.most(15);
  });

  it('knows nothing of the future: a change from a minute on leaves all scores before as they were', async () => {
    const plain = await walk(noisy(130));
    for (const from of [76, 90, 104]) {
      const changed = await walk(noisy(130, (minute) => (minute >= from ? 50 : 1)));
      for (const kind of ['detector', 'robustZ'] as const) {
        PODS.forEach((pod, index) => {
          const [before, after] = [plain[kind][index], changed[kind][index]];
          expect(after?.slice(0, from), `${kind} of ${pod}`).to.deep.equal(before?.slice(0, from));
        });
        expect(changed[kind][0]?.[from]).to.not.equal(plain[kind][0]?.[from]);
      }
    }
  });

  it('knows nothing of what is longer ago than its windows', async () => {
    const plain = await walk(noisy(130));
    const changed = await walk(noisy(130, (minute) => (minute < 14 ? 50 : 1)));
    expect(changed.detector[0]?.slice(60, 75)).to.not.deep.equal(plain.detector[0]?.slice(60, 75));
    expect(changed.robustZ[0]?.slice(75)).to.deep.equal(plain.robustZ[0]?.slice(75));
  });

  it('trains on faults as on anything else', async () => {
    const { robustZ } = await walk(noisy(120, (minute) => (minute >= 60 ? 50 : 1)));
    expect(robustZ[0]?.[89], 'a quarter of the window is the incident').to.be.greaterThan(100);
    expect(robustZ[0]?.[110], 'most of it is').to.be.lessThan(20);
  });

  it('comes to the same in pieces as in one', async () => {
    const long = noisy(14 * 60);
    const { detector } = await walk(long);
    const later: Case = { ...long, learningMinutes: 12 * 60 };
    const tail = await walk(later);
    for (const [index, scores] of tail.detector.entries()) {
      expect(scores.slice(12 * 60)).to.deep.equal(detector[index]?.slice(12 * 60));
    }
  });

  it('has no scores while there is too little to train on', async () => {
    const at = (minute: number): [number, number] | undefined =>
      minute % 10 === 0 || minute >= 66 ? [1 + (minute % 3) / 10, 1e9] : undefined;
    const { detector, minutesWithoutModel } = await walk(recordingOf(400, [{ pod: 'a', at }]));
    expect(minutesWithoutModel).to.equal(15);
    expect(detector[0]?.filter((score) => !Number.isNaN(score))).to.have.lengthOf(325);
  });

  it('goes on with the last model where the window is too empty to train on', async () => {
    const at = (minute: number): [number, number] | undefined =>
      minute < 100 || minute >= 300 ? [1 + (minute % 3) / 10, 1e9] : undefined;
    const { detector } = await walk(recordingOf(400, [{ pod: 'a', at }]));
    // A pod that comes back warms up for six minutes.
    expect(detector[0]?.slice(306).some(Number.isNaN)).to.equal(false);
  });
});
