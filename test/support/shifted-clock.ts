/**
 * `Date` as it would be if somebody had set the clock of the machine: imported first, or preloaded
 * (`node --import shifted-clock.js`), also into the threads that the process starts. By so much from the start on:
 * `CLOCK_SHIFT_MILLISECONDS` in the environment. Timers and the monotonic clock go on as they are.
 */

const RealDate = Date;
/** Threads that start later get a copy of the environment. */
const VARIABLE = 'CLOCK_SHIFT_MILLISECONDS';
let shift = Number(process.env[VARIABLE] ?? 0);

class ShiftedDate extends RealDate {
  constructor(...parameters: unknown[]) {
    if (parameters.length === 0) super(ShiftedDate.now());
    else super(...(parameters as [number]));
  }

  static override now(): number {
    return RealDate.now() + shift;
  }
}
globalThis.Date = ShiftedDate as DateConstructor;

/** From now on the clock of this thread, and of those that start later, is wrong by so much. */
export function shiftClock(milliseconds: number): void {
  shift = milliseconds;
  process.env[VARIABLE] = String(milliseconds);
}
