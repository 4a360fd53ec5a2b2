/** A cluster of a few workloads as the past week, and the next hour, of a real Prometheus. */

/** What a pod does. Times are Unix times in seconds. */
export interface WeekPod {
  readonly namespace: string;
  readonly workload: string;
  readonly pod: string;
  /** CPU in cores; `undefined` where cAdvisor has no series of the pod. */
  readonly cores: ((timeSeconds: number) => number) | undefined;
  /** Memory in bytes. */
  readonly bytes: (timeSeconds: number) => number;
  /** Restarts of its container so far. */
  readonly restarts: (timeSeconds: number) => number;
  /** Its series begin here, and end before the other. */
  readonly sinceSeconds: number;
  readonly untilSeconds?: number;
}

const MEBIBYTE = 2 ** 20;
const DAY_SECONDS = 24 * 3600;

/** Pods of one workload that waver by some percent: by the minute, by the half hour and by the day. */
export function weekPods(
  namespace: string,
  workload: string,
  count: number,
  what: {
    readonly cores?: ((timeSeconds: number, replica: number) => number) | undefined;
    /** A factor of the usual memory of 200 MiB. */
    readonly memory?: (timeSeconds: number, replica: number) => number;
    readonly restarts?: (timeSeconds: number) => number;
    readonly sinceSeconds?: number;
  } = {},
): WeekPod[] {
  const { memory = () => 1, restarts = () => 0, sinceSeconds = -Infinity } = what;
  const cores = 'cores' in what ? what.cores : () => 0.2;
  return Array.from({ length: count }, (_, replica) => {
    const pod = `${workload}-${replica}`;
    const seed = seedOf(`${namespace}/${pod}`);
    const wavering = (time: number, own: number) => (0.9 + 0.2 * noise(own, time)) * slowWavering(own, time);
    return {
      namespace,
      workload,
      pod,
      cores: cores && ((time: number) => cores(time, replica) * wavering(time, seed)),
      bytes: (time: number) => {
        return Math.round(200 * MEBIBYTE * memory(time, replica) * slowWavering(seed + 1, time));
      },
      restarts,
      sinceSeconds,
    };
  });
}

/** The share of the peak at this time of the day: the least at 3:00 UTC. */
export function daily(timeSeconds: number): number {
  return 0.55 - 0.45 * Math.cos((2 * Math.PI * (timeSeconds - 3 * 3600)) / DAY_SECONDS);
}

/** Of the samples; those of CPU and memory may be needed more often than all others. */
export interface WeekRange {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly stepSeconds: number;
  /** As long as the others if unset. Prometheus takes a sample for the present one for five minutes. */
  readonly usageStepSeconds?: number;
}

/** OpenMetrics text with timestamps, for `promtool tsdb create-blocks-from openmetrics`; a series at a time. */
export function* weekHistory(pods: readonly WeekPod[], range: WeekRange): Generator<string> {
  const { startSeconds, endSeconds, stepSeconds, usageStepSeconds = stepSeconds } = range;
  const series = (
    name: string,
    labels: string,
    pod: WeekPod,
    value: (timeSeconds: number) => number,
    everySeconds = stepSeconds,
  ) => {
    const { sinceSeconds, untilSeconds = Number.POSITIVE_INFINITY } = pod;
    const lines: string[] = [];
    for (let time = startSeconds; time <= endSeconds; time += everySeconds) {
      if (time >= sinceSeconds && time < untilSeconds) lines.push(`${name}{${labels}} ${value(time)} ${time}\n`);
    }
    return lines.join('');
  };
  const family = function* (name: string, type: string, of: (pod: WeekPod, labels: string) => string) {
    yield `# TYPE ${name.replace(/_total$/, '')} ${type}\n`;
    for (const pod of pods) yield of(pod, `namespace="${pod.namespace}",pod="${pod.pod}"`);
  };
  yield* family('container_cpu_usage_seconds_total', 'counter', (pod, labels) => {
    const { cores } = pod;
    let seconds = 0;
    return cores === undefined
      ? ''
      : series(
          'container_cpu_usage_seconds_total',
          `${labels},container="app"`,
          pod,
          (time) => {
            seconds += usageStepSeconds * cores(time);
            return Number(seconds.toFixed(6));
          },
          usageStepSeconds,
        );
  });
  yield* family('container_memory_usage_bytes', 'gauge', (pod, labels) => {
    return pod.cores === undefined
      ? ''
      : series('container_memory_usage_bytes', `${labels},container="app"`, pod, pod.bytes, usageStepSeconds);
  });
  yield* family('kube_pod_container_status_restarts_total', 'counter', (pod, labels) => {
    return series('kube_pod_container_status_restarts_total', `${labels},container="app"`, pod, pod.restarts);
  });
  yield* family('kube_pod_owner', 'gauge', (pod, labels) => {
    const owner = `owner_kind="StatefulSet",owner_name="${pod.workload}",owner_is_controller="true"`;
    return series('kube_pod_owner', `${labels},${owner}`, pod, () => 1);
  });
  yield '# EOF\n';
}

/** Between 0.85 and 1.15. */
function slowWavering(seed: number, timeSeconds: number): number {
  const byDay = noise(seed, Math.floor(timeSeconds / DAY_SECONDS)) - 0.5;
  const byHalfHour = noise(seed, Math.floor(timeSeconds / 1800)) - 0.5;
  return 1 + 0.2 * byDay + 0.1 * byHalfHour;
}

/** A number from [0, 1) that belongs to two whole numbers (the finalizer of MurmurHash3). */
function noise(seed: number, time: number): number {
  let bits = Math.imul(seed ^ Math.trunc(time), 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
}

function seedOf(text: string): number {
  return [...text].reduce((sum, character) => (Math.imul(sum, 31) + character.charCodeAt(0)) | 0, 7);
}
