/**
 * From what workloads did during the last days to the boundaries of what is worth an alert.
 *
 * A deviation that a workload shows by itself is usual: its limit is the largest that it showed. How far beyond that a
 * deviation must be is learned from all workloads together. One day is left out, and the largest deviations of that day
 * are compared with the limits of the other days, in units of how much the days of a workload differ. The margin is the
 * one that as many workloads and days exceed as the budget has messages.
 */

import { quantileInPlace } from '../../lib/statistics.js';
import type { FeatureDefinition } from '../features/catalog.js';
import { HOURS_PER_DAY } from '../history/grid.js';
import type { WorkloadHistory } from '../history/workload-history.js';
import { BlockStore, blockOf, blocksIn, raise, type Span } from './blocks.js';
import { calibrateFirstDays } from './first-days.js';
import { heldOf } from './held-back.js';
import { calibrateByDays } from './left-out-days.js';
import type { Acceptance } from './levels.js';
import { RISE_VIEW, VIEWS } from './view-list.js';
import { emptyLearned, type WorkloadStep, workloadBlocks } from './workload-blocks.js';

/** The last day is not learned from: what is wrong since this morning must not be usual by noon. */
const HELD_BACK_HOURS = HOURS_PER_DAY;

/** With fewer hours, no day can be left out. */
const LEAST_HOURS_FOR_DAYS = 3 * HOURS_PER_DAY;

/** A restart by itself is part of life. */
const FREE_RISES = 1;
/** What rises on fewer days than this is not usual. */
const DAYS_OF_USUAL_RISES = 3;

/** Halfway to the next number: a boundary must be exceeded. */
const boundaryAbove = (rises: number) => rises + 0.5;

/** The boundary of a counter that did not rise, or of which nothing is known. */
export const LEAST_RISE_BOUNDARY = boundaryAbove(FREE_RISES);

export interface CalibrationOptions {
  /** The newest hour that may be known. */
  readonly lastHour: number;
  readonly features: readonly FeatureDefinition[];
  /** Messages a day that all workloads together may make when nothing is wrong. */
  readonly budgetPerDay: number;
  /** Spreads that a deviation must reach whatever the workload did, of at least `relativeSpreadFloor` each. */
  readonly sensitivity: number;
  /** Hours after which a level is accepted that came with a release, and without one. */
  readonly acceptance: Acceptance;
}

/** Boundaries of all workloads that are known. */
export interface Limits {
  /** Keys of the workloads. */
  readonly keys: readonly string[];
  /** workloads × features × `SEASON_SLOTS`: the level to expect, as `encodeLevel` writes it. */
  readonly season: Uint16Array;
  /** workloads × features × 2: how far below that (at most 0) and above it (at least 0) other levels are known. */
  readonly range: Float32Array;
  /** workloads × features × `VIEWS`: 1 where a workload is held beyond its boundary (`heldOf`). */
  readonly held: Uint8Array;
  /** The steps of level that were accepted, by workload. */
  readonly steps: readonly WorkloadStep[];
  /**
   * workloads × features × `VIEWS`: the deviation above which a pod is anomalous, as a difference of levels; of a counter
   * a number of rises. `NaN` where the workload is not known in a view.
   */
  readonly boundaries: Float32Array;
  /** features × `VIEWS`: the same for workloads that are not known. `NaN`: the view is not used for them. */
  readonly unknown: Float32Array;
  /** Hours that the boundaries rest on. */
  readonly hours: number;
  /** Messages a day that the boundaries let through, on days that are left out; `NaN` where too little is known. */
  readonly expectedPerDay: number;
  /** How many workloads exceed their boundaries on each of these days, the last one last; empty where too little is known. */
  readonly exceedingByDay: readonly number[];
  /** Number of the last hour that the boundaries rest on. */
  readonly lastHour: number;
}

/** Calibrates the boundaries on all that is known, except the last day. `undefined` where nothing is known yet. */
export function calibrate(history: WorkloadHistory, options: CalibrationOptions): Limits | undefined {
  const { features, budgetPerDay } = options;
  const known = history.knownHours(options.lastHour).filter((hour) => history.podsIn(hour) > 0);
  const [first] = known;
  if (first === undefined) return undefined;
  const heldBack = Math.min(HELD_BACK_HOURS, Math.max(known.length - HOURS_PER_DAY, known.length / 8));
  const hours = known.length - Math.floor(heldBack);
  const isByDays = hours >= LEAST_HOURS_FOR_DAYS;
  const blockHours = isByDays ? HOURS_PER_DAY : Math.max(1, Math.min(HOURS_PER_DAY, Math.round(hours ** 2 / 192)));
  const span: Span = { first, last: known[hours - 1] as number, blockHours };
  const rows = history.workloads.length;
  const newest = known.at(-1) as number;
  const learned = emptyLearned(rows * features.length);
  const all = new BlockStore(workloadBlocks(history, options, span, newest, learned));
  const { boundaryOf, exceeding } = isByDays
    ? calibrateByDays(all, budgetPerDay * blocksIn(span), span)
    : calibrateFirstDays(all, budgetPerDay, span);
  const boundaries = new Float32Array(rows * features.length * VIEWS.length).fill(Number.NaN);
  for (const blocks of all) {
    const cell = (blocks.row * features.length + blocks.column) * VIEWS.length + blocks.view;
    boundaries[cell] = boundaryOf(blocks);
  }
  writeRises(history, features, span, boundaries);
  return {
    keys: history.workloads,
    ...learned,
    held: heldOf(history, features, { ...learned, boundaries }, span.last + 1, newest),
    boundaries,
    unknown: boundariesOfUnknown(boundaries, features.length),
    hours,
    expectedPerDay: isByDays ? exceeding.reduce((sum, count) => sum + count, 0) / blocksIn(span) : Number.NaN,
    exceedingByDay: exceeding,
    lastHour: span.last,
  };
}

/** Boundaries of counters: more than one rise in an hour, and more than on the days that had the most. */
function writeRises(
  history: WorkloadHistory,
  features: readonly FeatureDefinition[],
  { first, last }: Span,
  boundaries: Float32Array,
): void {
  const days: Span = { first, last, blockHours: HOURS_PER_DAY };
  for (const [column, { name }] of features.entries()) {
    const counter = history.counters.indexOf(name);
    if (counter < 0) continue;
    for (let row = 0; row < history.workloads.length; row++) {
      const largest = new Float64Array(blocksIn(days)).fill(Number.NaN);
      for (let hour = first; hour <= last; hour++) {
        raise(largest, blockOf(days, hour), history.riseAt(row, counter, hour));
      }
      const known = largest
        .filter((rise) => !Number.isNaN(rise))
        .sort()
        .reverse();
      const usual = known[Math.min(known.length, DAYS_OF_USUAL_RISES) - 1] ?? 0;
      const boundary = boundaryAbove(Math.max(FREE_RISES, usual));
      boundaries[(row * features.length + column) * VIEWS.length + RISE_VIEW] = boundary;
    }
  }
}

/** What is not known of a workload is judged by what is far for nearly all workloads. */
const UNKNOWN_QUANTILE = 0.95;

function boundariesOfUnknown(boundaries: Float32Array, features: number): Float32Array {
  const size = features * VIEWS.length;
  return Float32Array.from({ length: size }, (_, cell) => {
    const known: number[] = [];
    for (let own = cell; own < boundaries.length; own += size) {
      const boundary = boundaries[own] as number;
      if (!Number.isNaN(boundary)) known.push(boundary);
    }
    return known.length === 0 ? Number.NaN : quantileInPlace(Float64Array.from(known), known.length, UNKNOWN_QUANTILE);
  });
}
