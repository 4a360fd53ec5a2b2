/** The times at which something is muted: once, or again and again as in the time intervals of Alertmanager. */

import { z } from 'zod';
import { TimeZone } from '../../lib/time-zone.js';

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
] as const;

/** First and last, both included. */
type Range = readonly [first: number, last: number];

/** A window. What is absent does not limit it; without any limit it is always open. */
export interface MuteWindow {
  /** Unix time in seconds; the end is not included. */
  readonly fromSeconds?: number;
  readonly untilSeconds?: number;
  /** 0 is Sunday. */
  readonly weekdays?: readonly Range[];
  /** Minutes of the day; the end, at most 1440, is not included. */
  readonly times?: readonly Range[];
  /** 1 to 31, or from the end of the month: -1 is its last day. */
  readonly daysOfMonth?: readonly Range[];
  /** 1 to 12. */
  readonly months?: readonly Range[];
  readonly years?: readonly Range[];
  /** Time zone of all that recurs. */
  readonly location: string;
}

const MINUTES_OF_DAY = 1440;

/** A recurring window that is open for longer counts as open without an end. */
const LONGEST_SECONDS = 31 * 86_400;
/** So does one of more pieces: times of the day that follow one another are looked up one by one. */
const MOST_PIECES = 100;

/** Whether a window is open at a time, in Unix seconds. */
function isOpen(window: MuteWindow, timeSeconds: number): boolean {
  const { fromSeconds = -Infinity, untilSeconds = Infinity } = window;
  if (timeSeconds < fromSeconds || timeSeconds >= untilSeconds) return false;
  if (!recurs(window)) return true;
  const { weekday, minute, day, daysInMonth, month, year } = localTime(window.location, timeSeconds);
  const fromEnd = (bound: number) => (bound < 0 ? daysInMonth + 1 + bound : bound);
  const days = window.daysOfMonth?.map(([first, last]) => [fromEnd(first), fromEnd(last)] as const);
  return (
    (window.weekdays?.some((range) => isInCycle(range, weekday)) ?? true) &&
    (window.times?.some(([start, end]) => minute >= start && minute < end) ?? true) &&
    (days?.some(([first, last]) => day >= first && day <= last) ?? true) &&
    (window.months?.some((range) => isInCycle(range, month)) ?? true) &&
    (window.years?.some(([first, last]) => year >= first && year <= last) ?? true)
  );
}

/** The last answer for each window: thousands of pods ask for the same one at the same time. */
const lastClosings = new WeakMap<MuteWindow, { readonly timeSeconds: number; readonly closing: number }>();

/**
 * When a window closes that is open at a time, in Unix seconds: the time itself where it is closed, infinity where it stays
 * open for a month.
 */
export function closingOf(window: MuteWindow, timeSeconds: number): number {
  const last = lastClosings.get(window);
  if (last?.timeSeconds === timeSeconds) return last.closing;
  const closing = findClosing(window, timeSeconds);
  lastClosings.set(window, { timeSeconds, closing });
  return closing;
}

function findClosing(window: MuteWindow, timeSeconds: number): number {
  const { untilSeconds = Infinity, times, location } = window;
  if (!isOpen(window, timeSeconds)) return timeSeconds;
  if (!recurs(window)) return untilSeconds;
  let end = timeSeconds;
  for (let pieces = 0; end < untilSeconds && isOpen(window, end); pieces++) {
    if (end - timeSeconds > LONGEST_SECONDS || pieces === MOST_PIECES) return untilSeconds;
    const { minute } = localTime(location, end);
    const ends = (times ?? [[0, MINUTES_OF_DAY]]).filter(([first, last]) => minute >= first && minute < last);
    const closes = Math.max(...ends.map(([, last]) => last));
    const closing = (Math.floor(end / 60) + closes - minute) * 60;
    // Clocks that change meanwhile may close it earlier, or leave it open for longer.
    end = timeZone(location).firstChange(Math.floor(end), closing)?.atSeconds ?? closing;
  }
  return Math.min(end, untilSeconds);
}

/** From Saturday to Sunday, too. */
const isInCycle = ([first, last]: Range, value: number) =>
  first <= last ? value >= first && value <= last : value >= first || value <= last;

const recurs = ({ weekdays, times, daysOfMonth, months, years }: MuteWindow) =>
  [weekdays, times, daysOfMonth, months, years].some((limit) => limit !== undefined);

interface LocalTime {
  readonly weekday: number;
  readonly minute: number;
  readonly day: number;
  readonly daysInMonth: number;
  readonly month: number;
  readonly year: number;
}

/** One for each name. */
const zones = new Map<string, TimeZone>();

function timeZone(name: string): TimeZone {
  const zone = zones.get(name) ?? new TimeZone(name);
  zones.set(name, zone);
  return zone;
}

function localTime(location: string, timeSeconds: number): LocalTime {
  const time = Math.floor(timeSeconds);
  const date = new Date((time + timeZone(location).offsetSeconds(time)) * 1000);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1];
  return {
    weekday: date.getUTCDay(),
    minute: date.getUTCHours() * 60 + date.getUTCMinutes(),
    day: date.getUTCDate(),
    daysInMonth: daysOf(year, month),
    month,
    year,
  };
}

/** Days of a month, which is 1 to 12. */
const daysOf = (year: number, month: number) => new Date(Date.UTC(year, month, 0)).getUTCDate();

/** A range such as `monday:friday`, or one value, with both ends as numbers; `undefined` if it is invalid. */
function rangeOf(text: string, numberOf: (text: string) => number | undefined): Range | undefined {
  const [first, last = first, ...more] = text.split(':').map((part) => numberOf(part.trim().toLowerCase()));
  return first === undefined || last === undefined || more.length > 0 ? undefined : [first, last];
}

const among =
  (names: readonly string[], offset: number) =>
  (text: string): number | undefined =>
    names.includes(text) ? names.indexOf(text) + offset : undefined;

const integer =
  (isValid: (value: number) => boolean) =>
  (text: string): number | undefined =>
    /^-?\d{1,4}$/.test(text) && isValid(Number(text)) ? Number(text) : undefined;

const monthOf = (text: string) => among(MONTHS, 1)(text) ?? integer((month) => month >= 1 && month <= 12)(text);

/** `22:00` in minutes; `undefined` if it is invalid. */
function minuteOf(text: string): number | undefined {
  const [, hour, minute] = /^(\d{2}):([0-5]\d)$/.exec(text) ?? [];
  const minutes = Number(hour) * 60 + Number(minute);
  return minutes <= MINUTES_OF_DAY ? minutes : undefined;
}

/** Unix seconds of a time with its zone (RFC 3339), or of a text of digits; `undefined` if it is invalid. */
export function secondsOf(text: string): number | undefined {
  if (/^\d{9,11}$/.test(text)) return Number(text);
  const [, year, month, day] =
    /^(\d{4})-(\d{2})-(\d{2})[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:\d{2})$/.exec(text) ?? [];
  // `Date.parse` takes 31 February for 3 March.
  if (year === undefined || Number(day) > daysOf(Number(year), Number(month))) return undefined;
  const milliseconds = Date.parse(text.replace(' ', 'T').toUpperCase());
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}

/** Whether this machine knows a time zone by its name. */
function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** A schema from what a person wrote; a value is valid where it becomes something. */
const valid = <Input extends z.ZodType, Output>(input: Input, read: (value: z.output<Input>) => Output | undefined) =>
  input.transform((value, context) => {
    const found = read(value as z.output<Input>);
    if (found !== undefined) return found;
    context.addIssue({ code: 'custom' });
    return z.NEVER;
  });

const ranges = (numberOf: (text: string) => number | undefined, isValid: (range: Range) => boolean = () => true) =>
  z
    .array(
      valid(z.union([z.string(), z.number()]), (value) => {
        const range = rangeOf(String(value), numberOf);
        return range !== undefined && isValid(range) ? range : undefined;
      }),
    )
    .min(1)
    .optional();

const isOrdered = ([first, last]: Range) => first <= last;

const instant = valid(z.union([z.string(), z.number()]), (value) => secondsOf(String(value))).optional();

/** A window as it stands in a file, with the keys of Alertmanager's time intervals. */
export const MuteWindowSpec = z
  .strictObject({
    weekdays: ranges(among(WEEKDAYS, 0)),
    times: z
      .array(
        valid(z.strictObject({ start_time: z.string(), end_time: z.string() }), ({ start_time, end_time }) => {
          const [start, end] = [minuteOf(start_time), minuteOf(end_time)];
          return start === undefined || end === undefined || start >= end ? undefined : ([start, end] as const);
        }),
      )
      .min(1)
      .optional(),
    days_of_month: ranges(
      integer((day) => day !== 0 && Math.abs(day) <= 31),
      (range) => Math.sign(range[0]) !== Math.sign(range[1]) || isOrdered(range),
    ),
    months: ranges(monthOf),
    years: ranges(
      integer((year) => year >= 1970),
      isOrdered,
    ),
    location: z.string().refine(isTimeZone).default('UTC'),
    from: instant,
    until: instant,
  })
  .refine(({ from = -Infinity, until = Infinity }) => from < until, { path: ['until'] })
  .transform(
    ({ weekdays, times, days_of_month: daysOfMonth, months, years, location, from, until }): MuteWindow => ({
      ...(weekdays && { weekdays }),
      ...(times && { times }),
      ...(daysOfMonth && { daysOfMonth }),
      ...(months && { months }),
      ...(years && { years }),
      ...(from !== undefined && { fromSeconds: from }),
      ...(until !== undefined && { untilSeconds: until }),
      location,
    }),
  );

/** What each key of a window accepts, to read after "expected", and a value that shows the form, as YAML. */
export const WINDOW_KEYS: Readonly<Record<string, readonly [expected: string, example: string]>> = {
  weekdays: ['a list of weekdays or ranges of them', "['monday:friday', sunday]"],
  times: ['a list of times of the day, the start before the end', '[{ start_time: "22:00", end_time: "24:00" }]'],
  days_of_month: ['a list of days or ranges of them, from the end of the month below 0', "['1:7', '-1']"],
  months: ['a list of months or ranges of them', "['december:december', '1:3']"],
  years: ['a list of years or ranges of them', "['2026:2027']"],
  location: ['the name of a time zone', 'Europe/Berlin'],
  from: ['a time with its zone, or Unix seconds', '2026-11-29T22:00:00Z'],
  until: ['a time with its zone, or Unix seconds, later than `from`', '2026-11-30T02:00:00Z'],
};
