import { counted, examples } from '../../../lib/text/format.js';
import { checkOf, NO_SERIES, nameOf, ofSources } from '../check-definition.js';

/** Whether something is reported more than once, by two jobs or by replicas of Prometheus. */
export const duplicates = checkOf(
  'duplicates',
  ofSources((source) => source.duplicates),
  (sources) => {
    if (sources.length === 0) return NO_SERIES;
    const repeated = sources.filter(({ value }) => value.things > 0);
    if (repeated.length === 0) return { severity: 'ok', summary: 'Nothing is reported twice.' };
    const things = repeated.map(
      ({ source, value }) => `${counted(value.things, 'container')} of ${nameOf(source)}`,
    );
    const differing = new Map(
      repeated.flatMap(({ value }) =>
        value.differing.map(({ label, values }) => [label, examples(values, 4)]),
      ),
    );
    const ways = [...differing].map((pair) => pair.join(': ')).join('; ');
    return {
      severity: 'warning',
      summary: `${things.join(', ')} are reported more than once${ways === '' ? '' : ` (${ways})`}.`,
      meaning:
        'Scores are right, since only the largest value of each counts, but Prometheus stores and reads everything several times.',
      advice:
        'Usual causes: two jobs or Services scrape the same kubelet or kube-state-metrics, or replicas of Prometheus ' +
        'write to the same backend. Remove one, or let the backend deduplicate.',
    };
  },
);
