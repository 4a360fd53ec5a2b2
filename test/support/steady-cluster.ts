/** A cluster that did the same for days, and a model that remembers it. */

import type { FeatureTable } from '../../src/exporter/features/table.js';
import type { BuiltTable } from '../../src/exporter/features/table-builder.js';
import { HISTORY_STEP_SECONDS, HOUR_SECONDS, LEAD_SECONDS } from '../../src/exporter/history/grid.js';
import { summariseHour } from '../../src/exporter/history/hour-summary.js';
import { WorkloadHistory } from '../../src/exporter/history/workload-history.js';
import { fitModel } from '../../src/exporter/model/fit.js';
import type { Model } from '../../src/exporter/model/model.js';
import { QUICK_PARAMETERS } from './parameters.js';
import { createNormal } from './random-data.js';
import { asBuilt, CATALOG, featureTable } from './tables.js';

/** End of the training window: a Wednesday, 12:00 UTC. */
export const TRAINED_AT = 20_444 * 86_400 + 12 * HOUR_SECONDS;

export const MEBIBYTE = 2 ** 20;

/** Four replicas of `web`, and `report` alone, whose CPU is ten times as high from 12:00 to 15:00 each day. */
export const STEADY_PODS = ['web-0', 'web-1', 'web-2', 'web-3', 'report-0'];
const USUAL = [0.2, 200 * MEBIBYTE, 3] as const;

/** CPU, memory and restarts of a pod. */
export type Values = readonly [cpu: number, memory: number, restarts: number];

/** What a pod does in some minutes, instead of what is usual. */
export type Course = (usual: Values, secondsAgo: number) => Values;

/** The table of all pods at instants up to a time. @param courses by pod. */
export function steadyTable(
  endSeconds: number,
  instants: number,
  stepSeconds: number,
  courses: Readonly<Record<string, Course>> = {},
): FeatureTable {
  const startSeconds = endSeconds - (instants - 1) * stepSeconds;
  const pods = STEADY_PODS.map((pod, index) => {
    const normal = createNormal(startSeconds + index);
    const workload = pod.slice(0, -'-0'.length);
    const rows = Array.from({ length: instants }, (_, instant) => {
      const seconds = startSeconds + instant * stepSeconds;
      const hour = Math.floor((seconds % 86_400) / HOUR_SECONDS);
      const busy = workload === 'report' && hour >= 12 && hour < 15 ? 10 : 1;
      const noise = () => 1 + 0.01 * normal();
      const usual: Values = [USUAL[0] * busy * noise(), USUAL[1] * noise(), USUAL[2]];
      return courses[pod]?.(usual, endSeconds - seconds) ?? usual;
    });
    return { pod, workload, rows };
  });
  return featureTable(CATALOG, pods, { startSeconds, stepSeconds });
}

/**
 * The history of some days before the model, hour by hour.
 *
 * @param coursesOf what was unusual in an hour.
 */
export function steadyHistory(
  days: number,
  coursesOf: (hour: number) => Readonly<Record<string, Course>> = () => ({}),
): WorkloadHistory {
  const names = (type: string) => CATALOG.filter((feature) => feature.type === type).map(({ name }) => name);
  const history = new WorkloadHistory({ days: 7, gauges: names('gauge'), counters: names('counter') });
  const last = TRAINED_AT / HOUR_SECONDS - 1;
  for (let hour = last - 24 * days + 1; hour <= last; hour++) {
    const instants = (HOUR_SECONDS + LEAD_SECONDS) / HISTORY_STEP_SECONDS + 1;
    const table = steadyTable((hour + 1) * HOUR_SECONDS, instants, HISTORY_STEP_SECONDS, coursesOf(hour));
    history.add(summariseHour(table, CATALOG, hour));
  }
  return history;
}

/** @param days that it remembers; 0: it has a history of which nothing is known. */
export function steadyModel(days = 6): Model {
  const window = steadyTable(TRAINED_AT, 61, 60);
  return fitModel({ window, history: [] }, CATALOG, QUICK_PARAMETERS, steadyHistory(days));
}

/** The last minutes at a time after the training. */
export function steadyMinutes(courses: Readonly<Record<string, Course>>, afterSeconds = 600): BuiltTable {
  return asBuilt(steadyTable(TRAINED_AT + afterSeconds, 11, 60, courses));
}
