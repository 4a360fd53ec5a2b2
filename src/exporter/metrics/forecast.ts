/** Families about memory that runs full. */

import { podKey } from '../features/table.js';
import { type PodForecast, secondsToLimit } from '../forecast/forecast-state.js';
import { type Family, memoizeByObject } from './family.js';
import { detectionOf, type ScrapeState } from './state.js';

/** The forecasts for pods that are scored and not muted, in the order of the table. */
const forecastsOf = memoizeByObject((state: ScrapeState) => {
  const detection = detectionOf(state);
  const { pods } = state.forecast;
  if (detection === undefined || pods.size === 0) return [];
  const { table, muted, timeSeconds } = detection;
  return table.pods.flatMap(({ namespace, pod }, row) => {
    const forecast = muted[row] === 1 ? undefined : pods.get(podKey(namespace, pod));
    const seconds = secondsToLimit(forecast, timeSeconds);
    return forecast === undefined || seconds === undefined ? [] : [{ ...forecast, seconds }];
  });
});

const ofForecasts = (
  name: string,
  help: string,
  read: (forecast: PodForecast & { readonly seconds: number }) => number,
): Family<ScrapeState> => ({
  name,
  help,
  type: 'gauge',
  labels: ['namespace', 'pod', 'workload'],
  samples(state) {
    const forecasts = forecastsOf(state);
    return {
      series: forecasts.map(({ namespace, pod, workload }) => [namespace, pod, workload]),
      values: forecasts.map(read),
    };
  },
});

/** Only pods whose memory grows and reaches its limit within a day. */
export const forecast: readonly Family<ScrapeState>[] = [
  ofForecasts(
    'anomaly_memory_time_to_limit_seconds',
    'Seconds until the memory of the pod reaches its limit, if it goes on to grow; absent unless that is within a day.',
    ({ seconds }) => seconds,
  ),
  ofForecasts(
    'anomaly_memory_used_bytes',
    'Memory of a pod that runs full, when that was forecast, without what is freed within minutes.',
    ({ bytes }) => bytes,
  ),
  ofForecasts(
    'anomaly_memory_limit_bytes',
    'Memory limit of a pod that runs full: the sum over its containers.',
    ({ limitBytes }) => limitBytes,
  ),
];
