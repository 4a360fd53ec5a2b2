/** Which pods there are: who makes them, what they are called, and how long they live. */

import type { PodState } from './cluster.js';
import { podSuffix, templateHash, uid } from './names.js';
import { hashText, uniform } from './random.js';
import type { Rollout, WorkloadSpec } from './workloads.js';

/** A pod from its birth to its end. */
export interface PodLife extends Omit<PodState, 'containers'> {
  readonly spec: WorkloadSpec;
  readonly replica: number;
  /** Seed of its noise. */
  readonly key: number;
  readonly bornSeconds: number;
  /** From then on nothing runs any more. */
  readonly endSeconds: number;
  /** From then on the API server does not know it any more. */
  readonly goneSeconds: number;
}

/** Pods that are older than the simulation were made a month before it. */
const MONTH_SECONDS = 30 * 86_400;
/** In a rollout, from one replaced pod to the next; and how long the old one lives on beside the new one. */
const ROLLOUT_STEP_SECONDS = 20;
const ROLLOUT_OVERLAP_SECONDS = 10;
/** The Job had been running for so long at the start, and its pod is kept for so long once completed. */
const JOB_AGE_SECONDS = 3 * 86_400;
const JOB_KEPT_SECONDS = 86_400;
/** A CronJob keeps the pods of its last three runs (`successfulJobsHistoryLimit`). */
const KEPT_RUNS = 3;

/** What the lives depend on. */
export interface LivesOptions {
  readonly seed: number;
  /** Unix time from which the offsets of rollouts count. */
  readonly startSeconds: number;
  readonly rollouts: readonly Rollout[];
  /** Rollouts come and proceed so many times faster. */
  readonly speed: number;
}

/** All pods that a workload ever has, but for the runs of a CronJob, which are without end. */
export function lastingPods(spec: WorkloadSpec, options: LivesOptions): PodLife[] {
  switch (spec.kind) {
    case 'Deployment':
      return deploymentPods(spec, options);
    case 'CronJob':
      return [];
    default:
      return namedPods(spec, options);
  }
}

/** Each revision of a Deployment has a ReplicaSet and pods of its own, which replace those of the revision before. */
function deploymentPods(spec: WorkloadSpec, options: LivesOptions): PodLife[] {
  const { seed, startSeconds, rollouts, speed } = options;
  const path = `${seed}/${spec.namespace}/${spec.name}`;
  const rolledOut = rollouts
    .filter(({ namespace, workload }) => namespace === spec.namespace && workload === spec.name)
    .map(({ startOffsetSeconds }) => startSeconds + startOffsetSeconds / speed)
    .sort((a, b) => a - b);
  return [startSeconds - MONTH_SECONDS, ...rolledOut].flatMap((start, revision) => {
    const replicaSet = `${spec.name}-${templateHash(`${path}/${revision}`)}`;
    const next = rolledOut[revision] ?? Infinity;
    return replicasOf(spec, (replica) => {
      const delay = (replica * ROLLOUT_STEP_SECONDS) / speed;
      const gone = next + delay + ROLLOUT_OVERLAP_SECONDS / speed;
      return makeLife(spec, seed, {
        pod: `${replicaSet}-${podSuffix(`${path}/${revision}/${replica}`)}`,
        owner: { kind: 'ReplicaSet', name: replicaSet },
        ownersOwner: { kind: 'Deployment', name: spec.name },
        replica,
        bornSeconds: start + delay,
        endSeconds: gone,
        goneSeconds: gone,
      });
    });
  });
}

/** The pods of a StatefulSet are numbered, those of a DaemonSet or a Job get a suffix. */
function namedPods(spec: WorkloadSpec, { seed, startSeconds }: LivesOptions): PodLife[] {
  const path = `${seed}/${spec.namespace}/${spec.name}`;
  const born = startSeconds - (spec.kind === 'Job' ? JOB_AGE_SECONDS : MONTH_SECONDS);
  const end = born + (spec.runSeconds ?? Infinity);
  return replicasOf(spec, (replica) =>
    makeLife(spec, seed, {
      pod: `${spec.name}-${spec.kind === 'StatefulSet' ? replica : podSuffix(`${path}/${replica}`)}`,
      owner: { kind: spec.kind, name: spec.name },
      ownersOwner: undefined,
      replica,
      bornSeconds: born,
      endSeconds: end,
      goneSeconds: end + JOB_KEPT_SECONDS,
    }),
  );
}

function replicasOf(spec: WorkloadSpec, make: (replica: number) => PodLife): PodLife[] {
  return Array.from({ length: spec.replicas }, (_, replica) => make(replica));
}

/** The runs of a CronJob that may be known at an instant. A Job is named after its scheduled minute. */
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
      bornSeconds: scheduled,
      endSeconds: scheduled + run,
      goneSeconds: scheduled + KEPT_RUNS * every + run,
    });
  });
}

function makeLife(
  spec: WorkloadSpec,
  seed: number,
  life: Omit<PodLife, 'spec' | 'namespace' | 'uid' | 'key'>,
): PodLife {
  const path = `${seed}/${spec.namespace}/${life.pod}`;
  return { ...life, spec, namespace: spec.namespace, uid: uid(path), key: hashText(path) };
}
