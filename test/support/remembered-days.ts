/** Histories of workloads that are written as deviations, hour by hour. */

import type { FeatureDefinition } from '../../src/exporter/features/catalog.js';
import { BINS_PER_HOUR, HOUR_SECONDS } from '../../src/exporter/history/grid.js';
import { BIN_FIELDS, SIBLING_FIELDS } from '../../src/exporter/history/hour-summary.js';
import { WorkloadHistory } from '../../src/exporter/history/workload-history.js';
import { calibrate, type Limits } from '../../src/exporter/model/limits.js';
import { VIEWS, type View } from '../../src/exporter/model/view-list.js';
import { CPU, RESTARTS } from './tables.js';

/** Number of the first hour of a Monday (UTC). */
export const MONDAY = 2900 * 7 * 24 + 4 * 24;

/** What a workload did in an hour, in levels: 0 unless said otherwise. */
export interface RememberedHour {
  readonly level?: number;
  /** How far any pod stayed above that, and below it; of the gauges. */
  readonly up?: number;
  readonly down?: number;
  /** How far any pod stayed above its siblings; without it, there are none. */
  readonly siblings?: number;
  readonly rises?: number;
  /** The instant of a release in the hour, from 1. */
  readonly release?: number;
}

/** What a workload did in an hour, counted from the first; `undefined` where it was not there. */
export type RememberedDays = (hour: number) => RememberedHour | undefined;

export const REMEMBERED_FEATURES: readonly FeatureDefinition[] = [CPU, RESTARTS];

interface RememberedOptions {
  readonly features?: readonly FeatureDefinition[];
  /** How many hours there are. */
  readonly hours?: number;
  readonly firstHour?: number;
  /** Whether an hour was read. */
  readonly isKnown?: (hour: number) => boolean;
}

/** A history of some workloads, a week and the day that is held back unless said otherwise. */
export function rememberDays(
  workloads: Readonly<Record<string, RememberedDays>>,
  {
    features = REMEMBERED_FEATURES,
    hours = 8 * 24,
    firstHour = MONDAY,
    isKnown: isRead = () => true,
  }: RememberedOptions = {},
): WorkloadHistory {
  const names = (type: FeatureDefinition['type']) =>
    features.filter((feature) => feature.type === type).map(({ name }) => name);
  const [gauges, counters] = [names('gauge'), names('counter')];
  const history = new WorkloadHistory({ days: Math.ceil(hours / 24), gauges, counters });
  for (let hour = 0; hour < hours; hour++) {
    if (!isRead(hour)) continue;
    const there = Object.entries(workloads).flatMap(([key, days]) => {
      const own = days(hour);
      return own === undefined ? [] : [{ key, ...own }];
    });
    const gaugesOf = (values: (own: RememberedHour) => readonly number[]) =>
      Float32Array.from(there.flatMap((own) => gauges.flatMap(() => values(own))));
    history.add({
      hour: firstHour + hour,
      pods: there.length,
      workloads: there.map(({ key }) => key),
      gauges,
      counters,
      bins: gaugesOf(({ level = 0, up = 0, down = 0 }) =>
        Array.from({ length: BINS_PER_HOUR }, () =>
          BIN_FIELDS.map((field) => (field === 'level' ? level : level + (field.startsWith('high') ? up : -down))),
        ).flat(),
      ),
      siblings: gaugesOf(({ siblings = Number.NaN }) => SIBLING_FIELDS.map(() => siblings)),
      rises: Float32Array.from(there.flatMap(({ rises = 0 }) => counters.map(() => rises))),
      releases: Float32Array.from(there, ({ release = 0 }) => release),
    });
  }
  return history;
}

/** The defaults, ten minutes after the end of an hour. */
export const acceptanceAt = (hour: number) => ({
  releaseHours: 12,
  levelHours: 24,
  nowSeconds: (hour + 1) * HOUR_SECONDS + 600,
});

/** The boundaries of a history, by workload and view. */
export function limitsOf(
  history: WorkloadHistory,
  {
    features = REMEMBERED_FEATURES,
    budgetPerDay = 4,
    sensitivity = 4,
    acceptance,
    lastHour = Number.MAX_SAFE_INTEGER,
  }: Partial<Parameters<typeof calibrate>[1]> = {},
) {
  const upTo = Math.min(lastHour, Math.max(...history.state().hours));
  const limits = calibrate(history, {
    ...{ features, budgetPerDay, sensitivity, lastHour: upTo },
    acceptance: acceptance ?? acceptanceAt(upTo),
  });
  if (limits === undefined) throw new Error('Expected a history of which something is known.');
  const cellOf = (row: number, view: View, column: number) =>
    (row * features.length + column) * VIEWS.length + VIEWS.indexOf(view);
  return {
    ...limits,
    of: (key: string, view: View, column = 0) =>
      limits.boundaries[cellOf(limits.keys.indexOf(key), view, column)] as number,
    ofUnknown: (view: View, column = 0) => limits.unknown[cellOf(0, view, column)] as number,
  } satisfies Limits & Record<string, unknown>;
}
