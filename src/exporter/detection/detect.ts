/** Model and the last minutes in, scores out: no clock, no network. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { FeatureTable, type PodIdentity } from '../features/table.js';
import type { BuiltTable } from '../features/table-builder.js';
import { COUNTER_LOOKBACK_SECONDS } from '../model/counter.js';
import { emptyMeasurement, Measurer, WARM_UP_SECONDS } from '../model/measure.js';
import type { Model } from '../model/model.js';
import { locatePods } from '../model/rows.js';
import { marginsOf } from '../model/score.js';
import type { Detection } from './detection.js';

/** Distance of the instants that a detection looks at, in seconds. */
export const RECENT_STEP_SECONDS = 60;

/** How many there are: state such as a recent restart is read from them, and never kept from pass to pass. */
export const RECENT_INSTANTS = COUNTER_LOOKBACK_SECONDS / RECENT_STEP_SECONDS + 1;

/** The last `count` instants up to a time, counted from the end: the last one is the time itself, to the bit. */
export function instantsUpTo(timeSeconds: number, count = RECENT_INSTANTS): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => timeSeconds - (count - 1 - index) * RECENT_STEP_SECONDS);
}

/** Pods that are scored in one turn of the event loop: some milliseconds of work. */
const PODS_PER_TURN = 2048;

/**
 * Scores every pod that is there at the last instant of a table, and that is past its warm-up.
 *
 * @param built up to `RECENT_INSTANTS` instants, `RECENT_STEP_SECONDS` apart, with the columns of the model's features
 *   in their order.
 * @param rows row of each pod of the table in the model, -1 where it has none (`locatePods`).
 */
export function detect(model: Model, built: BuiltTable, rows?: Int32Array): Detection {
  const steps = detectInSteps(model, built, rows);
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/**
 * Scores as `detect` does, and lets the event loop turn every few milliseconds.
 *
 * @throws the reason of the signal, at the first turn after its abort.
 */
export async function detectInTurns(
  model: Model,
  built: BuiltTable,
  signal: AbortSignal,
  rows?: Int32Array,
): Promise<Detection> {
  const steps = detectInSteps(model, built, rows);
  let step = steps.next();
  for (; !step.done; step = steps.next()) {
    await nextTurn();
    signal.throwIfAborted();
  }
  return step.value;
}

function* detectInSteps(
  model: Model,
  { table, unscored: notInTable, droppedSeries }: BuiltTable,
  rows = locatePods(model.baseline.pods, table.pods),
): Generator<undefined, Detection> {
  const width = model.features.length;
  const last = table.timestampsSeconds.length - 1;
  const unscored = new Map(notInTable);
  const scored: PodIdentity[] = [];
  const measurer = new Measurer(model.baseline, model.features, table, true, rows);
  const measured = emptyMeasurement(table.pods.length * width);
  const silent = silentColumns(model);
  for (const [pod, identity] of table.pods.entries()) {
    if (pod > 0 && pod % PODS_PER_TURN === 0) yield;
    if (!table.isPresent(pod, last)) continue;
    if (isWarmingUp(model, table, pod, rows[pod] as number)) {
      unscored.set('warmup', (unscored.get('warmup') ?? 0) + 1);
      continue;
    }
    measurer.measurePod(pod, last, last + 1, measured, scored.length);
    for (const column of silent) if (!isSilent(table, pod, column)) silent.delete(column);
    scored.push(identity);
  }
  yield;
  const ofScored = (cells: Float64Array) => cells.subarray(0, scored.length * width);
  const deviations = ofScored(measured.deviations);
  const inputs = ofScored(measured.inputs);
  for (const column of silent) {
    for (let cell = column; cell < inputs.length; cell += width) {
      deviations[cell] = 0;
      inputs[cell] = 0;
    }
  }
  const scores = new Float64Array(scored.length);
  for (let row = 0; row < scored.length; row += PODS_PER_TURN) {
    scores.set(marginsOf(model, inputs.subarray(row * width, (row + PODS_PER_TURN) * width)), row);
    yield;
  }
  return {
    timeSeconds: table.timestampsSeconds[last] ?? Number.NaN,
    model,
    table: new FeatureTable({
      features: table.features,
      pods: scored,
      timestampsSeconds: table.timestampsSeconds.slice(-1),
      values: ofScored(measured.actual),
    }),
    scores,
    expected: ofScored(measured.expected),
    deviations,
    inputs,
    unscored,
    droppedSeries,
  };
}

/**
 * The columns that count as usual while they read 0 for every pod: an optional gauge that does has most likely lost its
 * source, and would seem to have fallen everywhere. Where 0 is usual, nothing changes.
 */
function silentColumns({ features, baseline }: Model): Set<number> {
  return new Set(
    features.flatMap(({ required, type }, column) =>
      required || type === 'counter' || baseline.kind === 'cluster' ? [] : [column],
    ),
  );
}

const isSilent = (table: FeatureTable, pod: number, column: number) =>
  table.timestampsSeconds.every((_, instant) => table.at(pod, instant, column) === 0);

/** With `cluster`, no pod warms up. */
function isWarmingUp({ baseline }: Model, table: FeatureTable, pod: number, row: number): boolean {
  if (baseline.kind === 'cluster') return false;
  let samples = 0;
  for (let instant = 0; instant < table.timestampsSeconds.length; instant++) {
    if (table.isPresent(pod, instant)) samples++;
  }
  if (samples * RECENT_STEP_SECONDS >= WARM_UP_SECONDS) return false;
  return row < 0 || (baseline.pods.seenSeconds[row] as number) < WARM_UP_SECONDS;
}
