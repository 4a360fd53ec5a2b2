/** How the minutes of a case are cut into what training and scoring get. */

import { RECENT_INSTANTS } from '../../exporter/detection/detect.js';
import { FeatureTable, podKey } from '../../exporter/features/table.js';
import type { BuiltTable } from '../../exporter/features/table-builder.js';
import type { TrainingTables } from '../../exporter/model/baseline.js';
import { historySlices } from '../../exporter/model/schedule.js';
import { BIN_SECONDS, type Case, type PodMinutes, TRAINING_MINUTES } from './case.js';

/**
 * Cuts what a training at the start of a minute may know: the trailing 60 minutes, faults and all, and the slices of
 * earlier hours that the service asks for.
 *
 * @param minute of the case; nothing of it or after it is used.
 * @param minutesToNextTraining how far the slices reach.
 */
export function trainingInput(
  recording: Case,
  minute: number,
  minutesToNextTraining: number,
): TrainingTables {
  const minuteAt = (seconds: number) => Math.round((seconds - recording.startSeconds) / BIN_SECONDS);
  const lastSeconds = recording.startSeconds + (minute - 1) * BIN_SECONDS;
  return {
    window: cut(recording, minute - TRAINING_MINUTES, minute),
    history: historySlices(lastSeconds, minutesToNextTraining * BIN_SECONDS).map(
      ({ startSeconds, endSeconds }) => cut(recording, minuteAt(startSeconds), minuteAt(endSeconds) + 1),
    ),
  };
}

/**
 * Cuts what scoring a minute may know. Pods that lack a feature are counted with the case, not here.
 *
 * @param minute of the case; nothing after it is used.
 */
export function scoringInput(recording: Case, minute: number): BuiltTable {
  return {
    table: cut(recording, minute - RECENT_INSTANTS + 1, minute + 1),
    unscored: new Map(),
    droppedSeries: new Map(),
  };
}

/**
 * The minutes from `from` to before `to` as a table: pods with a complete minute in them, as from a
 * `FeatureTableBuilder` for the same instants.
 */
export function cut(recording: Case, from: number, to: number): FeatureTable {
  const { features, startSeconds } = recording;
  const width = features.length;
  const pods = recording.pods.filter((pod) => hasMinute(pod, width, from, to));
  const axes = {
    features: features.map(({ name }) => name),
    pods: pods.map(({ identity }) => identity),
    timestampsSeconds: Float64Array.from(
      { length: to - from },
      (_, instant) => startSeconds + (from + instant) * BIN_SECONDS,
    ),
  };
  return FeatureTable.fill(axes, (index, into) => {
    const pod = pods[index] as PodMinutes;
    const first = Math.max(from, pod.firstMinute);
    const last = Math.min(to, pod.firstMinute + pod.minutes);
    const cells = pod.cells.subarray((first - pod.firstMinute) * width, (last - pod.firstMinute) * width);
    into.set(cells, (first - from) * width);
  });
}

function hasMinute(pod: PodMinutes, width: number, from: number, to: number): boolean {
  const last = Math.min(to - pod.firstMinute, pod.minutes);
  for (let offset = Math.max(0, from - pod.firstMinute); offset < last; offset++) {
    if (!Number.isNaN(pod.cells[offset * width])) return true;
  }
  return false;
}

/** Position of each pod of a case by its key. */
export function positionsOf(recording: Case): ReadonlyMap<string, number> {
  return new Map(
    recording.pods.map(({ identity }, index) => [podKey(identity.namespace, identity.pod), index]),
  );
}
