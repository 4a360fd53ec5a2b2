import { expect } from 'chai';
import {
  fitHourlyPattern,
  type HourlyPatterns,
  historySlices,
  type PastDeviation,
  subtractPattern,
} from '../../../src/exporter/model/hourly-pattern.js';

const HOUR = 3600;

/** A whole hour. */
const NOON = 472_222 * HOUR;

/** The hour up to `end`, by minutes. */
const lastHour = (end: number) => Float64Array.from({ length: 60 }, (_, index) => end - 60 * (59 - index));

/** What happened at single minutes, counted from noon; 0 spreads in the others, nothing known 140 minutes before `end`. */
const happening =
  (end: number, spreads: Readonly<Record<number, number>>, busyColumn = 0): PastDeviation =>
  (column, time) => {
    if (time > end || time < end - 140 * 60) return Number.NaN;
    return column === busyColumn ? (spreads[Math.round((time - NOON) / 60)] ?? 0) : 0;
  };

const left = (pattern: HourlyPatterns, ...rest: [columns: number, column: number, time: number, deviation: number]) =>
  subtractPattern(pattern, 0, pattern.cell.length, ...rest);

/** What is left of a deviation at each of these minutes of the hour after noon. */
function leftAt(
  spreads: Readonly<Record<number, number>>,
  minutes: readonly number[],
  deviation: number,
  end = NOON + 14 * 60,
): number[] {
  const pattern = fitHourlyPattern(happening(end, spreads), 1, lastHour(end));
  return minutes.map((minute) =>
    pattern === undefined ? deviation : left(pattern, 1, 0, NOON + 60 * minute, deviation),
  );
}

describe('An hourly pattern', () => {
  it('explains what happened at the same minute of each of the last two hours, a minute more or less', () => {
    expect(leftAt({ [20 - 60]: 8, [20 - 120]: 8 }, [17, 18, 19, 20, 21, 22, 23], 9)).to.deep.equal([
      9, 9, 0, 0, 0, 9, 9,
    ]);
  });

  it('explains a job that came a minute later once', () => {
    expect(leftAt({ [21 - 60]: 8, [20 - 120]: 8 }, [18, 19, 20, 21, 22], 9)).to.deep.equal([9, 9, 0, 0, 9]);
    expect(leftAt({ [22 - 60]: 8, [20 - 120]: 8 }, [19, 20, 21, 22, 23], 9)).to.deep.equal([9, 9, 0, 9, 9]);
    expect(leftAt({ [23 - 60]: 8, [20 - 120]: 8 }, [19, 20, 21, 22, 23, 24], 9)).to.deep.equal(new Array(6).fill(9));
  });

  for (const [what, spreads] of [
    ['what happened in the last hour only', { [20 - 60]: 8 }],
    ['what happened in the hour before that only', { [20 - 120]: 8 }],
    ['what went up once and down once', { [20 - 60]: 8, [20 - 120]: -8 }],
    ['what was too small to matter once', { [20 - 60]: 8, [20 - 120]: 1.9 }],
    ['what happened at another minute', { [40 - 60]: 8, [40 - 120]: 8 }],
    ['what fell', { [20 - 60]: -8, [20 - 120]: -8 }],
  ] as const) {
    it(`does not explain ${what}`, () => expect(leftAt(spreads, [19, 20, 21], 9)).to.deep.equal([9, 9, 9]));
  }

  for (const [before, once, deviation, left] of [
    [8, 8, 10, 0],
    [8, 8, 11, 1],
    [8, 4, 10, 5],
    [4, 8, 10, 5],
    [2, 2, 10, 7.5],
    [100, 100, 12, 0],
    [100, 100, 30, 18],
    [8, 8, 1, 0],
    [8, 8, -3, -3],
    [-8, -8, -9, 0],
    [-8, -8, -11, -1],
    [-100, -100, -30, -18],
    [-8, -8, 3, 3],
  ] as const) {
    it(`leaves ${left} of ${deviation} spreads after ${before} and ${once}`, () => {
      expect(leftAt({ [20 - 60]: before, [20 - 120]: once }, [20], deviation)).to.deep.equal([left]);
    });
  }

  it('looks at the next time of each minute, wherever in the hour the training was', () => {
    for (const minute of [0, 1, 14, 19, 20, 21, 22, 58, 59]) {
      const end = NOON + 60 * minute;
      // The job ran at 20 past of the two hours before `end`.
      const last = minute >= 20 ? 20 : 20 - 60;
      const left = leftAt(
        { [last]: 8, [last - 60]: 8 },
        [19, 20, 21].map((at) => last - 20 + 60 + at),
        9,
        end,
      );
      // A minute that has just passed is looked for an hour later, and a sample after the training is not known.
      expect(left[1], `trained at minute ${minute}`).to.equal(0);
      expect(leftAt({ [last]: 8, [last - 60]: 8 }, [last + 60 + 30], 9, end)).to.deep.equal([9]);
    }
  });

  it('knows the hour around midnight of the clock as any other', () => {
    expect(leftAt({ [-60]: 8, [-120]: 8 }, [-1, 0, 1, 2], 9, NOON - 60 * 5)).to.deep.equal([0, 0, 0, 9]);
  });

  it('takes no trouble for a job: a tenth of the hour is a job, a sixth is trouble', () => {
    const busyFor = (minutes: number) => {
      const spreads: Record<number, number> = {};
      for (let at = 20; at < 20 + minutes; at++) {
        spreads[at - 60] = 8;
        spreads[at - 120] = 8;
      }
      return spreads;
    };
    expect(leftAt(busyFor(6), [22], 9)).to.deep.equal([0]);
    expect(leftAt(busyFor(10), [22], 9)).to.deep.equal([9]);
  });

  it('counts the share of the minutes that are known, and knows nothing of a pod without any', () => {
    const end = NOON + 14 * 60;
    const past = happening(end, { [20 - 60]: 8, [20 - 120]: 8 });
    const seldom: PastDeviation = (column, time) =>
      time > end - HOUR && Math.round(time / 60) % 10 !== 0 ? Number.NaN : past(column, time);
    expect(fitHourlyPattern(seldom, 1, lastHour(end))).to.equal(undefined);
    expect(fitHourlyPattern(() => Number.NaN, 1, lastHour(end))).to.equal(undefined);
  });

  it('belongs to one feature', () => {
    const end = NOON + 14 * 60;
    const pattern = fitHourlyPattern(happening(end, { [20 - 60]: 8, [20 - 120]: 8 }, 1), 3, lastHour(end));
    if (pattern === undefined) throw new Error('Expected a pattern.');
    const remaining = [0, 1, 2].map((column) => left(pattern, 3, column, NOON + 20 * 60, 9));
    expect(remaining).to.deep.equal([9, 0, 9]);
  });

  it('holds at any second of the minute', () => {
    const end = NOON + 14 * 60;
    const pattern = fitHourlyPattern(happening(end, { [20 - 60]: 8, [20 - 120]: 8 }), 1, lastHour(end));
    if (pattern === undefined) throw new Error('Expected a pattern.');
    for (const second of [0, 0.25, 30, 59.999]) {
      expect(left(pattern, 1, 0, NOON + 20 * 60 + second, 9)).to.equal(0);
    }
  });
});

describe('historySlices', () => {
  for (const [untilNext, length] of [
    [0, 120],
    [60, 180],
    [900, 1020],
    [3600, 3720],
    [7200, 3720],
    [86_400, 3720],
  ] as const) {
    it(`are ${length} s long with ${untilNext} s to the next training, two and three hours ago`, () => {
      expect(historySlices(NOON, untilNext)).to.deep.equal([
        { startSeconds: NOON - 2 * HOUR - 60, endSeconds: NOON - 2 * HOUR - 60 + length },
        { startSeconds: NOON - 3 * HOUR - 60, endSeconds: NOON - 3 * HOUR - 60 + length },
      ]);
    });
  }

  it('hold, with the window of an hour, all that a pattern asks for until the next training', () => {
    const end = NOON + 14 * 60;
    const asked: number[] = [];
    const past: PastDeviation = (_, time) => {
      asked.push(time);
      return Math.abs(time - (NOON + 20 * 60 - HOUR)) <= 60 ? 8 : 0;
    };
    fitHourlyPattern(past, 1, lastHour(end));
    const slice = historySlices(end, 900)[0] ?? { startSeconds: 0, endSeconds: 0 };
    const older = asked.filter((time) => time < end - HOUR - 60);
    expect(older).not.to.deep.equal([]);
    for (const time of older) expect(time).to.be.within(slice.startSeconds, slice.endSeconds);
  });
});
