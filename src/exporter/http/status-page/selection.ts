/** Which pods of a detection the page shows, and how many there are of each kind. */

import { z } from 'zod';
import { isBrief } from '../../detection/comparison.js';
import type { Detection } from '../../detection/detection.js';
import { explain, type FeatureExplanation } from '../../detection/explain.js';
import { notableReasons } from '../../detection/reasons.js';
import { type PodIdentity, podKey } from '../../features/table.js';

/** The parameters as the API document describes them. */
export const StatusQuery = z.object({
  namespace: z.string().optional().describe('Only pods of this namespace.'),
  workload: z.string().optional().describe('Only pods of the workload with this name.'),
});

/** Which pods to show; `undefined` does not filter. */
export type Filters = Readonly<Record<'namespace' | 'workload', string | undefined>>;

/** Longer than any name that is scored (`isObjectName`). */
const LONGEST_NAME = 253;

/**
 * Reads the query string. A parameter that is repeated counts as absent. An invalid filter is ignored: a person with a
 * wrong link still sees the page.
 */
export function readFilters(parameters: Readonly<Record<string, unknown>>): Filters {
  const nameIn = (value: unknown) => {
    const name = typeof value === 'string' ? value.trim() : '';
    return name === '' || name.length > LONGEST_NAME ? undefined : name;
  };
  return { namespace: nameIn(parameters.namespace), workload: nameIn(parameters.workload) };
}

/** A link to the page with these filters, relative to it. */
export function filterLink({ namespace, workload }: Filters): string {
  return `?${new URLSearchParams({ ...(namespace && { namespace }), ...(workload && { workload }) })}`;
}

export const isFiltered = ({ namespace, workload }: Filters) => namespace !== undefined || workload !== undefined;

/** What the page shows of a detection. */
export type Selection = ReturnType<typeof select>;

/** A pod on the page. */
export type ShownPod = Selection['shown'][number];

const MAXIMUM_SHOWN = 50;

/** If fewer are flagged, the pods nearest to the threshold follow, up to this many. */
const MINIMUM_SHOWN = 5;

/** Names offered in a list. */
const MAXIMUM_NAMES = 200;

/** Selects the pods. Looks once at each pod, and sorts those that pass the filters. */
export function select(detection: Detection, filters: Filters) {
  const { flags, releases, scores, table } = detection;
  const rows: number[] = [];
  const namespaces = new Set<string>();
  const workloads = new Set<string>();
  let flagged = 0;
  let matchingFlagged = 0;
  for (const [row, { namespace, workload }] of table.pods.entries()) {
    const isFlagged = flags[row] === 1;
    if (isFlagged) flagged++;
    namespaces.add(namespace);
    if (filters.namespace !== undefined && namespace !== filters.namespace) continue;
    workloads.add(workload);
    if (filters.workload !== undefined && workload !== filters.workload) continue;
    rows.push(row);
    if (isFlagged) matchingFlagged++;
  }
  // Equal scores stay in the order of the table, by namespace and pod.
  rows.sort((a, b) => (flags[b] as number) - (flags[a] as number) || (scores[b] as number) - (scores[a] as number));
  const least = isFiltered(filters) ? MAXIMUM_SHOWN : MINIMUM_SHOWN;
  const some = rows.slice(0, Math.min(MAXIMUM_SHOWN, Math.max(matchingFlagged, least)));
  const explanations = explain(detection, some);
  const namesOf = (names: ReadonlySet<string>) => [...names].sort().slice(0, MAXIMUM_NAMES);
  return {
    /** Flagged pods first, the most anomalous of each first. */
    shown: some.map((row, index) => {
      const score = scores[row] as number;
      const isFlagged = flags[row] === 1;
      const all = explanations[index] as FeatureExplanation[];
      // At least one, and no more of a pod that is not flagged.
      const reasons = isFlagged ? notableReasons(all) : all.slice(0, 1);
      const brief = isBrief(detection.model, detection.judgement, scores, row);
      const identity = table.pods[row] as PodIdentity;
      const releaseSeconds = isFlagged ? releases.get(podKey(identity.namespace, identity.workload)) : undefined;
      return { identity, row, score, isFlagged, isBrief: brief, releaseSeconds, reasons };
    }),
    /** Pods that pass the filters. */
    matching: rows.length,
    matchingFlagged,
    /** All pods that were scored. */
    scored: table.pods.length,
    flagged,
    /** Names to choose from, sorted, and bounded; the workloads are those of the namespace that is filtered by. */
    namespaces: namesOf(namespaces),
    workloads: namesOf(workloads),
  };
}
