import { expect } from 'chai';
import { fitLocationScale } from '../../../src/exporter/model/spread.js';

const OPTIONS = { spreadFloor: 1, relativeSpreadFloor: 0, sensitivity: 4 };

const series = (instants: number, valueAt: (instant: number) => number) =>
  Float64Array.from({ length: instants }, (_, instant) => valueAt(instant));

const constant = (instants: number, value: number) => series(instants, () => value);

const fitted = (window: Float64Array, slices: readonly Float64Array[] = [], options: Partial<typeof OPTIONS> = {}) =>
  fitLocationScale(window, slices, { ...OPTIONS, ...options });

/** An hour at 10 that is at 40 for `length` of every `period` minutes. */
const hourWith = (length: number, period: number) =>
  series(60, (minute) => (minute % period >= 3 && minute % period < 3 + length ? 40 : 10));

/** Minutes at 9, 10 and 11 in turns: median 10, median absolute deviation 1. */
const wavering = (minute: number) => 9 + (minute % 3);

describe('fitLocationScale', () => {
  describe('takes for the spread', () => {
    const cases: readonly (readonly [
      what: string,
      window: Float64Array,
      floors: Partial<typeof OPTIONS>,
      scale: number,
    ])[] = [
      ['the scaled median absolute deviation', series(60, wavering), { spreadFloor: 0.1 }, 1.4826],
      ['the floor, where that is more', series(60, wavering), { spreadFloor: 3 }, 3],
      ['the share of the level, where that is more', series(60, wavering), { relativeSpreadFloor: 0.5 }, 5],
      ['the floor of a constant', constant(60, 200), {}, 1],
      ['the share of a constant', constant(60, 200), { relativeSpreadFloor: 0.1 }, 20],
      ['the share of the size of a level below 0', constant(60, -200), { relativeSpreadFloor: 0.1 }, 20],
      ['the floor of a constant 0', constant(60, 0), { relativeSpreadFloor: 0.1 }, 1],
      ['the floor of a single value', constant(1, 7), {}, 1],
    ];
    for (const [what, window, floors, scale] of cases) {
      it(what, () => expect(fitted(window, [], floors).scale).to.be.closeTo(scale, 1e-12));
    }
  });

  describe('knows bursts', () => {
    for (const [length, period] of [
      [1, 4],
      [1, 8],
      [2, 8],
      [2, 15],
    ] as const) {
      it(`of ${length} in every ${period} minutes: one is as large as the spread`, () => {
        expect(fitted(hourWith(length, period))).to.deep.equal({ location: 10, scale: 30 });
      });
    }

    it('but not those that come in less than a tenth of the minutes', () => {
      expect(fitted(hourWith(1, 15)).scale).to.equal(1);
      expect(fitted(hourWith(2, 30)).scale).to.equal(1);
    });

    for (const [length, period] of [
      [3, 10],
      [4, 10],
      [5, 12],
      [10, 30],
      [25, 60],
    ] as const) {
      it(`and not plateaus of ${length} in every ${period} minutes, as faults are`, () => {
        expect(fitted(hourWith(length, period))).to.deep.equal({ location: 10, scale: 1 });
      });
    }

    it('downwards as well', () => {
      expect(fitted(hourWith(2, 8).map((value) => 50 - value))).to.deep.equal({ location: 40, scale: 30 });
    });

    it('beside gaps', () => {
      const gaps = hourWith(1, 4).map((value, minute) => (minute % 11 === 0 ? Number.NaN : value));
      expect(fitted(gaps)).to.deep.equal({ location: 10, scale: 30 });
    });
  });

  it('does not let an incident’s own noise widen the spread', () => {
    const incident = (noise: number) =>
      series(60, (minute) => (minute < 40 ? 10 : 100 + (minute % 2 === 0 ? noise : -noise)));
    expect(fitted(incident(30))).to.deep.equal({ location: 10, scale: 1 });
    expect(fitted(incident(30))).to.deep.equal(fitted(incident(0)));
    // The same noise around the usual level does.
    expect(fitted(series(60, (minute) => 100 + (minute % 2 === 0 ? 30 : -30))).scale).to.be.above(29);
  });

  describe('remembers the usual level by earlier slices', () => {
    const slice = constant(18, 10);
    const incidentOf = (minutes: number) => series(60, (minute) => (minute < 60 - minutes ? 10 : 100));

    for (const minutes of [10, 30, 40, 59]) {
      it(`while an incident fills ${minutes} of 60 minutes`, () => {
        expect(fitted(incidentOf(minutes), [slice, slice])).to.deep.equal({ location: 10, scale: 1 });
      });
    }

    it('which the window alone has forgotten after half of it', () => {
      expect(fitted(incidentOf(29)).location).to.equal(10);
      expect(fitted(incidentOf(31)).location).to.equal(100);
    });

    it('and takes up a new level once that fills the window and reaches into a slice', () => {
      const mixed = series(18, (minute) => (minute < 16 ? 10 : 100));
      expect(fitted(incidentOf(60), [mixed, slice]).location).to.equal(100);
    });

    it('with the weight of half a window each, whatever their number of samples', () => {
      const locations = [9, 18, 120, 1000].map((samples) => {
        const other = constant(samples, 100);
        return [fitted(constant(60, 10), [other]).location, fitted(constant(60, 10), [other, other, other]).location];
      });
      for (const pair of locations) expect(pair).to.deep.equal([10, 100]);
    });

    it('if they are there for half of their instants at least', () => {
      const partly = (present: number) => series(18, (minute) => (minute < present ? 10 : Number.NaN));
      expect(fitted(incidentOf(40), [partly(9), partly(9)]).location).to.equal(10);
      expect(fitted(incidentOf(40), [partly(8), partly(8)]).location).to.equal(100);
      expect(fitted(incidentOf(40), [partly(0), new Float64Array(0)])).to.deep.equal(fitted(incidentOf(40)));
    });

    it('from all over the slice', () => {
      const rising = series(18, (minute) => 10 + minute);
      expect(fitted(constant(2, 18.5), [rising, rising, rising, rising]).location).to.be.within(10, 27);
      expect(fitted(constant(60, 0), [rising, rising, rising, rising]).scale).to.be.above(5);
    });
  });

  it('does not write into what it is given', () => {
    const window = series(60, wavering);
    const slice = series(18, wavering);
    fitted(window, [slice]);
    expect(window).to.deep.equal(series(60, wavering));
    expect(slice).to.deep.equal(series(18, wavering));
  });
});
