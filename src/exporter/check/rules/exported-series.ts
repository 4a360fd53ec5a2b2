import { counted } from '../../../lib/text/format.js';
import { workloadFromName } from '../../features/workload.js';
import { answersOf, checkOf, NO_SERIES } from '../check-definition.js';

/** Series of the exporter itself and of its process, roughly. */
const OWN_SERIES = 100;

/** Value, usual value and deviation. */
const SERIES_PER_FEATURE = 3;

/** More than this is felt in a Prometheus of ordinary size. */
const MANY = 100_000;

/** How many series Prometheus gets from us. */
export const exportedSeries = checkOf('exported_series', answersOf, (answers, { features }, { explain }) => {
  const pods = new Set(answers.flatMap((answer) => [...answer.pods]));
  if (pods.size === 0) return NO_SERIES;
  const workloads = new Set(
    [...pods].map((pod) => {
      const [namespace = '', name = ''] = pod.split('/');
      return `${namespace}/${workloadFromName(name)}`;
    }),
  );
  const perFlagged = SERIES_PER_FEATURE * features.length;
  const explained = explain === 'all' ? perFlagged * pods.size : 0;
  const series = 2 * pods.size + 2 * workloads.size + explained + OWN_SERIES;
  const more = explain === 'flagged' ? `, and ${perFlagged} more for each flagged pod` : '';
  const summary = `This exporter will have about ${counted(series, 'series', 'series')} for ${counted(pods.size, 'pod')}${more}.`;
  if (series <= MANY) return { severity: 'ok', summary };
  return {
    severity: 'warning',
    summary,
    meaning: 'Prometheus stores all of them, for each replica of the exporter.',
    advice:
      explain === 'all'
        ? 'Set EXPLAIN=flagged, or narrow NAMESPACE_REGEX.'
        : 'Narrow NAMESPACE_REGEX, and make sure that the sample_limit of the scrape job is higher.',
  };
});
