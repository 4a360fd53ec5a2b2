/** How far a counter rose within the last hour: what the training saw of it, and what a table shows since then. */

import { COUNTER_WINDOW_SECONDS } from '../features/counter-events.js';
import { heightAfter } from '../features/counter-height.js';
import { RISE_SECONDS } from '../history/hour-summary.js';
import { LONG_STEP_SECONDS } from '../history/sustained.js';
import { decodeRise } from './recent.js';

/** The rises that a training saw, `LONG_STEP_SECONDS` apart (`encodeRise`); the last one ended at `endSeconds`. */
export interface TrainedRises {
  readonly codes: Uint16Array;
  readonly endSeconds: number;
}

/**
 * The rise within the hour up to the last instant, and the height there.
 *
 * At its beginning, a table does not know which rise just before it was part of the same event (`countEvents`). So what the
 * training saw counts up to ten minutes ago. But only a table to score has the counters of pods without usage: where the
 * training knows nothing, the table counts.
 *
 * @param trained of the pod; without, the table is all there is.
 * @param values one for each instant; `NaN` where it is missing.
 */
export function riseWithinHour(
  trained: TrainedRises | undefined,
  values: Float64Array,
  timestampsSeconds: Float64Array,
): { readonly rise: number; readonly height: number } {
  const first = timestampsSeconds[0] as number;
  const now = timestampsSeconds.at(-1) as number;
  let rise = 0;
  let trainedUntil = first;
  let lastTrained = 0;
  for (const [sample, code] of trained?.codes.entries() ?? []) {
    const { codes, endSeconds } = trained as TrainedRises;
    const seconds = endSeconds - (codes.length - 1 - sample) * LONG_STEP_SECONDS;
    if (seconds - LONG_STEP_SECONDS < now - RISE_SECONDS) continue;
    const known = decodeRise(code);
    if (seconds > first) {
      if (Number.isNaN(known) || seconds > now - COUNTER_WINDOW_SECONDS) break;
      trainedUntil = seconds;
    }
    lastTrained = Number.isNaN(known) ? 0 : known;
    rise += lastTrained;
  }
  let height = Number.NaN;
  /** The rise in the table, in the time of the last sample of the training. */
  let meanwhile = 0;
  for (const [instant, value] of values.entries()) {
    const own = value > height ? value - height : 0;
    height = heightAfter(height, value);
    const seconds = timestampsSeconds[instant] as number;
    const before = instant === 0 ? first : (timestampsSeconds[instant - 1] as number);
    if (before >= trainedUntil) rise += own;
    else if (seconds > trainedUntil - LONG_STEP_SECONDS) {
      meanwhile += own;
      // That sample lies between two instants: what it does not explain came after it.
      if (seconds >= trainedUntil) rise += Math.min(own, Math.max(0, meanwhile - lastTrained));
    }
  }
  return { rise, height };
}
