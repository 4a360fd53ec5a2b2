/** What containers take: a level with a day in it and small waves, so that counters are those of any moment. */

import type { Load } from './kubelet-metrics.js';

export interface Level {
  readonly cores: number;
  readonly memoryBytes: number;
}

/** Period in seconds, and height as a share, of each wave of the load: the day of all, and what each pod has for itself. */
const DAY = { period: 86_400, height: 0.25 };
const OWN = [
  { period: 3_700, height: 0.03 },
  { period: 610, height: 0.02 },
];

/** Memory follows as far. */
const MEMORY_SHARE = 0.3;

/** What a container that starts takes more, and for how long. */
const START = { cores: 0.1, seconds: 60 };

/**
 * What a container has taken until an instant, and takes then.
 *
 * @param startSeconds when it started. @param phase of its own waves, from 0 to 1.
 */
export function loadOf({ cores, memoryBytes }: Level, startSeconds: number, timeSeconds: number, phase: number): Load {
  const age = Math.max(0, timeSeconds - startSeconds);
  const sum = (read: (angle: number, period: number) => number, seconds: number) =>
    [{ ...DAY, phase: 0 }, ...OWN.map((wave) => ({ ...wave, phase }))].reduce(
      (total, wave) => total + wave.height * read(2 * Math.PI * (seconds / wave.period + wave.phase), wave.period),
      0,
    );
  // The integral of the waves.
  const taken = (seconds: number) =>
    seconds - sum((angle, period) => (period / (2 * Math.PI)) * Math.cos(angle), seconds);
  const beginning = START.cores * START.seconds * (1 - Math.exp(-age / START.seconds));
  return {
    cpuSeconds: cores * (taken(timeSeconds) - taken(startSeconds)) + beginning,
    memoryBytes: Math.round(memoryBytes * (1 + MEMORY_SHARE * sum((angle) => Math.sin(angle), timeSeconds))),
    throttled: 0.05,
    waiting: { cpu: 0.02, memory: 0, io: 0.01 },
  };
}
