/** The workloads of a fleet: names, numbers of replicas, and courses. */

import { hashText } from '../../simulation/random.js';
import type { Rhythm } from './activity.js';
import { courseMinutes, demandOf, LocalTime, replicasMinutes, ZONES } from './course.js';
import { Draw } from './draw.js';
import { drawDailyJob, drawProfile, KINDS, type Kind, type KindName, type Profile } from './kinds.js';

export type FleetWorkload = ReturnType<typeof drawWorkload>;

/** When and where a fleet is. */
export interface Span {
  readonly seed: number;
  /** Unix time of minute 0. */
  readonly startSeconds: number;
  readonly minutes: number;
  readonly nodes: number;
}

const NAMESPACES = ['shop', 'payments', 'media', 'identity', 'billing', 'analytics', 'logistics', 'support'];
const SUBJECTS = [
  ...['orders', 'cart', 'profile', 'invoice', 'inventory', 'tax', 'review', 'session', 'coupon', 'video'],
  ...['image', 'customer', 'fraud', 'refund', 'shipment', 'address', 'audit', 'quota', 'partner', 'loyalty'],
  ...['tenant', 'email', 'event', 'metric', 'geo', 'chat', 'ticket', 'wallet', 'returns', 'supplier'],
];

/**
 * Draws workloads until they have the given number of pods: first one of each kind, then by weight.
 *
 * @param withJobs some of them have a job inside their pods once a day, and are otherwise the same.
 */
export function drawWorkloads(span: Span, pods: number, withJobs: boolean): readonly FleetWorkload[] {
  const { seed, startSeconds, minutes } = span;
  const draw = new Draw(`${seed}/workloads`);
  const clocks = new Map(ZONES.map((zone) => [zone, new LocalTime(zone, startSeconds, minutes)]));
  const kinds = Object.keys(KINDS) as KindName[];
  // Dealt like cards, so that the mixture is much the same for each seed.
  const deck = kinds
    .flatMap((kind) => Array.from({ length: KINDS[kind].weight - 1 }, () => ({ kind, order: draw.uniform() })))
    .sort((a, b) => a.order - b.order);
  const workloads: FleetWorkload[] = [];
  for (let count = 0; count < pods; count += (workloads.at(-1) as FleetWorkload).replicas) {
    const dealt = workloads.length - kinds.length;
    const kind = kinds[workloads.length] ?? (deck[dealt % deck.length]?.kind as KindName);
    const name = nameOf(kind, draw, (taken) => workloads.some((one) => one.name === taken));
    workloads.push(drawWorkload({ ...span, withJobs }, kind, name, draw, clocks));
  }
  return workloads;
}

/** An unused name: subject and function; of a DaemonSet the function alone, while there are unused ones. */
function nameOf(kind: KindName, draw: Draw, isTaken: (name: string) => boolean): string {
  const { names, controller } = KINDS[kind];
  const short = controller === 'DaemonSet' ? names.filter((name) => !isTaken(name)) : [];
  if (short.length > 0) return draw.pick(short);
  for (;;) {
    const name = `${draw.pick(SUBJECTS)}-${draw.pick(names)}`;
    if (!isTaken(name)) return name;
  }
}

function drawWorkload(
  span: Span & { readonly withJobs: boolean },
  kind: KindName,
  name: string,
  draw: Draw,
  clocks: ReadonlyMap<string, LocalTime>,
) {
  const { controller, replicas }: Kind = KINDS[kind];
  const namespace = controller === 'DaemonSet' ? 'kube-system' : draw.pick(NAMESPACES);
  const path = `${span.seed}/${namespace}/${name}`;
  const key = hashText(path);
  const own = new Draw(`${path}/profile`);
  const drawn = drawProfile(KINDS[kind], own);
  const dailyJob = span.withJobs ? drawDailyJob(kind, new Draw(`${path}/daily-job`)) : undefined;
  const profile = dailyJob === undefined ? drawn : withJob(drawn, dailyJob);
  const { course, autoscaler } = profile;
  const clock = clocks.get(course?.zones[0] ?? own.pick(ZONES)) as LocalTime;
  const load = course && courseMinutes(course, key, clocks, span.minutes);
  const scaled = load && autoscaler && replicasMinutes(load, autoscaler);
  return {
    namespace,
    name,
    kind,
    controller,
    /** Pods at a time, of an autoscaled workload the fewest. */
    replicas: autoscaler?.minReplicas ?? (controller === 'DaemonSet' ? span.nodes : draw.whole(...replicas)),
    /** Of an autoscaled workload, pods minute by minute. */
    replicasMinutes: scaled,
    profile,
    /** Whether a job runs inside its pods once a day. */
    hasDailyJob: dailyJob !== undefined,
    /** Load of a pod minute by minute, as a share of a usual peak; `undefined`: 1. */
    load:
      scaled && autoscaler
        ? load.map((value, i) => demandOf(value, autoscaler.maxReplicas) / (scaled[i] as number))
        : load,
    /** Whether it is working time for its developers and users. */
    isWorkingTime: (minute: number) => clock.isWorkingTime(minute),
    /** Seed of its own, also for draws: `path`. */
    key,
    path,
  };
}

/** The job comes on top of all else, and is allowed to. */
function withJob(profile: Profile, job: Rhythm): Profile {
  return {
    ...profile,
    rhythms: [...profile.rhythms, job],
    cpuLimit: profile.cpuLimit + job.cpu * profile.cpuCores,
    memoryLimit: profile.memoryLimit + job.memory * profile.memoryBytes,
  };
}
