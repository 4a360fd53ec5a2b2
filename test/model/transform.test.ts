import { expect } from 'chai';
import { probePoints, TRANSFORMED_LIMIT, transformDeviations } from '../../src/model/transform.js';
import { feature } from '../support/tables.js';

describe('transformDeviations', () => {
  for (const kind of ['pod', 'workload'] as const) {
    it(`takes asinh and clips at 50 spreads (${kind})`, () => {
      const transformed = transformDeviations(Float64Array.of(0, 1, -4, 50, 51, 1e12, -1e12), kind);
      expect([...transformed]).to.deep.equal([
        0,
        Math.asinh(1),
        Math.asinh(-4),
        Math.asinh(50),
        Math.asinh(50),
        Math.asinh(50),
        -Math.asinh(50),
      ]);
    });
  }

  it('clips infinities too', () => {
    const transformed = transformDeviations(
      Float64Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
      'pod',
    );
    expect([...transformed]).to.deep.equal([TRANSFORMED_LIMIT, -TRANSFORMED_LIMIT]);
  });

  it('leaves the plain method’s deviations as they are', () => {
    expect([...transformDeviations(Float64Array.of(-300, 0.5, 300), 'cluster')]).to.deep.equal([
      -300, 0.5, 300,
    ]);
  });
});

describe('probePoints', () => {
  it('moves one feature at a time, both ways where both count', () => {
    const features = [feature('a'), feature('b', { direction: 'up' }), feature('c')];
    const s = Math.asinh(4);
    expect([...probePoints(features, 4)]).to.deep.equal([
      ...[s, 0, 0],
      ...[-s, 0, 0],
      ...[0, s, 0],
      ...[0, 0, s],
      ...[0, 0, -s],
    ]);
  });
});
