/** What each workload deviated by, in blocks of time, and what is learned of its levels on the way. */

import type { FeatureDefinition } from '../features/catalog.js';
import { BINS_PER_HOUR } from '../history/grid.js';
import { BIN_FIELDS } from '../history/hour-summary.js';
import { encodeLevel, type WorkloadHistory } from '../history/workload-history.js';
import { type Blocks, blockOf, blocksIn, raise, type Span } from './blocks.js';
import {
  type Acceptance,
  align,
  knownRange,
  type LevelStep,
  releasesByBin,
  StepFinder,
  transitionOf,
} from './levels.js';
import { Calendar, SEASON_SLOTS } from './season.js';
import { isFall, SIBLING_VIEWS, VIEWS } from './view-list.js';

/** What lasts needs to deviate by less than what is there for a minute: this share of the spreads. */
const SUSTAINED_SHARE = 0.5;

/** A step of level, with the row of its workload and the column of its feature. */
export interface WorkloadStep extends LevelStep {
  readonly row: number;
  readonly column: number;
}

/** What is learned of the levels of workloads; see `Limits`. */
export interface Learned {
  readonly season: Uint16Array;
  readonly range: Float32Array;
  readonly steps: WorkloadStep[];
}

/** @param cells workloads × features. */
export function emptyLearned(cells: number): Learned {
  return {
    season: new Uint16Array(cells * SEASON_SLOTS).fill(encodeLevel(Number.NaN)),
    range: new Float32Array(cells * 2),
    steps: [],
  };
}

interface BlockOptions {
  readonly features: readonly FeatureDefinition[];
  readonly sensitivity: number;
  readonly acceptance: Acceptance;
}

/**
 * The blocks of all workloads, gauges and views that anything is known of. All of the past is moved to the level of today:
 * the steps that were accepted are taken out of it, and what lies between two accepted levels is no deviation.
 *
 * @param newestHour up to which steps are looked for; boundaries rest on the hours of the span alone.
 * @param into is written to.
 */
export function* workloadBlocks(
  history: WorkloadHistory,
  { features, sensitivity, acceptance }: BlockOptions,
  span: Span,
  newestHour: number,
  into: Learned,
): Generator<Blocks> {
  const calendar = new Calendar(span);
  const firstBin = span.first * BINS_PER_HOUR;
  const hourly = new Float64Array(span.last - span.first + 1);
  const bins = Array.from(BIN_FIELDS, () => new Float64Array(hourly.length * BINS_PER_HOUR));
  const [levels] = bins as [Float64Array];
  const known = new Float64Array((newestHour - span.first + 1) * BINS_PER_HOUR);
  const finder = new StepFinder(acceptance);
  for (let row = 0; row < history.workloads.length; row++) {
    const releases = releasesByBin(history, row, span.first, newestHour);
    for (const [column, feature] of features.entries()) {
      const gauge = history.gauges.indexOf(feature.name);
      if (gauge < 0) continue;
      const cell = row * features.length + column;
      history.copyBins(row, gauge, 0, span.first, known);
      const steps = finder.find(known, firstBin, releases);
      for (const step of steps) into.steps.push({ ...step, row, column });
      for (const [field, values] of bins.entries()) {
        history.copyBins(row, gauge, field, span.first, values);
        align(values, firstBin, steps);
      }
      const expected = calendar.seasonOf(levels, into.season.subarray(cell * SEASON_SLOTS, (cell + 1) * SEASON_SLOTS));
      const { lowest, highest } = knownRange(steps);
      into.range.set([lowest, highest], 2 * cell);
      const floor = Math.log1p(SUSTAINED_SHARE * sensitivity * feature.relativeSpreadFloor);
      for (let view = 0; view < VIEWS.length; view++) {
        if (isFall(view) && feature.direction !== 'both') continue;
        const maxima = new Float64Array(blocksIn(span)).fill(Number.NaN);
        if (view < SIBLING_VIEWS) {
          for (const [bin, level] of (bins[view + 1] as Float64Array).entries()) {
            const deviation = level - (expected[bin] as number);
            const beyond = isFall(view) ? lowest - deviation : deviation - highest;
            raise(maxima, blockOf(span, span.first + Math.floor(bin / BINS_PER_HOUR)), beyond);
          }
        } else {
          history.copySiblings(row, gauge, view - SIBLING_VIEWS, span.first, hourly);
          forgetTransitions(hourly, span.first, steps);
          for (const [hour, deviation] of hourly.entries()) raise(maxima, blockOf(span, span.first + hour), deviation);
        }
        if (!maxima.every(Number.isNaN)) yield { row, column, feature, view, maxima, usual: maxima.slice(), floor };
      }
    }
  }
}

/** While the level of a workload changes, its pods differ. */
function forgetTransitions(hourly: Float64Array, firstHour: number, steps: readonly LevelStep[]): void {
  for (const step of steps) {
    const [from, to] = transitionOf(step).map((bin) => Math.floor(bin / BINS_PER_HOUR) - firstHour) as [number, number];
    for (let hour = Math.max(0, from); hour <= Math.min(to, hourly.length - 1); hour++) hourly[hour] = Number.NaN;
  }
}
