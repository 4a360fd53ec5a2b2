/** The workloads of the simulated set: those of the demo, with slower starts, and some that are hard to judge. */

import { type Startup, WORKLOADS, type WorkloadSpec } from '../simulation/workloads.js';

const MIB = 2 ** 20;
const MINUTE = 60;

/** A program that compiles itself and fills caches: nearly four times its usual CPU at first, and half its memory. */
const SLOW_STARTUP: Startup = {
  workSeconds: 120,
  burstSeconds: 45,
  emptyShare: 0.5,
  fillSeconds: 420,
};

/** Somewhere in between. */
const MEDIUM_STARTUP: Startup = {
  workSeconds: 40,
  burstSeconds: 30,
  emptyShare: 0.3,
  fillSeconds: 150,
};

const STARTUPS: Readonly<Record<string, Startup>> = {
  frontend: MEDIUM_STARTUP,
  cart: MEDIUM_STARTUP,
  catalog: SLOW_STARTUP,
  recommender: SLOW_STARTUP,
  checkout: SLOW_STARTUP,
  ledger: MEDIUM_STARTUP,
  kafka: SLOW_STARTUP,
};

const ADDITIONAL: readonly WorkloadSpec[] = [
  // A job inside the pod doubles its memory for seven minutes every hour.
  {
    namespace: 'batch',
    name: 'report-cache',
    kind: 'Deployment',
    replicas: 1,
    cpuCores: 0.12,
    memoryBytes: 500 * MIB,
    hourly: { share: 1, seconds: 7 * MINUTE },
  },
  {
    namespace: 'batch',
    name: 'stock-report',
    kind: 'CronJob',
    replicas: 1,
    cpuCores: 0.9,
    memoryBytes: 700 * MIB,
    runSeconds: 12 * MINUTE,
    everyMinutes: 30,
  },
  {
    namespace: 'batch',
    name: 'import-orders',
    kind: 'Job',
    replicas: 1,
    cpuCores: 1.2,
    memoryBytes: 900 * MIB,
    startOffsetSeconds: 75 * MINUTE,
    runSeconds: 20 * MINUTE,
  },
  {
    namespace: 'batch',
    name: 'import-prices',
    kind: 'Job',
    replicas: 1,
    cpuCores: 0.4,
    memoryBytes: 250 * MIB,
    startOffsetSeconds: 90 * MINUTE,
    runSeconds: 35 * MINUTE,
  },
  // Counters that stand high from long before.
  {
    namespace: 'legacy',
    name: 'poller',
    kind: 'Deployment',
    replicas: 2,
    cpuCores: 0.05,
    memoryBytes: 120 * MIB,
    restarts: 500,
  },
  {
    namespace: 'data',
    name: 'redis',
    kind: 'StatefulSet',
    replicas: 3,
    cpuCores: 0.09,
    memoryBytes: 700 * MIB,
    daily: 0.2,
    restarts: 7,
    startup: MEDIUM_STARTUP,
  },
  // A strong saw-tooth of garbage collection.
  {
    namespace: 'shop',
    name: 'search',
    kind: 'Deployment',
    replicas: 3,
    cpuCores: 0.55,
    memoryBytes: 1200 * MIB,
    daily: 0.2,
    garbage: 0.3,
    startup: SLOW_STARTUP,
  },
  // Some mail goes out every five minutes: up to four times the usual CPU for twenty seconds.
  {
    namespace: 'shop',
    name: 'mailer',
    kind: 'Deployment',
    replicas: 2,
    cpuCores: 0.04,
    memoryBytes: 90 * MIB,
    bursts: 1.5,
  },
  // Almost idle: half a millicore to eighteen.
  {
    namespace: 'auth',
    name: 'session-janitor',
    kind: 'Deployment',
    replicas: 2,
    cpuCores: 0.0006,
    memoryBytes: 12 * MIB,
    restlessness: 1.2,
    bursts: 0.4,
  },
  {
    namespace: 'auth',
    name: 'token-issuer',
    kind: 'Deployment',
    replicas: 3,
    cpuCores: 0.003,
    memoryBytes: 24 * MIB,
    garbage: 0.1,
  },
  {
    namespace: 'platform',
    name: 'cert-renewer',
    kind: 'Deployment',
    replicas: 1,
    cpuCores: 0.0012,
    memoryBytes: 18 * MIB,
    restlessness: 1.2,
  },
  {
    namespace: 'platform',
    name: 'webhook',
    kind: 'Deployment',
    replicas: 2,
    cpuCores: 0.018,
    memoryBytes: 40 * MIB,
    bursts: 0.6,
  },
];

export const SIMULATED_WORKLOADS: readonly WorkloadSpec[] = [
  ...WORKLOADS.map((spec) => ({ ...spec, ...startupOf(spec.name) })),
  ...ADDITIONAL,
];

function startupOf(name: string): Pick<WorkloadSpec, 'startup'> {
  const startup = STARTUPS[name];
  return startup === undefined ? {} : { startup };
}
