/** When workloads were released: from the training window and the history, and, until the next training, from the last minutes. */

import { createHash } from 'node:crypto';
import { groupBy } from '../../lib/group-by.js';
import type { FeatureTable, PodIdentity } from '../features/table.js';
import { HOUR_SECONDS, HOURS_PER_DAY } from '../history/grid.js';
import { lastRelease, revisionOf, revisionOfMost } from '../history/release.js';
import type { WorkloadHistory } from '../history/workload-history.js';
import type { Baseline } from './baseline.js';
import type { Model } from './model.js';

/** A release is remembered for this long, in seconds. */
const REMEMBERED_SECONDS = HOURS_PER_DAY * HOUR_SECONDS;

/** Writes the newest release of each workload and its revision at the end of the window to its row; 0 where it has none. */
export function fitReleases(
  window: FeatureTable,
  history: WorkloadHistory | undefined,
  { pods, workloads }: Pick<Baseline, 'pods' | 'workloads'>,
): void {
  const end = window.timestampsSeconds.length - 1;
  const endSeconds = window.timestampsSeconds[end] as number;
  const lastHour = Math.floor(endSeconds / HOUR_SECONDS) - 1;
  for (const [row, own] of groupBy(window.pods.keys(), (pod) => pods.workload[pod] as number)) {
    const { release, revision } = readReleases(window, own);
    workloads.revision[row] = hashOf(revision);
    workloads.releaseSeconds[row] = release;
    const known = history?.rowOf(workloads.keys[row] as string) ?? -1;
    for (let hour = lastHour; known >= 0 && hour > lastHour - HOURS_PER_DAY; hour--) {
      const seconds = history?.releaseAt(known, hour) ?? Number.NaN;
      if (Number.isNaN(seconds)) continue;
      workloads.releaseSeconds[row] = Math.max(release, seconds);
      break;
    }
  }
}

/**
 * When some workloads were released within the last day, Unix time in seconds, by their keys. A workload without a release
 * has no entry.
 *
 * @param table up to the instant of a detection.
 * @param workloads keys, each with the positions of its pods in the table.
 */
export function releasesAt(
  { baseline }: Pick<Model, 'baseline'>,
  table: FeatureTable,
  workloads: ReadonlyMap<string, readonly number[]>,
): Map<string, number> {
  const now = table.timestampsSeconds.at(-1) as number;
  const releases = new Map<string, number>();
  for (const [key, pods] of workloads) {
    const row = baseline.workloads.rows.get(key);
    const { release, revision, sinceSeconds } = readReleases(table, pods);
    const known = row === undefined ? 0 : (baseline.workloads.revision[row] as number);
    // Between the end of the window and the first of these minutes.
    const isNew = revision !== undefined && known !== 0 && known !== hashOf(revision);
    const fitted = row === undefined ? 0 : (baseline.workloads.releaseSeconds[row] as number);
    const newest = Math.max(release, isNew ? sinceSeconds : 0, fitted);
    if (newest > now - REMEMBERED_SECONDS && newest <= now) releases.set(key, newest);
  }
  return releases;
}

/** What a table says of a workload: its last release (0 without one), its revision at the end, and since when it has that. */
function readReleases(table: FeatureTable, pods: readonly number[]) {
  const revisions = pods.map((pod) => revisionOf(table.pods[pod] as PodIdentity));
  const isPresent = (position: number, instant: number) => table.isPresent(pods[position] as number, instant);
  const end = table.timestampsSeconds.length - 1;
  const hour = Math.max(1, Math.round(HOUR_SECONDS / table.stepSeconds));
  const first = Math.max(1, end - hour + 1);
  const release = lastRelease(revisions, isPresent, { first, end, hour });
  const revision = revisionOfMost(revisions, isPresent, end);
  let since = end;
  while (revision !== undefined && since > 0 && revisionOfMost(revisions, isPresent, since - 1) === revision) since--;
  return {
    release: release < 0 ? 0 : (table.timestampsSeconds[release] as number),
    revision,
    sinceSeconds: table.timestampsSeconds[since] as number,
  };
}

/** A revision in four bytes; 0 without one. */
function hashOf(revision: string | undefined): number {
  if (revision === undefined) return 0;
  return createHash('sha256').update(revision).digest().readUInt32BE() || 1;
}
