/** Which pods exist: their owners, names and lifetimes. */

import { podSuffix, templateHash, uid } from './names.js';
import type { PodState } from './pod-state.js';
import { hashText, uniform } from './random.js';
import type { DailyJob, Rollout, WorkloadSpec } from './workloads.js';

/** A pod from its birth to its end. */
export interface PodLife extends Omit<PodState, 'containers' | 'node' | 'createdSeconds'> {
  readonly spec: WorkloadSpec;
  readonly replica: number;
  /** Versions of its workload before. */
  readonly revision: number;
  /** Seed of its noise. */
  readonly key: number;
  /** What it does once a day, with the start of one of the runs in Unix time. */
  readonly dailyJob: (DailyJob & { readonly startSeconds: number }) | undefined;
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
/** How long a Job has been running at the start, and how long its completed pod is kept. */
const JOB_AGE_SECONDS = 3 * 86_400;
const JOB_KEPT_SECONDS = 86_400;
/** A CronJob keeps the pods of its last three runs (`successfulJobsHistoryLimit`). */
const KEPT_RUNS = 3;

export interface LivesOptions {
  readonly seed: number;
  /** Unix time. The offsets of changes are relative to it. */
  readonly startSeconds: number;
  readonly rollouts: readonly Rollout[];
  readonly dailyJob: DailyJob | undefined;
  /** Factor by which changes come and proceed faster. */
  readonly speed: number;
}

/** All pods that a workload ever has, except the runs of a CronJob, which have no end. */
export function lastingPods(spec: WorkloadSpec, options: LivesOptions): PodLife[] {
  if (spec.kind === 'CronJob') return [];
  if (spec.kind === 'Job') return [jobPod(spec, options)];
  return Array.from({ length: spec.replicas }, (_, replica) => podsOfReplica(spec, replica, options)).flat();
}

/** The pod of a Job: it completes and is kept for a while. */
function jobPod(spec: WorkloadSpec, { seed, startSeconds }: LivesOptions): PodLife {
  const pod = `${spec.name}-${podSuffix(`${seed}/${spec.namespace}/${spec.name}/0`)}`;
  const bornSeconds = startSeconds - JOB_AGE_SECONDS;
  const endSeconds = bornSeconds + (spec.runSeconds ?? Infinity);
  const owner = { kind: spec.kind, name: spec.name };
  const times = { bornSeconds, endSeconds, goneSeconds: endSeconds + JOB_KEPT_SECONDS };
  return makeLife(spec, seed, { pod, owner, ownersOwner: undefined, ...times });
}

/** The pods of one replica: the first one, and for a Deployment one for each new version, which reaches replicas in turn. */
function podsOfReplica(spec: WorkloadSpec, replica: number, options: LivesOptions): PodLife[] {
  const { seed, startSeconds, speed } = options;
  const rollouts = options.rollouts
    .filter((one) => spec.kind === 'Deployment' && one.namespace === spec.namespace && one.workload === spec.name)
    .map(({ startOffsetSeconds, memoryFactor = 1 }) => {
      // What lies in the past is not brought nearer: how long ago it was counts.
      const start = startSeconds + startOffsetSeconds / (startOffsetSeconds < 0 ? 1 : speed);
      return { start: start + (replica * ROLLOUT_STEP_SECONDS) / speed, memoryFactor };
    })
    .sort((a, b) => a.start - b.start);
  const dailyJob = jobOf(spec, options);
  const first = { start: startSeconds - MONTH_SECONDS, memoryFactor: 1 };
  let memoryBytes = spec.memoryBytes;
  return [first, ...rollouts].map(({ start: bornSeconds, memoryFactor }, revision) => {
    memoryBytes *= memoryFactor;
    const end = (rollouts[revision]?.start ?? Infinity) + ROLLOUT_OVERLAP_SECONDS / speed;
    const restarts = revision === 0 ? (spec.restarts ?? 0) : 0;
    const times = { bornSeconds, endSeconds: end, goneSeconds: end };
    const own = { ...nameOf(spec, seed, revision, replica), replica, revision, restarts, dailyJob, ...times };
    return makeLife({ ...spec, memoryBytes }, seed, own);
  });
}

function jobOf({ namespace, name }: WorkloadSpec, { startSeconds, dailyJob }: LivesOptions): PodLife['dailyJob'] {
  if (dailyJob?.namespace !== namespace || dailyJob.workload !== name) return undefined;
  return { ...dailyJob, startSeconds: startSeconds + dailyJob.startOffsetSeconds };
}

/**
 * Each revision of a Deployment has a ReplicaSet and pods of its own. The pods of a StatefulSet are numbered, those of
 * a DaemonSet get a suffix.
 */
function nameOf(
  spec: WorkloadSpec,
  seed: number,
  revision: number,
  replica: number,
): Pick<PodLife, 'pod' | 'owner' | 'ownersOwner'> {
  const { namespace, name, kind } = spec;
  const path = `${seed}/${namespace}/${name}`;
  if (kind === 'Deployment') {
    const replicaSet = `${name}-${templateHash(`${path}/${revision}`)}`;
    return {
      pod: `${replicaSet}-${podSuffix(`${path}/${revision}/${replica}`)}`,
      owner: { kind: 'ReplicaSet', name: replicaSet },
      ownersOwner: { kind, name },
    };
  }
  const suffix = kind === 'StatefulSet' ? replica : podSuffix(`${path}/${replica}`);
  return { pod: `${name}-${suffix}`, owner: { kind, name }, ownersOwner: undefined };
}

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
      bornSeconds: scheduled,
      endSeconds: scheduled + run,
      goneSeconds: scheduled + KEPT_RUNS * every + run,
    });
  });
}

function makeLife(
  spec: WorkloadSpec,
  seed: number,
  life: Omit<PodLife, 'spec' | 'namespace' | 'uid' | 'key' | 'replica' | 'revision' | 'restarts' | 'dailyJob'> &
    Partial<PodLife>,
): PodLife {
  const path = `${seed}/${spec.namespace}/${life.pod}`;
  return {
    replica: 0,
    revision: 0,
    restarts: 0,
    dailyJob: undefined,
    ...life,
    uid: uid(path),
    spec,
    namespace: spec.namespace,
    key: hashText(path),
  };
}
