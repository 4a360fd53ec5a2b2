/** The boundaries of workloads as a part of a model. */

import type { FeatureDefinition } from '../features/catalog.js';
import { BIN_SECONDS, HOUR_SECONDS } from '../history/grid.js';
import type { WorkloadHistory } from '../history/workload-history.js';
import type { BaselineKind } from './baseline.js';
import { countExceeding } from './held-back.js';
import { calibrate, type Limits } from './limits.js';
import type { AcceptedLevel, Model } from './model.js';
import { COLUMNS, newColumns } from './rows.js';
import { VIEWS } from './view-list.js';

/** The parameters of a model (`ModelParameters`) that its boundaries depend on. */
interface LimitParameters {
  readonly baseline: BaselineKind;
  readonly contamination: 'auto' | number;
  readonly alertBudgetPerDay: number;
  readonly sensitivity: number;
  readonly acceptReleaseHours: number;
  readonly acceptLevelHours: number;
}

type LimitParts =
  | 'remembers'
  | 'limits'
  | 'fleet'
  | 'knownHours'
  | 'alertBudgetPerDay'
  | 'expectedMessagesPerDay'
  | 'recentExceedingPerDay'
  | 'acceptedLevels';

/** Days that `recentExceedingPerDay` is about. */
const RECENT_DAYS = 3;

/** Levels that were accepted within this time before the end of the window are reported, in seconds; the newest ones. */
const ACCEPTED_SECONDS = 86_400;
const MOST_ACCEPTED = 100;

/**
 * The part of a model that comes from a history.
 *
 * @param history `undefined`: nothing is remembered, and the last hours alone decide.
 * @param endSeconds end of the training window, Unix time; hours that end later do not count.
 */
export function fitLimits(
  history: WorkloadHistory | undefined,
  features: readonly FeatureDefinition[],
  parameters: LimitParameters,
  endSeconds: number,
): Pick<Model, LimitParts> {
  const { baseline, contamination, alertBudgetPerDay, sensitivity, acceptReleaseHours, acceptLevelHours } = parameters;
  // A share of the training rows to flag is an order without any other condition.
  const isUsed = baseline !== 'cluster' && contamination === 'auto';
  const options = {
    lastHour: Math.floor(endSeconds / HOUR_SECONDS) - 1,
    features,
    budgetPerDay: alertBudgetPerDay,
    sensitivity,
    acceptance: { releaseHours: acceptReleaseHours, levelHours: acceptLevelHours, nowSeconds: endSeconds },
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
      acceptedLevels: [],
    };
  }
  const { keys, season, range, held, boundaries, unknown, hours, expectedPerDay, exceedingByDay, lastHour } = limits;
  // The hours that are not learned from are judged by all days, and the days before them by all others.
  const heldBack = countExceeding(history, features, limits, lastHour + 1, options.lastHour);
  const recent = exceedingByDay.slice(1 - RECENT_DAYS).reduce((sum, count) => sum + count, heldBack);
  return {
    remembers,
    limits: { keys, rows: new Map(keys.map((key, row) => [key, row])), season, range, held, boundaries },
    fleet: { boundaries: unknown },
    knownHours: hours,
    alertBudgetPerDay,
    expectedMessagesPerDay: expectedPerDay,
    recentExceedingPerDay: exceedingByDay.length === 0 ? Number.NaN : recent / RECENT_DAYS,
    acceptedLevels: acceptedSince(limits, features, endSeconds - ACCEPTED_SECONDS),
  };
}

/** The levels that were accepted after a time, the newest first. */
function acceptedSince(
  { keys, steps }: Limits,
  features: readonly FeatureDefinition[],
  sinceSeconds: number,
): AcceptedLevel[] {
  return steps
    .map(({ row, column, bin, offset, isRelease, acceptedBin }) => ({
      workload: keys[row] as string,
      feature: (features[column] as FeatureDefinition).name,
      factor: Math.exp(offset),
      beganSeconds: bin * BIN_SECONDS,
      acceptedSeconds: acceptedBin * BIN_SECONDS,
      withRelease: isRelease,
    }))
    .filter(({ acceptedSeconds }) => acceptedSeconds > sinceSeconds)
    .sort((a, b) => b.acceptedSeconds - a.acceptedSeconds)
    .slice(0, MOST_ACCEPTED);
}
