/**
 * What earlier trainings knew. After an outage, with a database that has lost its past, or while a store does not answer,
 * a training finds a fraction of the pods and of their minutes. Pods and workloads that it finds too little of keep what
 * was usual for them, so that they are not compared with the whole fleet, until that is too old.
 */

import { isDeepStrictEqual } from 'node:util';
import type { FeatureDefinition } from '../features/catalog.js';
import { type FeatureTable, podKey } from '../features/table.js';
import { ABSENT, ESTABLISHED, OWN_BASELINE, type PodRows, type WorkloadRows } from './rows.js';

/** A pod that a training saw for less than this share of the time that an earlier one did is known less well by it. */
const LEAST_SHARE_SEEN = 0.5;

/** A pod is there at the end of a window if it has a sample in the last ten minutes. */
const PRESENT_SECONDS = 600;

/** What was usual by the model that a training replaces. */
export interface UsualBefore {
  /** The columns of its statistics. */
  readonly features: readonly FeatureDefinition[];
  readonly pods: PodRows;
  readonly workloads: WorkloadRows;
}

export class KnownBefore {
  private constructor(
    private readonly window: FeatureTable,
    private readonly before: UsualBefore | undefined,
    /** What was fitted before this time is too old. */
    private readonly sinceSeconds: number,
  ) {}

  static nothing(window: FeatureTable): KnownBefore {
    return new KnownBefore(window, undefined, Number.POSITIVE_INFINITY);
  }

  /**
   * @param window of the training.
   * @param features its columns.
   * @param before nothing of it can be kept if its features are others.
   * @param lifeSeconds how long usual values count after the end of the window that they come from.
   */
  static of(
    window: FeatureTable,
    features: readonly FeatureDefinition[],
    before: UsualBefore,
    lifeSeconds: number,
  ): KnownBefore {
    if (!isDeepStrictEqual(before.features, features)) return KnownBefore.nothing(window);
    return new KnownBefore(window, before, (window.timestampsSeconds.at(-1) as number) - lifeSeconds);
  }

  /** Keys of the workloads whose usual values may be kept. */
  get workloads(): readonly string[] {
    const { workloads } = this.before ?? {};
    return workloads?.keys.filter((_, row) => this.#counts(workloads, row)) ?? [];
  }

  /**
   * The established pods that the window has no row for, with the keys of their workloads. Whether they have ended, or a
   * store does not answer, nobody can tell.
   */
  get absentPods(): readonly { readonly key: string; readonly workload: string }[] {
    const { pods, workloads } = this.before ?? {};
    if (pods === undefined || workloads === undefined) return [];
    const there = new Set(this.window.pods.map(({ namespace, pod }) => podKey(namespace, pod)));
    return pods.keys.flatMap((key, row) => {
      const isKept = ((pods.flags[row] as number) & ESTABLISHED) !== 0 && this.#isFresh(pods, row);
      if (!isKept || there.has(key)) return [];
      return [{ key, workload: workloads.keys[pods.workload[row] as number] as string }];
    });
  }

  /**
   * Copies the usual values of a pod to its row if the window has too little of it; without its hourly pattern, which is
   * about the time until the next training. A pod that is not there at the end of the window is marked `ABSENT`.
   *
   * @param into has everything except the statistics. The pods of the window come first.
   * @param isEnough whether the window has enough for statistics of the pod: they replace those of a pod that has ended, or
   *   that was not seen for much longer before.
   * @returns whether it keeps them.
   */
  keepPod(into: PodRows, row: number, isEnough: boolean): boolean {
    const { pods } = this.before ?? {};
    const known = pods?.rows.get(into.keys[row] as string);
    if (pods === undefined || known === undefined || !this.#isFresh(pods, known)) return false;
    const own = (pods.flags[known] as number) & ~ABSENT;
    if ((own & OWN_BASELINE) === 0) return false;
    const seen = pods.seenSeconds[known] as number;
    const isPresent = row < this.window.pods.length && this.#isPresent(row);
    if (isEnough && (!isPresent || (into.seenSeconds[row] as number) >= LEAST_SHARE_SEEN * seen)) return false;
    into.flags[row] = isPresent ? own : own | ABSENT;
    into.fittedSeconds[row] = pods.fittedSeconds[known] as number;
    into.seenSeconds[row] = seen;
    copyStatistics(pods, known, into, row);
    return true;
  }

  /** Copies the usual values of workloads of which the window has none. */
  keepWorkloads(into: WorkloadRows): void {
    const { workloads } = this.before ?? {};
    if (workloads === undefined) return;
    for (const [row, key] of into.keys.entries()) {
      const known = workloads.rows.get(key);
      if ((into.members[row] as number) > 0 || known === undefined || !this.#counts(workloads, known)) continue;
      into.members[row] = workloads.members[known] as number;
      into.fittedSeconds[row] = workloads.fittedSeconds[known] as number;
      copyStatistics(workloads, known, into, row);
    }
  }

  #counts(workloads: WorkloadRows, row: number): boolean {
    return (workloads.members[row] as number) > 0 && this.#isFresh(workloads, row);
  }

  #isFresh({ fittedSeconds }: PodRows | WorkloadRows, row: number): boolean {
    return (fittedSeconds[row] as number) >= this.sinceSeconds;
  }

  #isPresent(pod: number): boolean {
    const { timestampsSeconds, stepSeconds } = this.window;
    const last = timestampsSeconds.length - 1;
    const first = Math.max(0, last - Math.max(1, Math.round(PRESENT_SECONDS / stepSeconds)) + 1);
    for (let instant = last; instant >= first; instant--) if (this.window.isPresent(pod, instant)) return true;
    return false;
  }
}

type Statistics = Pick<PodRows, 'location' | 'scale' | 'keys'>;

function copyStatistics(from: Statistics, fromRow: number, to: Statistics, toRow: number): void {
  const width = from.location.length / from.keys.length;
  for (let column = 0; column < width; column++) {
    to.location[toRow * width + column] = from.location[fromRow * width + column] as number;
    to.scale[toRow * width + column] = from.scale[fromRow * width + column] as number;
  }
}
