import { expect } from 'chai';
import type { Labels, SeriesSet } from '../../../src/exporter/prometheus/api.js';
import {
  blockOf,
  bytesOf,
  countValues,
  selectInstants,
  seriesIn,
} from '../../../src/exporter/training/sample-block.js';

const ASKED = { startSeconds: 600, stepSeconds: 60, instants: 3 };

/** A series for each row; `undefined` where there is no sample. */
function answerOf(rows: readonly (readonly (number | undefined)[])[]): SeriesSet {
  const samples = rows.map((row) => row.flatMap((value, index) => (value === undefined ? [] : [{ index, value }])));
  let end = 0;
  return {
    labels: rows.map((_, pod) => ({ namespace: 'n', pod: `p-${pod}` })),
    offsets: Uint32Array.from([0, ...samples.map((own) => (end += own.length))]),
    timestampsSeconds: Float64Array.from(samples.flat(), ({ index }) => 600 + 60 * index),
    values: Float64Array.from(samples.flat(), ({ value }) => value),
  };
}

const numberOf = ({ pod = '' }: Labels) => Number(pod.slice(2));

/** Time and value of each sample, by pod. */
function samplesOf(pieces: Iterable<SeriesSet>): Record<string, number[][]> {
  const found: Record<string, number[][]> = {};
  for (const { labels, offsets, timestampsSeconds, values } of pieces) {
    labels.forEach(({ pod = '' }, row) => {
      const positions = [...values.keys()].slice(offsets[row], offsets[row + 1]);
      found[pod] = positions.map((sample) => [timestampsSeconds[sample] as number, values[sample] as number]);
    });
  }
  return found;
}

const ROWS = [
  [0.1, 0.2, 0.30000000000000004],
  [5, 5, 5],
  [undefined, 1, undefined],
  [Number.POSITIVE_INFINITY, 1e308, -0],
  [0, -0, 0],
];

describe('a block of samples', () => {
  it('gives back every sample as it came', () => {
    const block = blockOf(answerOf(ROWS), ASKED, numberOf);
    const pieces = seriesIn(block, [0, 1, 2], (pod) => ({ namespace: 'n', pod: `p-${pod}` }));
    expect(samplesOf(pieces)).to.deep.equal(samplesOf([answerOf(ROWS)]));
    expect([...countValues(block)]).to.deep.equal([4, 5, 4]);
  });

  it('gives back many series, of which most do not change', () => {
    const rows = Array.from({ length: 3000 }, (_, pod) => [pod, pod, pod % 3 === 0 ? pod + 1 : pod]);
    const block = blockOf(answerOf(rows), ASKED, numberOf);
    const some = selectInstants(block, [0, 2]);
    const pieces = seriesIn(some, [1], (pod) => ({ namespace: 'n', pod: `p-${pod}` }));
    const expected = Object.fromEntries(rows.map((row, pod) => [`p-${pod}`, [[720, row[2]]]]));
    expect(samplesOf(pieces)).to.deep.equal(expected);
  });

  it('leaves out series that have no sample at the instants', () => {
    const block = blockOf(answerOf([...ROWS, [undefined, undefined, undefined]]), ASKED, numberOf);
    const pieces = seriesIn(block, [0, 2], (pod) => ({ namespace: 'n', pod: `p-${pod}` }));
    expect(Object.keys(samplesOf(pieces)).sort()).to.deep.equal(['p-0', 'p-1', 'p-3', 'p-4']);
  });

  it('tells a sample that is no number from none', () => {
    const block = blockOf(answerOf([[Number.NaN, undefined, 1], Array(3).fill(Number.NaN)]), ASKED, numberOf);
    const found = samplesOf(seriesIn(block, [0, 1, 2], (pod) => ({ pod: `p-${pod}` })));
    expect(found['p-0']).to.deep.equal([
      [600, Number.POSITIVE_INFINITY],
      [720, 1],
    ]);
    expect(found['p-1']).to.have.lengthOf(3);
  });

  it('leaves out what was not asked for', () => {
    const answer = answerOf([[1, 2, 3]]);
    answer.timestampsSeconds.set([540, 690, 720]);
    expect(samplesOf(seriesIn(blockOf(answer, ASKED, numberOf), [0, 1, 2], () => ({ pod: 'p-0' })))).to.deep.equal({
      'p-0': [[720, 3]],
    });
  });

  it('takes eight bytes for a steady series, and four for a number that needs no more', () => {
    const sizeOf = (row: readonly number[]) =>
      bytesOf(blockOf(answerOf(Array(100).fill(row)), ASKED, numberOf)) - 8 * ASKED.instants;
    expect(sizeOf([7, 7, 7])).to.equal(100 * (4 + 4));
    expect(sizeOf([7, 8, 9])).to.equal(100 * (4 + 3 * 4));
    expect(sizeOf([0.1, 8, 9])).to.equal(100 * (4 + 3 * 8));
  });
});
