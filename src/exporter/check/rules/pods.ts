/** Rules about the pods that the features know. */

import { counted, examples, listed } from '../../../lib/text/format.js';
import type { FeatureDefinition } from '../../features/catalog.js';
import { workloadFromName } from '../../features/workload.js';
import {
  type Answered,
  answersOf,
  checkOf,
  checkOfAbsence,
  NO_SERIES,
  podsWithoutUsage,
  unmeasuredPods,
} from '../check-definition.js';
import type { Facts } from '../facts.js';
import { darkNodes, explainNodes } from './unmeasured-nodes.js';

/** How many pods may be missing, since pods come and go between two scrapes. */
const TOLERATED_PODS = 2;
const TOLERATED_SHARE = 0.05;

/** The job that scrapes kube-state-metrics must leave the labels as they are, or all pods seem to be its own. */
const HONOR_LABELS = 'The job that scrapes kube-state-metrics needs honor_labels: true.';

/** Of pods without usage on nodes where others have some, or on nodes that nobody names. */
const ELSEWHERE =
  'Pods without usage on nodes that are scraped lose it to a relabelling, their containers have no labels, or they crash as soon ' +
  'as they start. cAdvisor has no series of containers on Windows, on Fargate and behind cri-dockerd.';

/** Whether all features know the same pods. */
export const podCoverage = checkOfAbsence('pod_coverage', answersOf, (answers, facts, { metricsSource }) => {
  const isOfCollector = metricsSource === 'opentelemetry';
  // A feature without any pod has a check of its own.
  const answered = answers.filter(({ pods }) => pods.size > 0);
  const measured = podsOf(answered, 'lasting');
  if (measured.size === 0) return NO_SERIES;
  const tolerated = Math.max(TOLERATED_PODS, TOLERATED_SHARE * measured.size);
  const gaps = answered
    .map(({ feature, recent }) => ({ feature, missing: [...measured].filter((pod) => !recent.has(pod)).sort() }))
    .filter(({ missing }) => missing.length > tolerated);
  const { idlePods, nodes } = facts;
  const unmeasured = arePhasesKnown(facts) && idlePods.known ? unmeasuredPods(answered, idlePods.value) : [];
  const dark = darkNodes(unmeasured.length > 0 && nodes.known ? nodes.value : []);
  const isDark = dark.length > 0 || unmeasured.length > tolerated;
  const counts = listed(answered.map(({ feature, pods }) => `${feature.name} ${pods.size}`));
  if (gaps.length === 0 && !isDark) {
    return { severity: 'ok', summary: `The features cover the same pods (${counts}${othersOf(answered, facts)}).` };
  }
  const required = gaps.filter(({ feature }) => feature.required).map(({ feature }) => feature.name);
  const summaries = gaps.map(
    ({ feature, missing }) =>
      `${counted(missing.length, 'pod')} of ${measured.size} ${missing.length === 1 ? 'is' : 'are'} without ` +
      `${feature.name}: ${examples(missing)}.`,
  );
  const meanings =
    gaps.length === 0
      ? []
      : [required.length > 0 ? `Pods without ${listed(required)} are not scored.` : 'A missing value counts as 0.'];
  const advice =
    gaps.length === 0
      ? []
      : [
          isOfCollector
            ? 'Check whether a Collector with the receiver kubeletstats runs on every node, and whether one drops some pods.'
            : 'Check whether every node is scraped (`up` of the kubelets and of kube-state-metrics), and whether a relabelling ' +
              'drops some pods.',
        ];
  if (isDark) {
    summaries.push(
      `${counted(unmeasured.length, 'pod')} that ${unmeasured.length === 1 ? 'has' : 'have'} not ended ` +
        `${unmeasured.length === 1 ? 'has' : 'have'} no usage at all: ${examples(unmeasured)}.`,
    );
    meanings.push('Pods without usage are scored only while they restart, and count as `no_usage`.');
    const explained = explainNodes(dark, isOfCollector);
    summaries.push(...explained.map(([sentence]) => sentence));
    advice.push(...explained.map(([, own]) => own));
    const elsewhere = unmeasured.length - dark.reduce((sum, { unmeasuredPods: own }) => sum + own.length, 0);
    if (elsewhere > (dark.length > 0 ? tolerated : 0)) advice.push(ELSEWHERE);
  }
  if (gaps.some(({ feature }) => isOfKubeStateMetrics(feature, facts))) advice.push(HONOR_LABELS);
  return {
    severity: 'warning',
    summary: `${summaries.join(' ')} Pods with a value now: ${counts}.`,
    meaning: meanings.join(' '),
    advice: advice.join(' '),
  };
});

function isOfKubeStateMetrics(feature: FeatureDefinition, { sources }: Facts): boolean {
  return sources.some(
    ({ features, selector }) => selector.metric?.startsWith('kube_') && features.includes(feature.name),
  );
}

/** Pods without usage, where that is no reason for a warning; begins with a semicolon. */
function othersOf(answered: readonly Answered[], { idlePods }: Facts): string {
  const others = podsWithoutUsage(answered);
  if (others.length === 0) return '';
  const without = (reason: string | undefined) =>
    others.filter((pod) => (idlePods.known ? idlePods.value.get(pod) : undefined) === reason).length;
  const parts = [
    [without('completed'), 'that ended'],
    [without('pending'), 'waiting to start'],
    [without(undefined), 'without usage'],
  ] as const;
  return `; ${listed(parts.filter(([count]) => count > 0).map(([count, what]) => `${counted(count, 'pod')} ${what}`))}`;
}

/** Without phases, a check of its own says what is missing. */
function arePhasesKnown({ kubeStateMetrics }: Facts): boolean {
  return kubeStateMetrics.known && kubeStateMetrics.value.podPhases > 0;
}

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
