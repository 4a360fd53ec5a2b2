/** The workloads of the simulated cluster, and how they normally behave. */

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const DAY_SECONDS = 86_400;

/** A workload: its kind, its number of pods, and how each of them normally behaves. */
export interface WorkloadSpec {
  readonly namespace: string;
  readonly name: string;
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'CronJob';
  /** Pods at a time. A Job or a run of a CronJob has one. */
  readonly replicas: number;
  /** Mean CPU of a pod; its replicas lie within ±10 %. */
  readonly cpuCores: number;
  readonly memoryBytes: number;
  /** Daily swing of the CPU as a share of the mean; highest at 14:00 UTC. */
  readonly daily?: number;
  /** Noise: 1 is a spread of about 5 % of the CPU over a minute. At most 1.2. */
  readonly restlessness?: number;
  /** Occasional bursts of 20 to 60 s: cores above the mean, as a share of it, for a burst of 40 s. */
  readonly bursts?: number;
  /** Garbage collection: memory rises by this share of its usual size, then falls at once. */
  readonly garbage?: number;
  /** Whether a second container (a proxy) uses 8 % of the pod's resources. */
  readonly sidecar?: boolean;
  /** Earlier restarts of each pod that is older than the simulation. */
  readonly restarts?: number;
  /** The container of a pod restarts once in this many days, at any time. */
  readonly restartDays?: number;
  /** Job and CronJob: how long a run takes, give or take 20 %. */
  readonly runSeconds?: number;
  /** CronJob: from one run to the next. Minutes, as cron knows no seconds. */
  readonly everyMinutes?: number;
}

/** What the pods of a workload do once a day besides their usual work: a backup, a report. */
export interface DailyJob {
  readonly namespace: string;
  readonly workload: string;
  /** From the start of the simulation to the run of that day; each run is up to two minutes late. */
  readonly startOffsetSeconds: number;
  /** How long a run takes; it may take a tenth less. */
  readonly runSeconds: number;
  /** On top of the usual, for each pod. */
  readonly cpuCores: number;
  readonly memoryBytes: number;
}

const workload = (
  namespace: string,
  name: string,
  kind: WorkloadSpec['kind'],
  replicas: number,
  cpuCores: number,
  memoryBytes: number,
  special: Partial<WorkloadSpec> = {},
): WorkloadSpec => ({ namespace, name, kind, replicas, cpuCores, memoryBytes, ...special });

/** Those of the demo. */
export const WORKLOADS: readonly WorkloadSpec[] = [
  workload('shop', 'frontend', 'Deployment', 4, 0.35, 320 * MIB, { daily: 0.3, bursts: 0.2, sidecar: true }),
  workload('shop', 'cart', 'Deployment', 3, 0.22, 256 * MIB, { daily: 0.3, bursts: 0.25 }),
  workload('shop', 'catalog', 'Deployment', 4, 0.5, 640 * MIB, { daily: 0.25 }),
  workload('shop', 'recommender', 'Deployment', 2, 0.8, 1.6 * GIB, { daily: 0.2, garbage: 0.2 }),
  workload('payments', 'checkout', 'Deployment', 3, 0.4, 0.6 * GIB, {
    daily: 0.3,
    garbage: 0.12,
    sidecar: true,
  }),
  workload('payments', 'ledger', 'StatefulSet', 3, 0.6, 2 * GIB, { daily: 0.2, bursts: 0.15 }),
  workload('data', 'postgres', 'StatefulSet', 1, 6, 48 * GIB, { daily: 0.1, restlessness: 0.6, bursts: 0.1 }),
  workload('data', 'kafka', 'StatefulSet', 3, 1.1, 6 * GIB, { daily: 0.2, garbage: 0.1, restartDays: 9 }),
  workload('data', 'backup', 'StatefulSet', 1, 0.05, 120 * MIB),
  workload('platform', 'ingress-nginx-controller', 'Deployment', 2, 0.45, 220 * MIB, {
    daily: 0.35,
    bursts: 0.2,
  }),
  workload('platform', 'config-sync', 'Deployment', 2, 0.08, 96 * MIB, { restarts: 512 }),
  workload('platform', 'node-exporter', 'DaemonSet', 5, 0.02, 28 * MIB, { restlessness: 0.8 }),
  workload('platform', 'log-shipper', 'DaemonSet', 5, 0.15, 180 * MIB, {
    daily: 0.3,
    restlessness: 1.2,
    restartDays: 6,
  }),
  workload('kube-system', 'coredns', 'Deployment', 2, 0.06, 42 * MIB, { daily: 0.2 }),
  workload('batch', 'archive-migration', 'Job', 1, 1.5, 3 * GIB, { runSeconds: 4 * 86_400 }),
  workload('batch', 'invoice-export', 'CronJob', 1, 0.7, 400 * MIB, { runSeconds: 180, everyMinutes: 5 }),
];

/** The pod that is larger than all others, steady, and always healthy. */
export const DATABASE = { namespace: 'data', pod: 'postgres-0' };

/** The pod that does nearly nothing except the daily job of the demo. */
export const BACKUP = { namespace: 'data', pod: 'backup-0' };

/** A new version of a Deployment: its pods are replaced one after the other. */
export interface Rollout {
  readonly namespace: string;
  readonly workload: string;
  /** From the start of the simulation; negative lies in its history. */
  readonly startOffsetSeconds: number;
  /** By what the memory of its pods is multiplied from then on; 1 unless it is set. */
  readonly memoryFactor?: number;
}

const rollout = (namespace: string, workload: string, startOffsetSeconds: number): Rollout => {
  return { namespace, workload, startOffsetSeconds };
};

/** Those of a week, one of them an hour ago, so that a new version is nothing new to the model, and one during the demo. */
export const ROLLOUTS: readonly Rollout[] = [
  rollout('shop', 'frontend', -6.1 * DAY_SECONDS),
  rollout('payments', 'checkout', -5.2 * DAY_SECONDS),
  rollout('shop', 'recommender', -4.3 * DAY_SECONDS),
  rollout('shop', 'catalog', -3.4 * DAY_SECONDS),
  rollout('shop', 'frontend', -2.2 * DAY_SECONDS),
  rollout('platform', 'ingress-nginx-controller', -1.6 * DAY_SECONDS),
  rollout('shop', 'frontend', -40 * 60),
  rollout('shop', 'frontend', 150),
];

/** A release of the demo that takes more memory for good. It is twelve hours old soon after the start. */
export const HEAVIER_RELEASE = {
  namespace: 'shop',
  workload: 'recommender',
  startOffsetSeconds: -12 * 3600 + 120,
  memoryFactor: 1.6,
} satisfies Rollout;

/** The one of the demo runs while it is watched, whatever the time of the day, and has run at this time on all days. */
export const DAILY_JOB: DailyJob = {
  namespace: 'data',
  workload: 'backup',
  startOffsetSeconds: -25 * 60,
  runSeconds: 75 * 60,
  cpuCores: 1.4,
  memoryBytes: 700 * MIB,
};
