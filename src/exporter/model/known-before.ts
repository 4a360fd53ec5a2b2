/**
 * What earlier trainings knew. After an outage, with a database that has lost its past, or while a store does not answer,
 * a training finds a fraction of the pods and of their minutes. Pods and workloads that it finds too little of keep what
 * was usual for them, so that they are not compared with the whole fleet, until that is too old.
 */

import { isDeepStrictEqual } from 'node:util';
import type { FeatureDefinition } from '../features/catalog.js';
import type { FeatureTable } from '../features/table.js';
import { OWN_BASELINE, type PodRows, type WorkloadRows } from './rows.js';

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
   * Copies the usual values of a pod to its row if they rest on more than the window has of it; without its hourly
   * pattern, which is about the time until the next training. A pod that is gone keeps nothing: if it comes back, its
   * workload is what it is compared with.
   *
   * @param into has everything except the statistics.
   * @returns whether it keeps them.
   */
  keepPod(into: PodRows, row: number): boolean {
    const { pods } = this.before ?? {};
    const known = pods?.rows.get(into.keys[row] as string);
    if (pods === undefined || known === undefined) return false;
    if (((pods.flags[known] as number) & OWN_BASELINE) === 0) return false;
    const fitted = pods.fittedSeconds[known] as number;
    const seen = pods.seenSeconds[known] as number;
    if (fitted < this.sinceSeconds || (into.seenSeconds[row] as number) >= LEAST_SHARE_SEEN * seen) return false;
    if (!this.#isPresent(row)) return false;
    into.flags[row] = pods.flags[known] as number;
    into.fittedSeconds[row] = fitted;
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

  #counts({ members, fittedSeconds }: WorkloadRows, row: number): boolean {
    return (members[row] as number) > 0 && (fittedSeconds[row] as number) >= this.sinceSeconds;
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
