/** The kinds of workload of a fleet. What a workload is like is drawn once, and holds for all its pods. */

import type { Rhythm } from './activity.js';
import { type Autoscaler, type Course, drawCourse } from './course.js';
import type { Draw } from './draw.js';

const MIB = 2 ** 20;
const DAY = 1440;

/** How the pods of a workload behave while nothing is wrong. Times in minutes, memory as a share of its level. */
export interface Profile extends ReturnType<typeof drawUsual> {
  /** The load over days; `undefined`: always the same. */
  readonly course?: Course;
  readonly autoscaler?: Autoscaler;
  /** A heap grows by a share until it is collected: median time at a usual peak, and how irregularly. */
  readonly heap?: { readonly minutes: number; readonly share: number; readonly sigma: number };
}

/** From and to; drawn between them so that each order of magnitude is as likely as another. */
type Range = readonly [number, number];

export interface Kind {
  readonly controller: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'CronJob' | 'Job';
  /** How many of a hundred workloads are of this kind; each fleet has one at least. */
  readonly weight: number;
  /** Pods at a time (0: one on each node), and what each of them takes. */
  readonly replicas: Range;
  readonly cores: Range;
  readonly mebibytes: Range;
  /** The last part of a workload's name. */
  readonly names: readonly string[];
  readonly releasesPerWeek: Range | undefined;
  /** What is special about it. */
  readonly special: (draw: Draw) => Partial<Profile>;
}

/** A row of the table, by controller and releases a week. Names have a space between them. */
const row =
  (controller: Kind['controller'], releasesPerWeek?: Range) =>
  (weight: number, names: string, replicas: Range, cores: Range, mebibytes: Range, special: Kind['special']): Kind => ({
    controller,
    weight,
    names: names.split(' '),
    replicas,
    cores,
    mebibytes,
    releasesPerWeek,
    special,
  });

const app = row('Deployment', [0.3, 4]);
const java = row('Deployment', [0.3, 2]);
const tool = row('Deployment', [0.05, 1]);
const set = row('StatefulSet');
const daemon = row('DaemonSet');
const cronJob = row('CronJob');

/**
 * Work that comes irregularly: the gap between two stretches of it, their length, the CPU and the memory that they add,
 * and the time in which that memory decays.
 */
const work = (draw: Draw, every: Range, minutes: Range, cpu: Range, memory: Range, decay: Range): Rhythm => ({
  every: draw.log(...every),
  minutes: draw.log(...minutes),
  minutesSigma: 0.6,
  cpu: draw.log(...cpu),
  cpuSigma: 0.4,
  memory: draw.log(...memory),
  decay: draw.log(...decay),
});

/** The same by the clock, always about as long, in all pods at once. */
const clockwork = (draw: Draw, phase: Range, ...ranges: readonly [Range, Range, Range, Range, Range]): Rhythm => ({
  ...work(draw, ...ranges),
  phase: draw.between(...phase),
  minutesSigma: 0.15,
  cpuSigma: 0.15,
  together: true,
});

/** Every night between one and five o'clock UTC. */
const nightly = (draw: Draw, cpu: Range, memory: Range) =>
  clockwork(draw, [60, 300], [DAY, DAY], [12, 90], cpu, memory, [5, 60]);

/** Kinds whose pods may have a job of their own once a day: they run all the time, and are steady enough for it to show. */
const DAILY_JOB_KINDS: ReadonlySet<KindName> = new Set(['web', 'irregular', 'heap', 'cache', 'idle']);
const DAILY_JOB_CHANCE = 0.5;

/**
 * A report, a cleanup or an export in a server process: once a day at any minute, for ten minutes to an hour and a half, in
 * all pods at once or in each for itself. Half of them start by the clock, the others up to five minutes earlier or later
 * than yesterday. `undefined` where a workload has none.
 */
export function drawDailyJob(kind: KindName, draw: Draw): Rhythm | undefined {
  if (!DAILY_JOB_KINDS.has(kind) || !draw.chance(DAILY_JOB_CHANCE)) return undefined;
  const job = clockwork(draw, [0, DAY], [DAY, DAY], [10, 90], [2, 20], [0.1, 1], [1, 10]);
  const wander = draw.chance(0.5) ? draw.between(1, 5) : 0;
  return { ...job, minutesSigma: draw.log(0.01, 0.15), wander, together: draw.chance(0.7) };
}

/** A sale, a link that many follow, a crawler: now and then, for all pods. */
const rush = (draw: Draw): Rhythm => ({
  ...work(draw, [2 * DAY, 8 * DAY], [8, 40], [0.3, 1], [0.03, 0.03], [20, 20]),
  together: true,
});

/** The course of people at work with a probability, or else at home; of machines, less goes away at night. */
const course = (draw: Draw, office: number, floor?: Range): Course => {
  const drawn = drawCourse(draw, draw.chance(office) ? 'office' : 'consumer');
  return floor === undefined ? drawn : { ...drawn, floor: draw.log(...floor) };
};

/** All kinds. The comments name what makes each of them hard to judge. */
export const KINDS = {
  // The morning's ramp, the weekend, releases.
  web: app(20, 'api frontend gateway service backend', [2, 8], [0.008, 0.9], [60, 1200], (draw) => ({
    course: course(draw, 0.55),
    memoryFollows: draw.chance(0.6) ? draw.between(0.02, 0.25) : 0,
    rhythms: [rush(draw)],
  })),
  // Pods that come and go with the load.
  autoscaled: app(6, 'edge public-api renderer storefront', [2, 2], [0.15, 1.2], [200, 1500], (draw) => ({
    course: course(draw, 0.3),
    autoscaler: { minReplicas: 2, maxReplicas: draw.whole(5, 10) },
    memoryFollows: draw.between(0.02, 0.15),
    rhythms: [rush(draw)],
  })),
  // A front end that few people use: a second's work is a multiple of nothing.
  irregular: app(4, 'portal preview sandbox reports', [1, 3], [0.01, 0.08], [80, 400], (draw) => ({
    course: course(draw, 1),
    cpuNoise: draw.between(0.25, 0.5),
    rhythms: [{ ...work(draw, [4, 15], [2, 4], [2, 3], [0.05, 0.5], [3, 30]), cpuSigma: 0.9 }],
    memoryNoise: draw.log(0.005, 0.1),
  })),
  // Goes on and off for tens of minutes; memory follows the work, whose size varies.
  queue: app(9, 'worker consumer importer mailer thumbnailer', [1, 6], [0.01, 0.15], [100, 900], (draw) => {
    const jobs = work(draw, [15, 120], [8, 50], [3, 20], [0.2, 1.8], [10, 120]);
    return { rhythms: [{ ...jobs, together: draw.chance(0.5), workingTime: draw.chance(0.4) }] };
  }),
  // A job inside the pod every 15 to 60 minutes.
  periodic: app(7, 'scheduler sync poller indexer refresher', [1, 4], [0.004, 0.1], [60, 700], (draw) => {
    const every = draw.pick([15, 20, 30, 30, 60]);
    const memory: Range = draw.chance(0.6) ? [0.1, 1] : [0.001, 0.02];
    const job = clockwork(draw, [0, every], [every, every], [1.5, 9], [2, 15], memory, [0.5, 8]);
    return { rhythms: [{ ...job, together: draw.chance(0.7) }] };
  }),
  // A heap with a sawtooth of hours.
  heap: java(8, 'search pricing ledger recommender catalog', [2, 5], [0.05, 1.2], [700, 5000], (draw) => ({
    course: course(draw, 0.5),
    heap: { minutes: draw.log(50, 500), share: draw.between(0.25, 0.9), sigma: draw.between(0.05, 0.3) },
    startCpu: draw.log(1, 6),
    startMinutes: draw.log(1.5, 5),
  })),
  // Builds at any time of the working day, each of another size.
  'ci-runner': set(3, 'ci-runner build-agent', [2, 5], [0.015, 0.05], [120, 300], (draw) => {
    const builds = work(draw, [15, 60], [4, 12], [20, 80], [2, 8], [1.5, 1.5]);
    return {
      rhythms: [{ ...builds, minutesSigma: 0.9, cpuSigma: 0.6, workingTime: true }],
      cpuLimit: draw.pick([2, 4]),
      memoryLimit: draw.pick([4096, 8192]) * MIB,
    };
  }),
  // On each node, with rare peaks.
  'log-shipper': daemon(2, 'log-shipper log-collector', [0, 0], [0.02, 0.12], [80, 250], (draw) => ({
    course: course(draw, 0, [0.5, 0.7]),
    rhythms: [work(draw, [DAY, 4 * DAY], [2, 12], [1.5, 6], [0.1, 1], [10, 90])],
  })),
  // Compactions every few hours, on each replica for itself.
  store: set(5, 'kafka cassandra elasticsearch mimir-ingester', [3, 3], [0.2, 1.5], [2000, 12000], (draw) => ({
    course: course(draw, 0, [0.4, 0.8]),
    rhythms: [work(draw, [90, 500], [6, 45], [0.5, 2.5], [0.02, 0.3], [5, 40])],
  })),
  // People use it now and then.
  internal: tool(6, 'admin wiki dashboard backoffice notebook', [1, 2], [0.001, 0.02], [60, 800], (draw) => {
    const use = work(draw, [60, 400], [3, 20], [5, 60], [0.05, 0.6], [20, 200]);
    return { rhythms: [{ ...use, cpuSigma: 0.8, workingTime: true }] };
  }),
  // Nothing all day, then a backup at night.
  backup: set(2, 'backup archiver', [1, 1], [0.002, 0.02], [50, 300], (draw) => ({
    rhythms: [nightly(draw, [15, 120], [0.5, 4])],
  })),
  // A course, a nightly dump, and maintenance at any time.
  database: set(6, 'postgres mysql mongodb', [1, 3], [0.1, 3], [1000, 24000], (draw) => ({
    course: course(draw, 0.5, [0.1, 0.5]),
    rhythms: [
      nightly(draw, [0.3, 1.5], [0.02, 0.3]),
      work(draw, [60, 600], [2, 15], [0.1, 0.8], [0.01, 0.01], [15, 15]),
    ],
    emptyShare: 0.7,
    fillMinutes: draw.log(60, 500),
    podSigma: draw.log(0.1, 0.4),
  })),
  // Memory at its limit; now and then a part of it is thrown away and fills again over hours.
  cache: set(4, 'redis memcached varnish', [1, 3], [0.02, 0.3], [200, 6000], (draw) => {
    const flush = work(draw, [1.5 * DAY, 6 * DAY], [3, 3], [0.3, 0.3], [0.15, 0.5], [60, 400]);
    return {
      course: course(draw, 0),
      rhythms: [{ ...flush, memory: -flush.memory }],
      emptyShare: 0.9,
      fillMinutes: draw.log(100, 600),
      memoryDrift: draw.log(0.001, 0.01),
    };
  }),
  // Small, steady, on each node.
  daemon: daemon(2, 'node-exporter node-agent csi-node', [0, 0], [0.003, 0.06], [20, 120], (draw) => ({
    peakChance: draw.log(0.001, 0.02),
  })),
  cronjob: cronJob(7, 'export cleanup reconcile digest rotate-keys', [1, 1], [0.02, 1.2], [50, 1200], (draw) => {
    const every = draw.pick([5, 10, 15, 30, 30, 60, 60, 120, 360]);
    return { every, runMinutes: Math.min(draw.log(1.2, 30), 0.6 * every) };
  }),
  job: row('Job')(3, 'migrate reindex train load-test', [1, 1], [0.1, 2.5], [150, 4000], (draw) => ({
    runsPerDay: draw.log(1, 12),
    runMinutes: draw.log(4, 120),
    emptyShare: 0.6,
  })),
  idle: tool(6, 'webhook operator feature-flags license-server', [1, 3], [0.0002, 0.004], [12, 90], () => ({})),
  // Computes all the time, in stages.
  batch: tool(4, 'trainer encoder simulator crawler', [1, 4], [0.5, 3], [500, 6000], (draw) => ({
    rhythms: [work(draw, [30, 200], [30, 200], [0.1, 0.6], [0.05, 0.5], [8, 8])],
    cpuDrift: draw.log(0.01, 0.06),
  })),
};

export type KindName = keyof typeof KINDS;

/** Draws what a workload of a kind is like. */
export function drawProfile(kind: Kind, draw: Draw): Profile {
  const special = kind.special(draw);
  const busiest = Math.max(1, ...(special.rhythms ?? []).map(({ cpu }) => cpu));
  return { ...drawUsual(kind, busiest, draw), ...special };
}

/** What holds unless it is special. @param busiest CPU of the kind's work, as a multiple of the pod's level. */
function drawUsual({ cores, mebibytes, releasesPerWeek }: Kind, busiest: number, draw: Draw) {
  const cpuCores = draw.log(...cores);
  const memoryBytes = MIB * draw.log(...mebibytes);
  return {
    /** CPU of a pod at a usual peak of its course, in cores, and its memory. Nothing takes more than the limits. */
    cpuCores,
    memoryBytes,
    cpuLimit: Math.max(0.2, cpuCores * (1 + busiest) * draw.log(1.3, 8)),
    memoryLimit: memoryBytes * draw.between(2.5, 5),
    /** How far pods of the workload differ: standard deviation of the logarithm of their levels. */
    podSigma: draw.log(0.02, 0.15),
    /** Standard deviation of the logarithm of CPU from minute to minute: the less work, the more chance is in it. */
    cpuNoise: Math.min(0.5, 0.05 * cpuCores ** -0.25 * draw.spread(1, 0.4)),
    /** The same over minutes to hours. */
    cpuDrift: draw.log(0.02, 0.12),
    /** Share of the minutes in which a peak begins, its median size, and how heavy the tail is. */
    peakChance: draw.log(0.0002, 0.01),
    peakSize: draw.log(0.1, 0.7) * cpuCores ** -0.25,
    peakTail: draw.between(0.4, 1.1),
    /** Noise and drift of memory, which moves in steps, and how much of it follows the course. */
    memoryNoise: draw.chance(0.6) ? 0 : draw.log(0.0001, 0.004),
    memoryDrift: draw.log(0.002, 0.03),
    memoryStep: draw.log(0.0005, 0.01),
    memoryFollows: 0,
    /** A start takes some of a pod's usual CPU on top, and memory fills up slowly: with these time constants. */
    startCpu: draw.log(0.3, 4),
    startMinutes: draw.log(0.5, 3),
    emptyShare: draw.between(0.1, 0.5),
    fillMinutes: draw.log(1, 20),
    rhythms: [] as readonly Rhythm[],
    releasesPerWeek: releasesPerWeek === undefined ? 0 : draw.log(...releasesPerWeek),
    /** Restarts that a pod has had before, and how many come in a day. */
    restarts: draw.chance(0.15) ? Math.round(draw.log(1, 600)) : 0,
    restartsPerDay: draw.log(0.002, 0.06),
    /** CronJob: from one run to the next. Job: runs a day. And the median length of a run. */
    every: 60,
    runsPerDay: 1,
    runMinutes: 10,
  };
}
