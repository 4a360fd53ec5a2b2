import { expect } from 'chai';
import { RECENT_INSTANTS, RECENT_STEP_SECONDS } from '../../../src/exporter/detection/detect.js';
import { recentRises } from '../../../src/exporter/model/counter.js';
import { createRandom } from '../../../src/exporter/model/random.js';

const NONE = Number.NaN;

const rises = (values: readonly number[], stepSeconds = 60) => [...recentRises(Float64Array.from(values), stepSeconds)];

/** A counter that rises by one at each of these instants, from `from` on. */
const counting = (instants: number, risesAt: readonly number[], from = 0) =>
  Array.from({ length: instants }, (_, instant) => from + risesAt.filter((at) => at <= instant).length);

describe('recentRises', () => {
  const cases: readonly (readonly [what: string, values: readonly number[], expected: readonly number[]])[] = [
    ['nothing of nothing', [], []],
    ['nothing of the height: a counter at 500', [500, 500, 500], [0, 0, 0]],
    ['one restart for ten minutes', counting(14, [2], 3), [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]],
    ['several at once', [1, 4, 4], [0, 3, 3]],
    [
      'two restarts within ten minutes, until ten minutes after the second',
      counting(17, [1, 5]),
      [0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0],
    ],
    [
      'those of the ten minutes before the last restart of a loop that goes on',
      counting(18, [1, 4, 7, 10, 13]),
      [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4],
    ],
    [
      'two restarts that are ten minutes apart as one each',
      counting(15, [1, 11]),
      [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    ],
    ['no restart where a new object of the same name begins again', [7, 0, 0, 1], [0, 0, 0, 1]],
    ['the restarts after that, and not the height', [514, 2, 3, 5], [0, 0, 1, 3]],
    ['a fall by one as no restart', [514, 513, 513], [0, 0, 0]],
    ['a correction that is taken back as no restart', [514, 513, 514, 513, 514, 515], [0, 0, 0, 0, 0, 1]],
    ['a fall by one to 0 as a new beginning', [1, 0, 1, 2], [0, 0, 1, 2]],
    ['a gap as no restart', [500, NONE, NONE, 500, 500], [0, NONE, NONE, 0, 0]],
    ['a restart in a gap when the gap ends', [1, NONE, NONE, 2, 2], [0, NONE, NONE, 1, 1]],
    ['a restart before a gap after it', [1, 2, NONE, NONE, 2, 2, 2], [0, 1, NONE, NONE, 1, 1, 1]],
    ['no restart at the first value after none', [NONE, NONE, 500, 501], [NONE, NONE, 0, 1]],
    ['none at all where there are no values', [NONE, NONE], [NONE, NONE]],
  ];
  for (const [what, values, expected] of cases) {
    it(`counts ${what}`, () => expect(rises(values)).to.deep.equal(expected));
  }

  describe('goes by time, not by instants', () => {
    for (const [stepSeconds, shownFor] of [
      [15, 40],
      [30, 20],
      [60, 10],
      [150, 4],
      [300, 2],
      [3600, 1],
    ] as const) {
      it(`shows a restart for ${shownFor} instants of ${stepSeconds} s`, () => {
        const shown = rises(counting(60, [3]), stepSeconds);
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

  describe('shows two restarts or more for as long as a crash loop goes on', () => {
    const HOURS_SECONDS = 4 * 3600;
    // Back-off of the kubelet: 10 s, doubled up to 5 minutes.
    const backOffs = (index: number) => Math.min(300, 10 * 2 ** index);
    for (const [lifeSeconds, jitterSeconds] of [
      [1, 60],
      [10, 0],
      [10, 60],
      [30, 60],
      [90, 60],
      [170, 60],
    ] as const) {
      it(`of lives of ${lifeSeconds} s, seen up to ${jitterSeconds} s late`, () => {
        const random = createRandom(7);
        const seenAt: number[] = [];
        for (let time = 600, index = 0; time < HOURS_SECONDS; index++) {
          time += lifeSeconds + backOffs(index);
          seenAt.push(time + jitterSeconds * random());
        }
        seenAt.sort((a, b) => a - b);
        const shown = rises(
          counting(
            HOURS_SECONDS / 60,
            seenAt.map((seconds) => Math.ceil(seconds / 60)),
          ),
        );
        const first = shown.findIndex((rise) => rise >= 2);
        expect(first * 60).to.be.below(600 + 15 * 60);
        expect(Math.min(...shown.slice(first))).to.be.at.least(2);
      });
    }

    it('at the longest back-off alone, and the largest distances that a scrape can make of it', () => {
      for (const distances of [[310], [390], [450], [310, 390], [390, 310, 330], [450, 330]]) {
        const seenAt: number[] = [];
        for (let time = 60, index = 0; time < HOURS_SECONDS; index++) {
          time += distances[index % distances.length] as number;
          seenAt.push(Math.ceil(time / 60));
        }
        const shown = rises(counting(HOURS_SECONDS / 60, seenAt));
        const first = shown.findIndex((rise) => rise >= 2);
        expect(first, `${distances}`).to.be.below(17);
        expect(Math.min(...shown.slice(first)), `${distances}`).to.be.at.least(2);
      }
    });
  });

  it('never shows more than one restart of a pod that restarts once an hour', () => {
    const shown = rises(counting(600, [30, 90, 150, 210, 270, 330, 390, 450, 510, 570]));
    expect(Math.max(...shown)).to.equal(1);
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
