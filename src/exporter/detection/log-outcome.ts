/** Logs the outcomes of passes: a line when the state changes, not one for each scrape. */

import type { Logger } from '../../lib/logging/logger.js';
import { messageOf } from '../../lib/logging/message-of.js';
import type { PassOutcome } from './detection.js';

/**
 * Whether Prometheus failed, or did not answer every query in time. Where it answered all and the time ran out all the
 * same, the exporter was too slow.
 */
export function isUpstreamFailure(
  outcome: PassOutcome,
): outcome is Extract<PassOutcome, { readonly kind: 'timeout' | 'upstream_error' }> {
  return (
    outcome.kind === 'upstream_error' || (outcome.kind === 'timeout' && outcome.queries.some(({ success }) => !success))
  );
}

export function logOutcome(logger: Logger, previous: PassOutcome | undefined, outcome: PassOutcome): void {
  if (outcome.kind === 'no_model') return;
  if (outcome.kind === 'detection') {
    if (previous === undefined || previous.kind === 'no_model' || previous.kind === 'detection') return;
    const message = isUpstreamFailure(previous) ? 'Prometheus answers again.' : 'Pods are scored again.';
    logger.info({ pods: outcome.detection.table.pods.length }, message);
  } else if (previous !== undefined && sameness(previous) === sameness(outcome)) return;
  else if (outcome.kind === 'internal') {
    logger.error({ err: outcome.error }, 'A detection pass failed unexpectedly. Please report this.');
  } else logger.warn({ kind: outcome.kind }, `No pod was scored. ${outcome.message}`);
}

/** Equal for failures that are one state, although their messages may differ in times and in what they quote. */
function sameness(outcome: PassOutcome): string {
  const { kind } = outcome;
  if (kind === 'internal') return `${kind} ${messageOf(outcome.error)}`;
  if (kind === 'timeout') return `${kind} ${isUpstreamFailure(outcome)}`;
  return kind === 'upstream_error' ? `${kind} ${outcome.cause}` : kind;
}
