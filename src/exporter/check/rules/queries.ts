import { counted, listed } from '../../../lib/text/format.js';
import { always, checkOf } from '../check-definition.js';

/** Whether each feature's query is answered at all. */
export const queries = checkOf(
  'queries',
  ({ features }) => always(features),
  (features) => {
    const failed = features.flatMap(({ feature, answer }) => (answer.known ? [] : [{ feature, answer }]));
    if (failed.length === 0) {
      return {
        severity: 'ok',
        summary: `Prometheus answers the queries for ${listed(features.map(({ feature }) => feature.name))}.`,
      };
    }
    return {
      severity: 'error',
      summary: `Prometheus does not answer the ${failed.length === 1 ? 'query' : 'queries'} for ${listed(failed.map(({ feature }) => feature.name))}.`,
      meaning: `A scrape has scores only if all ${counted(features.length, 'query', 'queries')} succeed.`,
      advice: [...new Set(failed.map(({ answer }) => answer.because))].join(' '),
    };
  },
);
