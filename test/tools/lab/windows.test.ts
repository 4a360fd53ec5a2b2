import { expect } from 'chai';
import { RECENT_INSTANTS } from '../../../src/exporter/detection/detect.js';
import { FeatureTableBuilder } from '../../../src/exporter/features/table-builder.js';
import { workloadFromName } from '../../../src/exporter/features/workload.js';
import { cut, scoringInput, trainingInput } from '../../../src/tools/lab/windows.js';
import { CPU, MEMORY, seriesSet, type WrittenSeries } from '../../support/tables.js';
import { recordingOf, START } from './recording.js';

const values = (pod: number, minute: number) => [pod + minute / 1000, 1e6 * (pod + 1) + minute] as const;
const isThere = [
  (minute: number) => minute % 7 !== 3,
  (minute: number) => minute >= 30 && minute < 80,
  (minute: number) => minute < 20 || minute >= 100,
];
const NAMES = ['web-7d9c5b8f4-x2x4z', 'api-0', 'Batch-29000000-bcdfg'];
const recordingFor = (minutes: number) =>
  recordingOf(
    minutes,
    NAMES.map((pod, index) => ({
      pod,
      at: (minute) => (isThere[index]?.(minute) ? values(index, minute) : undefined),
    })),
  );
const recording = recordingFor(120);
const long = recordingFor(240);

/** The same minutes by way of the service's builder. */
function built(from: number, to: number, { minutes: recorded } = recording) {
  const grid = Float64Array.from({ length: to - from }, (_, instant) => START + 60 * (from + instant));
  const builder = new FeatureTableBuilder([CPU, MEMORY], grid);
  [CPU, MEMORY].forEach((feature, column) => {
    const series = NAMES.map((pod, index): WrittenSeries => {
      const minutes = Array.from({ length: to - from }, (_, instant) => from + instant);
      const samples = minutes
        .filter((minute) => minute >= 0 && minute < recorded && isThere[index]?.(minute))
        .map((minute) => [START + 60 * minute, values(index, minute)[column] as number] as const);
      return [{ namespace: 'ns', pod }, ...samples];
    });
    builder.add(feature, seriesSet(...series));
  });
  return builder.build((_, pod) => workloadFromName(pod)).table;
}

describe('the windows of a case', () => {
  it('are what the service would build from the same samples', () => {
    for (const [from, to] of [
      [0, 60],
      [20, 80],
      [15, 75],
      [50, 110],
      [80, 100],
      [-30, 30],
      [66, 67],
      [115, 120],
    ] as const) {
      expect(cut(recording, from, to), `${from} to ${to}`).to.deep.equal(built(from, to));
    }
  });

  it('train on the hour before, and on slices of the hours before that', () => {
    // Two and three hours before the last minute of the window, a minute around each.
    expect(trainingInput(recording, 75, 0)).to.deep.equal({
      window: built(15, 75),
      history: [built(-47, -44), built(-107, -104)],
    });
  });

  it('train on slices that reach as far ahead as the model will be used', () => {
    const { window, history } = trainingInput(long, 200, 15);
    expect(window).to.deep.equal(built(140, 200, long));
    expect(history).to.deep.equal([built(78, 96, long), built(18, 36, long)]);
    expect(history.map(({ timestampsSeconds }) => timestampsSeconds.length)).to.deep.equal([18, 18]);
  });

  it('score on the minute and the ten before it', () => {
    expect(scoringInput(recording, 100).table).to.deep.equal(built(90, 101));
    expect(scoringInput(recording, 82).table).to.deep.equal(built(72, 83));
    expect(scoringInput(recording, 82).table.timestampsSeconds).to.have.lengthOf(RECENT_INSTANTS);
  });
});
