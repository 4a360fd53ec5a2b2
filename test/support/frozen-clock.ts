/**
 * Loaded into a program by `--import`, so that two programs can be asked for the same instant, in another time than that of
 * the machine. CLOCK_SHIFT_SECONDS is added to the clock. As long as the file FROZEN_CLOCK holds a number, the clock
 * shows it, Unix time in milliseconds; timers go on.
 */

import { readFileSync } from 'node:fs';

const file = process.env.FROZEN_CLOCK ?? '';
const shiftMilliseconds = 1000 * Number(process.env.CLOCK_SHIFT_SECONDS ?? 0);
const RealDate = Date;

/** `new Date()` is not frozen: a schedule goes on. */
class ShiftedDate extends RealDate {
  constructor(...parameters: unknown[]) {
    if (parameters.length === 0) super(RealDate.now() + shiftMilliseconds);
    else super(...(parameters as [number]));
  }

  static override now(): number {
    try {
      const frozen = Number(readFileSync(file, 'utf8'));
      if (frozen > 0) return frozen;
    } catch {
      // Not frozen yet.
    }
    return RealDate.now() + shiftMilliseconds;
  }
}
globalThis.Date = ShiftedDate as DateConstructor;
