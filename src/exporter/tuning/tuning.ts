/** What people said about a pod, and what it comes to at a time. */

import { closingOf, type MuteWindow } from './windows.js';

/** A window in which something is muted, and who says so, for the reader: `deployment shop/cart`. */
export interface Mute {
  readonly window: MuteWindow;
  readonly by: string;
}

/** Whether something is not scored, and who says so. */
export interface Ignore {
  readonly value: boolean;
  readonly by: string;
}

/** What one rule or one object says; what it does not say is absent. */
export interface TuningLayer {
  readonly ignore?: Ignore;
  /** Usual spreads, as ANOMALY_SENSITIVITY. */
  readonly sensitivity?: number;
  readonly mutes?: readonly Mute[];
}

/** How a pod is to be judged now. */
export interface PodTuning {
  /** Who says that the pod is not scored; `undefined` if it is. */
  readonly ignoredBy: string | undefined;
  /** Instead of ANOMALY_SENSITIVITY. */
  readonly sensitivity: number | undefined;
  /** Why the pod is muted; `undefined` if it is not. */
  readonly mutedBy: string | undefined;
  /** Unix time in seconds; `undefined` where no end is known. */
  readonly mutedUntilSeconds: number | undefined;
}

/** The range of ANOMALY_SENSITIVITY, and of those of pods. */
export const [LOWEST_SENSITIVITY, HIGHEST_SENSITIVITY] = [1, 40];

/** A pod of which nobody says anything. */
export const UNTUNED: PodTuning = {
  ignoredBy: undefined,
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
  const ignore = layers.findLast((layer) => layer.ignore !== undefined)?.ignore;
  for (const { window, by } of layers.flatMap(({ mutes = [] }) => mutes)) {
    const closing = closingOf(window, timeSeconds);
    if (closing <= untilSeconds) continue;
    mutedBy = by;
    untilSeconds = closing;
  }
  return {
    ignoredBy: ignore?.value ? ignore.by : undefined,
    sensitivity: layers.findLast(({ sensitivity }) => sensitivity !== undefined)?.sensitivity,
    mutedBy,
    mutedUntilSeconds: mutedBy === undefined || untilSeconds === Infinity ? undefined : untilSeconds,
  };
}
