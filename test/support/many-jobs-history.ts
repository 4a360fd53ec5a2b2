/** The past of a cluster with many short jobs, as cAdvisor and kube-state-metrics expose it. */

const STEP_SECONDS = 15;

/** What kube-state-metrics says of the jobs. */
export interface JobKnowledge {
  /** Whether it is there at all. */
  readonly kubeStateMetrics: boolean;
  /** How long a pod is kept after its end, in seconds; then it is deleted. */
  readonly keptSeconds: number;
}

/** Three jobs a minute; they live for 20 seconds to four minutes. */
const JOB_DISTANCE_SECONDS = 20;
const LIVES_SECONDS = [20, 45, 90, 31, 240, 60, 130];

interface Life {
  readonly pod: string;
  readonly beginSeconds: number;
  readonly endSeconds: number;
}

/** OpenMetrics text with timestamps, a family at a time, over `seconds` up to `nowSeconds`. */
export function* manyJobsHistory(
  nowSeconds: number,
  seconds: number,
  { kubeStateMetrics, keptSeconds }: JobKnowledge,
): Generator<string> {
  const start = nowSeconds - seconds;
  const services = Array.from({ length: 8 }, (_, index) => ({
    pod: `web-${index}`,
    beginSeconds: start,
    endSeconds: Number.POSITIVE_INFINITY,
  }));
  const jobs = Array.from({ length: Math.floor(seconds / JOB_DISTANCE_SECONDS) }, (_, index) => {
    const beginSeconds = start + index * JOB_DISTANCE_SECONDS;
    const life = LIVES_SECONDS[index % LIVES_SECONDS.length] as number;
    return { pod: `build-${index}-x`, beginSeconds, endSeconds: beginSeconds + life };
  });
  const pods: readonly Life[] = [...services, ...jobs];
  const family = (
    name: string,
    type: string,
    keptAfterEnd: number,
    series: (life: Life) => readonly { readonly labels: string; readonly at: (time: number) => number }[],
  ) => {
    const lines = pods.flatMap((life, index) =>
      series(life).flatMap(({ labels, at }) => {
        const samples: string[] = [];
        // Each kubelet is scraped at times of its own.
        for (let time = start + (index % STEP_SECONDS); time <= nowSeconds; time += STEP_SECONDS) {
          if (time >= life.beginSeconds && time < life.endSeconds + keptAfterEnd)
            samples.push(`${name}{namespace="ci",pod="${life.pod}"${labels}} ${at(time)} ${time}\n`);
        }
        return samples;
      }),
    );
    return `# TYPE ${name.replace(/_total$/, '')} ${type}\n${lines.join('')}`;
  };
  const container = ',container="app"';
  yield family('container_cpu_usage_seconds_total', 'counter', 0, () => [
    { labels: container, at: (time) => (time - start) / 10 + Math.sin(time / 50) },
  ]);
  yield family('container_memory_usage_bytes', 'gauge', 0, () => [
    { labels: container, at: (time) => Math.round(1e8 * (1 + 0.02 * Math.sin(time / 77))) },
  ]);
  if (kubeStateMetrics) {
    yield family('kube_pod_container_status_restarts_total', 'counter', keptSeconds, () => [
      { labels: container, at: () => 0 },
    ]);
    yield family('kube_pod_status_phase', 'gauge', keptSeconds, ({ endSeconds }) =>
      ['Running', 'Succeeded'].map((phase) => ({
        labels: `,phase="${phase}"`,
        at: (time: number) => Number(time >= endSeconds === (phase === 'Succeeded')),
      })),
    );
  }
  yield '# EOF\n';
}
