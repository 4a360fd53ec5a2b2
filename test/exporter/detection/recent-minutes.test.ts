import { expect } from 'chai';
import {
  isSettled,
  join,
  minuteOf,
  piecesOf,
  type RecentMinutes,
} from '../../../src/exporter/detection/recent-minutes.js';
import type { Labels, QueryResult } from '../../../src/exporter/prometheus/api.js';

const NOON = 1_767_268_800;

/** Values by pod, the last one at the newest minute; `undefined` for none. */
type Rows = Readonly<Record<string, readonly (number | undefined)[]>>;

const podOf = (pod: string): Labels => ({ namespace: 'shop', pod });

function answerOf(rows: Rows, newestSeconds: number, more: Partial<QueryResult> = {}): QueryResult {
  const offsets = [0];
  const timestampsSeconds: number[] = [];
  const values: number[] = [];
  for (const row of Object.values(rows)) {
    for (const [index, value] of row.entries()) {
      if (value === undefined) continue;
      timestampsSeconds.push(newestSeconds - (row.length - 1 - index) * 60);
      values.push(value);
    }
    offsets.push(values.length);
  }
  return {
    labels: Object.keys(rows).map(podOf),
    offsets: Uint32Array.from(offsets),
    timestampsSeconds: Float64Array.from(timestampsSeconds),
    values: Float64Array.from(values),
    warnings: [],
    infos: [],
    ...more,
  };
}

/** All samples, by pod and minute after noon. */
function samplesOf(recent: RecentMinutes | undefined): Record<string, Record<number, number>> {
  if (recent === undefined) throw new Error('The answers do not fit together.');
  const found: Record<string, Record<number, number>> = {};
  for (const { labels, offsets, timestampsSeconds, values } of piecesOf(recent)) {
    for (const [series, { pod = '' }] of labels.entries()) {
      found[pod] ??= {};
      for (let sample = offsets[series] as number; sample < (offsets[series + 1] as number); sample++) {
        found[pod][((timestampsSeconds[sample] as number) - NOON) / 60] = values[sample] as number;
      }
    }
  }
  return found;
}

/** Of many pods, so that one of them is not a large share. */
const crowd = (minutes: number, value = 1): Rows =>
  Object.fromEntries(Array.from({ length: 60 }, (_, pod) => [`crowd-${pod}`, new Array(minutes).fill(value)]));

const withoutCrowd = (samples: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(samples).filter(([pod]) => !pod.startsWith('crowd')));

describe('recent minutes', () => {
  const whole = join(undefined, answerOf({ a: [1, 2, 3, 4], b: [5, 6, undefined, 8], ...crowd(4) }, NOON), NOON, 4);

  it('are whole minutes of Unix time', () => {
    expect([NOON, NOON + 0.001, NOON + 59.999, NOON + 60].map(minuteOf)).to.deep.equal([NOON, NOON, NOON, NOON + 60]);
  });

  it('are those of an answer that has all', () => {
    expect(withoutCrowd(samplesOf(whole))).to.deep.equal({
      a: { [-3]: 1, [-2]: 2, [-1]: 3, 0: 4 },
      b: { [-3]: 5, [-2]: 6, 0: 8 },
    });
  });

  it('are joined with later ones, of which the newest that was remembered is taken again', () => {
    const joined = join(
      whole,
      answerOf({ a: [40, 50, 60], b: [undefined, 9, 10], ...crowd(3) }, NOON + 120),
      NOON + 120,
      4,
    );
    expect(withoutCrowd(samplesOf(joined))).to.deep.equal({ a: { [-1]: 3, 0: 40, 1: 50, 2: 60 }, b: { 1: 9, 2: 10 } });
  });

  it('are taken again within a minute', () => {
    const joined = join(whole, answerOf({ a: [40], ...crowd(1) }, NOON), NOON, 4);
    expect(withoutCrowd(samplesOf(joined))).to.deep.equal({
      a: { [-3]: 1, [-2]: 2, [-1]: 3, 0: 40 },
      b: { [-3]: 5, [-2]: 6 },
    });
  });

  it('keep series that are gone as long as a minute of theirs counts, and no longer', () => {
    let recent = whole;
    for (const [minute, pods] of [
      [1, ['a', 'b']],
      [2, ['a']],
      [3, []],
    ] as const) {
      const newestSeconds = NOON + minute * 60;
      recent = join(recent, answerOf(crowd(2), newestSeconds), newestSeconds, 4);
      expect(Object.keys(withoutCrowd(samplesOf(recent))), `minute ${minute}`).to.deep.equal(pods);
    }
  });

  it('tell a value that is not finite from none', () => {
    const joined = join(
      whole,
      answerOf({ a: [Number.NaN, Number.NEGATIVE_INFINITY], ...crowd(2) }, NOON + 60),
      NOON + 60,
      4,
    );
    expect(samplesOf(joined).a).to.deep.equal({ [-2]: 2, [-1]: 3, 0: Infinity, 1: Infinity });
  });

  it('have one row for each series, wherever others come and go', () => {
    const numbers = Array.from({ length: 1000 }, (_, index) => index);
    const rowsOf = (pods: readonly number[], suffix: string, row: readonly (number | undefined)[]) =>
      pods.map((pod) => [`pod-${String(pod).padStart(4, '0')}${suffix}`, row] as const);
    const before = join(undefined, answerOf(Object.fromEntries(rowsOf(numbers, '', [1, 1, 1, 1])), NOON), NOON, 4);
    // Some come, some go, 100 go at once, and 90 make room for 45 others.
    const isGone = (pod: number) => pod % 50 === 9 || (pod >= 300 && pod < 400) || (pod >= 600 && pod < 690);
    const kept = rowsOf(
      numbers.filter((pod) => !isGone(pod)),
      '',
      [1, 1],
    );
    const others = numbers.filter((pod) => pod % 100 === 5 || (pod >= 600 && pod < 645));
    const rows = [...kept, ...rowsOf(others, '-new', [undefined, 1])].sort(([a], [b]) => (a < b ? -1 : 1));
    const joined = join(before, answerOf(Object.fromEntries(rows), NOON + 60), NOON + 60, 4);
    const names = joined?.labels.map(({ pod }) => pod) ?? [];
    expect(new Set(names).size).to.equal(1000 + others.length);
    expect(names).to.have.lengthOf(1000 + others.length);
  });

  it('take series as the same by what their labels say, where they are other objects', () => {
    const joined = join(whole, answerOf(crowd(2), NOON + 60), NOON + 60, 4);
    expect(joined?.labels).to.have.lengthOf(62);
    const renamed = answerOf(crowd(2), NOON + 60);
    const labels = renamed.labels.map((own) => ({ ...own, zone: 'b' }));
    expect(join(whole, { ...renamed, labels }, NOON + 60, 4), 'others').to.equal(undefined);
  });

  for (const [what, answer] of [
    ['samples are between the instants', answerOf({ a: [1, 2], ...crowd(2) }, NOON + 61)],
    ['samples are of instants that were not asked for', answerOf({ a: [1, 2, 3], ...crowd(2) }, NOON + 60)],
    ['a server has moved the instants', answerOf(crowd(2), NOON + 60, { shiftSeconds: 7 })],
    ['the answer is about other namespaces', answerOf(crowd(2), NOON + 60, { scope: 'shop' })],
    ['many series were missing in the minute before', answerOf({ ...crowd(2), b: [1, 2], c: [1, 2] }, NOON + 60)],
    ['most series have gone', answerOf({ a: [1, 2] }, NOON + 60)],
  ] as const) {
    it(`cannot be joined where ${what}`, () => {
      expect(join(whole, answer, NOON + 60, 4)).to.equal(undefined);
    });
  }

  it('are settled unless many fewer series are there than a minute before', () => {
    const settled = (present: number) => {
      const rows = Array.from({ length: 10 }, (_, pod) => [`p-${pod}`, [1, 1, pod < present ? 1 : undefined]]);
      return isSettled(join(undefined, answerOf(Object.fromEntries(rows), NOON), NOON, 3) as RecentMinutes);
    };
    expect([10, 8, 7, 0].map(settled)).to.deep.equal([true, true, false, false]);
    expect(isSettled(join(undefined, answerOf({}, NOON), NOON, 3) as RecentMinutes), 'nothing at all').to.equal(true);
  });
});
