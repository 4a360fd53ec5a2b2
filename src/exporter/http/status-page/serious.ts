/** Which pods come first among those that are anomalous: those whose containers die, or do not start. */

import type { ContextState, PodContext } from '../../context/pod-context.js';

/** A container waits for these at every start. */
const USUAL_WAITS: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

/** Ends of containers count for this long, in seconds. */
const RECENT_SECONDS = 3600;

/** Whether a container of the pod was killed or failed within the last hour, or cannot start. */
export function isSerious({ waiting, oomEvents = 0, lastTermination }: PodContext, timeSeconds: number): boolean {
  if (oomEvents > 0 || (waiting !== undefined && !USUAL_WAITS.has(waiting.reason))) return true;
  const { reason, timeSeconds: endSeconds = Number.NEGATIVE_INFINITY } = lastTermination ?? {};
  return reason !== undefined && reason !== 'Completed' && timeSeconds - endSeconds < RECENT_SECONDS;
}

/** Keys of those pods (`podKey`). */
export function seriousPods({ pods }: ContextState, timeSeconds: number): ReadonlySet<string> {
  return new Set([...pods].filter(([, context]) => isSerious(context, timeSeconds)).map(([key]) => key));
}
