/** Numbers and times as people read them. */

import { Html, html } from '../../../lib/text/html.js';

/** A unit is chosen as soon as the next smaller one would have four digits. */
const BINARY_UNITS = [
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
] as const;
const LEAST_SHARE = 999.5 / 1024;

/** Below this, thousandths of a core are easier to read. */
const WHOLE_CORES = 0.9995;

/**
 * A value in a unit that suits its size: `1.52 GiB`, `180 millicores`, `2.1 cores`. Any other unit than bytes and cores
 * stays as it is.
 *
 * @param unit base unit; empty where the number says enough.
 */
export function quantity(value: number, unit: string): string {
  if (!Number.isFinite(value)) return 'unknown';
  const size = Math.abs(value);
  if (unit === 'bytes') {
    const [divisor, name] = BINARY_UNITS.find(([unitSize]) => size >= LEAST_SHARE * unitSize) ?? [1, 'bytes'];
    return `${threeDigits(value / divisor)} ${name}`;
  }
  if (unit === 'cores' && size < WHOLE_CORES) return `${threeDigits(value * 1000)} millicores`;
  const number = threeDigits(value);
  return `${number} ${unit === 'cores' && number === '1' ? 'core' : unit}`.trim();
}

/** Three digits that count, but no rounding of whole numbers: `0.0123`, `1.52`, `180`, `12,345`. */
function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e15)) return value.toExponential(1);
  return value.toLocaleString(
    'en-US',
    size >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 },
  );
}

/** `1 pod`, `12,345 pods`. */
export function counted(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}

/** The largest unit in which a time of so many seconds is at least 2. */
export function duration(seconds: number): string {
  if (seconds >= 2 * 86400) return counted(Math.floor(seconds / 86400), 'day');
  if (seconds >= 2 * 3600) return counted(Math.floor(seconds / 3600), 'hour');
  if (seconds >= 2 * 60) return counted(Math.floor(seconds / 60), 'minute');
  return counted(Math.floor(seconds), 'second');
}

/** `4 minutes ago`, `in 12 minutes`. */
export function relativeTime(seconds: number, nowSeconds: number): string {
  const ago = nowSeconds - seconds;
  return ago >= 0 ? `${duration(ago)} ago` : `in ${duration(-ago)}`;
}

/** ISO 8601 in UTC, to the second. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * A time, in words first: `4 minutes ago (2026-01-01T00:00:00Z)`.
 *
 * @param time Unix time in seconds, or a text of ISO 8601.
 */
export function timeElement(time: number | string, nowSeconds: number): Html {
  const seconds = typeof time === 'number' ? time : Date.parse(time) / 1000;
  if (!Number.isFinite(seconds)) return html`${String(time)}`;
  const iso = isoTime(seconds);
  return html`<time datetime="${iso}">${relativeTime(seconds, nowSeconds)} <small>${iso}</small></time>`;
}

/** Joins parts with a separator that is markup already. */
export function joined(parts: readonly Html[], separator: string): Html {
  return new Html(parts.map(({ markup }) => markup).join(separator));
}
