/** CPU and memory of a healthy pod as formulas of time: any instant can be computed without the past. */

import type { PodLife } from './lives.js';
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
export function cpuSeconds({ spec, key, bornSeconds }: PodLife, timeSeconds: number): number {
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
export function memoryBytes({ spec, key, bornSeconds }: PodLife, timeSeconds: number): number {
  const level = spec.memoryBytes * (0.95 + 0.1 * uniform(key, 1));
  const slow = 0.015 * noise(key + 3, timeSeconds / 300) + 0.02 * noise(key + 4, timeSeconds / 2400);
  const period = GARBAGE_SECONDS * (0.8 + 0.4 * uniform(key, 2));
  const garbage = (spec.garbage ?? 0) * (((timeSeconds / period + uniform(key, 3)) % 1) - 0.5);
  const startup = STARTUP.emptyShare * Math.exp((bornSeconds - timeSeconds) / STARTUP.fillSeconds);
  return level * (1 + slow + garbage - startup);
}
