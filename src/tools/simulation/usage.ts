/** What a container consumes: its usual curves, changed by the incidents. */

import { cpuSeconds, memoryBytes } from './curves.js';
import { type Incident, pacedEffect } from './incidents.js';
import type { PodLife } from './lives.js';
import type { Cgroup, ContainerEnd, Waits } from './pod-state.js';
import { uniform } from './random.js';

const DAY_SECONDS = 86_400;
/** How long cAdvisor reports the cgroup of the previous run. */
const STALE_CGROUP_SECONDS = 30;
/** Of the CPU quota (the kernel's default is 0.1 s). */
const PERIODS_PER_SECOND = 10;
/** Of a healthy container: the share of throttled periods, and of time in which something waits. */
const USUAL_THROTTLED_SHARE = 0.005;
const USUAL_WAIT_SHARES: Waits = { cpu: 0.01, memory: 0, io: 0.002 };
/** The last state of a run is taken this long before the restart. */
const INSTANT_SECONDS = 0.001;

/**
 * The current run of a container, and the previous one at its last state while cAdvisor still reports it.
 *
 * @param share the container's share of the usual consumption of its pod.
 * @param incidents those that hit this container.
 * @param restarts when it was restarted, Unix seconds, ascending; `ends` how its runs ended.
 */
export function containerRuns(
  life: PodLife,
  share: number,
  incidents: readonly Incident[],
  restarts: readonly number[],
  ends: readonly ContainerEnd[],
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
  const run = (index: number, time: number): Cgroup => {
    const from = started[index] ?? bornSeconds;
    const next = started[index + 1];
    /** A share of the run, with what incidents add to it. */
    const spent = (usual: number, ofIncident: (effect: ReturnType<typeof pacedEffect>) => number) =>
      incidents.reduce(
        (sum, { kind, speed, startSeconds, endSeconds }) => {
          const during = Math.max(0, Math.min(time, endSeconds) - Math.max(from, startSeconds));
          return sum + ofIncident(pacedEffect(kind, speed)) * during;
        },
        usual * (time - from),
      );
    const waits = (resource: keyof Waits) =>
      spent(USUAL_WAIT_SHARES[resource], ({ waitShares }) => waitShares[resource]);
    const isKilled = ends.some(({ reason, timeSeconds: end }) => reason === 'OOMKilled' && end === next);
    return {
      attempt: life.restarts + index,
      cpuSeconds: cpu(time) - cpu(from),
      memoryBytes: memory(time),
      periods: PERIODS_PER_SECOND * (time - from),
      throttledPeriods: PERIODS_PER_SECOND * spent(USUAL_THROTTLED_SHARE, ({ throttledShare }) => throttledShare),
      waits: { cpu: waits('cpu'), memory: waits('memory'), io: waits('io') },
      // Its last state is one of the moment before the next run.
      oomEvents: Number(isKilled),
    };
  };
  const last = restarts.length;
  const restarted = restarts[last - 1] ?? -Infinity;
  const isStale = timeSeconds - restarted >= STALE_CGROUP_SECONDS;
  return [run(last, timeSeconds), ...(isStale ? [] : [run(last - 1, restarted - INSTANT_SECONDS)])];
}

const EXIT_CODES: Readonly<Record<ContainerEnd['reason'], number>> = { OOMKilled: 137, Error: 1 };

/** How the runs of the main container of a pod ended up to an instant, ascending. @param restarts those of `restartTimes`. */
export function containerEnds(
  life: PodLife,
  incidents: readonly Incident[],
  restarts: readonly number[],
  timeSeconds: number,
): ContainerEnd[] {
  const endOf = (reason: ContainerEnd['reason']) => (time: number) => {
    return { timeSeconds: time, reason, exitCode: EXIT_CODES[reason] };
  };
  const ofIncidents = incidents.flatMap(({ kind, speed, startSeconds, endSeconds }) => {
    const elapsed = Math.min(timeSeconds, endSeconds) - startSeconds;
    if (elapsed < 0) return [];
    const { ends, endReason } = pacedEffect(kind, speed);
    const isOver = timeSeconds >= endSeconds;
    // When an incident is over, the container runs.
    return ends(elapsed)
      .map((end) => startSeconds + end)
      .filter((end) => !isOver || end <= (restarts.at(-1) ?? Number.NEGATIVE_INFINITY))
      .map(endOf(endReason));
  });
  return [...usualRestarts(life, timeSeconds).map(endOf('Error')), ...ofIncidents].sort(
    (a, b) => a.timeSeconds - b.timeSeconds,
  );
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
