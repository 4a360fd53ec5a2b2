/** What a fleet's files say beside its values: faults, normal changes, and which pod is of which workload and kind. */

import { podColumns } from './columns.js';
import { type Effect, effectOf, type Label, type Measured, visibility } from './effect.js';
import { definitionOf, type FleetFault } from './faults.js';
import type { Fleet } from './fleet.js';
import type { KindName } from './kinds.js';
import type { FleetPod } from './lives.js';

/** An entry of `labels.json`: a fault on one of the pods that it hits. */
export interface FleetLabel extends Label {
  readonly kind: KindName;
  /** The same for all pods of a fault. */
  readonly fault: string;
  /** In the days to learn from: it is there to be met, and not counted. */
  readonly learned: boolean;
  readonly effect: Effect & {
    readonly cpu_cores_median_during: number | null;
    readonly memory_bytes_median_during: number | null;
  };
}

/** An entry of `changes.json`. */
export interface FleetChange {
  readonly case: string;
  readonly namespace: string;
  /** The pod that was restarted, or that is new. */
  readonly pod: string;
  readonly workload: string;
  readonly kind: KindName;
  readonly change: 'restart' | 'rollout' | 'scale-up' | 'replacement';
  /** Unix time, whole seconds. */
  readonly start: number;
}

/** What a pod is compared with: its own last hour, or that of its siblings. */
const HOUR_MINUTES = 60;
/** A pod that is hit for less than that has no label. */
const FEWEST_MINUTES = 5;

/** Name of the recording. */
export const caseName = ({ seed }: Fleet) => `fleet-${seed}`;

const seconds = (fleet: Fleet, minute: number) => Math.round(fleet.startSeconds + 60 * minute);

/** One label for each pod of each fault, by the start. */
export function fleetLabels(fleet: Fleet): readonly FleetLabel[] {
  return fleet.pods
    .flatMap((pod) => pod.faults.map((fault) => ({ pod, fault })))
    .filter(({ pod, fault }) => endOf(pod, fault) - startOf(pod, fault) >= FEWEST_MINUTES)
    .map(({ pod, fault }) => labelOf(fleet, pod, fault))
    .sort((a, b) => a.start - b.start);
}

const startOf = (pod: FleetPod, fault: FleetFault) => Math.max(pod.born, fault.start);
const endOf = (pod: FleetPod, fault: FleetFault) => Math.min(pod.end, fault.end);

function labelOf(fleet: Fleet, pod: FleetPod, fault: FleetFault): FleetLabel {
  const start = startOf(pod, fault);
  const during = measured(fleet, pod, Math.ceil(start), Math.ceil(endOf(pod, fault)));
  const isNew = pod.born >= fault.start;
  const compared = isNew
    ? fleet.pods.filter((one) => one.workload === pod.workload && one.born < fault.start)
    : [pod];
  const hour = compared.flatMap((one) =>
    measured(fleet, one, Math.ceil(fault.start) - HOUR_MINUTES, Math.ceil(fault.start)),
  );
  const before = hour.filter(({ cpuCores, memoryBytes }) => (cpuCores ?? memoryBytes) !== undefined);
  const restarts = isNew ? pod.restarts : (hour.at(-1)?.restarts ?? null);
  return {
    case: caseName(fleet),
    namespace: pod.workload.namespace,
    pod: pod.pod,
    workload: pod.workload.name,
    kind: pod.workload.kind,
    fault_type: fault.type,
    fault: fault.id,
    title: definitionOf(fault.type).title,
    start: seconds(fleet, start),
    end: seconds(fleet, endOf(pod, fault)),
    learned: fault.isLearned,
    visible: visibility(before, during, restarts),
    visible_against: isNew ? 'siblings' : 'itself',
    n_clean_before: before.length,
    ...(isNew ? { born: seconds(fleet, pod.born) } : {}),
    effect: {
      ...effectOf(before, during, restarts),
      cpu_cores_median_during: median(during.flatMap(({ cpuCores }) => cpuCores ?? [])),
      memory_bytes_median_during: median(during.flatMap(({ memoryBytes }) => memoryBytes ?? [])),
    },
  };
}

/** The minutes of a stretch in which the pod is known. */
function measured(fleet: Fleet, pod: FleetPod, from: number, to: number): Measured[] {
  const { cpuCores, memoryBytes, restarts } = podColumns(fleet, pod, from, to);
  const known = (value: number | undefined) => (Number.isNaN(value) ? undefined : value);
  return [...restarts].flatMap((count, i) =>
    Number.isNaN(count)
      ? []
      : [{ cpuCores: known(cpuCores[i]), memoryBytes: known(memoryBytes[i]), restarts: count }],
  );
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null;

/** New pods and single restarts that belong to no fault, by time. Runs of jobs are what those workloads are. */
export function fleetChanges(fleet: Fleet): readonly FleetChange[] {
  return fleet.pods
    .flatMap((pod) => changesOf(pod).map((change) => ({ pod, ...change })))
    .filter(({ minute }) => 0 <= minute && minute < fleet.minutes)
    .map(({ pod: { pod, workload }, change, minute }) => ({
      case: caseName(fleet),
      namespace: workload.namespace,
      pod,
      workload: workload.name,
      kind: workload.kind,
      change,
      start: seconds(fleet, minute),
    }))
    .sort((a, b) => a.start - b.start);
}

function changesOf({ cause, born, downs, faults }: FleetPod) {
  const restarts = downs.filter(({ isFault }) => !isFault);
  const isFaulty = faults.some((fault) => fault.start <= born);
  return [
    ...(cause === 'start' || cause === 'run' || isFaulty ? [] : [{ change: cause, minute: born }]),
    ...restarts.map(({ from }) => ({ change: 'restart' as const, minute: from })),
  ];
}

/** `fleet.json`: what the recording is of. */
export interface FleetDescription {
  readonly case: string;
  readonly seed: number;
  /** Unix times: of the start, of the end of the days that are there to be learned from, and of the end. */
  readonly start: number;
  readonly learned_until: number;
  readonly end: number;
  readonly workloads: readonly {
    readonly namespace: string;
    readonly workload: string;
    readonly kind: KindName;
    readonly controller: string;
    /** Names of all pods that it ever has. */
    readonly pods: readonly string[];
  }[];
}

export function describeFleet(fleet: Fleet): FleetDescription {
  const { seed, minutes, learningMinutes, workloads, pods } = fleet;
  return {
    case: caseName(fleet),
    seed,
    start: seconds(fleet, 0),
    learned_until: seconds(fleet, learningMinutes),
    end: seconds(fleet, minutes),
    workloads: workloads.map((workload) => ({
      namespace: workload.namespace,
      workload: workload.name,
      kind: workload.kind,
      controller: workload.controller,
      pods: [...new Set(pods.filter((pod) => pod.workload === workload).map(({ pod }) => pod))],
    })),
  };
}
