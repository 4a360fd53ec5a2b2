/** Which pods come first among those that are anomalous: those whose containers die, are about to, or do not start. */

import type { PodContext } from '../../context/pod-context.js';
import { secondsToLimit } from '../../forecast/forecast-state.js';
import type { KnownBeside } from '../detect.js';

/** A container waits for these at every start. */
const USUAL_WAITS: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

/** Ends of containers count for this long, in seconds. */
const RECENT_SECONDS = 3600;

/** Memory that reaches its limit within this time, in seconds, is about to kill a container. */
const FULL_SECONDS = 3600;

/** Whether a container of the pod was killed or failed within the last hour, or cannot start. */
export function isSerious({ waiting, oomEvents = 0, lastTermination }: PodContext, timeSeconds: number): boolean {
  if (oomEvents > 0 || (waiting !== undefined && !USUAL_WAITS.has(waiting.reason))) return true;
  const { reason, timeSeconds: endSeconds = Number.NEGATIVE_INFINITY } = lastTermination ?? {};
  return reason !== undefined && reason !== 'Completed' && timeSeconds - endSeconds < RECENT_SECONDS;
}

/** Keys (`podKey`) of those pods, and of those whose memory is full within the hour. */
export function seriousPods(
  { context, forecast }: Pick<KnownBeside, 'context' | 'forecast'>,
  timeSeconds: number,
): ReadonlySet<string> {
  const dying = [...context.pods].filter(([, own]) => isSerious(own, timeSeconds));
  const full = [...forecast.pods].filter(([, own]) => (secondsToLimit(own, timeSeconds) ?? Number.NaN) < FULL_SECONDS);
  return new Set([...dying, ...full].map(([key]) => key));
}
