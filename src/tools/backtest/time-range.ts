/** The instants of a command line, as people write them. */

import { UsageError } from '../../lib/usage-error.js';

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** A date and a time with its zone (RFC 3339, section 5.6). */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Reads an instant: RFC 3339, Unix seconds, `now`, or a distance from now such as `-14d` or `now-90m`.
 *
 * @param option its name, for the message.
 * @param nowSeconds Unix time.
 * @returns Unix time in seconds.
 * @throws {UsageError} when it is anything else.
 */
export function parseInstant(option: string, text: string, nowSeconds: number): number {
  const trimmed = text.trim();
  if (trimmed === 'now') return nowSeconds;
  const [, distance] = /^(?:now)?-(.+)$/.exec(trimmed) ?? [];
  const back = distance === undefined ? undefined : durationSeconds(distance);
  if (back !== undefined) return nowSeconds - back;
  if (/^\d+(?:\.\d+)?$/.test(trimmed)) return Number(trimmed);
  const parsed = RFC_3339.test(trimmed) ? Date.parse(trimmed) / 1000 : Number.NaN;
  if (!Number.isNaN(parsed)) return parsed;
  throw new UsageError(
    `${option}: expected an instant, got "${text}". Examples: 2026-05-01T00:00:00Z, 1777593600 (Unix seconds), now, ` +
      '-14d, -90m',
  );
}

/**
 * Reads a length of time in the form of Prometheus, such as `5m` or `1h30m`.
 *
 * @throws {UsageError} when it is invalid, or 0.
 */
export function parseDuration(option: string, text: string): number {
  const seconds = durationSeconds(text.trim());
  if (seconds !== undefined && seconds > 0) return seconds;
  throw new UsageError(`${option}: expected a length of time, got "${text}". Examples: 5m, 90s, 1h30m`);
}

/** Seconds of a duration; `undefined` when the text is not one. */
function durationSeconds(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?[smhdw])+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smhdw])/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_SECONDS[unit ?? ''] ?? 0), 0);
}

/** An instant for people and programs: `2026-05-01T00:00:00Z`. */
export function formatInstant(timeSeconds: number): string {
  return new Date(timeSeconds * 1000).toISOString().replace('.000Z', 'Z');
}
