/** A past for a real Prometheus, as the test wants it: OpenMetrics text for `promtool tsdb create-blocks-from`. */

/** What shall be in it. */
export interface CraftedHistory {
  readonly startSeconds: number;
  /** May lie ahead of now: queries do not look there, and a slow machine does not make the data old. */
  readonly endSeconds: number;
  readonly scrapeIntervalSeconds: number;
  /** Values of a label, each with all the pods; without any, the label is absent. */
  readonly clusters?: readonly string[];
  /** That label; `cluster` if unset. */
  readonly clusterLabel?: string;
  /** Jobs that report each container; one if unset. */
  readonly jobs?: readonly string[];
  /** Values of a label that differs between copies of all series; without any, there is one of each. */
  readonly replicas?: readonly string[];
  /** That label; `prometheus_replica` if unset. */
  readonly replicaLabel?: string;
  /** The namespace of what is scraped, which takes the place of that of the pods (no `honor_labels`); none if unset. */
  readonly targetNamespace?: string;
  /** The values of the label `cpu`, each with an equal part of the CPU; without any, the label is absent. */
  readonly cores?: readonly string[];
  readonly kubeStateMetrics?: boolean;
  /** What owns the pods, without a word about an owner of its own; a StatefulSet if unset. */
  readonly ownerKind?: 'StatefulSet' | 'ReplicaSet';
  /** More labels of the series of cAdvisor, and not of those of kube-state-metrics. */
  readonly cadvisorLabels?: Readonly<Record<string, string>>;
  /** The values of the label `container`, an empty one for the pod as a whole; two containers, cgroup and pause if unset. */
  readonly containers?: readonly string[];
  /** The metric of memory; `container_memory_usage_bytes` if unset. */
  readonly memory?: string;
  readonly pods?: number;
  /** Some of the pods, the last ones, are on a node of their own, of which cAdvisor has nothing. */
  readonly darkNode?: { readonly pods: number; readonly osImage: string };
}

/** A few pods, each with two containers, their cgroup and their pause container. Yields a family at a time. */
export function* craftedHistory(history: CraftedHistory): Generator<string> {
  const { clusters = [''], clusterLabel = 'cluster', jobs = ['kubelet'], kubeStateMetrics = true, pods = 8 } = history;
  const { ownerKind = 'StatefulSet', darkNode = { pods: 0, osImage: '' } } = history;
  const { replicas = [''], replicaLabel = 'prometheus_replica', targetNamespace, cores = [''] } = history;
  const { containers: ofPod = ['', 'POD', 'app', 'sidecar'], cadvisorLabels = {} } = history;
  const { memory = 'container_memory_usage_bytes' } = history;
  // An empty label is as none.
  const copies = clusters.flatMap((cluster, number) =>
    replicas.map((replica) => ({ labels: { [clusterLabel]: cluster, [replicaLabel]: replica }, number })),
  );
  const places = copies.flatMap(({ labels, number }) => jobs.map((job) => ({ labels: { ...labels, job }, number })));
  /** A UID that no pod of another cluster has. */
  const uidOf = (index: number, number: number) => `0000000${number}-0000-4000-8000-${String(index).padStart(12, '0')}`;
  const namespaces =
    targetNamespace === undefined ? { namespace: 'shop' } : { namespace: targetNamespace, exported_namespace: 'shop' };
  const names = Array.from({ length: pods }, (_, index) => `cart-${index}`);
  const cgroups = places.flatMap(({ labels: place, number }) =>
    names.slice(0, pods - darkNode.pods).flatMap((pod, index) =>
      ofPod.map((container) => ({
        labels: {
          ...namespaces,
          pod,
          container,
          id: `/kubepods/pod${uidOf(index, number)}/${container}`,
          instance: 'node-1:10250',
          ...place,
          ...cadvisorLabels,
        },
        size: 1 + index / 10,
      })),
    ),
  );
  const parts = cgroups.flatMap(({ labels, size }) =>
    cores.map((cpu) => ({ labels: { ...labels, cpu }, size: size / cores.length })),
  );
  yield* family(
    history,
    'container_cpu_usage_seconds',
    'counter',
    '_total',
    parts,
    (seconds, size) =>
      // A counter with a rate that wavers a little.
      0.2 * size * (seconds + Math.sin(seconds / 100)),
  );
  yield* family(history, memory, 'gauge', '', cgroups, (seconds, size) =>
    Math.round(1e8 * size * (1 + 0.02 * Math.sin(seconds / 77))),
  );
  if (kubeStateMetrics) {
    const states = copies.flatMap(({ labels, number }) =>
      names.map((pod, index) => ({
        labels: { namespace: 'shop', pod, uid: uidOf(index, number), job: 'kube-state-metrics', ...labels },
        size: 1,
      })),
    );
    const containers = states.flatMap(({ labels }) =>
      ['app', 'sidecar'].map((container) => ({ labels: { ...labels, container }, size: 1 })),
    );
    yield* family(history, 'kube_pod_container_status_restarts', 'counter', '_total', containers, () => 0);
    const phases = states.flatMap(({ labels }) => [
      { labels: { ...labels, phase: 'Running' }, size: 1 },
      { labels: { ...labels, phase: 'Succeeded' }, size: 0 },
    ]);
    yield* family(history, 'kube_pod_status_phase', 'gauge', '', phases, (_, size) => size);
    const owned = states.map(({ labels }) => ({
      labels: { ...labels, owner_kind: ownerKind, owner_name: 'cart-6d4cf56db6', owner_is_controller: 'true' },
      size: 1,
    }));
    yield* family(history, 'kube_pod_owner', 'gauge', '', owned, () => 1);
    const nodeOf = (pod: string) => (names.indexOf(pod) < pods - darkNode.pods ? 'node-1' : 'node-2');
    const placed = states.map(({ labels }) => ({ labels: { ...labels, node: nodeOf(labels.pod) }, size: 1 }));
    yield* family(history, 'kube_pod_info', 'gauge', '', placed, () => 1);
    const nodes = [
      { node: 'node-1', os_image: 'Ubuntu 22.04.3 LTS' },
      { node: 'node-2', os_image: darkNode.osImage },
    ];
    const described = nodes.map((labels) => ({
      labels: { ...labels, container_runtime_version: 'containerd://1.7.2', job: 'kube-state-metrics' },
      size: 1,
    }));
    yield* family(history, 'kube_node_info', 'gauge', '', described, () => 1);
  }
  yield '# EOF\n';
}

interface CraftedSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly size: number;
}

function* family(
  { startSeconds, endSeconds, scrapeIntervalSeconds }: CraftedHistory,
  name: string,
  type: 'counter' | 'gauge',
  suffix: string,
  series: readonly CraftedSeries[],
  valueAt: (secondsSinceStart: number, size: number) => number,
): Generator<string> {
  yield `# HELP ${name} Crafted.\n# TYPE ${name} ${type}\n`;
  for (const { labels, size } of series) {
    const pairs = Object.entries(labels).filter(([, value]) => value !== '');
    const text = `${name}${suffix}{${pairs.map(([label, value]) => `${label}="${value}"`).join(',')}}`;
    let lines = '';
    for (let time = startSeconds; time <= endSeconds; time += scrapeIntervalSeconds) {
      lines += `${text} ${valueAt(time - startSeconds, size)} ${time}\n`;
    }
    yield lines;
  }
}
