/** What the page shows of one pod: itself, and its siblings now. */

import { medianOfKnown } from '../../../lib/statistics.js';
import type { Detection } from '../../detection/detection.js';
import type { EpisodesState } from '../../episodes/episodes.js';
import { type PodIdentity, podKey } from '../../features/table.js';
import { type PodTuning, UNTUNED } from '../../tuning/tuning.js';
import { describePods, type ShownPod } from './selection.js';

/** A pod of the same workload. */
export interface Sibling {
  readonly identity: PodIdentity;
  readonly score: number;
  readonly isFlagged: boolean;
  /** One for each feature of the model. */
  readonly values: readonly number[];
}

export interface PodView {
  readonly pod: ShownPod;
  readonly isMuted: boolean;
  readonly tuning: PodTuning;
  /** When its workload was last released, of the last day, Unix time in seconds; known where one of its pods is flagged. */
  readonly releaseSeconds: number | undefined;
  /** The pod itself first, then the others, flagged ones first, the most anomalous of each first; at most `MAXIMUM_SIBLINGS`. */
  readonly siblings: readonly Sibling[];
  /** Pods of the workload besides it. */
  readonly siblingCount: number;
  /** The features of the model. */
  readonly columns: readonly { readonly name: string; readonly unit: string }[];
  /** Of the siblings, one for each feature; `NaN` without siblings. */
  readonly medians: readonly number[];
}

const MAXIMUM_SIBLINGS = 20;

/** @param row of the pod in the detection. */
export function selectPod(detection: Detection, episodes: EpisodesState, row: number): PodView {
  const { table, scores, flags, muted, tunings, releases, model } = detection;
  const { namespace, workload } = table.pods[row] as PodIdentity;
  const others: number[] = [];
  for (const [other, identity] of table.pods.entries()) {
    if (other !== row && identity.workload === workload && identity.namespace === namespace) others.push(other);
  }
  others.sort((a, b) => (flags[b] as number) - (flags[a] as number) || (scores[b] as number) - (scores[a] as number));
  const columns = [...model.features.keys()];
  const sibling = (of: number): Sibling => ({
    identity: table.pods[of] as PodIdentity,
    score: scores[of] as number,
    isFlagged: flags[of] === 1,
    values: columns.map((column) => table.at(of, 0, column)),
  });
  return {
    pod: describePods(detection, episodes, [row]).get(row) as ShownPod,
    isMuted: muted[row] === 1,
    tuning: tunings.get(row) ?? UNTUNED,
    releaseSeconds: releases.get(podKey(namespace, workload)),
    siblings: [row, ...others.slice(0, MAXIMUM_SIBLINGS)].map(sibling),
    siblingCount: others.length,
    columns: model.features,
    medians: columns.map((column) => medianOfKnown(Float64Array.from(others, (other) => table.at(other, 0, column)))),
  };
}
