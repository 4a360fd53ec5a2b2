/** Healthy pods that come while the recording runs: a scale-up or a rollout must not raise an alert. */

import type { Case } from './case.js';
import type { Fault } from './labels.js';
import { isNear, podOfFault } from './point-classes.js';
import { isAlert } from './three-of-five.js';

/** A pod counts as new for this long. */
const NEW_MINUTES = 60;

/**
 * Finds the pods that first appear after the learning minutes of a case, and which of them got an alert in their first
 * hour, by position among the pods of the case. A pod with a fault near its first hour is not healthy and does not count.
 */
export function newReplicasOf(recording: Case, scores: readonly Float64Array[], faults: readonly Fault[]) {
  let healthy = 0;
  const alerted: number[] = [];
  recording.pods.forEach(({ firstMinute, minutes }, index) => {
    if (firstMinute < recording.learningMinutes) return;
    const offsets = Array.from({ length: Math.min(NEW_MINUTES, minutes) }, (_, offset) => offset);
    const own = faults.filter((fault) => podOfFault(recording, fault) === index);
    if (own.some((fault) => offsets.some((offset) => isNear(recording, fault, firstMinute + offset)))) return;
    healthy++;
    if (offsets.some((offset) => isAlert(scores[index] as Float64Array, offset))) alerted.push(index);
  });
  return { healthy, alerted };
}
