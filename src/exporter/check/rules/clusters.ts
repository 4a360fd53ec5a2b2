import { counted, examples } from '../../../lib/text/format.js';
import { checkOf, NO_SERIES, ofSources } from '../check-definition.js';

/** Whether pods of several clusters would be taken for those of one. */
export const clusters = checkOf(
  'clusters',
  ofSources((source) => source.clusters),
  (found) => {
    if (found.length === 0) return NO_SERIES;
    const [worst] = found
      .flatMap(({ value }) => value)
      .sort((a, b) => b.collisions - a.collisions || b.values.length - a.values.length);
    if (worst === undefined) return { severity: 'ok', summary: 'All series belong to one cluster.' };
    const { label, values, collisions } = worst;
    const named = values.map((value) => (value === '' ? '(without the label)' : value));
    const same =
      collisions === 0
        ? ''
        : ` ${counted(collisions, 'container exists', 'containers exist')} under the same name in more than one of them.`;
    return {
      severity: collisions > 0 ? 'error' : 'warning',
      summary: `The label ${label} has several values: ${examples(named, 5)}.${same}`,
      meaning:
        'Pods with the same namespace and name are treated as one pod, even in different clusters; so are workloads.',
      advice:
        'Run one exporter for each cluster and restrict it to its cluster: ' +
        `set PROMETHEUS_MATCHERS to ${label}="${values.find((value) => value !== '') ?? 'name'}".`,
    };
  },
);
