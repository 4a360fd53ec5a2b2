import { counted, examples } from '../../../lib/text/format.js';
import { anyOf, checkOf, NO_SERIES } from '../check-definition.js';

/** Whether something is reported more than once, by two jobs or by replicas of Prometheus. */
export const duplicates = checkOf(
  'duplicates',
  ({ sources }) =>
    anyOf(
      sources.map(({ selector, duplicates: fact }) =>
        fact?.known
          ? { known: true, value: { name: selector.metric ?? selector.text, ...fact.value } }
          : fact,
      ),
    ),
  (sources) => {
    if (sources.length === 0) return NO_SERIES;
    const repeated = sources.filter(({ things }) => things > 0);
    if (repeated.length === 0) return { severity: 'ok', summary: 'Nothing is reported twice.' };
    const differing = new Map(repeated.flatMap((source) => source.differing.map((one) => [one.label, one])));
    const ways = [...differing.values()].map(({ label, values }) => `${label}: ${examples(values, 4)}`);
    return {
      severity: 'warning',
      summary:
        `${repeated.map(({ name, things }) => `${counted(things, 'container')} of ${name}`).join(', ')} ` +
        `are reported more than once${ways.length === 0 ? '' : ` (${ways.join('; ')})`}.`,
      meaning:
        'Scores are right, since only the largest value of each counts, but Prometheus stores and reads everything several times.',
      advice:
        'Usual causes: two jobs or Services scrape the same kubelet or kube-state-metrics, or replicas of Prometheus ' +
        'write to the same backend. Remove one, or let the backend deduplicate.',
    };
  },
);
