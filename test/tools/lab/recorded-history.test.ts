import { expect } from 'chai';
import { queryOwners } from '../../../src/exporter/features/workload.js';
import { type Case, instantOf } from '../../../src/tools/lab/case.js';
import { OWNER_QUERIES, piecesOf, type RecordedPiece, scoredRange } from '../../../src/tools/lab/recorded-history.js';
import { History } from '../../../src/tools/replay/history.js';
import type { ReplayParameters } from '../../../src/tools/replay/replay.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { recordingOf, START, type WrittenPod } from './recording.js';

const parametersOf = ({ features }: Case): ReplayParameters => ({
  features,
  ownerQueries: OWNER_QUERIES,
  model: QUICK_PARAMETERS,
  sensitivities: [4],
  chosen: 0,
  lookbackSeconds: 3600,
  stepSeconds: 60,
  trainingIntervalSeconds: 900,
  historyDays: 7,
});
const pieces = async (recording: Case): Promise<RecordedPiece[]> => {
  const made: RecordedPiece[] = [];
  for (const piece of piecesOf(recording, parametersOf(recording))) made.push(await piece());
  return made;
};
const minutesOf = (recording: Case, times: readonly number[]) =>
  times.map((time) => (time - instantOf(recording, 0)) / 60);

const always: WrittenPod = { pod: 'web-7d9c5b8f4-x2x4z', at: (minute) => [minute, 1e6 + minute] };

describe('a recording as a history', () => {
  it('is scored from the end of the first hour to its end: a minute is known when it is over', async () => {
    expect(scoredRange(recordingOf(100, [always]))).to.deep.equal({
      startSeconds: START + 61 * 60,
      endSeconds: START + 101 * 60,
    });
    expect(await pieces(recordingOf(60, [always]))).to.deep.equal([]);
  });

  it('trains at the end of the first hour, and every 15 minutes: a model serves from the minute after', async () => {
    const recording = recordingOf(100, [always]);
    const [piece] = await pieces(recording);
    expect(minutesOf(recording, piece?.trainingTimes ?? [])).to.deep.equal([59, 74, 89]);
    expect(piece?.chunk.startSeconds).to.equal(instantOf(recording, 60));
  });

  it('does not train where the window holds too little', async () => {
    const sparse = recordingOf(300, [
      { pod: 'a', at: (minute) => (minute < 70 || minute >= 200 ? [1, 1] : undefined) },
    ]);
    const times = (await pieces(sparse)).flatMap(({ trainingTimes }) => trainingTimes);
    // The window of minute 119 has one minute left of the first 70; 209 has nine of what comes again.
    expect(minutesOf(sparse, [...new Set(times)])).to.deep.equal([59, 74, 89, 104, 119, 224, 239, 254, 269, 284]);
  });

  it('answers with what was recorded, and with no more than a piece needs', async () => {
    const recording = recordingOf(24 * 60, [
      always,
      { pod: 'gone-0', at: (minute) => (minute < 30 ? [1, 1] : undefined) },
      { pod: 'gappy-0', at: (minute) => (minute % 2 === 0 ? [minute, 1] : undefined) },
    ]);
    const all = await pieces(recording);
    expect(all.length).to.be.above(3);
    const last = all.at(-1) as RecordedPiece;
    const history = new History(new Map(last.slabs));
    const end = last.chunk.endSeconds - 60;
    const [cpu] = recording.features;
    const answer = history.range(cpu?.query ?? '', end - 120, end, 60);
    expect(answer.labels.map(({ namespace, pod }) => `${namespace}/${pod}`)).to.deep.equal([
      'ns/gappy-0',
      'ns/web-7d9c5b8f4-x2x4z',
    ]);
    expect([...answer.values]).to.deep.equal([1438, 1437, 1438, 1439]);
    // Three hours and what a training ahead looks at.
    const [, [slab]] = last.slabs[0] as RecordedPiece['slabs'][number];
    expect((last.trainingTimes[0] ?? 0) - (slab?.grid.startSeconds ?? 0)).to.be.within(3 * 3600, 3.2 * 3600);
  });

  it('knows the owners of pods', async () => {
    const [piece] = await pieces(recordingOf(100, [always]));
    const history = new History(new Map(piece?.slabs));
    const owners = await queryOwners(history, OWNER_QUERIES, START, new AbortController().signal);
    expect(Object.fromEntries(owners)).to.deep.equal({ 'ns/web-7d9c5b8f4-x2x4z': 'web' });
  });
});
