/** How alerts ended: for on-call, an alert that ends says that all is well again, which need not be so. */

import type { Alert } from './alerts.js';
import { type FeatureName, type Runs, spansOf } from './chunk-result.js';
import { MINUTE_SECONDS } from './plan.js';
import { featureReadings, type PodHistory, type PodReading, worstReading } from './pod-history.js';

/**
 * `recovered`: the pod is back at what was usual. `accepted`: it is not, but it is no longer flagged. `gone`: the pod
 * is no longer there. `still_on`: the alert fires at the end of the time.
 */
export const ENDINGS = ['recovered', 'accepted', 'gone', 'still_on'] as const;
export type Ending = (typeof ENDINGS)[number];

/** A pod without a score for longer than this is gone; containers that crash come back sooner. */
const GONE_MINUTES = 10;

/** The share of its first distance from the usual value at which a pod counts as still away from it. */
const STILL_AWAY_SHARE = 0.5;

export function countEndings(endings: readonly Ending[]): Record<Ending, number> {
  const counts = { recovered: 0, accepted: 0, gone: 0, still_on: 0 };
  for (const ending of endings) counts[ending]++;
  return counts;
}

/**
 * How an alert ended, judged by the pod that was most anomalous when it began, and by the feature that was furthest off.
 * A counter that no longer rises has recovered.
 *
 * @param sensitivity index of the one that the alert belongs to.
 */
export function endingOf(
  alert: Alert,
  pods: readonly PodHistory[],
  sensitivity: number,
  features: readonly FeatureName[],
): Ending {
  if (alert.open) return 'still_on';
  const first = worstReading(alert, pods, sensitivity);
  if (first === undefined) return 'recovered';
  const minute = Math.floor(alert.heldUntilSeconds / MINUTE_SECONDS);
  if (isGone(first.pod.scored, minute)) return 'gone';
  return isStillAway(first, minute, features) ? 'accepted' : 'recovered';
}

/** Whether a pod has no score from a minute on for longer than `GONE_MINUTES`. */
export function isGone(scored: Runs, minute: number): boolean {
  const next = spansOf(scored).find(([, end]) => end > minute);
  return next === undefined || next[0] > minute + GONE_MINUTES;
}

function isStillAway({ pod, reading }: PodReading, minute: number, features: readonly FeatureName[]): boolean {
  const [furthest] = featureReadings(reading, features);
  if (furthest === undefined || furthest.isCounter) return false;
  for (let later = minute; later <= minute + GONE_MINUTES; later++) {
    const actual = featureReadings(pod.readings.get(later) ?? [], features).find(
      ({ name }) => name === furthest.name,
    )?.actual;
    if (actual === undefined) continue;
    return (actual - furthest.expected) / (furthest.actual - furthest.expected) > STILL_AWAY_SHARE;
  }
  return false;
}
