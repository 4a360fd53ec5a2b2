/** The sensitivities that a replay compares, from the command line. */

import { parseSettings } from '../../exporter/config/parse.js';
import { UsageError } from '../../lib/usage-error.js';

const MOST_SENSITIVITIES = 8;

/**
 * The values of `--sensitivity`, in ascending order, each once.
 *
 * @param text values with commas between them.
 * @throws {MistakesError} when one is not a value of `ANOMALY_SENSITIVITY`.
 * @throws {UsageError} when there are too many.
 */
export function parseSensitivities(text: string): readonly number[] {
  const values = text
    .split(',')
    .map((value) => parseSettings({ ANOMALY_SENSITIVITY: value.trim() || 'none' }).settings.sensitivity);
  const unique = [...new Set(values)].sort((a, b) => a - b);
  if (unique.length > MOST_SENSITIVITIES) {
    throw new UsageError(
      `--sensitivity: expected at most ${MOST_SENSITIVITIES} values, got ${unique.length}. Each is a replay of its own.`,
    );
  }
  return unique;
}

/** Index of the sensitivity that is reported in full: the set one if it is among them, else the first. */
export function chosenOf(sensitivities: readonly number[], own: number): number {
  return Math.max(0, sensitivities.indexOf(own));
}
