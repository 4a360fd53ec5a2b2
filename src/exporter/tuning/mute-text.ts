/** Windows as one line of text, for an annotation: `saturday:sunday 22:00-24:00 Europe/Berlin; 2026-11-29T22:00:00Z/2026-11-30T02:00:00Z`. */

import { type MuteWindow, MuteWindowSpec } from './windows.js';

const TIMES = /^\d{2}:\d{2}-\d{2}:\d{2}(?:,\d{2}:\d{2}-\d{2}:\d{2})*$/;
const DAYS = /^[a-z]+day(?:[:,][a-z]+day)*$/i;
const ONCE = /^(\d{4}-[^/]+)\/(\d{4}-[^/]+)$/;

/** An annotation may have 256 KiB, and each window of it counts in every pass. */
const LONGEST_TEXT = 1000;

/**
 * The windows of a text, with `;` between them; `undefined` where it is invalid or too long. Each has weekdays, times of the day and a
 * time zone, in any order, or a start and an end with `/` between them, or is `always`.
 */
export function parseMuteText(text: string): readonly MuteWindow[] | undefined {
  if (text.length > LONGEST_TEXT) return undefined;
  const windows = text.split(';').map(windowOf);
  return windows.every((window) => window !== undefined) ? windows : undefined;
}

function windowOf(text: string): MuteWindow | undefined {
  const words = text.trim().split(/\s+/);
  if (words.length === 1 && words[0] === 'always') return MuteWindowSpec.parse({});
  const spec: Record<string, unknown> = {};
  for (const word of words) {
    const [, from, until] = ONCE.exec(word) ?? [];
    const said =
      from !== undefined
        ? { from, until }
        : TIMES.test(word)
          ? { times: word.split(',').map(timesOf) }
          : DAYS.test(word)
            ? { weekdays: word.split(',') }
            : { location: word };
    // Each once: of two time zones, one would be ignored.
    if (Object.keys(said).some((key) => Object.hasOwn(spec, key))) return undefined;
    Object.assign(spec, said);
  }
  // A time zone alone is a mistake, not a window that is always open.
  const isLimited = Object.keys(spec).some((key) => key !== 'location');
  return isLimited ? MuteWindowSpec.safeParse(spec).data : undefined;
}

function timesOf(text: string) {
  const [start_time, end_time] = text.split('-');
  return { start_time, end_time };
}
