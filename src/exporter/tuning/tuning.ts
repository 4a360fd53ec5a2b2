/** What people said about a pod, and what it comes to at a time. */

import { closingOf, type MuteWindow } from './windows.js';

/** A window in which something is muted, and who says so, for the reader: `deployment shop/cart`. */
export interface Mute {
  readonly window: MuteWindow;
  readonly by: string;
}

/** What one rule or one object says; what it does not say is absent. */
export interface TuningLayer {
  readonly ignore?: boolean;
  /** Usual spreads, as ANOMALY_SENSITIVITY. */
  readonly sensitivity?: number;
  readonly mutes?: readonly Mute[];
}

/** How a pod is to be judged now. */
export interface PodTuning {
  /** The pod is not scored. */
  readonly ignored: boolean;
  /** Instead of ANOMALY_SENSITIVITY. */
  readonly sensitivity: number | undefined;
  /** Why the pod is muted; `undefined` if it is not. */
  readonly mutedBy: string | undefined;
  /** Unix time in seconds; `undefined` where no end is known. */
  readonly mutedUntilSeconds: number | undefined;
}

/** A pod of which nobody says anything. */
export const UNTUNED: PodTuning = {
  ignored: false,
  sensitivity: undefined,
  mutedBy: undefined,
  mutedUntilSeconds: undefined,
};

/**
 * Unites layers: for each field the last layer counts that says something about it, but mutes add up. Of several that are
 * open, the one that closes last is named.
 *
 * @param layers the least specific first.
 * @param timeSeconds Unix time.
 */
export function tuningAt(layers: readonly TuningLayer[], timeSeconds: number): PodTuning {
  if (layers.length === 0) return UNTUNED;
  let mutedBy: string | undefined;
  let untilSeconds = timeSeconds;
  for (const { window, by } of layers.flatMap(({ mutes = [] }) => mutes)) {
    const closing = closingOf(window, timeSeconds);
    if (closing <= untilSeconds) continue;
    mutedBy = by;
    untilSeconds = closing;
  }
  return {
    ignored: layers.findLast(({ ignore }) => ignore !== undefined)?.ignore ?? false,
    sensitivity: layers.findLast(({ sensitivity }) => sensitivity !== undefined)?.sensitivity,
    mutedBy,
    mutedUntilSeconds: mutedBy === undefined || untilSeconds === Infinity ? undefined : untilSeconds,
  };
}
