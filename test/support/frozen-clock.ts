/**
 * Loaded into a program by `--import`: as long as the file FROZEN_CLOCK holds a number, the clock shows it, Unix time
 * in milliseconds. So two programs can be asked for the same instant. Timers go on.
 */

import { readFileSync } from 'node:fs';

const file = process.env.FROZEN_CLOCK ?? '';
const { now } = Date;

Date.now = () => {
  try {
    const frozen = Number(readFileSync(file, 'utf8'));
    if (frozen > 0) return frozen;
  } catch {
    // Not frozen yet.
  }
  return now();
};
