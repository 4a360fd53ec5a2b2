import { counted, examples } from '../../../lib/text/format.js';
import { anyOf, checkOf, NO_SERIES } from '../check-definition.js';

/** Whether pods of several clusters would be taken for those of one. */
export const clusters = checkOf(
  'clusters',
  ({ sources }) => anyOf(sources.map(({ clusters: fact }) => fact)),
  (found) => {
    if (found.length === 0) return NO_SERIES;
    const [worst] = found
      .flat()
      .sort((a, b) => b.collisions - a.collisions || b.values.length - a.values.length);
    if (worst === undefined) return { severity: 'ok', summary: 'All series belong to one cluster.' };
    const { label, values, collisions } = worst;
    const named = values.map((value) => (value === '' ? '(without the label)' : value));
    const several = `The label ${label} has several values: ${examples(named, 5)}.`;
    const example = values.find((value) => value !== '') ?? 'name';
    return {
      severity: collisions > 0 ? 'error' : 'warning',
      summary:
        collisions > 0
          ? `${several} ${counted(collisions, 'container')} ${collisions === 1 ? 'exists' : 'exist'} under the same name in more than one of them.`
          : several,
      meaning:
        'Pods with the same namespace and name are treated as one pod, even in different clusters; so are workloads.',
      advice: `Run one exporter for each cluster and restrict it to its cluster: ${ONE_CLUSTER} ${label}="${example}".`,
    };
  },
);

/** How to see one cluster only. */
const ONE_CLUSTER = 'set PROMETHEUS_MATCHERS to';
