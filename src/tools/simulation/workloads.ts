/** The workloads of the simulated cluster, and how they normally behave. */

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** A workload: its kind, its number of pods, and how each of them normally behaves. */
export interface WorkloadSpec {
  readonly namespace: string;
  readonly name: string;
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'CronJob';
  /** Pods at a time. A Job or a run of a CronJob has one. */
  readonly replicas: number;
  /** Mean CPU of a pod; its replicas lie within ±10 %. */
  readonly cpuCores: number;
  /** Usual memory of a pod. */
  readonly memoryBytes: number;
  /** Daily swing of the CPU as a share of the mean; highest at 14:00 UTC. */
  readonly daily?: number;
  /** Noise: 1 is a spread of about 5 % of the CPU over a minute. At most 1.2. */
  readonly restlessness?: number;
  /** Occasional bursts of 20 to 60 s: cores above the mean, as a share of it, for a burst of 40 s. */
  readonly bursts?: number;
  /** Garbage collection: memory rises by this share of its usual size, then falls at once. */
  readonly garbage?: number;
  /** A job inside the pod, once an hour: memory is higher by this share of its usual size for `seconds`. */
  readonly hourly?: { readonly share: number; readonly seconds: number };
  /** How a new pod begins. Default: `QUICK_STARTUP`. */
  readonly startup?: Startup;
  /** Whether a second container (a proxy) uses 8 % of the pod's resources. */
  readonly sidecar?: boolean;
  /** Earlier restarts of each pod that is older than the simulation. */
  readonly restarts?: number;
  /** Job: when it begins, from the start of the simulation. Default: three days before. */
  readonly startOffsetSeconds?: number;
  /** Job and CronJob: how long a run takes, give or take 20 %. */
  readonly runSeconds?: number;
  /** CronJob: from one run to the next. Minutes, as cron knows no seconds. */
  readonly everyMinutes?: number;
}

/** The first minutes of a pod. */
export interface Startup {
  /** CPU that a start costs, in seconds of usual work; most of it is used within `burstSeconds`. */
  readonly workSeconds: number;
  readonly burstSeconds: number;
  /** Memory starts this share below its usual size, and is close to it after twice `fillSeconds`. */
  readonly emptyShare: number;
  readonly fillSeconds: number;
}

/** A small program: ready within half a minute. */
export const QUICK_STARTUP: Startup = {
  workSeconds: 12,
  burstSeconds: 20,
  emptyShare: 0.2,
  fillSeconds: 20,
};

export const WORKLOADS: readonly WorkloadSpec[] = [
  {
    namespace: 'shop',
    name: 'frontend',
    kind: 'Deployment',
    replicas: 4,
    cpuCores: 0.35,
    memoryBytes: 320 * MIB,
    daily: 0.3,
    bursts: 0.2,
    sidecar: true,
  },
  {
    namespace: 'shop',
    name: 'cart',
    kind: 'Deployment',
    replicas: 3,
    cpuCores: 0.22,
    memoryBytes: 256 * MIB,
    daily: 0.3,
    bursts: 0.25,
  },
  {
    namespace: 'shop',
    name: 'catalog',
    kind: 'Deployment',
    replicas: 4,
    cpuCores: 0.5,
    memoryBytes: 640 * MIB,
    daily: 0.25,
  },
  {
    namespace: 'shop',
    name: 'recommender',
    kind: 'Deployment',
    replicas: 2,
    cpuCores: 0.8,
    memoryBytes: 1.6 * GIB,
    daily: 0.2,
    garbage: 0.2,
  },
  {
    namespace: 'payments',
    name: 'checkout',
    kind: 'Deployment',
    replicas: 3,
    cpuCores: 0.4,
    memoryBytes: 0.6 * GIB,
    daily: 0.3,
    garbage: 0.12,
    sidecar: true,
  },
  {
    namespace: 'payments',
    name: 'ledger',
    kind: 'StatefulSet',
    replicas: 3,
    cpuCores: 0.6,
    memoryBytes: 2 * GIB,
    daily: 0.2,
    bursts: 0.15,
  },
  {
    namespace: 'data',
    name: 'postgres',
    kind: 'StatefulSet',
    replicas: 1,
    cpuCores: 6,
    memoryBytes: 48 * GIB,
    daily: 0.1,
    restlessness: 0.6,
    bursts: 0.1,
  },
  {
    namespace: 'data',
    name: 'kafka',
    kind: 'StatefulSet',
    replicas: 3,
    cpuCores: 1.1,
    memoryBytes: 6 * GIB,
    daily: 0.2,
    garbage: 0.1,
    restarts: 1,
  },
  {
    namespace: 'platform',
    name: 'ingress-nginx-controller',
    kind: 'Deployment',
    replicas: 2,
    cpuCores: 0.45,
    memoryBytes: 220 * MIB,
    daily: 0.35,
    bursts: 0.2,
  },
  {
    namespace: 'platform',
    name: 'config-sync',
    kind: 'Deployment',
    replicas: 2,
    cpuCores: 0.08,
    memoryBytes: 96 * MIB,
    restarts: 512,
  },
  {
    namespace: 'platform',
    name: 'node-exporter',
    kind: 'DaemonSet',
    replicas: 5,
    cpuCores: 0.02,
    memoryBytes: 28 * MIB,
    restlessness: 0.8,
  },
  {
    namespace: 'platform',
    name: 'log-shipper',
    kind: 'DaemonSet',
    replicas: 5,
    cpuCores: 0.15,
    memoryBytes: 180 * MIB,
    daily: 0.3,
    restlessness: 1.2,
    restarts: 2,
  },
  {
    namespace: 'kube-system',
    name: 'coredns',
    kind: 'Deployment',
    replicas: 2,
    cpuCores: 0.06,
    memoryBytes: 42 * MIB,
    daily: 0.2,
  },
  {
    namespace: 'batch',
    name: 'archive-migration',
    kind: 'Job',
    replicas: 1,
    cpuCores: 1.5,
    memoryBytes: 3 * GIB,
    runSeconds: 4 * 86_400,
  },
  {
    namespace: 'batch',
    name: 'invoice-export',
    kind: 'CronJob',
    replicas: 1,
    cpuCores: 0.7,
    memoryBytes: 400 * MIB,
    runSeconds: 180,
    everyMinutes: 5,
  },
];

/** The pod that is larger than all others, steady, and always healthy. */
export const DATABASE = { namespace: 'data', pod: 'postgres-0' };

/** A new version of a Deployment: its pods are replaced one after the other. */
export interface Rollout {
  readonly namespace: string;
  readonly workload: string;
  /** From the start of the simulation; negative lies in its history. */
  readonly startOffsetSeconds: number;
}

/** One in the history, so that a new version is nothing new to the model, and one during the demo. */
export const ROLLOUTS: readonly Rollout[] = [
  { namespace: 'shop', workload: 'frontend', startOffsetSeconds: -40 * 60 },
  { namespace: 'shop', workload: 'frontend', startOffsetSeconds: 150 },
];
