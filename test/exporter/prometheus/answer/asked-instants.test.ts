import { expect } from 'chai';
import { onAskedInstants } from '../../../../src/exporter/prometheus/answer/asked-instants.js';
import type { QueryResult } from '../../../../src/exporter/prometheus/api.js';

const RANGE = { startSeconds: 1000, endSeconds: 1240, stepSeconds: 60 };

type Sample = readonly [seconds: number, value: number];

function resultOf(...series: readonly (readonly Sample[])[]): QueryResult {
  const samples = series.flat();
  let count = 0;
  return {
    labels: series.map((_, index) => ({ pod: String(index) })),
    offsets: Uint32Array.from([0, ...series.map((own) => (count += own.length))]),
    timestampsSeconds: Float64Array.from(samples, ([seconds]) => seconds),
    values: Float64Array.from(samples, ([, value]) => value),
    warnings: ['w'],
    infos: [],
  };
}

const seriesOf = ({ offsets, timestampsSeconds, values }: QueryResult): Sample[][] =>
  [...offsets.subarray(1)].map((end, series) =>
    Array.from(
      { length: end - (offsets[series] as number) },
      (_, index): Sample => [
        timestampsSeconds[(offsets[series] as number) + index] as number,
        values[(offsets[series] as number) + index] as number,
      ],
    ),
  );

const moved = (...series: readonly (readonly Sample[])[]) => onAskedInstants(resultOf(...series), RANGE);

/** The instants, moved by some seconds, with their position as value. */
const shifted = (seconds: number, count = 5): Sample[] =>
  Array.from({ length: count }, (_, index): Sample => [1000 + seconds + 60 * index, index]);

describe('onAskedInstants', () => {
  it('leaves what is at its instants as it came, to the millisecond of rounding', () => {
    const rounded = shifted(0.0004);
    const result = resultOf(rounded, [], rounded.slice(2));
    const placed = onAskedInstants(result, RANGE);
    expect(placed).to.equal(result);
    expect(seriesOf(placed)).to.deep.equal([rounded, [], rounded.slice(2)]);
  });

  for (const early of [0.01, 1, 40, 59.99]) {
    it(`takes samples that are ${early} s early for their instants`, () => {
      const placed = moved(shifted(-early), shifted(-early).slice(3));
      expect(seriesOf(placed)).to.deep.equal([shifted(0), shifted(0).slice(3)]);
      expect(placed.shiftSeconds).to.be.closeTo(early, 1e-6);
      expect(placed.warnings).to.deep.equal(['w']);
    });
  }

  it('leaves out what comes within a step after the last instant', () => {
    const placed = moved(shifted(-40, 6));
    expect(seriesOf(placed)).to.deep.equal([shifted(0)]);
    expect(placed.shiftSeconds).to.equal(40);
  });

  it('keeps all but the first where all samples are late', () => {
    const placed = moved(shifted(20));
    expect(seriesOf(placed)).to.deep.equal([shifted(60, 4)]);
  });

  it('takes the later of two samples for one instant', () => {
    const placed = moved([...shifted(-40), [1240, 99]], [[960, 7]]);
    expect(seriesOf(placed)).to.deep.equal([[...shifted(0, 4), [1240, 99]], [[1000, 7]]]);
  });

  for (const hours of [-1, 1]) {
    it(`leaves what is ${hours} h off where it is`, () => {
      const wrong = shifted(hours * 3600);
      expect(seriesOf(moved(wrong))).to.deep.equal([wrong]);
      expect(moved(wrong).shiftSeconds).to.equal(undefined);
    });
  }

  it('takes nothing before the first instant, by a step or more, for it', () => {
    const placed = moved([
      [900, 1],
      [940, 2],
      [940.5, 3],
    ]);
    expect(seriesOf(placed)).to.deep.equal([
      [
        [900, 1],
        [940, 2],
        [1000, 3],
      ],
    ]);
  });

  it('places a single instant, and fractions of seconds', () => {
    const single = { startSeconds: 1000.25, endSeconds: 1000.25, stepSeconds: 60 };
    expect(seriesOf(onAskedInstants(resultOf([[960, 1]]), single))).to.deep.equal([[[1000.25, 1]]]);
  });
});
