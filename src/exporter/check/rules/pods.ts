/** Rules about the pods that the features know. */

import { counted, examples, listed } from '../../../lib/text/format.js';
import { workloadFromName } from '../../features/workload.js';
import { type Answered, answersOf, checkOf, NO_SERIES } from '../check-definition.js';

/** How many pods may be missing, since pods come and go between two scrapes. */
const TOLERATED_PODS = 2;
const TOLERATED_SHARE = 0.05;

/** The job that scrapes kube-state-metrics must leave the labels as they are, or all pods seem to be its own. */
const HONOR_LABELS = ' The job that scrapes kube-state-metrics needs honor_labels: true.';

/** Whether all features know the same pods. */
export const podCoverage = checkOf('pod_coverage', answersOf, (answers, { sources }) => {
  // A feature without any pod has a check of its own.
  const answered = answers.filter(({ pods }) => pods.size > 0);
  const measured = podsOf(answered, 'lasting');
  if (measured.size === 0) return NO_SERIES;
  const tolerated = Math.max(TOLERATED_PODS, TOLERATED_SHARE * measured.size);
  const gaps = answered
    .map(({ feature, pods }) => ({ feature, missing: [...measured].filter((pod) => !pods.has(pod)).sort() }))
    .filter(({ missing }) => missing.length > tolerated);
  const counts = listed(answered.map(({ feature, pods }) => `${feature.name} ${pods.size}`));
  if (gaps.length === 0) {
    // Pods that only optional features know have ended, or have not begun.
    const running = podsOf(answered, 'pods');
    const others = new Set(answered.flatMap(({ pods }) => [...pods].filter((pod) => !running.has(pod))));
    const ended = others.size === 0 ? '' : `; ${counted(others.size, 'pod')} without a running container`;
    return { severity: 'ok', summary: `The features cover the same pods (${counts}${ended}).` };
  }
  const required = gaps.filter(({ feature }) => feature.required).map(({ feature }) => feature.name);
  const summaries = gaps.map(
    ({ feature, missing }) =>
      `${counted(missing.length, 'pod')} of ${measured.size} ${missing.length === 1 ? 'is' : 'are'} without ` +
      `${feature.name}: ${examples(missing)}.`,
  );
  const isOfKubeStateMetrics = sources.some(
    ({ features, selector }) =>
      selector.metric?.startsWith('kube_') && gaps.some(({ feature }) => features.includes(feature.name)),
  );
  return {
    severity: 'warning',
    summary: `${summaries.join(' ')} Pods with a value now: ${counts}.`,
    meaning: required.length > 0 ? `Pods without ${listed(required)} are not scored.` : 'A missing value counts as 0.',
    advice:
      'Check whether every node is scraped (`up` of the kubelets and of kube-state-metrics), and whether a relabelling ' +
      `drops some pods.${isOfKubeStateMetrics ? HONOR_LABELS : ''}`,
  };
});

/** The pods of the required features. */
function podsOf(answered: readonly Answered[], kind: 'pods' | 'lasting'): ReadonlySet<string> {
  return new Set(answered.flatMap((answer) => (answer.feature.required ? [...answer[kind]] : [])));
}

/** Series of the exporter itself and of its process, roughly. */
const OWN_SERIES = 100;

/** Value, usual value and deviation. */
const SERIES_PER_FEATURE = 3;

/** More than this is felt in a Prometheus of ordinary size. */
const MANY_SERIES = 100_000;

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
  if (series <= MANY_SERIES) return { severity: 'ok', summary };
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
