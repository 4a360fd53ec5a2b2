/** Whether a range of PromQL includes a sample at its very beginning: Prometheus 2 does, Prometheus 3 does not. */

import type { PrometheusApi } from '../../exporter/prometheus/api.js';

/** A range of one minute holds two or three steps of half a minute. */
const QUERY = 'count_over_time(vector(1)[1m:30s])';
const CLOSED_COUNT = 3;
const STEP_SECONDS = 30;

/**
 * Asks the server.
 *
 * @param timeSeconds an instant in the past.
 * @returns what Prometheus 3 does where the server does not say.
 */
export async function hasClosedRanges(api: PrometheusApi, timeSeconds: number, signal: AbortSignal): Promise<boolean> {
  const aligned = Math.floor(timeSeconds / STEP_SECONDS) * STEP_SECONDS;
  try {
    const answer = await api.query({ query: QUERY, timeSeconds: aligned, signal });
    return answer.values[0] === CLOSED_COUNT;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
