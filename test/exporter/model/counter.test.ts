import { expect } from 'chai';
import { RECENT_INSTANTS, RECENT_STEP_SECONDS } from '../../../src/exporter/detection/detect.js';
import { recentRises } from '../../../src/exporter/model/counter.js';

const NONE = Number.NaN;

const rises = (values: readonly number[], stepSeconds = 60) => [...recentRises(Float64Array.from(values), stepSeconds)];

/** A counter that rises by one at each of these instants, from `from` on. */
const counting = (instants: number, risesAt: readonly number[], from = 0) =>
  Array.from({ length: instants }, (_, instant) => from + risesAt.filter((at) => at <= instant).length);

describe('recentRises', () => {
  const cases: readonly (readonly [what: string, values: readonly number[], expected: readonly number[]])[] = [
    ['nothing of nothing', [], []],
    ['nothing of the height: a counter at 500', [500, 500, 500], [0, 0, 0]],
    ['one restart for five minutes', [3, 3, 4, 4, 4, 4, 4, 4, 4], [0, 0, 1, 1, 1, 1, 1, 0, 0]],
    ['several at once', [1, 4, 4], [0, 3, 3]],
    [
      'two restarts within ten minutes, until five minutes after the second',
      counting(12, [1, 5]),
      [0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 0, 0],
    ],
    [
      'only the last ten minutes of a loop that goes on',
      counting(16, [1, 4, 7, 10, 13]),
      [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 3, 3, 4, 3, 3],
    ],
    ['two restarts that are further apart as one each', counting(9, [0, 1, 7], 5), [0, 1, 1, 1, 1, 1, 0, 2, 2]],
    ['a fall to 0 as none', [7, 7, 0, 0], [0, 0, 0, 0]],
    ['what a new object of the same name shows', [7, 2, 2, 3], [0, 2, 2, 3]],
    ['a gap as no restart', [500, NONE, NONE, 500, 500], [0, NONE, NONE, 0, 0]],
    ['a restart in a gap when the gap ends', [1, NONE, NONE, 2, 2], [0, NONE, NONE, 1, 1]],
    ['a restart before a gap after it', [1, 2, NONE, NONE, 2, 2, 2], [0, 1, NONE, NONE, 1, 1, 0]],
    ['no restart at the first value after none', [NONE, NONE, 500, 501], [NONE, NONE, 0, 1]],
    ['none at all where there are no values', [NONE, NONE], [NONE, NONE]],
  ];
  for (const [what, values, expected] of cases) {
    it(`counts ${what}`, () => expect(rises(values)).to.deep.equal(expected));
  }

  describe('goes by time, not by instants', () => {
    for (const [stepSeconds, shownFor] of [
      [15, 20],
      [30, 10],
      [60, 5],
      [150, 2],
      [300, 1],
      [3600, 1],
    ] as const) {
      it(`shows a restart for ${shownFor} instants of ${stepSeconds} s`, () => {
        const shown = rises(counting(40, [3]), stepSeconds);
        expect(shown.map((rise, instant) => (rise > 0 ? instant : -1)).filter((at) => at >= 0)).to.deep.equal(
          Array.from({ length: shownFor }, (_, index) => 3 + index),
        );
      });
    }

    it('adds restarts up over ten minutes at any step', () => {
      const everyInstant = Array.from({ length: 60 }, (_, instant) => instant);
      expect(rises(everyInstant, 30).at(-1)).to.equal(20);
      expect(rises(everyInstant, 60).at(-1)).to.equal(10);
      expect(rises(everyInstant, 300).at(-1)).to.equal(2);
      expect(rises(everyInstant, 3600).at(-1)).to.equal(1);
    });
  });

  it('is never quiet in a crash loop, also at the longest back-off of the kubelet', () => {
    const loop = counting(120, [10, 11, 13, 16, ...Array.from({ length: 20 }, (_, index) => 20 + 5 * index)]);
    const shown = rises(loop).slice(11, 116);
    expect(Math.min(...shown)).to.be.at.least(2);
  });

  it('says at the last instant of a detection what it says of a longer past', () => {
    const values = counting(90, [5, 6, 20, 30, 33, 34, 41, 60, 65, 70, 75, 80], 500);
    const all = rises(values);
    for (let instant = RECENT_INSTANTS - 1; instant < values.length; instant++) {
      const recent = values.slice(instant + 1 - RECENT_INSTANTS, instant + 1);
      expect(rises(recent, RECENT_STEP_SECONDS).at(-1), `instant ${instant}`).to.equal(all[instant]);
    }
  });

  it('does not write into the values', () => {
    const values = Float64Array.of(1, 2, Number.NaN, 3);
    recentRises(values, 60);
    expect([...values]).to.deep.equal([1, 2, Number.NaN, 3]);
  });
});
