/** What each minute of each pod counts as. */

import { BIN_SECONDS, type Case } from './case.js';
import type { Fault } from './labels.js';

/** A pod-minute outside the evaluation: in the learning minutes, or without data. */
export const ABSENT = 0;
/** Nothing is wrong: a flag is a false alarm. */
export const NORMAL = 1;
/** Within a visible fault on this pod. */
export const POSITIVE = 2;
/** Too close to a fault, here or elsewhere, to say. */
export const IGNORED = 3;

/** Around a fault window, what is not positive is ignored on every pod. */
const IGNORED_BEFORE_SECONDS = 60;
const IGNORED_AFTER_SECONDS = 360;

/** The pod of a fault among those of a case; -1 when the case has no data of it. */
export function podOfFault({ pods }: Case, fault: Fault): number {
  return pods.findIndex(
    ({ identity }) =>
      identity.pod === fault.pod && (fault.namespace === undefined || identity.namespace === fault.namespace),
  );
}

/**
 * The class of every pod-minute.
 *
 * @param faults those of this case.
 * @returns for each pod of the case, the class of each of its minutes.
 */
export function classify(recording: Case, faults: readonly Fault[]): readonly Uint8Array[] {
  const ignored = Array.from({ length: recording.minutes }, (_, minute) =>
    faults.some((fault) => isNear(recording, fault, minute)),
  );
  const classes = recording.pods.map((pod) =>
    Uint8Array.from({ length: pod.minutes }, (_, offset) => {
      const minute = pod.firstMinute + offset;
      if (minute < recording.learningMinutes || pod.complete[offset] !== 1) return ABSENT;
      return ignored[minute] ? IGNORED : NORMAL;
    }),
  );
  for (const fault of faults) {
    const index = podOfFault(recording, fault);
    const ofPod = classes[index];
    const pod = recording.pods[index];
    if (!fault.visible || ofPod === undefined || pod === undefined) continue;
    ofPod.forEach((of, offset) => {
      if (of !== ABSENT && isWithin(recording, fault, pod.firstMinute + offset)) ofPod[offset] = POSITIVE;
    });
  }
  return classes;
}

/** At least half of the minute lies in the fault window. */
function isWithin({ startSeconds }: Case, fault: Fault, minute: number): boolean {
  const middle = startSeconds + (minute + 0.5) * BIN_SECONDS;
  return fault.startSeconds <= middle && middle <= fault.endSeconds;
}

/** Whether a minute of the case touches the time around a fault window. */
export function isNear({ startSeconds }: Case, fault: Fault, minute: number): boolean {
  const start = startSeconds + minute * BIN_SECONDS;
  return (
    start + BIN_SECONDS > fault.startSeconds - IGNORED_BEFORE_SECONDS &&
    start < fault.endSeconds + IGNORED_AFTER_SECONDS
  );
}
