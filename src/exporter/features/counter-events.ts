/** One counter for a pod that has one for each container. */

import { heightAfter } from './counter-height.js';

/**
 * Rises count together when they are less than this apart, in seconds. The kubelet waits for at most 5 minutes before it
 * restarts a container. With the life of the container (up to 3 minutes) and a scrape that sees the restart up to a minute
 * late, a crash loop is never quiet for longer; and after the reboot of a node, the containers of a pod are up within it.
 */
export const COUNTER_WINDOW_SECONDS = 10 * 60;

/** How many instants that are. */
export function counterWindow(stepSeconds: number): number {
  return Math.max(1, Math.round(COUNTER_WINDOW_SECONDS / stepSeconds));
}

/**
 * Counts what happens to a pod: of rises of several containers that count together, the largest. A reboot restarts each
 * container once, which is one event; in a crash loop of one container, each restart is one.
 *
 * The result never falls. It ends at the sum of the containers, as `kubectl get pods` has it, or at the number of events
 * where a new pod of the same name began to count from 0.
 *
 * @param containers an array for each container, at the same instants; `NaN` where its value is missing.
 * @param stepSeconds distance of the instants.
 * @returns an array of that length; `NaN` where no container has a value.
 */
export function countEvents(containers: readonly Float64Array[], stepSeconds: number): Float64Array {
  const instants = containers[0]?.length ?? 0;
  const span = counterWindow(stepSeconds);
  const heights = new Float64Array(containers.length).fill(Number.NaN);
  /** How far each container rose in the window that ends at an instant, and by how many events. */
  const recent = new Float64Array(containers.length);
  const rises = containers.map(() => new Float64Array(instants));
  const events = new Float64Array(instants);
  const counts = new Float64Array(instants);
  let recentEvents = 0;
  let count = 0;
  for (let instant = 0; instant < instants; instant++) {
    if (instant >= span) recentEvents -= events[instant - span] as number;
    let isSeen = false;
    let most = 0;
    for (const [index, values] of containers.entries()) {
      const value = values[instant] as number;
      const height = heights[index] as number;
      const rise = value > height ? value - height : 0;
      heights[index] = heightAfter(height, value);
      const own = rises[index] as Float64Array;
      own[instant] = rise;
      const before = instant >= span ? (own[instant - span] as number) : 0;
      const total = (recent[index] as number) + rise - before;
      recent[index] = total;
      // What was part of an event that is over is not counted when its container rises again.
      most = Math.max(most, Math.min(rise, total - recentEvents));
      isSeen ||= !Number.isNaN(value);
    }
    events[instant] = most;
    recentEvents += most;
    count += most;
    counts[instant] = isSeen ? count : Number.NaN;
  }
  const sum = heights.reduce((total, height) => total + (Number.isNaN(height) ? 0 : height), 0);
  const start = Math.max(0, sum - count);
  return counts.map((own) => start + own);
}
