import { expect } from 'chai';
import { levelOf, valueOfLevel } from '../../../src/exporter/history/level.js';

const CPU = { spreadFloor: 0.005 };

describe('level', () => {
  it('is 0 for 0, and has the sign of the value', () => {
    expect(levelOf(CPU, 0)).to.equal(0);
    expect(levelOf(CPU, -2)).to.equal(-levelOf(CPU, 2));
  });

  it('differs by the logarithm of the factor far above the floor, up and down alike', () => {
    expect(levelOf(CPU, 20) - levelOf(CPU, 10)).to.be.closeTo(Math.log(2), 0.001);
    expect(levelOf(CPU, 10) - levelOf(CPU, 5)).to.be.closeTo(Math.log(2), 0.001);
  });

  it('hardly differs below the floor, where values are noise', () => {
    expect(levelOf(CPU, 0.001) - levelOf(CPU, 0.0001)).to.be.below(0.1);
  });

  it('is undone by the value of a level', () => {
    for (const value of [-3, 0, 1e-9, 0.004, 17, 1e12]) {
      expect(valueOfLevel(CPU, levelOf(CPU, value))).to.be.closeTo(value, 1e-9 * Math.max(1, Math.abs(value)));
    }
  });

  it('is missing where the value is', () => {
    expect(levelOf(CPU, Number.NaN)).to.deep.equal(Number.NaN);
  });
});
