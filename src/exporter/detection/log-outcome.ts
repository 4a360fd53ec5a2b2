/** What passes came to, in the log. */

import type { Logger } from '../../lib/logging/logger.js';
import type { PassOutcome } from './detection.js';

/** Prometheus could not be asked, or not used, or not in time. */
export type UpstreamFailure = Extract<PassOutcome, { readonly kind: 'timeout' | 'upstream_error' }>;

export function isUpstreamFailure(outcome: PassOutcome): outcome is UpstreamFailure {
  return outcome.kind === 'timeout' || outcome.kind === 'upstream_error';
}

/** One line when the state changes, not one for each scrape. */
export function logOutcome(
  logger: Logger,
  previous: PassOutcome | undefined,
  outcome: PassOutcome,
  error: unknown,
): void {
  if (outcome.kind === 'internal') {
    if (previous?.kind !== 'internal' || previous.reason !== outcome.reason) {
      logger.error({ err: error }, 'A detection pass failed unexpectedly. Please report this.');
    }
  } else if (isUpstreamFailure(outcome)) {
    // The texts of two failures may differ in what they quote.
    const isRepeated =
      previous?.kind === 'upstream_error' && outcome.kind === 'upstream_error'
        ? previous.cause === outcome.cause
        : previous?.kind === outcome.kind;
    if (!isRepeated) logger.warn({ kind: outcome.kind }, `No pod was scored. ${outcome.message}`);
  } else if (outcome.kind === 'detection' && previous !== undefined) {
    const pods = outcome.detection.table.pods.length;
    if (isUpstreamFailure(previous)) logger.info({ pods }, 'Prometheus answers again.');
    else if (previous.kind === 'internal') logger.info({ pods }, 'Pods are scored again.');
  }
}
