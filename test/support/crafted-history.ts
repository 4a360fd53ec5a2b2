/** A past for a real Prometheus, as the test wants it: OpenMetrics text for `promtool tsdb create-blocks-from`. */

/** What shall be in it. */
export interface CraftedHistory {
  readonly startSeconds: number;
  /** May lie ahead of now: queries do not look there, and a slow machine does not make the data old. */
  readonly endSeconds: number;
  readonly scrapeIntervalSeconds: number;
  /** Values of a label `cluster`, each with all the pods; without any, the label is absent. */
  readonly clusters?: readonly string[];
  /** Jobs that report each container; one if unset. */
  readonly jobs?: readonly string[];
  readonly kubeStateMetrics?: boolean;
  readonly pods?: number;
}

/** A few pods, each with two containers, their cgroup and their pause container. Yields a family at a time. */
export function* craftedHistory(history: CraftedHistory): Generator<string> {
  const { clusters, jobs = ['kubelet'], kubeStateMetrics = true, pods = 8 } = history;
  const places = (clusters ?? [undefined]).flatMap((cluster) =>
    jobs.map((job) => ({ job, ...(cluster !== undefined && { cluster }) })),
  );
  const names = Array.from({ length: pods }, (_, index) => `cart-${index}`);
  const cgroups = places.flatMap((place) =>
    names.flatMap((pod, index) =>
      ['', 'POD', 'app', 'sidecar'].map((container) => ({
        labels: {
          namespace: 'shop',
          pod,
          container,
          id: `/kubepods/${pod}/${container}`,
          instance: 'node-1:10250',
          ...place,
        },
        size: 1 + index / 10,
      })),
    ),
  );
  yield* family(
    history,
    'container_cpu_usage_seconds',
    'counter',
    '_total',
    cgroups,
    (seconds, size) =>
      // A counter with a rate that wavers a little.
      0.2 * size * (seconds + Math.sin(seconds / 100)),
  );
  yield* family(history, 'container_memory_usage_bytes', 'gauge', '', cgroups, (seconds, size) =>
    Math.round(1e8 * size * (1 + 0.02 * Math.sin(seconds / 77))),
  );
  if (kubeStateMetrics) {
    const states = (clusters ?? [undefined]).flatMap((cluster) =>
      names.map((pod) => ({
        labels: {
          namespace: 'shop',
          pod,
          uid: `uid-${pod}`,
          job: 'kube-state-metrics',
          ...(cluster !== undefined && { cluster }),
        },
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
      labels: { ...labels, owner_kind: 'StatefulSet', owner_name: 'cart', owner_is_controller: 'true' },
      size: 1,
    }));
    yield* family(history, 'kube_pod_owner', 'gauge', '', owned, () => 1);
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
