/** From flags to alerts: what would wake a person. */

import { ABSENT, NORMAL } from './point-classes.js';

/** An alert fires while at least 3 of the last 5 minutes are flagged. */
const ALERT_FLAGS = 3;
const ALERT_MINUTES = 5;

/** Minutes after the end of a fault in which its last flags can still make an alert. */
export const ALERT_GRACE_MINUTES = ALERT_FLAGS - 1;

/**
 * Whether an alert fires at a minute of a pod.
 *
 * @param scores of the pod's minutes; above 0 is flagged, `NaN` is not.
 * @param offset minute from the pod's first; outside of its minutes nothing is flagged.
 */
export function isAlert(scores: Float64Array, offset: number): boolean {
  let flags = 0;
  for (let recent = offset - ALERT_MINUTES + 1; recent <= offset; recent++) {
    if ((scores[recent] ?? Number.NaN) > 0) flags++;
  }
  return flags >= ALERT_FLAGS;
}

/**
 * The beginnings of the alert episodes on normal time: runs of normal minutes with an alert. A minute without data
 * neither ends an episode nor begins one; an alert that goes on from ignored into normal time begins one.
 *
 * @param classes of the pod's minutes.
 * @returns offsets from the pod's first minute.
 */
export function episodesOf(scores: Float64Array, classes: Uint8Array): readonly number[] {
  const beginnings: number[] = [];
  let running = false;
  classes.forEach((of, offset) => {
    if (of === ABSENT) return;
    const alert = of === NORMAL && isAlert(scores, offset);
    if (alert && !running) beginnings.push(offset);
    running = alert;
  });
  return beginnings;
}
