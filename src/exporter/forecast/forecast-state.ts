/** What is forecast of memory that runs full. */

import type { PodIdentity } from '../features/table.js';

/** Of one pod, whose memory grows and reaches its limit within a day. */
export interface PodForecast extends PodIdentity {
  /** Memory when that was forecast, without what is freed within minutes. */
  readonly bytes: number;
  /** Sum of the memory limits of its containers. */
  readonly limitBytes: number;
  /** When the limit is reached, Unix time in seconds. */
  readonly fullSeconds: number;
  /** When that was forecast, Unix time in seconds. */
  readonly forecastSeconds: number;
}

export interface ForecastState {
  /** By the key of the pod (`podKey`). */
  readonly pods: ReadonlyMap<string, PodForecast>;
  /** Whether the last questions were answered; `undefined` before the first. */
  readonly succeeded: boolean | undefined;
}

export const NO_FORECAST: ForecastState = { pods: new Map(), succeeded: undefined };

/** After this time without a new one, in seconds, a forecast does not count any more. */
const VALID_SECONDS = 900;

/** Seconds until the limit, from 0 on, at a time in Unix seconds; `undefined` where the forecast is too old. */
export function secondsToLimit(forecast: PodForecast | undefined, timeSeconds: number): number | undefined {
  if (forecast === undefined || Math.abs(timeSeconds - forecast.forecastSeconds) > VALID_SECONDS) return undefined;
  return Math.max(0, forecast.fullSeconds - timeSeconds);
}
