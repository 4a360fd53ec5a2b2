import { counted, formatDuration, listed } from '../../../lib/text/format.js';
import { always, answersOf, checkOf } from '../check-definition.js';

/** Whether each feature's query is answered at all. */
export const queries = checkOf(
  'queries',
  ({ features }) => always(features),
  (features) => {
    const failed = features.flatMap(({ feature, answer }) => (answer.known ? [] : [{ feature, answer }]));
    const names = listed((failed.length > 0 ? failed : features).map(({ feature }) => feature.name));
    if (failed.length === 0) return { severity: 'ok', summary: `Prometheus answers the queries for ${names}.` };
    return {
      severity: 'error',
      summary: `Prometheus does not answer the ${failed.length === 1 ? 'query' : 'queries'} for ${names}.`,
      meaning: `A scrape has scores only if all ${counted(features.length, 'query', 'queries')} succeed.`,
      advice: [...new Set(failed.map(({ answer }) => answer.because))].join(' '),
    };
  },
);

/** A scrape waits for all queries; from this share of the limit on, a busy hour is enough to exceed it. */
const CLOSE = 0.5;

/** How long the queries of a scrape take against their limit. */
export const queryDuration = checkOf('query_duration', answersOf, (answers, _, { requestTimeoutSeconds }) => {
  const [slowest] = [...answers].sort((a, b) => b.durationSeconds - a.durationSeconds);
  if (slowest === undefined) return { severity: 'ok', summary: 'No query was sent.' };
  const { feature, durationSeconds } = slowest;
  const summary =
    `The slowest query (${feature.name}) takes ${formatDuration(durationSeconds)} of the ` +
    `${formatDuration(requestTimeoutSeconds)} for a scrape.`;
  if (durationSeconds <= CLOSE * requestTimeoutSeconds) return { severity: 'ok', summary };
  const isOver = durationSeconds > requestTimeoutSeconds;
  return {
    severity: isOver ? 'error' : 'warning',
    summary,
    meaning: isOver ? 'Scrapes have no scores.' : 'When Prometheus is busier than now, scrapes will have no scores.',
    advice:
      'Raise REQUEST_TIMEOUT_SECONDS together with the scrape timeout of this exporter, or narrow NAMESPACE_REGEX.',
  };
});
