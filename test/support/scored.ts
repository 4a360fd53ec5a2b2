import type { Detection } from '../../src/exporter/detection/detection.js';

/** The part of a detection that follows from scores, of pods that nobody muted; all anomalies last, and nothing was released. */
export function scoredAs(
  ...scores: readonly number[]
): Pick<Detection, 'scores' | 'flags' | 'lasting' | 'muted' | 'tunings' | 'releases' | 'optedOut' | 'accepted'> {
  const flags = Uint8Array.from(scores, (score) => Number(score > 0));
  return {
    scores: Float64Array.from(scores),
    flags,
    lasting: flags.slice(),
    muted: new Uint8Array(scores.length),
    tunings: new Map(),
    releases: new Map(),
    optedOut: new Map(),
    accepted: new Set(),
  };
}
