import { counted, examples, formatNumber, listed } from '../../../lib/text/format.js';
import { anyOf, checkOf, type Judgement } from '../check-definition.js';
import type { Conditions, EmptinessFacts, Facts, SourceFacts } from '../facts.js';

/** Whether there is something to judge pods by; kube-state-metrics has a check of its own. */
export const series = checkOf(
  'series',
  ({ sources }) => anyOf(sources.map(({ series: count }) => count)),
  (_, facts, conditions): Judgement => {
    const empty = facts.sources.filter((source) => !isOptionalKubeMetric(source) && hasNone(source));
    if (empty.length > 0) return emptySources(empty, conditions);
    const unlabelled = facts.features.flatMap(({ feature, answer }) =>
      answer.known && answer.value.unlabelled > 0 ? [{ feature, answer: answer.value }] : [],
    );
    if (unlabelled.length > 0) {
      return {
        severity: unlabelled.some(({ answer }) => answer.pods.size === 0) ? 'error' : 'warning',
        summary: unlabelled
          .map(
            ({ feature, answer }) =>
              `Of ${feature.name}, ${counted(answer.unlabelled, 'series', 'series')} of ${answer.series} ` +
              `${answer.unlabelled === 1 ? 'lacks' : 'lack'} the label namespace or ${feature.podLabel}.`,
          )
          .join(' '),
        meaning: 'They do not identify a pod and are ignored.',
        advice: 'Correct POD_LABEL, or the query of the feature.',
      };
    }
    return { severity: 'ok', summary: foundSeries(facts) };
  },
);

function isOptionalKubeMetric({ selector, required }: SourceFacts): boolean {
  return !required && selector.metric?.startsWith('kube_') === true;
}

function hasNone({ series: count }: SourceFacts): boolean {
  return count.known && count.value === 0;
}

function foundSeries({ features, sources }: Facts): string {
  const pods = new Set(features.flatMap(({ answer }) => (answer.known ? [...answer.value.pods] : [])));
  const stored = sources.flatMap(({ selector, series: count }) =>
    count.known && count.value > 0
      ? [`${formatNumber(count.value)} of ${selector.metric ?? selector.text}`]
      : [],
  );
  return `There are ${counted(pods.size, 'pod')}; stored series: ${listed(stored)}.`;
}

function emptySources(empty: readonly SourceFacts[], conditions: Conditions): Judgement {
  const explained = empty.map((source) => explain(source, conditions));
  const unique = (texts: readonly string[]) => [...new Set(texts)].join(' ');
  const problems = [...new Set(explained.map(({ problem }) => problem))];
  const summaries = problems.map((problem) => {
    const has = explained.filter((one) => one.problem === problem).map((one) => one.has);
    return `Prometheus has ${listed(has)}${problem}.`;
  });
  return {
    severity: empty.some(({ required }) => required) ? 'error' : 'warning',
    summary: summaries.join(' '),
    meaning: `There is no data for ${listed([...new Set(empty.flatMap(({ features }) => features))])}${
      empty.some(({ required }) => required) ? ', so no pod can be scored.' : '; it counts as 0.'
    }`,
    advice: unique(explained.map(({ advice }) => advice)),
  };
}

function explain(
  { selector, emptiness }: SourceFacts,
  { namespaceRegex, podLabel }: Conditions,
): { readonly has: string; readonly problem: string; readonly advice: string } {
  const metric = selector.metric ?? selector.text;
  const facts: EmptinessFacts | undefined = emptiness?.known ? emptiness.value : undefined;
  if (facts === undefined || facts.seriesOfMetric === 0) {
    return {
      has: `no series of ${metric}`,
      problem: '',
      advice: metric.startsWith('container_')
        ? 'Let Prometheus scrape cAdvisor: the path /metrics/cadvisor of each kubelet. Is this the Prometheus of the cluster?'
        : 'Let Prometheus scrape its exporter, or remove the feature.',
    };
  }
  const has = `${counted(facts.seriesOfMetric, 'series', 'series')} of ${metric}`;
  const blamed = facts.blamed.map(({ label }) => label);
  if (blamed.includes('namespace')) {
    return {
      has,
      problem: `, but none whose namespace matches NAMESPACE_REGEX ("${namespaceRegex}")`,
      advice: `Correct NAMESPACE_REGEX; it must match the whole name.${
        facts.example?.namespace === undefined ? '' : ` An existing namespace: ${facts.example.namespace}.`
      }`,
    };
  }
  const labels = Object.keys(facts.example ?? {})
    .filter((label) => label !== '__name__')
    .sort();
  const right = ['pod', 'pod_name'].find((label) => label !== podLabel && labels.includes(label));
  if (right !== undefined && !labels.includes(podLabel)) {
    return {
      has,
      problem: `, but they do not have the label of POD_LABEL ("${podLabel}"); their labels are ${examples(labels, 12)}`,
      advice: `Set POD_LABEL=${right}.`,
    };
  }
  return {
    has,
    problem: `, but none matches ${facts.blamed.map(({ text }) => text).join(' and ') || selector.text}${
      labels.length === 0 ? '' : `; the labels of one are ${examples(labels, 12)}`
    }`,
    advice:
      'Correct the settings or the feature file with the selector, or the relabelling that drops the series.',
  };
}
