/** Logs the outcomes of passes: a line when the state changes, not one for each scrape. */

import type { Logger } from '../../lib/logging/logger.js';
import { messageOf } from '../../lib/logging/message-of.js';
import type { PassOutcome } from './detection.js';

/** An outcome that is the fault of Prometheus: it failed, or it did not answer every query in time. */
export type UpstreamFailure = Extract<PassOutcome, { readonly kind: 'timeout' | 'upstream_error' }>;

/** Where Prometheus answered every query and the time ran out all the same, the exporter was too slow. */
export function isUpstreamFailure(outcome: PassOutcome): outcome is UpstreamFailure {
  return (
    outcome.kind === 'upstream_error' ||
    (outcome.kind === 'timeout' && outcome.queries.some(({ success }) => !success))
  );
}

export function logOutcome(logger: Logger, previous: PassOutcome | undefined, outcome: PassOutcome): void {
  switch (outcome.kind) {
    case 'no_model':
      break;
    case 'internal':
      if (!isRepeated(previous, outcome)) {
        logger.error({ err: outcome.error }, 'A detection pass failed unexpectedly. Please report this.');
      }
      break;
    case 'timeout':
    case 'upstream_error':
      if (!isRepeated(previous, outcome)) {
        logger.warn({ kind: outcome.kind }, `No pod was scored. ${outcome.message}`);
      }
      break;
    case 'detection': {
      if (previous === undefined || previous.kind === 'no_model' || previous.kind === 'detection') break;
      const message = isUpstreamFailure(previous) ? 'Prometheus answers again.' : 'Pods are scored again.';
      logger.info({ pods: outcome.detection.table.pods.length }, message);
    }
  }
}

function isRepeated(previous: PassOutcome | undefined, outcome: PassOutcome): boolean {
  return previous !== undefined && sameness(previous) === sameness(outcome);
}

/** Equal for failures that are one state, although their messages may differ in times and in what they quote. */
function sameness(outcome: PassOutcome): string {
  switch (outcome.kind) {
    case 'internal':
      return `internal ${messageOf(outcome.error)}`;
    case 'timeout':
      return `timeout ${isUpstreamFailure(outcome)}`;
    case 'upstream_error':
      return `upstream_error ${outcome.cause}`;
    default:
      return outcome.kind;
  }
}
