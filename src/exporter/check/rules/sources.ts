/** Rules about the stored series: their age, and whether each is there once and of one cluster. */

import { counted, examples, formatDuration, listed } from '../../../lib/text/format.js';
import { matcherOf } from '../../features/queries/promql.js';
import { answersOf, checkOf, checkOfAbsence, NO_SERIES, nameOf, ofSources } from '../check-definition.js';
import { isScrapeLabel } from '../copies.js';
import type { Conditions } from '../facts.js';
import { isVictoriaMetrics } from './server.js';

/** How much older than one scrape interval a sample may be: kubelets measure some seconds before the scrape. */
const TOLERATED_AGE_SECONDS = 20;

/** Assumed where the interval is unknown. */
const USUAL_INTERVAL_SECONDS = 60;

/** A minute later the last value is gone as well (`--query.lookback-delta`). */
const GRAVE_AGE_SECONDS = 240;

/** Whether the newest samples can be seen soon after they were taken. */
export const freshness = checkOfAbsence(
  'freshness',
  ofSources((source) => source.newestAgeSeconds),
  (ages, facts) => {
    const [latest] = ages
      .map(({ source, value: age }) => {
        const { intervalSeconds } = source;
        const known = intervalSeconds?.known ? intervalSeconds.value : undefined;
        return { name: nameOf(source), age, interval: known ?? USUAL_INTERVAL_SECONDS };
      })
      .sort((a, b) => b.age - b.interval - (a.age - a.interval));
    if (latest === undefined) return NO_SERIES;
    const { name, age, interval } = latest;
    const summary = `The newest sample of ${name} is ${formatDuration(Math.max(0, age))} old.`;
    if (age <= interval + TOLERATED_AGE_SECONDS) return { severity: 'ok', summary };
    const answers = answersOf(facts);
    const gone = (answers.known ? answers.value : [])
      .filter(({ feature, series, pods }) => feature.required && series > 0 && pods.size === 0)
      .map(({ feature }) => feature.name);
    return {
      severity: age > GRAVE_AGE_SECONDS || gone.length > 0 ? 'error' : 'warning',
      summary: `${summary} Its scrape interval is ${formatDuration(interval)}.`,
      meaning:
        gone.length > 0
          ? `There is no current value of ${listed(gone)}, so no pod is scored.`
          : 'Flags are delayed by that time, and with a short CPU_RATE_WINDOW the newest rate is empty.',
      advice: isVictoriaMetrics(facts.server)
        ? 'VictoriaMetrics hides the newest 30 s unless -search.latencyOffset is lower. Lower it, or set ' +
          'PROMETHEUS_QUERY_OFFSET_SECONDS to at least this age.'
        : 'If samples arrive by remote write, check its lag, or set PROMETHEUS_QUERY_OFFSET_SECONDS to at least this ' +
          'age. Otherwise check whether the targets are up.',
    };
  },
);

/** Whether something is reported more than once, by two jobs or by replicas of Prometheus. */
export const duplicates = checkOf(
  'duplicates',
  ofSources((source) => source.duplicates),
  (sources, facts, conditions) => {
    if (sources.length === 0) return NO_SERIES;
    const mixed = facts.sources.find((source) => source.mixedCores?.known && source.mixedCores.value > 0);
    if (mixed?.mixedCores?.known) {
      const { value } = mixed.mixedCores;
      return {
        severity: 'error',
        summary: `${counted(value, 'container has', 'containers have')} ${nameOf(mixed)} both as a whole and core by core (label cpu).`,
        meaning: 'Both are summed, so that their CPU counts twice.',
        advice:
          'Two jobs report the same containers, for example kubelets and a cAdvisor of its own. Remove one of them, or select ' +
          `the other by a matcher that all series have: set PROMETHEUS_MATCHERS, for example, to ${withMatcher('job!="cadvisor"', conditions)}.`,
      };
    }
    const repeated = sources.filter(({ value }) => value.things > 0);
    if (repeated.length === 0) return { severity: 'ok', summary: 'Nothing is reported twice.' };
    const things = repeated.map(({ source, value }) => `${counted(value.things, 'container')} of ${nameOf(source)}`);
    const differing = new Map(
      repeated.flatMap(({ value }) => value.differing.map(({ label, values }) => [label, examples(values, 4)])),
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

/** PROMETHEUS_MATCHERS with one more: those that are set stay. */
function withMatcher(matcher: string, { matchers }: Conditions): string {
  return matchers === '' ? matcher : `${matchers},${matcher}`;
}

/** Whether pods of several clusters would be taken for those of one. */
export const clusters = checkOf(
  'clusters',
  ofSources((source) => source.clusters),
  (found, _, conditions) => {
    if (found.length === 0) return NO_SERIES;
    const [worst] = found
      .flatMap(({ value }) => value)
      .sort((a, b) => b.collisions - a.collisions || b.values.length - a.values.length);
    if (worst === undefined) return { severity: 'ok', summary: 'All series belong to one cluster.' };
    const { label, values, collisions } = worst;
    const [value = ''] = values.filter((one) => one !== '');
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
      advice: isScrapeLabel(label)
        ? 'Their series have no label that names the cluster. Give each Prometheus one (external_labels: cluster), and restrict ' +
          'this exporter to its cluster with PROMETHEUS_MATCHERS.'
        : 'Run one exporter for each cluster and restrict it to its cluster: ' +
          `set PROMETHEUS_MATCHERS to ${withMatcher(matcherOf(label, value), conditions)}.`,
    };
  },
);
