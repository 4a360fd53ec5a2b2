/** The features by which a pod is judged: what each is, how it is asked for, and which way it can go wrong. */

/** A column of the feature table. */
export interface FeatureDefinition {
  /** Column name, also the name of the query in logs and metrics: `cpu`. */
  readonly name: string;
  /** Base unit of the values: `cores`, `bytes`, `restarts`. */
  readonly unit: string;
  readonly help: string;
  /** PromQL that answers one series for each pod, with the labels `namespace` and `pod` (or `podLabel`). */
  readonly query: string;
  /** The label that carries the pod's name in the answer. */
  readonly podLabel: string;
  /** `up`: only a rise is a fault. `both`: a fall is one as well. */
  readonly direction: 'both' | 'up';
  /** The smallest spread that a baseline may have, in `unit`: below it, noise of the measurement begins. */
  readonly spreadFloor: number;
  /** A pod without a required feature is not scored; another feature reads as 0 where its query succeeded. */
  readonly required: boolean;
}

/** What the built-in queries depend on. */
export interface CatalogOptions {
  /** Anchored RE2 for the namespaces in scope. */
  readonly namespaceRegex: string;
  /** The label that carries the pod's name in cAdvisor's series: `pod`, or `pod_name` before Kubernetes 1.16. */
  readonly podLabel: string;
  /** The window of the CPU rate, a Prometheus duration: `1m`. */
  readonly cpuRateWindow: string;
}

/** A text as a PromQL string literal, quotes included (Prometheus docs, "String literals"). */
export function quotePromql(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/**
 * The built-in features.
 *
 * The inner `max` leaves one series for each container where several report it: the cgroups before and after a
 * restart, a kubelet that is scraped twice, replicas of Prometheus behind one address. The selectors leave out
 * the cgroup of the whole pod (no container) and its pause container.
 */
export function buildCatalog(options: CatalogOptions): readonly FeatureDefinition[] {
  const { podLabel } = options;
  const containerLabel = podLabel === 'pod' ? 'container' : podLabel.replace(/^pod/, 'container');
  const namespace = `namespace=~${quotePromql(options.namespaceRegex)}`;
  const cadvisor = `${containerLabel}!="",${containerLabel}!="POD",${namespace}`;
  const perPod = (pod: string, container: string, expression: string) =>
    `sum by (namespace, ${pod}) (max by (namespace, ${pod}, ${container}) (${expression}))`;
  return [
    {
      name: 'cpu',
      unit: 'cores',
      help: 'CPU in use',
      query: perPod(
        podLabel,
        containerLabel,
        `rate(container_cpu_usage_seconds_total{${cadvisor}}[${options.cpuRateWindow}])`,
      ),
      podLabel,
      direction: 'both',
      spreadFloor: 0.002,
      required: true,
    },
    {
      name: 'memory',
      unit: 'bytes',
      help: 'Memory in use, page cache included',
      query: perPod(podLabel, containerLabel, `container_memory_usage_bytes{${cadvisor}}`),
      podLabel,
      direction: 'both',
      spreadFloor: 2 * 1024 * 1024,
      required: true,
    },
    {
      name: 'restarts',
      unit: 'restarts',
      help: 'Container restarts so far',
      // kube-state-metrics always says `pod` and `container`.
      query: perPod('pod', 'container', `kube_pod_container_status_restarts_total{${namespace}}`),
      podLabel: 'pod',
      direction: 'up',
      spreadFloor: 0.5,
      required: false,
    },
  ];
}
