/** Which pods of a detection the page shows, and how many there are of each kind. */

import type { Detection } from '../../detection/detection.js';
import { explain, type FeatureExplanation } from '../../detection/explain.js';
import { notableReasons } from '../../detection/reasons.js';
import type { PodIdentity } from '../../features/table.js';
import type { Filters } from './filters.js';

/** A pod on the page. */
export interface ShownPod {
  readonly identity: PodIdentity;
  /** Position in the table of the detection. */
  readonly row: number;
  readonly score: number;
  /** The one with the largest share first; at least one, and no more of a pod that is not flagged. */
  readonly reasons: readonly FeatureExplanation[];
}

/** What the page shows of a detection. */
export interface Selection {
  /** Flagged pods first, the most anomalous of each first. */
  readonly shown: readonly ShownPod[];
  /** Pods that pass the filters. */
  readonly matching: number;
  /** Those of them that are flagged. */
  readonly matchingFlagged: number;
  /** All pods that were scored, and those of them that are flagged. */
  readonly scored: number;
  readonly flagged: number;
  /** Names to choose from, sorted, and bounded. */
  readonly namespaces: readonly string[];
  /** Those of the namespace that is filtered by. */
  readonly workloads: readonly string[];
}

/** Most pods on the page. */
const MAXIMUM_SHOWN = 50;

/** If fewer are flagged, the pods nearest to the threshold follow, up to this many. */
const MINIMUM_SHOWN = 5;

/** Names offered in a list. */
const MAXIMUM_NAMES = 200;

/** Selects the pods. Looks once at each pod, and sorts those that pass the filters. */
export function select(detection: Detection, filters: Filters): Selection {
  const { scores, table } = detection;
  const rows: number[] = [];
  const namespaces = new Set<string>();
  const workloads = new Set<string>();
  let flagged = 0;
  let matchingFlagged = 0;
  for (const [row, { namespace, workload }] of table.pods.entries()) {
    const isFlagged = (scores[row] as number) > 0;
    if (isFlagged) flagged++;
    namespaces.add(namespace);
    if (filters.namespace !== undefined && namespace !== filters.namespace) continue;
    workloads.add(workload);
    if (filters.workload !== undefined && workload !== filters.workload) continue;
    rows.push(row);
    if (isFlagged) matchingFlagged++;
  }
  // Equal scores stay in the order of the table, by namespace and pod.
  rows.sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const isFiltered = filters.namespace !== undefined || filters.workload !== undefined;
  const least = isFiltered ? MAXIMUM_SHOWN : MINIMUM_SHOWN;
  const some = rows.slice(0, Math.min(MAXIMUM_SHOWN, Math.max(matchingFlagged, least)));
  const explanations = explain(detection, some);
  return {
    shown: some.map((row, index) => ({
      identity: table.pods[row] as PodIdentity,
      row,
      score: scores[row] as number,
      reasons: reasonsOf(scores[row] as number, explanations[index] ?? []),
    })),
    matching: rows.length,
    matchingFlagged,
    scored: table.pods.length,
    flagged,
    namespaces: someNames(namespaces),
    workloads: someNames(workloads),
  };
}

function reasonsOf(
  score: number,
  explanations: readonly FeatureExplanation[],
): readonly FeatureExplanation[] {
  return score > 0 ? notableReasons(explanations) : explanations.slice(0, 1);
}

function someNames(names: ReadonlySet<string>): readonly string[] {
  return [...names].sort().slice(0, MAXIMUM_NAMES);
}
