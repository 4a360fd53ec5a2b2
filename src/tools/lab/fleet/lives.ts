/** The pods of a workload from birth to end: releases, autoscaling, drained nodes, evictions, runs of jobs. */

import { podSuffix, templateHash } from '../../simulation/names.js';
import { hashText, uniform } from '../../simulation/random.js';
import { type Activities, drawActivities } from './activity.js';
import { Draw } from './draw.js';
import { type FleetFault, faultDowns } from './faults.js';
import type { FleetLevel } from './levels.js';
import type { FleetWorkload, Span } from './workload.js';

/** Why a pod is there. */
export type Cause = 'start' | 'rollout' | 'scale-up' | 'replacement' | 'run';

export type FleetPod = ReturnType<typeof makePod>;
/** A heap between two collections. Values are shares of the pod's level. */
export type Tooth = ReturnType<typeof teethOf>[number];

/** Times in minutes from the fleet's start; a pod that was there before is born at a negative one. */
interface Life {
  readonly pod: string;
  readonly cause: Cause;
  /** Index of the replica, and of the node. */
  readonly replica: number;
  readonly node: number;
  /** Seed of its noise. */
  readonly key: number;
  readonly born: number;
  /** From then on nothing runs, and from the other on the API server does not know the pod any more. */
  readonly end: number;
  readonly gone: number;
}

/** A node that is drained: its pods are replaced. */
interface Drain {
  readonly minute: number;
  readonly node: number;
}

/** Pods that are older than the recording are a month old. */
const MONTH = 30 * 1440;
/** Minutes that an old pod runs beside its successor; and, of a StatefulSet, between the two. */
const OVERLAP = 0.6;
const REPLACEMENT = 0.4;
/** How long the pods of a Job are kept. A CronJob keeps those of its last three runs. */
const JOB_KEPT = 60;
const RUNS_KEPT = 3;
const EVICTIONS_PER_DAY = 0.004;
/** Minutes before and after a fault in which its workload has no release. */
const FREEZE_BEFORE = 180;
const FREEZE_AFTER = 90;
/** One release in four changes the levels for good. */
const LEVEL_CHANGE = 0.25;

/** A version of a workload, from an instant on. */
interface Version {
  readonly minute: number;
  /** What brought it; `undefined`: it is from before the recording, or a fault did, or its end. */
  readonly change: 'release' | 'rollback' | undefined;
  /** Which template: a version that is rolled back to has its old one. */
  readonly template: number;
  readonly cpu: number;
  readonly memory: number;
}

/** What the pods of a workload have in common. */
interface Siblings {
  readonly workload: FleetWorkload;
  readonly faults: readonly FleetFault[];
  readonly levels: readonly FleetLevel[];
  readonly span: Span;
  /** The work that they do at the same time. */
  readonly shared: readonly Activities[];
}

/** All pods that a workload has within the span. @param faults those of this workload, as are the levels. */
export function podsOf(
  workload: FleetWorkload,
  faults: readonly FleetFault[],
  levels: readonly FleetLevel[],
  drains: readonly Drain[],
  span: Span,
): FleetPod[] {
  const shared = activitiesOf(workload, workload.path, span, true);
  const siblings = { workload, faults, levels, span, shared };
  if (workload.controller === 'CronJob' || workload.controller === 'Job') return runsOf(siblings);
  const versions = versionsOf(workload, faults, levels, span);
  return slotsOf(workload, span).flatMap((slot) => livesOf(siblings, slot, versions, drains));
}

const nodeOf = (key: number, { nodes }: Span) => Math.floor(uniform(key, 1) * nodes);

/** Whether a workload has no releases and replacements at a time, because of a fault or another change. */
const isFrozen = (minute: number, spans: readonly { readonly start: number; readonly end: number }[]) =>
  spans.some(({ start, end }) => start - FREEZE_BEFORE < minute && minute < end + FREEZE_AFTER);

/** The versions of a workload, the first from before the recording. A release with a fault is rolled back in the end. */
export function versionsOf(
  workload: FleetWorkload,
  faults: readonly FleetFault[],
  levels: readonly FleetLevel[],
  { minutes }: Span,
): Version[] {
  const { path, profile, isWorkingTime } = workload;
  const draw = new Draw(`${path}/releases`);
  const bad = faults.filter(({ type }) => type === 'release_doubles_cpu');
  const planned = levels.filter(({ change }) => change === 'release');
  const events = [
    ...bad.map(({ start, end, size }) => ({ start, end, level: { cpu: size, memory: 1 }, isFault: true })),
    ...planned.map((level) => ({ start: level.start, end: level.until ?? Infinity, level, isFault: false })),
  ];
  const frozen = [...faults, ...planned.map(({ start, until = start }) => ({ start, end: until }))];
  const wanted = draw
    .times(profile.releasesPerWeek / 7 / 1440, 0, minutes)
    .map((time) => {
      let minute = time;
      while (!isWorkingTime(minute) && minute < minutes) minute += draw.between(20, 200);
      return minute;
    })
    .filter((minute) => !isFrozen(minute, frozen))
    .map((start) => ({ start, end: Infinity, level: undefined, isFault: false }));
  const versions: Version[] = [{ minute: -MONTH, change: undefined, template: 0, cpu: 1, memory: 1 }];
  const all = [...wanted, ...events].sort((a, b) => a.start - b.start);
  for (const [index, { start, end, level, isFault }] of all.entries()) {
    const previous = versions.at(-1) as Version;
    const { cpu, memory } = level ?? drawLevel(new Draw(`${path}/release/${Math.round(start)}`));
    versions.push({
      minute: start,
      change: isFault ? undefined : 'release',
      template: index + 1,
      cpu: previous.cpu * cpu,
      memory: previous.memory * memory,
    });
    if (end < Infinity) versions.push({ ...previous, minute: end, change: isFault ? undefined : 'rollback' });
  }
  return versions;
}

/** By how much a release changes the levels. */
function drawLevel(draw: Draw) {
  const isNewLevel = draw.chance(LEVEL_CHANGE);
  return { cpu: draw.spread(1, isNewLevel ? 0.25 : 0.02), memory: draw.spread(1, isNewLevel ? 0.15 : 0.02) };
}

/** The place of one replica, which one pod after the other fills. */
interface Slot {
  readonly replica: number;
  readonly cause: Cause;
  readonly from: number;
  readonly until: number;
}

function slotsOf({ replicas, replicasMinutes }: FleetWorkload, { minutes }: Span): Slot[] {
  const lasting = { cause: 'start' as const, from: -MONTH, until: Infinity };
  const slots: Slot[] = Array.from({ length: replicas }, (_, replica) => ({ replica, ...lasting }));
  if (replicasMinutes === undefined) return slots;
  for (let replica = replicas; replica < Math.max(...replicasMinutes); replica++) {
    for (let minute = 0; minute < minutes; minute++) {
      if ((replicasMinutes[minute] as number) <= replica) continue;
      const from = minute;
      while (minute < minutes && (replicasMinutes[minute] as number) > replica) minute++;
      const until = minute < minutes ? minute : Infinity;
      slots.push(
        from === 0 ? { replica, cause: 'start', from: -60, until } : { replica, cause: 'scale-up', from, until },
      );
    }
  }
  return slots;
}

/** The pods of a slot, one after the other. */
function livesOf(
  siblings: Siblings,
  { replica, until, ...slot }: Slot,
  versions: readonly Version[],
  drains: readonly Drain[],
): FleetPod[] {
  const { workload, faults, span } = siblings;
  const { path, name, controller } = workload;
  const draw = new Draw(`${path}/${replica}/${Math.round(slot.from)}`);
  const stepMinutes = new Draw(`${path}/rollout`).between(0.3, 1.5);
  const arrivals = versions.map((version) => ({ version, minute: version.minute + replica * stepMinutes }));
  const evictions = draw
    .times(EVICTIONS_PER_DAY / 1440, 0, Math.min(until, span.minutes))
    .map((minute) => ({ minute, node: undefined }));
  const turns = [
    ...arrivals.slice(1).map(({ minute }) => ({ minute, cause: 'rollout' as const, node: undefined })),
    ...[...evictions, ...(controller === 'DaemonSet' ? [] : drains)]
      .filter(({ minute }) => !isFrozen(minute, faults))
      .map((turn) => ({ ...turn, minute: turn.minute + 0.2 * replica, cause: 'replacement' as const })),
  ].sort((a, b) => a.minute - b.minute);
  const isDeployment = controller === 'Deployment';
  const lives: FleetPod[] = [];
  let { from: born, cause } = slot;
  for (;;) {
    const version = (arrivals.findLast(({ minute }) => minute <= born) ?? arrivals[0])?.version as Version;
    const place = `${path}/${replica}/${Math.round(born)}`;
    const key = hashText(place);
    const node = nodeOf(key, span);
    const next = turns.find((turn) => turn.minute > born && turn.minute < until && (turn.node ?? node) === node);
    const end = next === undefined ? until : next.minute + (isDeployment ? OVERLAP : 0);
    const suffix = controller === 'StatefulSet' ? replica : podSuffix(place);
    const template = isDeployment ? `-${templateHash(`${path}/${version.template}`)}` : '';
    const pod = `${name}${template}-${suffix}`;
    lives.push(makePod(siblings, { pod, cause, replica, node, key, born, end, gone: end }, version));
    if (next === undefined) return lives;
    born = next.minute + (isDeployment ? 0 : REPLACEMENT);
    cause = next.cause;
  }
}

/** The runs of a CronJob, by the clock, or of Jobs that are started now and then. */
function runsOf(siblings: Siblings): FleetPod[] {
  const { workload, span } = siblings;
  const { name, path, profile, controller } = workload;
  const { every, runsPerDay, runMinutes } = profile;
  const draw = new Draw(`${path}/runs`);
  const isCron = controller === 'CronJob';
  const starts = isCron
    ? Array.from({ length: Math.ceil(span.minutes / every) + RUNS_KEPT }, (_, i) => (i - RUNS_KEPT) * every)
    : draw.times(runsPerDay / 1440, 0, span.minutes);
  return starts.map((start, index) => {
    const place = `${path}/${index}`;
    const key = hashText(place);
    const born = start + draw.between(0.02, 0.1);
    const end = born + Math.min(draw.spread(runMinutes, 0.25), isCron ? 0.95 * every : Infinity);
    const gone = end + (isCron ? RUNS_KEPT * every : JOB_KEPT);
    const job = isCron ? `${name}-${span.startSeconds / 60 + start}` : name;
    const pod = `${job}-${podSuffix(place)}`;
    const life = { pod, cause: 'run' as const, replica: 0, node: nodeOf(key, span), key, born, end, gone };
    return makePod(siblings, life, { cpu: draw.spread(1, 0.08), memory: draw.spread(1, 0.15) });
  });
}

function activitiesOf({ profile, isWorkingTime }: FleetWorkload, path: string, { minutes }: Span, together: boolean) {
  return [...profile.rhythms.entries()]
    .filter(([, rhythm]) => (rhythm.together ?? false) === together)
    .map(([index, rhythm]) => drawActivities(rhythm, new Draw(`${path}/rhythm/${index}`), minutes, isWorkingTime));
}

function makePod(
  { workload, faults, levels, span, shared }: Siblings,
  life: Life,
  version: Pick<Version, 'cpu' | 'memory'>,
) {
  const { profile, path } = workload;
  const { replica, born, end, cause } = life;
  // The replica of a StatefulSet has its share of the data for good.
  const own = new Draw(`${path}/${workload.controller === 'StatefulSet' ? replica : life.key}/own`);
  const draw = new Draw(`${path}/${life.key}/life`);
  const ofPod = faults.filter(
    (fault) =>
      (fault.replica ?? replica) === replica &&
      fault.start < end &&
      born < fault.end &&
      // Pods of the version before the release are not affected.
      (fault.type !== 'release_doubles_cpu' || fault.start <= born),
  );
  const singles = draw
    .times(profile.restartsPerDay / 1440, Math.max(0, born + 5), Math.min(end, span.minutes))
    .filter((minute) => ofPod.every(({ start, end }) => minute < start - 60 || minute > end + 60))
    .map((from) => ({ from, to: from + draw.between(0.05, 1), isFault: false }));
  const downs = [...singles, ...ofPod.flatMap((fault) => faultDowns(fault, draw))];
  return {
    workload,
    ...life,
    /** What its version and the pod itself make of the workload's levels. */
    cpuFactor: version.cpu * own.spread(1, profile.podSigma),
    memoryFactor: version.memory * own.spread(1, 0.5 * profile.podSigma),
    restarts: cause === 'start' ? profile.restarts : 0,
    /** The ends of its containers, each with the next start, in order of time. */
    downs: downs.sort((a, b) => a.from - b.from),
    faults: ofPod,
    levels,
    activities: [
      ...shared,
      ...activitiesOf(workload, `${path}/${replica}/${Math.round(Math.max(0, born))}`, span, false),
    ],
    heap: teethOf(workload, draw, born, Math.min(end, span.minutes)),
  };
}

/** Collections of a heap: the more load, the sooner the next. */
function teethOf({ profile: { heap }, load }: FleetWorkload, draw: Draw, born: number, end: number) {
  const teeth: { start: number; end: number; floor: number; top: number }[] = [];
  if (heap === undefined) return teeth;
  let start = Math.max(born, -heap.minutes * draw.between(1, 3));
  let floor = 0;
  while (start < end) {
    const pace = Math.max(0.15, load?.[Math.max(0, Math.floor(start))] ?? 1);
    const next = start + draw.spread(heap.minutes, heap.sigma) / pace;
    teeth.push({ start, end: next, floor, top: heap.share * draw.spread(1, 0.1) });
    start = next;
    floor = heap.share * draw.between(0, 0.15);
  }
  return teeth;
}
