/** The past of pods that restart in every way, as cAdvisor and kube-state-metrics expose it. */

const HISTORY_SECONDS = 75 * 60;
const STEP_SECONDS = 15;

/** A pod as its metrics show it. Times in seconds before now. */
interface RestartingPod {
  readonly pod: string;
  /** Restarts of its container, and of an init container or native sidecar. */
  readonly restartsAgo?: readonly number[];
  readonly initRestartsAgo?: readonly number[];
  /** The same for each further container. */
  readonly furtherRestartsAgo?: readonly (readonly number[])[];
  /** From then on, cAdvisor has no CPU, or no memory. */
  readonly cpuEndsAgo?: number;
  readonly memoryEndsAgo?: number;
  /** Now and then there is memory again, as of a container that lives for seconds. */
  readonly memoryFlickers?: boolean;
  /** From then on, its phase is `Succeeded`. */
  readonly endedAgo?: number;
  /** When its counter of CPU is a bit lower than before. */
  readonly cpuCorrectedAgo?: number;
  /** When its counter of CPU begins again, in another series, or in the same where labels do not tell them apart. */
  readonly cpuBeginsAgo?: number;
  readonly sameSeries?: boolean;
  /** Nothing is scraped from then on for so long. */
  readonly gapAgo?: readonly [sinceAgo: number, untilAgo: number];
  /** When its counter, which stands at 514, is corrected by one. */
  readonly correctedAgo?: number;
}

const every = (seconds: number, sinceAgo: number) =>
  Array.from({ length: Math.ceil((sinceAgo + 600) / seconds) }, (_, index) => sinceAgo - index * seconds);

const LOOP_AGO = 40 * 60;
const withoutUsage = (ago: number) => ({ cpuEndsAgo: ago, memoryEndsAgo: ago });

/** What each pod is. */
export const RESTARTING_PODS: readonly RestartingPod[] = [
  ...Array.from({ length: 8 }, (_, index) => ({ pod: `web-${index}` })),
  { pod: 'once-0', restartsAgo: [240] },
  { pod: 'hourly-0', restartsAgo: [3720, 120] },
  { pod: 'corrected-0', correctedAgo: 150 },
  { pod: 'cpu-corrected-now-0', cpuCorrectedAgo: 40 },
  { pod: 'cpu-corrected-0', cpuCorrectedAgo: 240 },
  { pod: 'new-container-0', restartsAgo: [150], cpuBeginsAgo: 150 },
  { pod: 'new-container-1', restartsAgo: [40], cpuBeginsAgo: 40 },
  { pod: 'new-container-2', restartsAgo: [150], cpuBeginsAgo: 150, sameSeries: true },
  { pod: 'new-container-3', restartsAgo: [40], cpuBeginsAgo: 40, sameSeries: true },
  { pod: 'kubelet-restarted-0', gapAgo: [260, 130] },
  { pod: 'loop-0', restartsAgo: every(310, LOOP_AGO), ...withoutUsage(LOOP_AGO), memoryFlickers: true },
  { pod: 'slow-loop-0', restartsAgo: every(390, LOOP_AGO), ...withoutUsage(LOOP_AGO) },
  { pod: 'init-loop-0', initRestartsAgo: every(330, LOOP_AGO), ...withoutUsage(LOOP_AGO) },
  { pod: 'sidecar-0', initRestartsAgo: [500, 200] },
  // Their node rebooted a quarter of an hour ago.
  { pod: 'rebooted-1', restartsAgo: [900] },
  { pod: 'rebooted-3', restartsAgo: [900], furtherRestartsAgo: [[840], [750]] },
  { pod: 'rebooted-init', restartsAgo: [600], initRestartsAgo: [900] },
  { pod: 'rebooted-12', restartsAgo: [900], furtherRestartsAgo: Array.from({ length: 11 }, (_, i) => [900 - 20 * i]) },
  { pod: 'rebooted-loop', restartsAgo: [900], furtherRestartsAgo: [[900, 700, 500, 200], [880]] },
  { pod: 'loop-of-12', furtherRestartsAgo: [...Array.from({ length: 10 }, () => []), [700, 400, 90]] },
  { pod: 'job-0', endedAgo: 1800, ...withoutUsage(1800) },
  { pod: 'failed-job-0', restartsAgo: [700, 500, 320], endedAgo: 310, ...withoutUsage(310) },
  { pod: 'lingering-job-0', endedAgo: 150, cpuEndsAgo: 150, memoryEndsAgo: 135 },
  { pod: 'dark-0', ...withoutUsage(HISTORY_SECONDS + 60) },
];

/** OpenMetrics text with timestamps, a family at a time, up to some minutes after `nowSeconds`: nothing need be scraped. */
export function* restartHistory(nowSeconds: number): Generator<string> {
  const container = (pod: string, name = 'app') => `{namespace="shop",pod="${pod}",container="${name}"}`;
  const family = (name: string, type: string, lines: (pod: RestartingPod, index: number) => Iterable<string>) =>
    `# TYPE ${name.replace(/_total$/, '')} ${type}\n${RESTARTING_PODS.flatMap((pod, index) => [...lines(pod, index)]).join('')}`;
  const agoes = Array.from(
    { length: (HISTORY_SECONDS + 300) / STEP_SECONDS },
    (_, i) => HISTORY_SECONDS - i * STEP_SECONDS,
  );
  const series = (name: string, labels: string, valueAt: (ago: number) => number | undefined) =>
    agoes.flatMap((ago) => {
      const value = valueAt(ago);
      return value === undefined ? [] : [`${name}${labels} ${value} ${nowSeconds - ago}\n`];
    });
  const countUntil = (times: readonly number[] = [], ago: number) => times.filter((time) => time >= ago).length;

  const isInGap = ({ gapAgo: [since, until] = [-Infinity, -Infinity] }: RestartingPod, ago: number) =>
    ago <= since && ago > until;
  yield family('container_cpu_usage_seconds_total', 'counter', (life, index) => {
    const { cpuEndsAgo = -Infinity, cpuCorrectedAgo = -Infinity, cpuBeginsAgo = -Infinity, sameSeries = false } = life;
    const used = (ago: number) => {
      const seconds = HISTORY_SECONDS - ago;
      return (0.1 + 0.02 * index) * (seconds + Math.sin(seconds / 100));
    };
    const run = (id: string, isRun: (ago: number) => boolean) =>
      series('container_cpu_usage_seconds_total', container(life.pod).replace('}', `,id="${id}"}`), (ago) => {
        if (ago < cpuEndsAgo || isInGap(life, ago) || !isRun(ago)) return undefined;
        return used(ago) - (ago < cpuBeginsAgo ? used(cpuBeginsAgo) : 0) - (ago < cpuCorrectedAgo ? 20 : 0);
      });
    if (sameSeries) return run('', () => true);
    return [...run('first', (ago) => ago >= cpuBeginsAgo), ...run('second', (ago) => ago < cpuBeginsAgo)];
  });
  yield family('container_memory_usage_bytes', 'gauge', (life, index) =>
    series('container_memory_usage_bytes', container(life.pod), (ago) => {
      const { memoryEndsAgo = -Infinity, memoryFlickers } = life;
      const flickers = memoryFlickers === true && ago % 900 === 0;
      return (ago < memoryEndsAgo && !flickers) || isInGap(life, ago)
        ? undefined
        : Math.round(1e8 * (1 + index / 10) * (1 + 0.02 * Math.sin(ago / 77)));
    }),
  );
  const restarts = 'kube_pod_container_status_restarts_total';
  yield family(restarts, 'counter', ({ pod, restartsAgo, furtherRestartsAgo = [], correctedAgo }) => [
    ...series(restarts, container(pod), (ago) =>
      correctedAgo === undefined ? 500 + countUntil(restartsAgo, ago) : ago > correctedAgo ? 514 : 513,
    ),
    ...furtherRestartsAgo.flatMap((times, index) =>
      series(restarts, container(pod, `further-${index}`), (ago) => 7 * index + countUntil(times, ago)),
    ),
  ]);
  yield family('kube_pod_init_container_status_restarts_total', 'counter', ({ pod, initRestartsAgo }) =>
    initRestartsAgo === undefined
      ? []
      : series('kube_pod_init_container_status_restarts_total', container(pod, 'setup'), (ago) =>
          countUntil(initRestartsAgo, ago),
        ),
  );
  yield family('kube_pod_status_phase', 'gauge', ({ pod, endedAgo = -Infinity }) =>
    ['Running', 'Succeeded', 'Failed'].flatMap((phase) =>
      series('kube_pod_status_phase', `{namespace="shop",pod="${pod}",phase="${phase}"}`, (ago) =>
        Number(phase === (ago < endedAgo ? 'Succeeded' : 'Running')),
      ),
    ),
  );
  yield '# EOF\n';
}
