/** CPU and memory of a healthy pod as formulas of time: any instant can be computed without the past. */

import type { PodLife } from './lives.js';
import { noise, uniform } from './random.js';

const DAY_SECONDS = 86_400;
const PEAK_SECONDS = 14 * 3600;
const BURST_SLOT_SECONDS = 300;
const BURST_SECONDS = 40;
const GARBAGE_SECONDS = 240;
/** A run of a daily job begins up to this much late, and its memory is reached in this time. */
const JOB_LATE_SECONDS = 120;
const JOB_FILL_SECONDS = 60;
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
 * noise, bursts and daily job. The noise is the slope of a bounded curve and each slot of time has one burst of the same energy, so
 * that the integral needs no sum over the past. Never falls: the slopes below the mean add up to less than it.
 *
 * @param timeSeconds Unix time.
 */
export function cpuSeconds({ spec, key, bornSeconds, dailyJob }: PodLife, timeSeconds: number): number {
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
  const usual = level * (age + startup + beyondMean(timeSeconds) - beyondMean(bornSeconds));
  if (dailyJob === undefined) return usual;
  const worked = jobAt(dailyJob, key, timeSeconds).totalSeconds - jobAt(dailyJob, key, bornSeconds).totalSeconds;
  return usual + dailyJob.cpuCores * worked;
}

/** A daily job: time spent in all runs up to an instant, normalised to whole runs, and the share of its memory then. */
function jobAt({ startSeconds, runSeconds }: NonNullable<PodLife['dailyJob']>, key: number, time: number) {
  const day = Math.floor((time - startSeconds) / DAY_SECONDS);
  const elapsed = time - startSeconds - day * DAY_SECONDS - JOB_LATE_SECONDS * uniform(key + 5, day);
  const length = runSeconds * (0.9 + 0.1 * uniform(key + 6, day));
  const progress = Math.min(1, Math.max(0, elapsed / length));
  const isRunning = progress > 0 && progress < 1;
  return {
    totalSeconds: runSeconds * (day + progress),
    memoryShare: isRunning ? Math.min(1, elapsed / JOB_FILL_SECONDS) : 0,
  };
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
export function memoryBytes({ spec, key, bornSeconds, dailyJob }: PodLife, timeSeconds: number): number {
  const level = spec.memoryBytes * (0.95 + 0.1 * uniform(key, 1));
  const slow = 0.015 * noise(key + 3, timeSeconds / 300) + 0.02 * noise(key + 4, timeSeconds / 2400);
  const period = GARBAGE_SECONDS * (0.8 + 0.4 * uniform(key, 2));
  const garbage = (spec.garbage ?? 0) * (((timeSeconds / period + uniform(key, 3)) % 1) - 0.5);
  const startup = STARTUP.emptyShare * Math.exp((bornSeconds - timeSeconds) / STARTUP.fillSeconds);
  const job = dailyJob === undefined ? 0 : dailyJob.memoryBytes * jobAt(dailyJob, key, timeSeconds).memoryShare;
  return level * (1 + slow + garbage - startup) + job;
}
