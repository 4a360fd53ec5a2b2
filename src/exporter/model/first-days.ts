/**
 * Boundaries of the first days, while no day can be left out: hours stand in for days, the workloads of the fleet for the
 * history of one, and theory for the margin. With little known, less is flagged.
 */

import { HOURS_PER_DAY } from '../history/grid.js';
import { type Blocks, type Calibration, LEAST_LIMIT, type Span } from './blocks.js';

/** Units from one e-th of the rate to the next: the largest of many values have an exponential tail. */
const TAIL_SCALE = 0.85;

/** The margin is larger by this many units, divided by the hours that are known: what was not seen yet may come. */
const UNSEEN_HOURS = 4;

/** A unit is at least this share of the relative spread floor of the feature. */
const UNIT_SHARE = 1.25;

/** In the variance of a workload, that of the fleet counts like this many blocks. */
const FLEET_BLOCKS = 3;

/** A block that was flagged is believed once one like it comes again: with at least this share of its deviation. */
const AGAIN_SHARE = 0.7;

/** The largest deviation of a workload, with the number and the variance of its blocks. */
interface Statistics {
  readonly limit: number;
  readonly variance: number;
  readonly count: number;
}

function statisticsOf(maxima: Float64Array): Statistics {
  let [limit, sum, squares, count] = [LEAST_LIMIT, 0, 0, 0];
  for (const value of maxima) {
    if (Number.isNaN(value)) continue;
    limit = Math.max(limit, value);
    sum += value;
    squares += value * value;
    count++;
  }
  return { limit, variance: count === 0 ? 0 : Math.max(0, squares / count - (sum / count) ** 2), count };
}

/**
 * Calibrates on hours, or blocks of some hours.
 *
 * @param all is gone through several times; `usual` is written to.
 * @param budgetPerDay messages that all workloads together may make.
 */
export function calibrateFirstDays(all: Iterable<Blocks>, budgetPerDay: number, { blockHours }: Span): Calibration {
  const rows = new Set<number>();
  for (const { row } of all) rows.add(row);
  const allowed = (budgetPerDay * blockHours) / HOURS_PER_DAY;
  const margin = TAIL_SCALE * Math.log(Math.max(2, rows.size / allowed));
  const fleet = fleetVariances(all);
  const boundaryOf = ({ usual, feature, floor, column, view }: Blocks) => {
    const { limit, variance, count } = statisticsOf(usual);
    const ofFleet = fleet.get(cellOf({ column, view })) ?? 0;
    const drawn = (count * variance + FLEET_BLOCKS * ofFleet) / (count + FLEET_BLOCKS);
    const unit = Math.sqrt(drawn) + UNIT_SHARE * feature.relativeSpreadFloor;
    return Math.max(floor, limit + (margin + UNSEEN_HOURS / Math.max(1, count * blockHours)) * unit);
  };
  for (const blocks of all) believe(blocks, boundaryOf);
  return { boundaryOf, exceeding: [] };
}

/** What the workloads have of a feature and view: the limit of each, and the sum of their variances. */
interface Fleet {
  readonly limits: number[];
  variances: number;
}

const cellOf = ({ column, view }: Pick<Blocks, 'column' | 'view'>) => `${column}/${view}`;

/**
 * For each feature and view: the mean variance within workloads, and, while there are few blocks, the variance between
 * them. What the workloads of the fleet differ by is no reason for a flag.
 */
function fleetVariances(all: Iterable<Blocks>): ReadonlyMap<string, number> {
  const groups = new Map<string, Fleet>();
  let blocks = 1;
  for (const own of all) {
    const { limit, variance } = statisticsOf(own.maxima);
    const key = cellOf(own);
    const fleet = groups.get(key) ?? { limits: [], variances: 0 };
    groups.set(key, fleet);
    fleet.limits.push(limit);
    fleet.variances += variance;
    blocks = Math.max(blocks, own.maxima.length);
  }
  return new Map(
    [...groups].map(([key, { limits, variances }]) => {
      const within = variances / limits.length;
      const between = statisticsOf(Float64Array.from(limits)).variance;
      return [key, ((blocks - 1) * within + between) / blocks];
    }),
  );
}

/**
 * Blocks that were flagged when they came may have been faults, and are not learned from; until one like them comes again
 * after a block that was usual. The first block is believed.
 */
function believe(blocks: Blocks, boundaryOf: (blocks: Blocks) => number): void {
  const { maxima, usual } = blocks;
  usual.fill(Number.NaN);
  let isAnyKnown = false;
  let flagged = Number.POSITIVE_INFINITY;
  let wasFlagged = false;
  for (const [block, value] of maxima.entries()) {
    if (Number.isNaN(value)) continue;
    const isBeyond = isAnyKnown && value > boundaryOf(blocks);
    const comesAgain: boolean = !wasFlagged && value >= AGAIN_SHARE * flagged;
    if (isBeyond && !comesAgain) flagged = Math.min(flagged, value);
    else usual[block] = value;
    wasFlagged = isBeyond && !comesAgain;
    isAnyKnown = true;
  }
}
