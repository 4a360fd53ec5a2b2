/**
 * What a container consumes: CPU and memory of a healthy pod as formulas of time, so that any instant can be computed
 * without the past, changed by the incidents.
 */

import { type Incident, pacedEffect } from './incidents.js';
import type { PodLife } from './lives.js';
import type { Cgroup } from './pod-state.js';
import { noise, uniform } from './random.js';

const DAY_SECONDS = 86_400;
const PEAK_SECONDS = 14 * 3600;
const BURST_SLOT_SECONDS = 300;
const BURST_SECONDS = 40;
const GARBAGE_SECONDS = 240;
/** A start costs this many seconds of usual work, most of it at once, and memory starts below its usual size. */
const STARTUP = { workSeconds: 12, burstSeconds: 20, emptyShare: 0.2, fillSeconds: 20 };

/** Noise of the CPU on three time scales, as shares of the mean. Three times their sum stays below a half. */
const CPU_NOISE = [
  { seconds: 20, share: 0.04 },
  { seconds: 90, share: 0.04 },
  { seconds: 600, share: 0.045 },
];

/**
 * CPU seconds that a pod has consumed from its birth to an instant: the integral of start-up, mean, daily swing,
 * noise and bursts. The noise is the slope of a bounded curve and each slot of time has one burst of the same energy, so
 * that the integral needs no sum over the past. Never falls: the slopes below the mean add up to less than it.
 *
 * @param timeSeconds Unix time.
 */
function cpuSeconds({ spec, key, bornSeconds }: PodLife, timeSeconds: number): number {
  const level = spec.cpuCores * (0.9 + 0.2 * uniform(key, 0));
  const daily = spec.daily ?? 0;
  // Relative to the daily level, so that the noise is not larger at night.
  const restlessness = (spec.restlessness ?? 1) * (1 - daily);
  const beyondMean = (time: number): number => {
    const angle = (2 * Math.PI * (time - PEAK_SECONDS)) / DAY_SECONDS;
    let sum = (daily * DAY_SECONDS * Math.sin(angle)) / (2 * Math.PI);
    for (const { seconds, share } of CPU_NOISE) {
      sum += restlessness * share * seconds * noise(key + seconds, time / seconds);
    }
    return sum + (spec.bursts ?? 0) * burstSeconds(key, time);
  };
  const age = timeSeconds - bornSeconds;
  const startup = STARTUP.workSeconds * (1 - Math.exp(-age / STARTUP.burstSeconds));
  return level * (age + startup + beyondMean(timeSeconds) - beyondMean(bornSeconds));
}

/** Time spent in bursts up to an instant, normalised to 40 s a burst: each slot has one of 20 to 60 s somewhere. */
function burstSeconds(key: number, time: number): number {
  const slot = Math.floor(time / BURST_SLOT_SECONDS);
  const length = BURST_SECONDS * (0.5 + uniform(key + 1, slot));
  const begin = slot * BURST_SLOT_SECONDS + (BURST_SLOT_SECONDS - length) * uniform(key + 2, slot);
  const progress = Math.min(1, Math.max(0, (time - begin) / length));
  return BURST_SECONDS * (slot + progress);
}

/** Memory of a pod at an instant, in bytes: slow noise, the saw-tooth of garbage collection, and less at the start. */
function memoryBytes({ spec, key, bornSeconds }: PodLife, timeSeconds: number): number {
  const level = spec.memoryBytes * (0.95 + 0.1 * uniform(key, 1));
  const slow = 0.015 * noise(key + 3, timeSeconds / 300) + 0.02 * noise(key + 4, timeSeconds / 2400);
  const period = GARBAGE_SECONDS * (0.8 + 0.4 * uniform(key, 2));
  const garbage = (spec.garbage ?? 0) * (((timeSeconds / period + uniform(key, 3)) % 1) - 0.5);
  const startup = STARTUP.emptyShare * Math.exp((bornSeconds - timeSeconds) / STARTUP.fillSeconds);
  return level * (1 + slow + garbage - startup);
}

/** How long cAdvisor reports the cgroup of the previous run. */
const STALE_CGROUP_SECONDS = 30;
/** The last state of a run is taken this long before the restart. */
const INSTANT_SECONDS = 0.001;

/**
 * The current run of a container, and the previous one at its last state while cAdvisor still reports it.
 *
 * @param share the container's share of the usual consumption of its pod.
 * @param incidents those that hit this container.
 */
export function containerRuns(
  life: PodLife,
  share: number,
  incidents: readonly Incident[],
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
  const restarts = restartTimes(incidents, timeSeconds);
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

/** When incidents restarted the container, up to an instant: Unix seconds, ascending. */
export function restartTimes(incidents: readonly Incident[], timeSeconds: number): number[] {
  return incidents.flatMap(({ kind, speed, startSeconds, endSeconds }) => {
    const elapsed = Math.min(timeSeconds, endSeconds) - startSeconds;
    const times = elapsed < 0 ? [] : pacedEffect(kind, speed).restarts(elapsed);
    return times.map((time) => startSeconds + time);
  });
}
