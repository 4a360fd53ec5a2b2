/** Times as people read them. */

import { formatDuration } from '../../../lib/text/format.js';
import { type Html, html } from '../../../lib/text/html.js';

/** `4 min ago`, `in 12 min`. */
export function relativeTime(seconds: number, nowSeconds: number): string {
  const ago = Math.trunc(nowSeconds - seconds);
  return ago >= 0 ? `${formatDuration(ago)} ago` : `in ${formatDuration(-ago)}`;
}

/** ISO 8601 in UTC, to the second. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * A time, relative first: `4 min ago 2026-01-01T00:00:00Z`.
 *
 * @param time Unix time in seconds, or a text of ISO 8601.
 */
export function timeElement(time: number | string, nowSeconds: number): Html {
  const seconds = typeof time === 'number' ? time : Date.parse(time) / 1000;
  if (!Number.isFinite(seconds)) return html`${time}`;
  const iso = isoTime(seconds);
  return html`<time datetime="${iso}">${relativeTime(seconds, nowSeconds)} <small>${iso}</small></time>`;
}
