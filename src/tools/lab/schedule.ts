/** When what befalls which pods of a case: spaced so that normal time is left, and drawn from a seed. */

import type { Replacement, Scaling } from '../simulation/changes.js';
import type { IncidentKind, ScriptedIncident } from '../simulation/incidents.js';
import { hashText, uniform } from '../simulation/random.js';
import { DATABASE, type Rollout, type WorkloadSpec } from '../simulation/workloads.js';
import { SIMULATED_WORKLOADS } from './simulated-workloads.js';

/** What happens in a case. Offsets count from its start. */
export interface Schedule {
  readonly incidents: readonly ScriptedIncident[];
  readonly rollouts: readonly Rollout[];
  readonly scalings: readonly Scaling[];
  readonly replacements: readonly Replacement[];
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** The protocol ignores the first hour; the minute before a fault is ignored as well. */
const FIRST_SECONDS = 65 * MINUTE;

/** Time without faults and changes for a pod, and for the workload of a change, so that its last hour is clean. */
const REST_SECONDS = 75 * MINUTE;

/** What goes wrong, in turn. Where a container waits between its runs, the end lies within a run. */
const FAULTS: readonly { readonly kind: IncidentKind; readonly seconds: number }[] = [
  { kind: 'crash-loop', seconds: 12 * MINUTE },
  { kind: 'runaway-cpu', seconds: 6 * MINUTE },
  { kind: 'heavy-from-birth', seconds: 17 * MINUTE },
  { kind: 'oom-kill', seconds: 550 },
  { kind: 'memory-leak', seconds: 9 * MINUTE },
  { kind: 'cpu-stress', seconds: 8 * MINUTE },
  { kind: 'bad-replica', seconds: 10 * MINUTE },
  { kind: 'memory-stress', seconds: 8 * MINUTE },
  { kind: 'busy-from-birth', seconds: 17 * MINUTE },
  { kind: 'slow-leak', seconds: 14 * MINUTE },
  { kind: 'failing-start', seconds: 765 },
];

/** One replica is unlike its siblings where it has at least two of them. */
const SIBLINGS_NEEDED: Partial<Record<IncidentKind, number>> = { 'bad-replica': 3 };

/** Faults come in groups at this interval: the ignored times around them overlap. */
const GROUP_SECONDS = 40 * MINUTE;
const GROUP_SIZE = 3;
const GROUP_STEP_SECONDS = 40;
/** By then everything of a group, and what is ignored after it, is over. */
const GROUP_QUIET_SECONDS = 28 * MINUTE;

/** Changes alone come so often. */
const CHANGE_SECONDS = 12 * MINUTE;

/** A container that was restarted once is as before within that time. */
const RESTART_SECONDS = 10 * MINUTE;
const SCALE_UP_SECONDS = 80 * MINUTE;

/** The same pods at fault for four of every twenty minutes. */
const REPEATED_SECONDS = 20 * MINUTE;
const REPEATED_FAULT_SECONDS = 4 * MINUTE;
const REPEATED: readonly { readonly kind: IncidentKind; readonly workload: string }[] = [
  { kind: 'cpu-stress', workload: 'shop/cart' },
  { kind: 'memory-stress', workload: 'shop/catalog' },
  { kind: 'crash-loop', workload: 'platform/log-shipper' },
  { kind: 'runaway-cpu', workload: 'auth/token-issuer' },
];

/** How many faults `faultSchedule` plans, if it finds a pod for each. */
export function faultCount(hours: number): number {
  return GROUP_SIZE * Math.max(0, Math.floor((hours * HOUR - FIRST_SECONDS) / GROUP_SECONDS));
}

/**
 * Groups of three faults every 40 minutes, and between them normal changes.
 *
 * @param first How many faults earlier cases had: the kinds take turns from there.
 */
export function faultSchedule(seed: number, hours: number, first: number): Schedule {
  const planner = new Planner(seed);
  for (let index = 0; index < faultCount(hours); index += GROUP_SIZE) {
    const group = FIRST_SECONDS + (index / GROUP_SIZE) * GROUP_SECONDS;
    const begin = group + planner.between(0, 2 * MINUTE);
    for (let i = 0; i < GROUP_SIZE; i++) {
      const { kind, seconds } = FAULTS[(first + index + i) % FAULTS.length] as (typeof FAULTS)[number];
      planner.fault(kind, begin + i * GROUP_STEP_SECONDS + planner.between(0, 20), seconds);
    }
    planner.restart(group + GROUP_QUIET_SECONDS + planner.between(0, MINUTE));
    planner.change((first + index) / GROUP_SIZE, group + GROUP_QUIET_SECONDS + planner.between(0, MINUTE));
  }
  return planner;
}

/** No fault at all, but a change every 12 minutes. */
export function changeSchedule(seed: number, hours: number): Schedule {
  const planner = new Planner(seed);
  for (let i = 0; FIRST_SECONDS + (i + 1) * CHANGE_SECONDS <= hours * HOUR; i++) {
    const start = FIRST_SECONDS + i * CHANGE_SECONDS + planner.between(0, 2 * MINUTE);
    planner.restart(start);
    planner.change(i, start);
  }
  return planner;
}

/** The same pods at fault again and again. */
export function repeatedSchedule(seed: number, hours: number): Schedule {
  const key = hashText(`${seed}/repeated`);
  const incidents = REPEATED.flatMap(({ kind, workload: path }, row): ScriptedIncident[] => {
    const spec = SIMULATED_WORKLOADS.find((one) => pathOf(one) === path) as WorkloadSpec;
    const replica = Math.floor(uniform(key, row) * spec.replicas);
    const times = Math.floor((hours * HOUR - FIRST_SECONDS) / REPEATED_SECONDS);
    return Array.from({ length: times }, (_, i) => {
      const start = FIRST_SECONDS + i * REPEATED_SECONDS + Math.floor(90 * uniform(key + 1 + row, i));
      return {
        kind,
        namespace: spec.namespace,
        workload: spec.name,
        replica,
        startOffsetSeconds: start,
        endOffsetSeconds: start + REPEATED_FAULT_SECONDS,
      };
    });
  });
  return { ...NOTHING, incidents };
}

/** Nothing but the usual. */
export const NOTHING: Schedule = { incidents: [], rollouts: [], scalings: [], replacements: [] };

const pathOf = ({ namespace, name }: WorkloadSpec) => `${namespace}/${name}`;
const isLasting = ({ kind }: WorkloadSpec) => kind !== 'Job' && kind !== 'CronJob';
const isDatabase = ({ namespace, name }: WorkloadSpec) =>
  namespace === DATABASE.namespace && DATABASE.pod.startsWith(name);

/** Draws targets that nothing has happened to of late. Events must be added in order of time. */
class Planner implements Schedule {
  readonly incidents: ScriptedIncident[] = [];
  readonly rollouts: Rollout[] = [];
  readonly scalings: Scaling[] = [];
  readonly replacements: Replacement[] = [];
  readonly #key: number;
  #draws = 0;
  /** When replicas and whole workloads were last busy, seconds from the start. */
  readonly #busyUntil = new Map<string, number>();

  constructor(seed: number) {
    this.#key = hashText(`${seed}/schedule`);
  }

  /** A whole number from `low` to below `high`. */
  between(low: number, high: number): number {
    return low + Math.floor(uniform(this.#key, this.#draws++) * (high - low));
  }

  /** A fault on some pod; one from birth brings its pod with it, and goes with it. */
  fault(kind: IncidentKind, start: number, seconds: number): void {
    if (kind.endsWith('-from-birth')) this.#badNewcomer(kind, start, seconds);
    else this.#incident(kind, start, seconds, SIBLINGS_NEEDED[kind] ?? 1);
  }

  /** A container is restarted, once, and all is well. */
  restart(start: number): void {
    this.#incident('benign-restart', start, RESTART_SECONDS, 1);
  }

  /** A change of the kind that is next in turn. */
  change(turn: number, start: number): void {
    const changes = [
      () => this.#rollout(start),
      () => this.#scaleUp(start),
      () => this.#replacement('Deployment', start),
      () => this.#replacement('StatefulSet', start),
    ];
    changes[turn % changes.length]?.();
  }

  #incident(kind: IncidentKind, start: number, seconds: number, siblings: number): void {
    const target = this.#pick(
      start,
      SIMULATED_WORKLOADS.filter((spec) => isLasting(spec) && !isDatabase(spec) && spec.replicas >= siblings),
    );
    if (target === undefined) return;
    const { spec, replica } = target;
    this.#busyUntil.set(`${pathOf(spec)}/${replica}`, start + seconds);
    this.#addIncident(kind, spec, replica, start, seconds);
  }

  #badNewcomer(kind: IncidentKind, start: number, seconds: number): void {
    const spec = this.#pickDeployment(start);
    if (spec === undefined) return;
    const replica = this.#addScaling(spec, 1, start, start + seconds);
    this.#addIncident(kind, spec, replica, start, seconds);
  }

  #rollout(start: number): void {
    const spec = this.#pickDeployment(start);
    if (spec === undefined) return;
    this.rollouts.push({ namespace: spec.namespace, workload: spec.name, startOffsetSeconds: start });
  }

  #scaleUp(start: number): void {
    const spec = this.#pickDeployment(start);
    if (spec === undefined) return;
    this.#addScaling(spec, this.between(1, 4), start, start + SCALE_UP_SECONDS);
  }

  /** Of StatefulSets the one whose restart counters stand highest, as they fall to 0. */
  #replacement(kind: WorkloadSpec['kind'], start: number): void {
    const specs = SIMULATED_WORKLOADS.filter((spec) => spec.kind === kind && !isDatabase(spec));
    const highest = specs.toSorted((a, b) => (b.restarts ?? 0) - (a.restarts ?? 0)).slice(0, 1);
    const target = this.#pick(start, kind === 'StatefulSet' ? highest : specs) ?? this.#pick(start, specs);
    if (target === undefined) return;
    const { spec, replica } = target;
    this.#busyUntil.set(`${pathOf(spec)}/${replica}`, start);
    this.replacements.push({
      namespace: spec.namespace,
      workload: spec.name,
      replica,
      startOffsetSeconds: start,
    });
  }

  #addIncident(
    kind: IncidentKind,
    { namespace, name }: WorkloadSpec,
    replica: number,
    start: number,
    seconds: number,
  ): void {
    this.incidents.push({
      kind,
      namespace,
      workload: name,
      replica,
      startOffsetSeconds: start,
      endOffsetSeconds: start + seconds,
    });
  }

  /** @returns the first of the new replicas: they count on from all that there ever were. */
  #addScaling(spec: WorkloadSpec, replicas: number, start: number, end: number): number {
    const { namespace, name: workload } = spec;
    const earlier = this.scalings.filter((one) => one.namespace === namespace && one.workload === workload);
    this.scalings.push({ namespace, workload, replicas, startOffsetSeconds: start, endOffsetSeconds: end });
    return spec.replicas + earlier.reduce((sum, one) => sum + one.replicas, 0);
  }

  /** A Deployment with siblings to compare with, none of which anything has happened to of late. */
  #pickDeployment(start: number): WorkloadSpec | undefined {
    const quiet = SIMULATED_WORKLOADS.filter(
      (spec) =>
        spec.kind === 'Deployment' &&
        spec.replicas > 1 &&
        Array.from({ length: spec.replicas }, (_, replica) => replica).every((replica) =>
          this.#isFree(spec, replica, start),
        ),
    );
    const spec = quiet[this.between(0, quiet.length)];
    if (spec !== undefined) this.#busyUntil.set(pathOf(spec), start);
    return spec;
  }

  #pick(start: number, specs: readonly WorkloadSpec[]): { spec: WorkloadSpec; replica: number } | undefined {
    const free = specs.flatMap((spec) =>
      Array.from({ length: spec.replicas }, (_, replica) => ({ spec, replica })).filter(({ replica }) =>
        this.#isFree(spec, replica, start),
      ),
    );
    return free[this.between(0, free.length)];
  }

  #isFree(spec: WorkloadSpec, replica: number, start: number): boolean {
    const path = pathOf(spec);
    return [path, `${path}/${replica}`].every(
      (key) => (this.#busyUntil.get(key) ?? -Infinity) + REST_SECONDS < start,
    );
  }
}
