import { counted, examples, formatNumber, listed } from '../../../lib/text/format.js';
import { containerLabelBeside, memoryMetricName } from '../../features/queries/template.js';
import type { Labels } from '../../prometheus/api.js';
import {
  type Answered,
  anyOf,
  checkOfAbsence,
  isOfState,
  type Judgement,
  knownOf,
  nameOf,
} from '../check-definition.js';
import type { Conditions, Facts, SourceFacts } from '../facts.js';
import { labelSettings, ownLabels, targetLabelsSentence } from '../label-settings.js';
import { areNamesWrong } from './names.js';

/** Whether there is something to judge pods by; kube-state-metrics has a check of its own. */
export const series = checkOfAbsence(
  'series',
  ({ sources }) => anyOf(sources.map((source) => source.series)),
  (_, facts, conditions): Judgement => {
    if (areNamesWrong(facts, conditions)) return NAMES_ARE_WRONG;
    const { features, sources } = facts;
    const empty = sources.filter(
      ({ series: count, required, selector }) => count.known && count.value === 0 && (required || !isOfState(selector)),
    );
    if (empty.length > 0) return emptySources(empty, conditions);
    const exported = sources.flatMap((source) => {
      const labels = source.exported?.known ? source.exported.value : [];
      // Those of kube-state-metrics have a check of their own.
      return labels.length > 0 && !isOfState(source.selector) ? [{ source, labels }] : [];
    });
    if (exported.length > 0) return exportedLabels(exported, conditions);
    const unlabelled = features.flatMap(({ feature, answer }) =>
      answer.known && answer.value.unlabelled > 0 ? [{ feature, ...answer.value }] : [],
    );
    return unlabelled.length > 0 ? unlabelledSeries(unlabelled) : { severity: 'ok', summary: foundSeries(facts) };
  },
);

/** For a rule that would only say the same in other words. */
export const NAMES_ARE_WRONG: Judgement = { because: 'The check metrics_source says what is wrong.' };

function unlabelledSeries(answers: readonly Answered[]): Judgement {
  const summaries = answers.map(
    ({ feature, unlabelled, series: all }) =>
      `Of ${feature.name}, ${counted(unlabelled, 'series', 'series')} of ${all} ` +
      `${unlabelled === 1 ? 'lacks' : 'lack'} the label namespace or ${feature.podLabel}.`,
  );
  return {
    severity: answers.some(({ pods }) => pods.size === 0) ? 'error' : 'warning',
    summary: summaries.join(' '),
    meaning: 'They do not identify a pod and are ignored.',
    advice: 'Correct POD_LABEL, or the query of the feature.',
  };
}

function exportedLabels(
  exported: readonly { readonly source: SourceFacts; readonly labels: readonly string[] }[],
  conditions: Conditions,
): Judgement {
  const { namespaceLabel, podLabel, containerLabel = containerLabelBeside(podLabel) } = conditions;
  const used = [namespaceLabel, podLabel, containerLabel];
  const names = exported.flatMap(({ labels }) => labels);
  return {
    severity: 'error',
    summary: exported.map(({ source, labels }) => targetLabelsSentence(nameOf(source), labels)).join(' '),
    meaning: 'Pods are scored under a wrong name, and those with the same one as if they were one pod.',
    advice: exportedAdvice(Object.fromEntries([...used, ...names].map((name) => [name, ''])), conditions),
  };
}

/** @param labels of a series, some of which are those of the target. */
function exportedAdvice(labels: Labels, conditions: Conditions): string {
  const settings = listed(labelSettings(labels, conditions).map((setting) => `set ${setting}`));
  const isRenamed = Object.keys(labels).some((label) => label.startsWith('exported_'));
  return isRenamed
    ? `Set honor_labels: true in the job that scrapes cAdvisor, or ${settings}.`
    : `${settings.replace(/^s/, 'S')}.`;
}

function foundSeries({ features, sources }: Facts): string {
  const pods = new Set(knownOf(features.map(({ answer }) => answer)).flatMap((answer) => [...answer.pods]));
  const stored = sources.flatMap((source) => {
    const count = source.series;
    return count.known && count.value > 0 ? [`${formatNumber(count.value)} of ${nameOf(source)}`] : [];
  });
  return `There are ${counted(pods.size, 'pod')}; stored series: ${listed(stored)}.`;
}

function emptySources(empty: readonly SourceFacts[], conditions: Conditions): Judgement {
  const explained = empty.map((source) => explain(source, conditions));
  const summaries = [...new Set(explained.map(({ problem }) => problem))].map((problem) => {
    const has = explained.filter((one) => one.problem === problem).map((one) => one.has);
    return `Prometheus has ${listed(has)}${problem}.`;
  });
  const isRequired = empty.some(({ required }) => required);
  const unknown = listed([...new Set(empty.flatMap(({ features }) => features))]);
  const consequence = isRequired ? ', so no pod can be scored.' : '; it counts as 0.';
  return {
    severity: isRequired ? 'error' : 'warning',
    summary: summaries.join(' '),
    meaning: `There is no data for ${unknown}${consequence}`,
    advice: [...new Set(explained.map(({ advice }) => advice))].join(' '),
  };
}

/** Metrics of cAdvisor and of the receiver kubeletstats. */
const isOfContainers = (metric: string) => /^container[_.]/.test(metric);

const LET_SCRAPE = 'Let Prometheus scrape cAdvisor: the path /metrics/cadvisor of each kubelet.';

const LET_COLLECT =
  'Let a Collector on each node run the receiver kubeletstats with the metric_groups container and pod, and write to this server. ' +
  'Prometheus refuses counters that were made deltas: remove the processor cumulativetodelta.';

/** What there is of a source without series, what is wrong with it, and what to do. */
function explain(source: SourceFacts, conditions: Conditions) {
  const { namespaceRegex, namespaceLabel, podLabel, containerLabel = containerLabelBeside(podLabel) } = conditions;
  const metric = nameOf(source);
  const found = source.emptiness?.known ? source.emptiness.value : undefined;
  if (found?.instead !== undefined) {
    return {
      has: `no series of ${metric}`,
      problem: `, although it has some of ${memoryMetricName(found.instead, conditions)}: most likely, the collector keeps only that`,
      advice: `Set MEMORY_METRIC=${found.instead}. In a feature file, ask for that metric.`,
    };
  }
  if (found === undefined || found.seriesOfMetric === 0) {
    const advice = isOfContainers(metric)
      ? `${conditions.metricsSource === 'opentelemetry' ? LET_COLLECT : LET_SCRAPE} Is this the Prometheus of the cluster, and ` +
        'the tenant where it has several?'
      : 'Let Prometheus scrape its exporter, or remove the feature.';
    return { has: `no series of ${metric}`, problem: '', advice };
  }
  const { example = {}, blamed } = found;
  const has = `${counted(found.seriesOfMetric, 'series', 'series')} of ${metric}`;
  const isCadvisor = isOfContainers(metric);
  const used = [namespaceLabel, podLabel, containerLabel];
  const exported = ownLabels(example, (role) => example[role] !== undefined).filter((label) => !used.includes(label));
  const settings = isCadvisor ? labelSettings(example, conditions) : [];
  if (exported.length > 0 && settings.length > 0) {
    const problem = `, but none that can be used: ${targetLabelsSentence('them', exported).slice(0, -1).replace(/^T/, 't')}`;
    return { has, problem, advice: exportedAdvice(example, conditions) };
  }
  const labels = Object.keys(example)
    .filter((label) => label !== '__name__')
    .sort();
  if (settings.length > 0) {
    const now = { NAMESPACE_LABEL: namespaceLabel, POD_LABEL: podLabel, CONTAINER_LABEL: containerLabel };
    const missed = Object.entries(now)
      .filter(([name]) => settings.some((setting) => setting.startsWith(`${name}=`)))
      .map(([name, label]) => `${name} ("${label}")`);
    const problem =
      `, but they do not have the ${missed.length === 1 ? 'label' : 'labels'} of ${listed(missed)}; ` +
      `their labels are ${examples(labels, 12)}`;
    return { has, problem, advice: `Set ${listed(settings)}.` };
  }
  if (blamed.some(({ label }) => label === namespaceLabel)) {
    const problem = `, but none whose namespace matches NAMESPACE_REGEX ("${namespaceRegex}")`;
    const hint = example[namespaceLabel] && ` An existing namespace: ${example[namespaceLabel]}.`;
    return { has, problem, advice: `Correct NAMESPACE_REGEX; it must match the whole name.${hint ?? ''}` };
  }
  if (isCadvisor && blamed.some(({ label }) => label === containerLabel) && labels.includes(podLabel)) {
    return {
      has,
      problem: `, but none of a container: none has the label ${containerLabel}, and those of pods are about pods as a whole`,
      advice:
        `Set CONTAINER_LABEL=${podLabel}, which takes the pod as a whole. With cri-dockerd, cAdvisor knows no containers, and ` +
        'a relabelling may have dropped the label.',
    };
  }
  const matchers = blamed.map(({ text }) => text).join(' and ') || source.selector.text;
  const one = labels.length === 0 ? '' : `; the labels of one are ${examples(labels, 12)}`;
  return {
    has,
    problem: `, but none matches ${matchers}${one}`,
    advice: 'Correct the settings or the feature file with the selector, or the relabelling that drops the series.',
  };
}
