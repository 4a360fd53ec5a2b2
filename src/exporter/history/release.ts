/** Releases: when the pods of a workload became those of another revision. */

import type { PodIdentity } from '../features/table.js';

/**
 * What the name of a pod says of its template: a Deployment names its ReplicaSets by a hash of it, from an alphabet without
 * vowels and look-alikes (apimachinery, `util/rand`). Eight digits are the minute of a CronJob.
 */
const REVISION_OF_REST = /^-(?!\d{8}-)([bcdfghjklmnpqrstvwxz2456789]{6,10})-[bcdfghjklmnpqrstvwxz2456789]{5}$/;

/** The revision of a pod of a Deployment; `undefined` for all others. */
export function revisionOf({ pod, workload }: Pick<PodIdentity, 'pod' | 'workload'>): string | undefined {
  return pod.startsWith(workload) ? REVISION_OF_REST.exec(pod.slice(workload.length))?.[1] : undefined;
}

/** Whether a pod is there at an instant. Both are positions. */
export type Presence = (pod: number, instant: number) => boolean;

/**
 * The last instant at which the revision of most pods was no longer the one that it had been, or most of the pods were
 * others than an hour before; -1 without one. A rollback is a release as well; a canary of less than half of the pods, a
 * pod that is replaced by its like, and more or fewer replicas do not count.
 *
 * @param revisions of each pod. Where no pod has one, as in a DaemonSet, their names have to do.
 * @param first, end the instants that count, both included. They are compared with those of the hour before `first`.
 * @param hour instants of an hour.
 */
export function lastRelease(
  revisions: readonly (string | undefined)[],
  isPresent: Presence,
  { first, end, hour }: { readonly first: number; readonly end: number; readonly hour: number },
): number {
  if (revisions.every((revision) => revision === undefined)) {
    return lastReplacement([...revisions.keys()], isPresent, { first, end, hour });
  }
  let last = -1;
  let before: string | undefined;
  for (let instant = Math.max(0, first - hour); instant <= end; instant++) {
    const revision = revisionOfMost(revisions, isPresent, instant);
    if (revision === undefined) continue;
    if (before !== undefined && revision !== before && instant >= first) last = instant;
    before = revision;
  }
  return last;
}

/** The revision of more than half of the pods that are there; `undefined` where no revision is. */
export function revisionOfMost(
  revisions: readonly (string | undefined)[],
  isPresent: Presence,
  instant: number,
): string | undefined {
  // Boyer and Moore's vote (1981): of all revisions, only the one that remains can have the majority.
  let candidate: string | undefined;
  let [votes, present, own] = [0, 0, 0];
  for (const [pod, revision] of revisions.entries()) {
    if (!isPresent(pod, instant)) continue;
    present++;
    if (votes === 0) candidate = revision;
    votes += revision === candidate ? 1 : -1;
  }
  for (const [pod, revision] of revisions.entries()) if (revision === candidate && isPresent(pod, instant)) own++;
  return 2 * own > present ? candidate : undefined;
}

/** One pod that is replaced says nothing. */
const LEAST_PODS = 2;

function lastReplacement(
  pods: readonly number[],
  isPresent: Presence,
  { first, end, hour }: { readonly first: number; readonly end: number; readonly hour: number },
): number {
  if (pods.length <= LEAST_PODS) return -1;
  const count = (condition: (pod: number) => boolean) => pods.reduce((sum, pod) => sum + Number(condition(pod)), 0);
  const start = Math.max(0, first - hour);
  const there = Array.from({ length: end + 1 }, (_, instant) =>
    instant < start ? 0 : count((pod) => isPresent(pod, instant)),
  );
  const isReplaced = (instant: number) => {
    const earlier = Math.max(start, instant - hour);
    // Pods of jobs come and go, and nothing is there in between.
    if (there.slice(earlier, instant + 1).some((present) => present < LEAST_PODS)) return false;
    const stayed = count((pod) => isPresent(pod, earlier) && isPresent(pod, instant));
    return 2 * stayed < Math.min(there[earlier] as number, there[instant] as number);
  };
  for (let instant = end; instant > start && instant >= first; instant--) {
    if (isReplaced(instant) && !isReplaced(instant - 1)) return instant;
  }
  return -1;
}
