/** The features by which a pod is judged: what each is, how it is asked for, and which way it can go wrong. */

import type { FeatureSpec } from './feature-spec.js';
import type { CollectorMetric } from './opentelemetry/names.js';
import { collectorSelector } from './opentelemetry/queries.js';
import { addMatchers } from './queries/matchers.js';
import {
  COLLECTOR_MEMORY,
  fillTemplate,
  labelNamesOf,
  memoryWordsOf,
  NAMESPACE_LABEL,
  podLabelOf,
  type QueryOptions,
} from './queries/template.js';

/** A column of the feature table. */
export interface FeatureDefinition {
  /** Also the name of the query in logs and metrics: `cpu`. */
  readonly name: string;
  /** Base unit of the values: `cores`, `bytes`, `restarts`. */
  readonly unit: string;
  /** What the values are; of memory, also what counts. */
  readonly help: string;
  /**
   * PromQL that answers one series for each pod, with the labels `namespace` and `pod` (or `podLabel`). Of a counter there
   * may be several, such as one for each container: of those that rise together, the largest rise counts.
   */
  readonly query: string;
  /** The label that carries the pod's name in the answer. */
  readonly podLabel: string;
  /** `counter`: counts events from an arbitrary beginning; judged by its latest rise, not its height. */
  readonly type: 'gauge' | 'counter';
  /** `up`: only a rise is a fault. `both`: a fall is one as well. `brief_falls`: a fall is one in its first minutes. */
  readonly direction: 'both' | 'up' | 'brief_falls';
  /** The smallest spread that a baseline may have, in `unit`: below it, noise of the measurement begins. */
  readonly spreadFloor: number;
  /** The smallest spread as a share of the usual level: smaller changes are not worth a flag. */
  readonly relativeSpreadFloor: number;
  /** A pod without a required feature is not scored; another feature reads as 0 where its query succeeded. */
  readonly required: boolean;
}

const CADVISOR = '{{container_label}}!="",{{container_label}}!="POD",{{namespace_label}}=~"{{namespace_regex}}"';

/** One value a pod of series that cAdvisor has for each container, or for each of some other parts of it. */
const perPod = (expression: string, parts = '{{container_label}}') =>
  `sum by ({{namespace_label}}, {{pod_label}}) (max by ({{namespace_label}}, {{pod_label}}, ${parts}) (${expression}))`;

/**
 * The built-in features, in the form of a feature file.
 *
 * The inner `max` leaves one series for each container where several report it: the cgroups before and after a
 * restart, a kubelet that is scraped twice, replicas of Prometheus behind one address. The selectors leave out
 * the cgroup of the whole pod (no container) and its pause container.
 */
export const BUILTIN_FEATURES: readonly FeatureSpec[] = [
  {
    name: 'cpu',
    help: 'CPU in use',
    // Kubelets report all cores together (`cpu="total"`); old ones, and cAdvisor on its own, one by one.
    query: perPod(
      `rate(container_cpu_usage_seconds_total{${CADVISOR}}[{{cpu_rate_window}}])`,
      '{{container_label}}, cpu',
    ),
    pod_label: '{{pod_label}}',
    unit: 'cores',
    type: 'gauge',
    direction: 'both',
    spread_floor: 0.002,
    // CPU follows traffic; memory hardly does.
    relative_spread_floor: 0.2,
    required: true,
  },
  {
    name: 'memory',
    help: 'Memory in use',
    query: perPod(`{{memory_metric}}{${CADVISOR}}`),
    pod_label: '{{pod_label}}',
    unit: 'bytes',
    type: 'gauge',
    // What lasts is memory that was given back: a pod was replaced, a cache dropped, a heap collected.
    direction: 'brief_falls',
    spread_floor: 2 * 1024 * 1024,
    relative_spread_floor: 0.1,
    required: true,
  },
  {
    name: 'restarts',
    help: 'Container restarts so far, init containers included',
    // kube-state-metrics always says `pod` and `container`, and has a family of its own for init containers, native
    // sidecars among them. Not a regular expression for the name: Google's and Amazon's services refuse or limit those,
    // and `check` could not say which of the two is missing. No two containers of a pod have the same name.
    query:
      'max by (namespace, pod, container) (' +
      'kube_pod_container_status_restarts_total{namespace=~"{{namespace_regex}}"} or ' +
      'kube_pod_init_container_status_restarts_total{namespace=~"{{namespace_regex}}"})',
    pod_label: 'pod',
    unit: 'restarts',
    type: 'counter',
    direction: 'up',
    // One restart is free, two within ten minutes are ten spreads. At five, one forest in thirty lets a crash loop pass.
    spread_floor: 0.1,
    relative_spread_floor: 0,
    required: false,
  },
];

const IN_COLLECTOR = '{{container_label}}!="",{{namespace_label}}=~"{{namespace_regex}}"';

/**
 * The queries of the built-in features for a Collector, by name. It counts restarts in a gauge, which may begin again at 0, and
 * not those of init containers. As with cAdvisor, the inner `max` is for a container before and after a restart.
 */
function collectorQueries(options: QueryOptions): Readonly<Record<string, string>> {
  const { memoryMetric = 'usage' } = options;
  const select = (metric: CollectorMetric) => collectorSelector(metric, IN_COLLECTOR, options);
  return {
    cpu: perPod(`rate(${select('container.cpu.time')}[{{cpu_rate_window}}])`),
    memory: perPod(select(COLLECTOR_MEMORY[memoryMetric])),
    restarts: `max by ({{namespace_label}}, {{pod_label}}, {{container_label}}) (${select('k8s.container.restarts')})`,
  };
}

/** The built-in features for these settings. */
export function buildCatalog(options: QueryOptions): readonly FeatureDefinition[] {
  const queries = options.metricsSource === 'opentelemetry' ? collectorQueries(options) : {};
  return BUILTIN_FEATURES.map((spec) => {
    const query = queries[spec.name];
    const own = query === undefined ? spec : { ...spec, query, pod_label: '{{pod_label}}' };
    const definition = toDefinition(own, options);
    const words = memoryWordsOf(definition.query, options);
    return words === undefined ? definition : { ...definition, help: `${definition.help} (${words})` };
  });
}

/** A feature with its placeholders filled. */
export function toDefinition(spec: FeatureSpec, options: QueryOptions): FeatureDefinition {
  const { text, placeholders } = fillTemplate(spec.query, options);
  const { namespace: namespaceLabel } = labelNamesOf(options);
  const isRenamed = placeholders.has('namespace_label') && namespaceLabel !== NAMESPACE_LABEL;
  const query = isRenamed
    ? `label_replace(${text.trim()}\n, "namespace", "$1", "${namespaceLabel}", "(.+)")`
    : text.trim();
  return {
    name: spec.name,
    unit: spec.unit,
    help: spec.help,
    query: addMatchers(query, options.matchers ?? ''),
    podLabel: podLabelOf(spec.pod_label, options),
    type: spec.type,
    direction: spec.direction,
    spreadFloor: spec.spread_floor,
    relativeSpreadFloor: spec.relative_spread_floor,
    required: spec.required,
  };
}
