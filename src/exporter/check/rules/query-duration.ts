import { formatDuration } from '../../../lib/text/format.js';
import { anyOf, checkOf } from '../check-definition.js';

/** A scrape waits for all queries; from this share of the limit on, a busy hour is enough to exceed it. */
const CLOSE = 0.5;

/** How long the queries of a scrape take against their limit. */
export const queryDuration = checkOf(
  'query_duration',
  ({ features }) =>
    anyOf(
      features.map(({ feature, answer }) =>
        answer.known
          ? { known: true, value: { name: feature.name, seconds: answer.value.durationSeconds } }
          : answer,
      ),
    ),
  (answers, _, { requestTimeoutSeconds }) => {
    const [slowest] = [...answers].sort((a, b) => b.seconds - a.seconds);
    if (slowest === undefined) return { severity: 'ok', summary: 'No query was sent.' };
    const share = slowest.seconds / requestTimeoutSeconds;
    const summary = `The slowest query (${slowest.name}) takes ${formatDuration(slowest.seconds)} of the ${formatDuration(requestTimeoutSeconds)} for a scrape.`;
    if (share <= CLOSE) return { severity: 'ok', summary };
    return {
      severity: share > 1 ? 'error' : 'warning',
      summary,
      meaning:
        share > 1
          ? 'Scrapes have no scores.'
          : 'When Prometheus is busier than now, scrapes will have no scores.',
      advice:
        'Raise REQUEST_TIMEOUT_SECONDS together with the scrape timeout of this exporter, or narrow NAMESPACE_REGEX.',
    };
  },
);
