/** What a fleet's files say beside its values: faults, normal changes, and which pod is of which workload and kind. */

import { podColumns } from './columns.js';
import { FAULTS, type FleetFault } from './faults.js';
import type { Fleet } from './fleet.js';
import { type FleetPod, versionsOf } from './lives.js';
import type { FleetWorkload } from './workload.js';

/** An entry of `labels.json`, in the form of the public sets: a fault on one of the pods that it hits. */
export type FleetLabel = ReturnType<typeof labelOf>;
/** An entry of `changes.json`: a pod that was restarted or that is new, or a workload with a new level. */
export type FleetChange = ReturnType<typeof fleetChanges>[number];
/** `fleet.json`: what the recording is of. */
export type FleetDescription = ReturnType<typeof describeFleet>;

/** What a pod is compared with: its own last hour, or that of its siblings. */
const HOUR_MINUTES = 60;
/** A pod that is hit for less than that has no label. */
const FEWEST_MINUTES = 5;
/** The rule of the public sets: how many clean samples of the last hour it takes, and how far a value leaves their range. */
const FEWEST_CLEAN_SAMPLES = 5;
const BEYOND_RANGE = 1.25;
const RESTARTS_NEEDED = 2;

export const caseName = ({ seed }: Fleet) => `fleet-${seed}`;

/** Unix time, whole seconds. */
const seconds = (fleet: Fleet, minute: number) => Math.round(fleet.startSeconds + 60 * minute);

const startOf = (pod: FleetPod, fault: FleetFault) => Math.max(pod.born, fault.start);
const endOf = (pod: FleetPod, fault: FleetFault) => Math.min(pod.end, fault.end);

/** One label for each pod of each fault, by the start. */
export function fleetLabels(fleet: Fleet): readonly FleetLabel[] {
  return fleet.pods
    .flatMap((pod) => pod.faults.map((fault) => ({ pod, fault })))
    .filter(({ pod, fault }) => endOf(pod, fault) - startOf(pod, fault) >= FEWEST_MINUTES)
    .map(({ pod, fault }) => labelOf(fleet, pod, fault))
    .sort((a, b) => a.start - b.start);
}

function labelOf(fleet: Fleet, pod: FleetPod, fault: FleetFault) {
  const [start, end] = [startOf(pod, fault), endOf(pod, fault)];
  const isNew = pod.born >= fault.start;
  const compared = isNew ? fleet.pods.filter((one) => one.workload === pod.workload && one.born < fault.start) : [pod];
  const began = Math.ceil(fault.start);
  const before = measured(fleet, compared, began - HOUR_MINUTES, began);
  const during = measured(fleet, [pod], Math.ceil(start), Math.ceil(end));
  const restarts = isNew ? pod.restarts : (before.restarts.at(-1) ?? null);
  const most = maximum(during.restarts);
  return {
    case: caseName(fleet),
    namespace: pod.workload.namespace,
    pod: pod.pod,
    workload: pod.workload.name,
    kind: pod.workload.kind,
    fault_type: fault.type,
    /** The same for all pods of a fault. */
    fault: fault.id,
    title: FAULTS[fault.type].title,
    start: seconds(fleet, start),
    end: seconds(fleet, end),
    /** In the days to learn from: it is there to be met, and not counted. */
    learned: fault.isLearned,
    /** For each column, whether the fault shows in it; `null`: too few clean samples to say. */
    visible: {
      cpu: leavesRange(before.cpu, during.cpu),
      memory: leavesRange(before.memory, during.memory),
      restarts: restarts === null || most === null ? null : most - restarts >= RESTARTS_NEEDED,
    },
    /** What CPU and memory are compared with: the pod's own last hour, or that of its siblings if it is new. */
    visible_against: isNew ? 'siblings' : 'itself',
    n_clean_before: before.count,
    ...(isNew ? { born: seconds(fleet, pod.born) } : {}),
    /** Values before (median of the clean samples) and during the fault; `null` without samples. */
    effect: {
      cpu_cores_before: median(before.cpu),
      cpu_cores_max_during: maximum(during.cpu),
      memory_bytes_before: median(before.memory),
      memory_bytes_max_during: maximum(during.memory),
      restarts_before: restarts,
      restarts_max_during: most,
      cpu_cores_median_during: median(during.cpu),
      memory_bytes_median_during: median(during.memory),
    },
  };
}

/** The values of pods in some minutes. `count` is how many samples have CPU or memory. */
function measured(fleet: Fleet, pods: readonly FleetPod[], from: number, to: number) {
  const columns = pods.map((pod) => podColumns(fleet, pod, from, to));
  const known = (of: (one: (typeof columns)[number]) => Float64Array) =>
    columns.flatMap((one) => [...of(one)].filter((value) => !Number.isNaN(value)));
  return {
    cpu: known(({ cpuCores }) => cpuCores),
    memory: known(({ memoryBytes }) => memoryBytes),
    restarts: known(({ restarts }) => restarts),
    count: known(({ cpuCores, memoryBytes }) =>
      cpuCores.map((cores, i) => (Number.isNaN(cores) ? (memoryBytes[i] as number) : cores)),
    ).length,
  };
}

/** Whether some value lies beyond the range of the clean ones by more than a quarter, up or down. */
function leavesRange(clean: readonly number[], during: readonly number[]): boolean | null {
  if (clean.length < FEWEST_CLEAN_SAMPLES || during.length === 0) return null;
  return (
    Math.max(...during) > BEYOND_RANGE * Math.max(...clean) || Math.min(...during) < Math.min(...clean) / BEYOND_RANGE
  );
}

const maximum = (values: readonly number[]) => (values.length === 0 ? null : Math.max(...values));

/** The lower one of the two in the middle. */
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null;

/**
 * New pods and single restarts that belong to no fault, releases and shifts, by time. Runs of jobs are what those
 * workloads are.
 */
export function fleetChanges(fleet: Fleet) {
  const ofPods = fleet.pods.flatMap(({ pod, workload, ...life }) =>
    changesOf(life).map(({ change, minute }) => ({ workload, minute, pod, change })),
  );
  const ofWorkloads = fleet.workloads.flatMap((workload) =>
    levelsOf(fleet, workload).map(({ minute, ...change }) => ({ workload, minute, ...change })),
  );
  return [...ofPods, ...ofWorkloads]
    .filter(({ minute }) => 0 <= minute && minute < fleet.minutes)
    .map(({ workload: { namespace, name, kind }, minute, ...change }) => ({
      case: caseName(fleet),
      namespace,
      workload: name,
      kind,
      ...change,
      start: seconds(fleet, minute),
    }))
    .sort((a, b) => a.start - b.start);
}

function changesOf({ cause, born, downs, faults }: Pick<FleetPod, 'cause' | 'born' | 'downs' | 'faults'>) {
  const isFaulty = faults.some((fault) => fault.start <= born);
  return [
    ...(cause === 'start' || cause === 'run' || isFaulty ? [] : [{ change: cause, minute: born }]),
    ...downs.flatMap(({ isFault, from }) => (isFault ? [] : { change: 'restart' as const, minute: from })),
  ];
}

/** Changes of level that belong to no fault: what the usual CPU and memory of a workload are multiplied by from then on. */
function levelsOf(fleet: Fleet, workload: FleetWorkload) {
  const faults = fleet.faults.filter((fault) => fault.workload === workload);
  const levels = fleet.levels.filter((level) => level.workload === workload);
  const versions = versionsOf(workload, faults, levels, fleet);
  const releases = versions.flatMap(({ change, minute, cpu, memory }, index) => {
    const previous = versions[index - 1];
    if (change === undefined || previous === undefined) return [];
    return { change, minute, cpu_factor: cpu / previous.cpu, memory_factor: memory / previous.memory };
  });
  const shifts = levels
    .filter(({ change }) => change === 'shift')
    .map(({ change, start, cpu, memory }) => ({ change, minute: start, cpu_factor: cpu, memory_factor: memory }));
  return [...releases, ...shifts];
}

export function describeFleet(fleet: Fleet) {
  const { seed, minutes, learningMinutes, workloads, pods } = fleet;
  return {
    case: caseName(fleet),
    seed,
    start: seconds(fleet, 0),
    /** The end of the days that are there to be learned from. */
    learned_until: seconds(fleet, learningMinutes),
    end: seconds(fleet, minutes),
    workloads: workloads.map((workload) => ({
      namespace: workload.namespace,
      workload: workload.name,
      // In reports, their false messages stand apart from those of their kind.
      kind: workload.hasDailyJob ? 'daily-job' : workload.kind,
      controller: workload.controller,
      /** Names of all pods that it ever has. */
      pods: [...new Set(pods.filter((pod) => pod.workload === workload).map(({ pod }) => pod))],
    })),
  };
}
