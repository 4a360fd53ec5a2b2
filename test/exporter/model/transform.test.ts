import { expect } from 'chai';
import {
  clipInputs,
  compress,
  deviationsWithin,
  INPUT_LIMIT,
  inputOf,
  probePoints,
  smooth,
} from '../../../src/exporter/model/transform.js';
import { feature } from '../../support/tables.js';

const NONE = Number.NaN;

describe('compress', () => {
  it('takes asinh of a rise, however far', () => {
    for (const deviation of [0, 0.5, 4, 50, 1e12]) {
      expect(compress(deviation, false)).to.equal(Math.asinh(deviation));
      expect(compress(deviation, true)).to.equal(Math.asinh(deviation));
    }
  });

  it('counts a fall half', () => {
    for (const deviation of [0.5, 4, 50, 1e12]) {
      expect(compress(-2 * deviation, false)).to.equal(-compress(deviation, false));
    }
  });

  it('counts a fall as nothing where only rises count', () => {
    expect(compress(-50, true)).to.equal(0);
  });

  it('leaves what is not there', () => {
    expect(compress(NONE, false)).to.deep.equal(NONE);
    expect(compress(NONE, true)).to.deep.equal(NONE);
  });
});

describe('smooth', () => {
  const cases: readonly (readonly [what: string, now: number, before: number, settled: number])[] = [
    ['the same twice in full', 2, 2, 2],
    ['a fall that lasts in full', -2, -2, -2],
    ['a lone rise less', 2, 0, 1.8],
    ['a lone fall less', -2, 0, -1.8],
    ['a rise after a fall as a lone one', 2, -5, 1.8],
    ['a fall after a rise as a lone one', -2, 5, -1.8],
    ['a little of the minute before on the same side', 2, 3, 2.1],
    ['a little less after a smaller one', 3, 2, 2.9],
    ['nothing now as nothing, whatever was before', 0, 5, 0],
    ['the first minute in full', 2, NONE, 2],
    ['no minute as none', NONE, 2, NONE],
  ];
  for (const [what, now, before, settled] of cases) {
    it(`counts ${what}`, () => {
      if (Number.isNaN(settled)) expect(smooth(now, before)).to.deep.equal(NONE);
      else expect(smooth(now, before)).to.be.closeTo(settled, 1e-12);
    });
  }
});

describe('clipInputs', () => {
  it('cuts off at 50 spreads, and leaves the rest as it is', () => {
    const inputs = Float64Array.of(0, 1, -4, INPUT_LIMIT, 4.7, 1e12, -4.7, Infinity, -Infinity);
    const limit = Math.asinh(50);
    expect([...clipInputs(inputs)]).to.deep.equal([0, 1, -4, limit, limit, limit, -limit, limit, -limit]);
    expect(inputs[5]).to.equal(1e12);
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

  it('stands where a rise that lasts for two instants ends up', () => {
    const input = compress(4, false);
    expect(smooth(input, input)).to.be.closeTo(inputOf(4), 1e-12);
    expect(compress(-8, false)).to.equal(-inputOf(4));
  });
});

describe('deviationsWithin', () => {
  it('is where one feature reaches an input, on either side', () => {
    const { below, above } = deviationsWithin(1.4);
    expect(compress(above, false)).to.be.closeTo(1.4, 1e-12);
    expect(compress(-below, false)).to.be.closeTo(-1.4, 1e-12);
  });
});
