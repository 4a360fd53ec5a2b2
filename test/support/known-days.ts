import type { HealthReport } from '../../src/exporter/http/schemas.js';

/**
 * Fails until the model rests on all days that are remembered, of which it holds the last one back. Right after an hour has
 * ended, it looks up to that hour, which is not read yet.
 *
 * That nothing is missing and no training runs is not enough: it is so for a moment between the last reading and the training
 * that it brings about.
 */
export function requireDays({ history, budget }: Pick<HealthReport, 'history' | 'budget'>): void {
  const isRead = history?.missing_hours === 0;
  const isLearned = history !== null && budget !== null && budget.known_days >= history.known_days - 1 - 1 / 24;
  if (!isRead || !isLearned) throw new Error('The model does not rest on the last days yet.');
}
