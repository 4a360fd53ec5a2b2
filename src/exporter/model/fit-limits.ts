/** The boundaries of workloads as a part of a model. */

import type { FeatureDefinition } from '../features/catalog.js';
import { HOUR_SECONDS } from '../history/grid.js';
import type { WorkloadHistory } from '../history/workload-history.js';
import type { BaselineKind } from './baseline.js';
import { countExceeding } from './held-back.js';
import { calibrate, VIEWS } from './limits.js';
import type { Model } from './model.js';
import { COLUMNS, newColumns } from './rows.js';

/** The parameters of a model (`ModelParameters`) that its boundaries depend on. */
interface LimitParameters {
  readonly baseline: BaselineKind;
  readonly contamination: 'auto' | number;
  readonly alertBudgetPerDay: number;
  readonly sensitivity: number;
}

type LimitParts =
  | 'remembers'
  | 'limits'
  | 'fleet'
  | 'knownHours'
  | 'alertBudgetPerDay'
  | 'expectedMessagesPerDay'
  | 'recentExceedingPerDay';

/** Days that `recentExceedingPerDay` is about. */
const RECENT_DAYS = 3;

/**
 * The part of a model that comes from a history.
 *
 * @param history `undefined`: nothing is remembered, and the last hours alone decide.
 * @param endSeconds end of the training window, Unix time; hours that end later do not count.
 */
export function fitLimits(
  history: WorkloadHistory | undefined,
  features: readonly FeatureDefinition[],
  { baseline, contamination, alertBudgetPerDay, sensitivity }: LimitParameters,
  endSeconds: number,
): Pick<Model, LimitParts> {
  // A share of the training rows to flag is an order without any other condition.
  const isUsed = baseline !== 'cluster' && contamination === 'auto';
  const options = {
    lastHour: Math.floor(endSeconds / HOUR_SECONDS) - 1,
    features,
    budgetPerDay: alertBudgetPerDay,
    sensitivity,
  };
  const remembers = isUsed && history !== undefined;
  const limits = remembers ? calibrate(history, options) : undefined;
  if (!remembers || limits === undefined) {
    const fleet = newColumns(COLUMNS.fleet, { features: features.length, views: VIEWS.length });
    fleet.boundaries.fill(Number.NaN);
    return {
      remembers,
      limits: { ...newColumns(COLUMNS.limits, {}), keys: [], rows: new Map() },
      fleet,
      knownHours: 0,
      alertBudgetPerDay,
      expectedMessagesPerDay: Number.NaN,
      recentExceedingPerDay: Number.NaN,
    };
  }
  const { keys, season, boundaries, unknown, hours, expectedPerDay, exceedingByDay, lastHour } = limits;
  // The hours that are not learned from are judged by all days, and the days before them by all others.
  const heldBack = countExceeding(history, features, limits, lastHour + 1, options.lastHour);
  const recent = exceedingByDay.slice(1 - RECENT_DAYS).reduce((sum, count) => sum + count, heldBack);
  return {
    remembers,
    limits: { keys, rows: new Map(keys.map((key, row) => [key, row])), season, boundaries },
    fleet: { boundaries: unknown },
    knownHours: hours,
    alertBudgetPerDay,
    expectedMessagesPerDay: expectedPerDay,
    recentExceedingPerDay: exceedingByDay.length === 0 ? Number.NaN : recent / RECENT_DAYS,
  };
}
