/** What the page shows of a detection: the flagged pods by workload, and how many pods there are of each kind. */

import { isBrief } from '../../detection/comparison.js';
import type { Detection } from '../../detection/detection.js';
import { explain, type FeatureExplanation } from '../../detection/explain.js';
import { notableReasons } from '../../detection/reasons.js';
import { type EpisodesState, lastingSince } from '../../episodes/episodes.js';
import { type PodIdentity, podKey } from '../../features/table.js';
import type { KnownBeside } from '../detect.js';
import { type Filters, isFiltered, passes } from './filters.js';
import { seriousPods } from './serious.js';

/** A pod on the page. Times are Unix times in seconds. */
export interface ShownPod {
  readonly identity: PodIdentity;
  /** Position in the detection. */
  readonly row: number;
  readonly score: number;
  readonly isFlagged: boolean;
  /** Whether its anomaly lasts, which is worth an alert. */
  readonly lasts: boolean;
  /** Whether only its last hours flag it, for some minutes. */
  readonly isBrief: boolean;
  /** Since when its anomaly lasts, as far as this process has seen it. */
  readonly sinceSeconds: number | undefined;
  /** All features, the one with the largest share of the score first. */
  readonly features: readonly FeatureExplanation[];
  /** Those that are a reason for the flag; of a pod that is not flagged, the first one. */
  readonly reasons: readonly FeatureExplanation[];
}

/** The flagged pods of a workload: one row of the page, however many they are. */
export interface Incident {
  readonly namespace: string;
  readonly workload: string;
  /** Pods of the workload that are scored and not muted, that are flagged, and whose anomaly lasts. */
  readonly scored: number;
  readonly flagged: number;
  readonly lasting: number;
  /** The earliest of its pods. */
  readonly sinceSeconds: number | undefined;
  /** When the workload was last released, of the last day. */
  readonly releaseSeconds: number | undefined;
  /** Those that are shown, at least one: those whose anomaly lasts first, then serious ones (`seriousPods`), then the most anomalous. */
  readonly pods: readonly [ShownPod, ...ShownPod[]];
}

/** What the page shows of a detection. */
export type Selection = ReturnType<typeof select>;

/** Workloads with flagged pods. */
const MAXIMUM_INCIDENTS = 30;

/** Flagged pods of all of them together; each has the same number of places. */
const MAXIMUM_PODS = 60;

/** Pods without a flag that are named, those nearest to the threshold: of all pods, and of those that a filter asks for. */
const MAXIMUM_CALM = 5;
const MAXIMUM_CALM_FILTERED = 50;

/** Names offered in a list. */
const MAXIMUM_NAMES = 200;

/** Selects the pods. Looks once at each pod, and explains those that are shown. */
export function select(detection: Detection, known: KnownBeside, filters: Filters) {
  const { episodes } = known;
  const { flags, lasting, muted, scores, table, timeSeconds } = detection;
  const flaggedRows: number[] = [];
  const calmRows: number[] = [];
  const namespaceCounts = new Map<string, NamespaceCounts>();
  const workloads = new Set<string>();
  const counts = { flagged: 0, lasting: 0 };
  for (const [row, identity] of table.pods.entries()) {
    const isFlagged = flags[row] === 1;
    if (isFlagged) counts.flagged++;
    const own = namespaceCounts.get(identity.namespace) ?? { scored: 0, lasting: 0, workloads: new Set() };
    namespaceCounts.set(identity.namespace, own);
    own.scored += 1 - (muted[row] as number);
    if (lasting[row] === 1) {
      counts.lasting++;
      own.lasting++;
      own.workloads.add(identity.workload);
    }
    if (filters.namespace !== undefined && identity.namespace !== filters.namespace) continue;
    workloads.add(identity.workload);
    if (passes(filters, identity)) (isFlagged ? flaggedRows : calmRows).push(row);
  }
  // Equal scores stay in the order of the table, by namespace and pod.
  const byScore = (a: number, b: number) => (scores[b] as number) - (scores[a] as number);
  const serious = rowsOf(table.pods, flaggedRows, seriousPods(known, timeSeconds));
  const isSerious = (row: number) => Number(serious.has(row));
  flaggedRows.sort(
    (a, b) => (lasting[b] as number) - (lasting[a] as number) || isSerious(b) - isSerious(a) || byScore(a, b),
  );
  calmRows.sort(byScore);
  const groups = inOrder(detection, groupByWorkload(table.pods, flaggedRows), serious);
  const mostPods = Math.floor(MAXIMUM_PODS / Math.min(MAXIMUM_INCIDENTS, Math.max(1, groups.length)));
  const shownGroups = groups
    .slice(0, MAXIMUM_INCIDENTS)
    .map((group) => ({ ...group, shown: group.rows.slice(0, mostPods) }));
  const calmShown = calmRows.slice(0, isFiltered(filters) ? MAXIMUM_CALM_FILTERED : MAXIMUM_CALM);
  const pods = describePods(detection, episodes, [...shownGroups.flatMap(({ shown }) => shown), ...calmShown]);
  const incidents = shownGroups.map((group): Incident => {
    const { namespace, workload, scored, rows, shown } = group;
    const since = rows.map((row) => sinceOf(episodes, table.pods[row] as PodIdentity) ?? Number.POSITIVE_INFINITY);
    const earliest = since.reduce((least, own) => Math.min(least, own), Number.POSITIVE_INFINITY);
    return {
      namespace,
      workload,
      scored,
      flagged: rows.length,
      lasting: group.lasting,
      sinceSeconds: Number.isFinite(earliest) ? earliest : undefined,
      releaseSeconds: detection.releases.get(podKey(namespace, workload)),
      pods: shown.map((row) => pods.get(row) as ShownPod) as [ShownPod, ...ShownPod[]],
    };
  });
  const namesOf = (names: Iterable<string>) => [...names].sort().slice(0, MAXIMUM_NAMES);
  return {
    /** In the order of `inOrder`. */
    incidents,
    /** Workloads with a flagged pod that pass the filters. */
    matchingWorkloads: groups.length,
    matchingFlagged: flaggedRows.length,
    /** Pods that pass the filters, and the row of the first of them. */
    matching: flaggedRows.length + calmRows.length,
    firstRow: flaggedRows[0] ?? calmRows[0],
    /** Of the pods that pass the filters and are not flagged: those nearest to the threshold first. */
    calm: calmShown.map((row) => pods.get(row) as ShownPod),
    matchingCalm: calmRows.length,
    /** All pods that were scored. */
    scored: table.pods.length,
    ...counts,
    /** By namespace, whatever the filters. */
    namespaceCounts: namespaceCounts as ReadonlyMap<string, NamespaceCounts>,
    /** Names to choose from, sorted, and bounded; the workloads are those of the namespace that is filtered by. */
    namespaces: namesOf(namespaceCounts.keys()),
    workloads: namesOf(workloads),
  };
}

/** Of the pods that are not muted. */
interface NamespaceCounts {
  scored: number;
  lasting: number;
  /** With a pod whose anomaly lasts. */
  readonly workloads: Set<string>;
}

/** The rows of pods with one of some keys (`podKey`). */
function rowsOf(pods: readonly PodIdentity[], rows: readonly number[], keys: ReadonlySet<string>): ReadonlySet<number> {
  if (keys.size === 0) return new Set();
  return new Set(
    rows.filter((row) => {
      const { namespace, pod } = pods[row] as PodIdentity;
      return keys.has(podKey(namespace, pod));
    }),
  );
}

interface Group {
  readonly namespace: string;
  readonly workload: string;
  readonly rows: number[];
}

/** Groups in the order of their first rows. */
function groupByWorkload(pods: readonly PodIdentity[], rows: readonly number[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const { namespace, workload } = pods[row] as PodIdentity;
    const key = podKey(namespace, workload);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { namespace, workload, rows: [row] });
    else group.rows.push(row);
  }
  return [...groups.values()];
}

interface CountedGroup extends Group {
  readonly scored: number;
  readonly lasting: number;
}

/**
 * First those with an anomaly that lasts; of each first those with a serious pod, then those in which most of several pods are
 * flagged, and then those with the most anomalous pod.
 */
function inOrder(
  detection: Detection,
  groups: readonly Group[],
  serious: ReadonlySet<number>,
): readonly CountedGroup[] {
  const scored = countScored(detection, groups);
  const ranked = groups.map((group, index) => {
    const { rows } = group;
    const all = scored[index] as number;
    const lasting = rows.reduce((sum, row) => sum + (detection.lasting[row] as number), 0);
    const isWhole = rows.length > 1 && rows.length > all / 2;
    const isSerious = serious.size > 0 && rows.some((row) => serious.has(row));
    const rank = 4 * Number(lasting > 0) + 2 * Number(isSerious) + Number(isWhole);
    return { ...group, scored: all, lasting, rank };
  });
  // Equal ones stay in the order of their first rows.
  return ranked.sort((a, b) => b.rank - a.rank);
}

/** How many pods of each group's workload are scored and not muted. */
function countScored({ table, muted }: Detection, groups: readonly Group[]): readonly number[] {
  const counts = groups.map(() => 0);
  const positions = new Map<string, Map<string, number>>();
  for (const [position, { namespace, workload }] of groups.entries()) {
    const ofNamespace = positions.get(namespace) ?? new Map<string, number>();
    positions.set(namespace, ofNamespace.set(workload, position));
  }
  for (const [row, { namespace, workload }] of table.pods.entries()) {
    const position = positions.get(namespace)?.get(workload);
    if (position !== undefined && muted[row] === 0) counts[position] = (counts[position] as number) + 1;
  }
  return counts;
}

const sinceOf = (episodes: EpisodesState, { namespace, pod }: PodIdentity) =>
  lastingSince(episodes, podKey(namespace, pod));

/** Explains pods of a detection, by their rows. */
export function describePods(
  detection: Detection,
  episodes: EpisodesState,
  rows: readonly number[],
): ReadonlyMap<number, ShownPod> {
  const { table, scores, flags, lasting, model, judgement } = detection;
  const explanations = explain(detection, rows);
  return new Map(
    rows.map((row, index) => {
      const identity = table.pods[row] as PodIdentity;
      const features = explanations[index] as FeatureExplanation[];
      const isFlagged = flags[row] === 1;
      const pod: ShownPod = {
        identity,
        row,
        score: scores[row] as number,
        isFlagged,
        lasts: lasting[row] === 1,
        isBrief: isBrief(model, judgement, scores, row),
        sinceSeconds: sinceOf(episodes, identity),
        features,
        reasons: isFlagged ? reasonsOf(features, model.sensitivity) : features.slice(0, 1),
      };
      return [row, pod];
    }),
  );
}

/** The reasons, of which the first one counts; another is left out where it is nearly usual. */
function reasonsOf(features: readonly FeatureExplanation[], sensitivity: number): readonly FeatureExplanation[] {
  return notableReasons(features).filter(
    ({ deviation }, index) => index === 0 || Math.abs(deviation) >= sensitivity / 2,
  );
}
