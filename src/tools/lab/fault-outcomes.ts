/** What became of each labelled fault. */

import { BIN_SECONDS, type Case, instantOf } from './case.js';
import type { Fault } from './labels.js';
import { podOfFault } from './point-classes.js';
import { ALERT_GRACE_MINUTES, isAlert } from './three-of-five.js';

/** Why a fault is not judged. */
export type LeftOut = 'no_such_case' | 'no_data' | 'learning' | 'not_visible';

/** A fault, and whether an alert reported it, by 3 flagged minutes of 5. */
export interface FaultOutcome {
  readonly fault: Fault;
  /** `undefined` for a fault that is judged. */
  readonly leftOut: LeftOut | undefined;
  /** Minutes from the start of the fault to the end of the minute of its first alert; `undefined` without one. */
  readonly delayMinutes: number | undefined;
}

/** The outcome of a fault for which there is no case. */
export function outcomeWithoutCase(fault: Fault): FaultOutcome {
  return { fault, leftOut: 'no_such_case', delayMinutes: undefined };
}

/**
 * Looks for an alert on the pod of a fault, from the fault's first minute to 2 minutes after its last.
 *
 * @param scores of each pod of the case.
 */
export function outcomeOf(recording: Case, scores: readonly Float64Array[], fault: Fault): FaultOutcome {
  const index = podOfFault(recording, fault);
  const pod = recording.pods[index];
  const ofPod = scores[index];
  const first = Math.floor((fault.startSeconds - recording.startSeconds) / BIN_SECONDS);
  const last = Math.ceil((fault.endSeconds - recording.startSeconds) / BIN_SECONDS) - 1;
  const outcome = (leftOut?: LeftOut, delayMinutes?: number) => ({ fault, leftOut, delayMinutes });
  if (pod === undefined || ofPod === undefined) return outcome('no_data');
  if (first < recording.learningMinutes) return outcome('learning');
  // A fault that begins after the recording has no data either.
  if (first >= recording.minutes) return outcome('no_data');
  if (!fault.visible) return outcome('not_visible');
  const end = Math.min(recording.minutes - 1, last + ALERT_GRACE_MINUTES);
  for (let minute = first; minute <= end; minute++) {
    if (!isAlert(ofPod, minute - pod.firstMinute)) continue;
    return outcome(undefined, (instantOf(recording, minute) - fault.startSeconds) / 60);
  }
  return outcome();
}
