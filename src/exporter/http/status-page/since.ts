/** Since when something is anomalous. */

import { formatDuration } from '../../../lib/text/format.js';
import { type Html, html } from '../../../lib/text/html.js';
import { flaggedSince, type PodHistory } from './replay.js';
import type { ShownPod } from './selection.js';
import { isoTime } from './time.js';

/** `orEarlier`: it goes back as far as is known. */
export interface Since {
  /** Unix time in seconds. */
  readonly timeSeconds: number;
  readonly orEarlier: boolean;
}

/** Of a pod, by what this process has seen and by its last hour: the earlier of the two. A restart sees no beginning. */
export function sinceOf({ sinceSeconds }: ShownPod, history: PodHistory | undefined): Since | undefined {
  const seen = sinceSeconds === undefined ? undefined : { timeSeconds: sinceSeconds, orEarlier: false };
  return earliest([seen, history && flaggedSince(history)]);
}

/** The earliest; `undefined` where none is known. */
export function earliest(all: readonly (Since | undefined)[]): Since | undefined {
  return all
    .filter((one) => one !== undefined)
    .reduce<Since | undefined>(
      (first, one) => (first && first.timeSeconds <= one.timeSeconds ? first : one),
      undefined,
    );
}

/** `08:48 UTC, for 15 min`. @param timeSeconds the instant that was scored. */
export function sinceElement({ timeSeconds: since, orEarlier }: Since, timeSeconds: number, nowSeconds: number): Html {
  const words = orEarlier
    ? 'for over an hour'
    : since === timeSeconds
      ? 'just now'
      : `for ${formatDuration(nowSeconds - since)}`;
  return html`<time datetime="${isoTime(since)}">${orEarlier ? 'before ' : ''}${clock(since, nowSeconds)}, ${words}</time>`;
}

/** The time of day in UTC, with the date where it is not within the last day: `08:48 UTC`, `2026-01-14 08:48 UTC`. */
export function clock(seconds: number, nowSeconds: number): string {
  const iso = isoTime(seconds);
  const isToday = Math.abs(nowSeconds - seconds) < 86_400;
  return `${isToday ? '' : `${iso.slice(0, 10)} `}${iso.slice(11, 16)} UTC`;
}
