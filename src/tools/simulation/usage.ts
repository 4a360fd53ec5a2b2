/** What a container consumes: its usual curves, changed by the incidents. */

import { cpuSeconds, memoryBytes } from './curves.js';
import { type Incident, pacedEffect } from './incidents.js';
import type { PodLife } from './lives.js';
import type { Cgroup } from './pod-state.js';
import { uniform } from './random.js';

const DAY_SECONDS = 86_400;
/** How long cAdvisor reports the cgroup of the previous run. */
const STALE_CGROUP_SECONDS = 30;
/** The last state of a run is taken this long before the restart. */
const INSTANT_SECONDS = 0.001;

/**
 * The current run of a container, and the previous one at its last state while cAdvisor still reports it.
 *
 * @param share the container's share of the usual consumption of its pod.
 * @param incidents those that hit this container.
 * @param restarts when it was restarted, Unix seconds, ascending.
 */
export function containerRuns(
  life: PodLife,
  share: number,
  incidents: readonly Incident[],
  restarts: readonly number[],
  timeSeconds: number,
): Cgroup[] {
  const { bornSeconds } = life;
  const usualCpu = (time: number) => share * cpuSeconds(life, time);
  const cpu = (time: number) => {
    let total = usualCpu(time);
    for (const { kind, speed, startSeconds, endSeconds } of incidents) {
      if (time <= startSeconds) continue;
      const until = Math.min(time, endSeconds);
      const usual = usualCpu(until) - usualCpu(startSeconds);
      total += pacedEffect(kind, speed).cpuSeconds(until - startSeconds, usual) - usual;
    }
    return total;
  };
  const memory = (time: number) => {
    const usual = share * memoryBytes(life, time);
    const incident = incidents.find((one) => one.startSeconds <= time && time < one.endSeconds);
    if (incident === undefined) return usual;
    return pacedEffect(incident.kind, incident.speed).memoryBytes(time - incident.startSeconds, usual);
  };
  const started = [bornSeconds, ...restarts];
  const run = (index: number, time: number): Cgroup => ({
    attempt: life.restarts + index,
    cpuSeconds: cpu(time) - cpu(started[index] ?? bornSeconds),
    memoryBytes: memory(time),
  });
  const last = restarts.length;
  const restarted = restarts[last - 1] ?? -Infinity;
  const isStale = timeSeconds - restarted >= STALE_CGROUP_SECONDS;
  return [run(last, timeSeconds), ...(isStale ? [] : [run(last - 1, restarted - INSTANT_SECONDS)])];
}

/** When the main container of a pod was restarted, by itself or by incidents, up to an instant: Unix seconds, ascending. */
export function restartTimes(life: PodLife, incidents: readonly Incident[], timeSeconds: number): number[] {
  const ofIncidents = incidents.flatMap(({ kind, speed, startSeconds, endSeconds }) => {
    const elapsed = Math.min(timeSeconds, endSeconds) - startSeconds;
    const times = elapsed < 0 ? [] : pacedEffect(kind, speed).restarts(elapsed);
    return times.map((time) => startSeconds + time);
  });
  return [...usualRestarts(life, timeSeconds), ...ofIncidents].sort((a, b) => a - b);
}

/** One in each period of some days, at any time of it. */
function usualRestarts({ spec, key, bornSeconds }: PodLife, timeSeconds: number): number[] {
  if (spec.restartDays === undefined) return [];
  const period = spec.restartDays * DAY_SECONDS;
  const first = Math.ceil(bornSeconds / period);
  const count = Math.max(0, Math.floor(timeSeconds / period) - first + 1);
  return Array.from({ length: count }, (_, i) => (first + i + uniform(key + 7, first + i)) * period).filter(
    (time) => time <= timeSeconds,
  );
}
