/**
 * Boundaries from days: how far beyond its limit a workload goes on a day that is left out, and how often that may be.
 */

import { HOURS_PER_DAY, isWeekend } from '../history/grid.js';
import { type Blocks, blocksIn, type Calibration, LEAST_LIMIT, type Span } from './blocks.js';

/**
 * A unit is at least this. To the spread of the days of a workload, a share of its limit counts like one day more: few
 * days say little, and what is large differs much.
 */
const LEAST_UNIT = 0.1;
const LIMIT_SHARE = 0.3;

/**
 * A day that is beyond the limit of the others by this many units, and by this many margins, was an incident, and is not
 * learned from.
 */
const INCIDENT_UNITS = 3;
const INCIDENT_MARGINS = 2;
/** Days that must remain. */
const LEAST_DAYS = 3;

/** How fast the rate falls beyond the largest excesses is taken from this many of them. */
const TAIL = 40;

/** The largest deviation of a workload, and the unit in which margins beyond it are counted. */
interface Scale {
  readonly limit: number;
  readonly unit: number;
  /** Blocks that it comes from. */
  readonly count: number;
}

/** @param without positions of blocks that do not count, from one to another. */
function scaleOf(maxima: Float64Array, without = -1, withoutEnd = without): Scale {
  let [limit, sum, squares, count] = [LEAST_LIMIT, 0, 0, 0];
  for (let block = 0; block < maxima.length; block++) {
    const value = maxima[block] as number;
    if ((block >= without && block <= withoutEnd) || Number.isNaN(value)) continue;
    if (value > limit) limit = value;
    sum += value;
    squares += value * value;
    count++;
  }
  const days = Math.max(1, count);
  const deviations = Math.max(0, squares - (sum * sum) / days);
  return { limit, unit: LEAST_UNIT + Math.sqrt((deviations + (LIMIT_SHARE * limit) ** 2) / days), count };
}

/** The deviation above which a pod of a workload is anomalous. */
function boundaryOf(maxima: Float64Array, floor: number, margin: number, without = -1, withoutEnd = without): number {
  const { limit, unit } = scaleOf(maxima, without, withoutEnd);
  return Math.max(floor, limit + margin * unit);
}

/**
 * The margin that days which are left out exceed as often as they may; incidents are not learned from.
 *
 * @param all is gone through several times; `usual` is written to.
 * @param allowed how many workloads and days may.
 */
export function calibrateByDays(all: Iterable<Blocks>, allowed: number, span: Span): Calibration {
  const { margin } = leaveOneOut(all, allowed, blocksIn(span));
  for (const blocks of all) forgetIncidents(blocks, Math.max(INCIDENT_UNITS, INCIDENT_MARGINS * margin), span);
  const { margin: last, exceeding } = leaveOneOut(all, allowed, blocksIn(span));
  return { exceeding, boundaryOf: ({ usual, floor }) => boundaryOf(usual, floor, last) };
}

/** @param blocks how many there are. @returns the margin, in units, and how many workloads exceed it in each block. */
function leaveOneOut(all: Iterable<Blocks>, allowed: number, blocks: number): { margin: number; exceeding: number[] } {
  const worst = new Map<number, Float64Array>();
  for (const { row, maxima, usual, floor } of all) {
    const ofRow = worst.get(row) ?? new Float64Array(maxima.length);
    worst.set(row, ofRow);
    for (let block = 0; block < maxima.length; block++) {
      const value = maxima[block] as number;
      if (!(value > floor)) continue;
      const { limit, unit, count } = scaleOf(usual, block);
      if (count > 0) ofRow[block] = Math.max(ofRow[block] as number, (value - limit) / unit);
    }
  }
  const excesses = [...worst.values()].flatMap((ofRow) => [...ofRow]).filter((excess) => excess > 0);
  excesses.sort((a, b) => b - a);
  const margin = marginFor(excesses, allowed);
  const exceeding = Array.from({ length: blocks }, (_, block) => {
    let count = 0;
    for (const ofRow of worst.values()) if ((ofRow[block] as number) > margin) count++;
    return count;
  });
  return { margin, exceeding };
}

/** @param excesses descending. */
function marginFor(excesses: readonly number[], allowed: number): number {
  if (excesses.length <= allowed) return 0;
  const rank = Math.floor(allowed);
  if (rank >= 1) {
    const [above, below] = [excesses[rank - 1] as number, excesses[rank] as number];
    return above + (below - above) * (allowed - rank);
  }
  // Beyond the largest, the rate falls as it did up to there: peaks over a threshold (Pickands, 1975), with shape 0.
  const tail = excesses.slice(0, TAIL);
  const threshold = tail.at(-1) as number;
  const scale = tail.reduce((sum, excess) => sum + excess - threshold, 0) / tail.length;
  return threshold + scale * Math.log(tail.length / allowed);
}

/**
 * Takes a day, or two in a row, out of what is usual where they are far beyond the other days, and the day after is not: a
 * day is usual when it comes again. A weekend comes again only after a week, and stays.
 */
function forgetIncidents({ maxima, usual, floor }: Blocks, margin: number, span: Span): void {
  const isOfWeekend = (block: number) =>
    isWeekend(Math.floor((span.last - (maxima.length - 1 - block) * span.blockHours) / HOURS_PER_DAY));
  for (let block = 0; block < maxima.length - 1; block++) {
    for (const end of [block, block + 1]) {
      if (end >= maxima.length - 1 || (end > block && isOfWeekend(block) && isOfWeekend(end))) continue;
      if (scaleOf(usual, block, end).count < LEAST_DAYS) continue;
      const boundary = boundaryOf(usual, floor, margin, block, end);
      const isBeyond = (own: number) => (maxima[own] as number) > boundary;
      if (!isBeyond(block) || !isBeyond(end) || !((maxima[end + 1] as number) <= boundary)) continue;
      usual.fill(Number.NaN, block, end + 1);
    }
  }
}
