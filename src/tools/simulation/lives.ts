/** Which pods exist: their owners, names and lifetimes. */

import type { Cause, Replacement, Scaling } from './changes.js';
import { podSuffix, templateHash, uid } from './names.js';
import type { PodState } from './pod-state.js';
import { hashText, uniform } from './random.js';
import type { Rollout, WorkloadSpec } from './workloads.js';

/** A pod from its birth to its end. */
export interface PodLife extends Omit<PodState, 'containers'> {
  readonly spec: WorkloadSpec;
  readonly replica: number;
  /** Seed of its noise. */
  readonly key: number;
  readonly cause: Cause;
  /** Restarts of its main container before the simulation. */
  readonly restarts: number;
  readonly bornSeconds: number;
  /** From this time on nothing runs in it. */
  readonly endSeconds: number;
  /** From this time on the API server does not know it. */
  readonly goneSeconds: number;
}

/** Pods that are older than the simulation were created this long before it. */
const MONTH_SECONDS = 30 * 86_400;
/** In a rollout: from one replaced pod to the next, and how long the old and the new one run together. */
const ROLLOUT_STEP_SECONDS = 20;
const ROLLOUT_OVERLAP_SECONDS = 10;
/** Time until a replaced pod is running again, and how long the API server keeps an evicted pod, which runs nothing. */
const REPLACEMENT_SECONDS = 8;
const EVICTED_KEPT_SECONDS = 20 * 60;
/** Defaults: how long a Job has been running at the start, and how long its completed pod is kept. */
const JOB_AGE_SECONDS = 3 * 86_400;
const JOB_KEPT_SECONDS = 86_400;
/** A CronJob keeps the pods of its last three runs (`successfulJobsHistoryLimit`). */
const KEPT_RUNS = 3;

/** What the lifetimes depend on. */
export interface LivesOptions {
  readonly seed: number;
  /** Unix time. The offsets of changes are relative to it. */
  readonly startSeconds: number;
  readonly rollouts: readonly Rollout[];
  readonly scalings: readonly Scaling[];
  readonly replacements: readonly Replacement[];
  /** Factor by which changes come and proceed faster. */
  readonly speed: number;
}

/** All pods that a workload ever has, except the runs of a CronJob, which have no end. */
export function lastingPods(spec: WorkloadSpec, options: LivesOptions): PodLife[] {
  switch (spec.kind) {
    case 'CronJob':
      return [];
    case 'Job':
      return [jobPod(spec, options)];
    default:
      return slotsOf(spec, options).flatMap((slot) => podsOfSlot(spec, slot, options));
  }
}

/** The pod of a Job: it completes and is kept for a while. */
function jobPod(spec: WorkloadSpec, { seed, startSeconds }: LivesOptions): PodLife {
  const born = startSeconds + (spec.startOffsetSeconds ?? -JOB_AGE_SECONDS);
  const end = born + (spec.runSeconds ?? Infinity);
  return makeLife(spec, seed, {
    pod: `${spec.name}-${podSuffix(`${seed}/${spec.namespace}/${spec.name}/0`)}`,
    owner: { kind: spec.kind, name: spec.name },
    ownersOwner: undefined,
    replica: 0,
    cause: 'start',
    restarts: 0,
    bornSeconds: born,
    endSeconds: end,
    goneSeconds: end + JOB_KEPT_SECONDS,
  });
}

/** The place of one replica, filled by one pod after the other. */
interface Slot {
  readonly replica: number;
  readonly cause: Cause;
  readonly fromSeconds: number;
  readonly untilSeconds: number;
}

/** The original replicas, then those of each scale-up. */
function slotsOf(spec: WorkloadSpec, { startSeconds, scalings, speed }: LivesOptions): Slot[] {
  const added = scalings
    .filter((scaling) => isOf(spec, scaling))
    .sort((a, b) => a.startOffsetSeconds - b.startOffsetSeconds)
    .flatMap(({ replicas, startOffsetSeconds, endOffsetSeconds = Infinity }) =>
      Array.from({ length: replicas }, () => ({
        cause: 'scale-up' as const,
        fromSeconds: startSeconds + startOffsetSeconds / speed,
        untilSeconds: startSeconds + endOffsetSeconds / speed,
      })),
    );
  const first = {
    cause: 'start',
    fromSeconds: startSeconds - MONTH_SECONDS,
    untilSeconds: Infinity,
  } as const;
  return [...Array.from({ length: spec.replicas }, () => first), ...added].map((slot, replica) => ({
    ...slot,
    replica,
  }));
}

/** When one pod of a slot follows another. Unix seconds. */
interface Turn {
  readonly cause: Cause;
  readonly bornSeconds: number;
  /** When the previous pod ends, and when the API server forgets it. */
  readonly previousEndSeconds: number;
  readonly previousGoneSeconds: number;
}

/** What happens to a slot while it exists, in order of time. */
function turnsOf(spec: WorkloadSpec, slot: Slot, options: LivesOptions): Turn[] {
  const { startSeconds, speed } = options;
  const rollouts = rolloutTimes(spec, slot.replica, options).map((born) => {
    const gone = born + ROLLOUT_OVERLAP_SECONDS / speed;
    return {
      cause: 'rollout' as const,
      bornSeconds: born,
      previousEndSeconds: gone,
      previousGoneSeconds: gone,
    };
  });
  // Two pods cannot have the same name, so the old pod of a StatefulSet must be gone first.
  const keptSeconds = spec.kind === 'StatefulSet' ? 0 : EVICTED_KEPT_SECONDS;
  const replacements = options.replacements
    .filter((replacement) => isOf(spec, replacement) && replacement.replica === slot.replica)
    .map(({ startOffsetSeconds }) => {
      const end = startSeconds + startOffsetSeconds / speed;
      return {
        cause: 'replacement' as const,
        bornSeconds: end + REPLACEMENT_SECONDS,
        previousEndSeconds: end,
        previousGoneSeconds: end + keptSeconds,
      };
    });
  return [...rollouts, ...replacements]
    .filter(({ bornSeconds }) => slot.fromSeconds < bornSeconds && bornSeconds < slot.untilSeconds)
    .sort((a, b) => a.bornSeconds - b.bornSeconds);
}

/** When each new version of a Deployment reaches a replica: one after the other. Other kinds have no rollouts. */
function rolloutTimes(spec: WorkloadSpec, replica: number, options: LivesOptions): number[] {
  const { startSeconds, rollouts, speed } = options;
  return rollouts
    .filter((rollout) => spec.kind === 'Deployment' && isOf(spec, rollout))
    .map(({ startOffsetSeconds }) => startSeconds + startOffsetSeconds / speed)
    .map((start) => start + (replica * ROLLOUT_STEP_SECONDS) / speed)
    .sort((a, b) => a - b);
}

/** The pods that fill a slot, one after the other. */
function podsOfSlot(spec: WorkloadSpec, slot: Slot, options: LivesOptions): PodLife[] {
  const { replica, cause, fromSeconds, untilSeconds } = slot;
  const turns = turnsOf(spec, slot, options);
  const births = [{ cause, bornSeconds: fromSeconds }, ...turns];
  const rollouts = rolloutTimes(spec, replica, options);
  return births.map((birth, index) => {
    const next = turns[index];
    // Replacements since the last new version: each gets another name.
    const sinceRollout = births.slice(0, index + 1).findLastIndex((one) => one.cause !== 'replacement');
    return makeLife(spec, options.seed, {
      ...nameOf(spec, options.seed, {
        revision: rollouts.filter((time) => time <= birth.bornSeconds).length,
        replica,
        replacement: index - sinceRollout,
      }),
      replica,
      cause: birth.cause,
      restarts: birth.cause === 'start' ? (spec.restarts ?? 0) : 0,
      bornSeconds: birth.bornSeconds,
      endSeconds: next?.previousEndSeconds ?? untilSeconds,
      goneSeconds: next?.previousGoneSeconds ?? untilSeconds,
    });
  });
}

/** Version, replica and replacement number of a pod, each from 0. */
interface Place {
  readonly revision: number;
  readonly replica: number;
  readonly replacement: number;
}

/**
 * Each revision of a Deployment has a ReplicaSet and pods of its own. The pods of a StatefulSet are numbered, those of
 * a DaemonSet get a suffix.
 */
function nameOf(
  spec: WorkloadSpec,
  seed: number,
  { revision, replica, replacement }: Place,
): Pick<PodLife, 'pod' | 'owner' | 'ownersOwner' | 'uid'> {
  const { namespace, name, kind } = spec;
  const path = `${seed}/${namespace}/${name}`;
  const again = replacement === 0 ? '' : `/${replacement}`;
  const identify = (pod: string) => ({ pod, uid: uid(`${seed}/${namespace}/${pod}${again}`) });
  if (kind === 'Deployment') {
    const replicaSet = `${name}-${templateHash(`${path}/${revision}`)}`;
    return {
      ...identify(`${replicaSet}-${podSuffix(`${path}/${revision}/${replica}${again}`)}`),
      owner: { kind: 'ReplicaSet', name: replicaSet },
      ownersOwner: { kind, name },
    };
  }
  const suffix = kind === 'StatefulSet' ? replica : podSuffix(`${path}/${replica}${again}`);
  return { ...identify(`${name}-${suffix}`), owner: { kind, name }, ownersOwner: undefined };
}

const isOf = (spec: WorkloadSpec, change: { readonly namespace: string; readonly workload: string }) =>
  change.namespace === spec.namespace && change.workload === spec.name;

/** The runs of a CronJob that may exist at an instant. A Job is named after its scheduled minute. */
export function cronJobPods(spec: WorkloadSpec, seed: number, timeSeconds: number): PodLife[] {
  const every = 60 * (spec.everyMinutes ?? 60);
  const latest = Math.floor(timeSeconds / every);
  return Array.from({ length: KEPT_RUNS + 1 }, (_, i) => {
    const scheduled = (latest - i) * every;
    const job = `${spec.name}-${scheduled / 60}`;
    const pod = `${job}-${podSuffix(`${seed}/${spec.namespace}/${job}`)}`;
    const run = (spec.runSeconds ?? every / 2) * (0.8 + 0.4 * uniform(hashText(pod), 0));
    return makeLife(spec, seed, {
      pod,
      owner: { kind: 'Job', name: job },
      ownersOwner: { kind: 'CronJob', name: spec.name },
      replica: 0,
      cause: 'start',
      restarts: 0,
      bornSeconds: scheduled,
      endSeconds: scheduled + run,
      goneSeconds: scheduled + KEPT_RUNS * every + run,
    });
  });
}

/** @param life without a `uid` it is derived from the name, which must then be unique. */
function makeLife(
  spec: WorkloadSpec,
  seed: number,
  life: Omit<PodLife, 'spec' | 'namespace' | 'uid' | 'key'> & { readonly uid?: string },
): PodLife {
  const path = `${seed}/${spec.namespace}/${life.pod}`;
  return { uid: uid(path), ...life, spec, namespace: spec.namespace, key: hashText(path) };
}
