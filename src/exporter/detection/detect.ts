/** Model and the last minutes in, scores out: no clock, no network. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type BuiltTable, type FeatureTable, type PodIdentity, podKey } from '../features/table.js';
import { COUNTER_LOOKBACK_SECONDS } from '../model/counter.js';
import { measure, WARM_UP_SECONDS } from '../model/measure.js';
import type { Model } from '../model/model.js';
import { scoreInputs } from '../model/score.js';
import type { Detection } from './detection.js';

/** Distance of the instants that a detection looks at, in seconds. */
export const RECENT_STEP_SECONDS = 60;

/** How many there are: state such as a recent restart is read from them, and never kept from pass to pass. */
export const RECENT_INSTANTS = COUNTER_LOOKBACK_SECONDS / RECENT_STEP_SECONDS + 1;

/** So many pods are scored at a stretch: some milliseconds of work. */
const PODS_PER_TURN = 2048;

/**
 * Scores every pod that is there at the last instant of a table, and that is past its warm-up.
 *
 * @param built up to `RECENT_INSTANTS` instants, `RECENT_STEP_SECONDS` apart, with the columns of the model's features
 *   in their order.
 */
export function detect(model: Model, built: BuiltTable): Detection {
  const steps = detectInSteps(model, built);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Scores as `detect` does, and lets the event loop turn every few milliseconds. */
export async function detectInTurns(model: Model, built: BuiltTable): Promise<Detection> {
  const steps = detectInSteps(model, built);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await nextTurn();
  }
}

function* detectInSteps(model: Model, built: BuiltTable): Generator<undefined, Detection> {
  const { table, droppedSeries } = built;
  const width = model.features.length;
  const last = table.timestampsSeconds.length - 1;
  const unscored = new Map(built.unscored);
  const scored: number[] = [];
  const size = table.pods.length * width;
  const measured = {
    values: new Float64Array(size),
    expected: new Float64Array(size),
    deviations: new Float64Array(size),
    inputs: new Float64Array(size),
  };
  const silent = silentColumns(model);
  for (let start = 0; start < table.pods.length; start += PODS_PER_TURN) {
    const cell = scored.length * width;
    const some: number[] = [];
    for (let pod = start; pod < Math.min(start + PODS_PER_TURN, table.pods.length); pod++) {
      if (!isComplete(table, pod, last)) continue;
      if (isWarmingUp(model, table, pod)) unscored.set('warmup', (unscored.get('warmup') ?? 0) + 1);
      else some.push(pod);
    }
    scored.push(...some);
    const recent = selectPods(table, some);
    const measurement = measure(model.baseline, model.features, recent, {
      firstInstant: last,
      excuseSchedules: true,
    });
    measured.values.set(valuesOfLastInstant(recent), cell);
    measured.expected.set(measurement.expected, cell);
    measured.deviations.set(measurement.deviations, cell);
    measured.inputs.set(measurement.inputs, cell);
    for (const column of silent) if (!isSilent(recent, column)) silent.delete(column);
    yield;
  }
  const cells = scored.length * width;
  const deviations = measured.deviations.subarray(0, cells);
  const inputs = measured.inputs.subarray(0, cells);
  for (const column of silent) {
    for (let cell = column; cell < cells; cell += width) {
      deviations[cell] = 0;
      inputs[cell] = 0;
    }
  }
  const scores = new Float64Array(scored.length);
  for (let row = 0; row < scored.length; row += PODS_PER_TURN) {
    scores.set(scoreInputs(model, inputs.subarray(row * width, (row + PODS_PER_TURN) * width)), row);
    yield;
  }
  return {
    timeSeconds: table.timestampsSeconds[last] ?? Number.NaN,
    model,
    table: {
      ...table,
      pods: scored.map((pod) => table.pods[pod] as PodIdentity),
      timestampsSeconds: table.timestampsSeconds.slice(-1),
      values: measured.values.subarray(0, cells),
    },
    scores,
    expected: measured.expected.subarray(0, cells),
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

function isSilent({ values, features }: FeatureTable, column: number): boolean {
  for (let cell = column; cell < values.length; cell += features.length) {
    if (values[cell] !== 0) return false;
  }
  return true;
}

function isComplete({ values, features, timestampsSeconds }: FeatureTable, pod: number, instant: number) {
  return !Number.isNaN(values[(pod * timestampsSeconds.length + instant) * features.length]);
}

/** The plain method knows no warm-up. */
function isWarmingUp(model: Model, table: FeatureTable, index: number): boolean {
  if (model.baseline.kind === 'cluster') return false;
  let samples = 0;
  for (let instant = 0; instant < table.timestampsSeconds.length; instant++) {
    if (isComplete(table, index, instant)) samples++;
  }
  if (samples * RECENT_STEP_SECONDS >= WARM_UP_SECONDS) return false;
  const { namespace, pod } = table.pods[index] as PodIdentity;
  return (model.baseline.seenSeconds.get(podKey(namespace, pod)) ?? 0) < WARM_UP_SECONDS;
}

function selectPods(table: FeatureTable, indices: readonly number[]): FeatureTable {
  const size = table.timestampsSeconds.length * table.features.length;
  const values = new Float64Array(indices.length * size);
  indices.forEach((index, position) => {
    values.set(table.values.subarray(index * size, (index + 1) * size), position * size);
  });
  return {
    ...table,
    pods: indices.map((index) => table.pods[index] as PodIdentity),
    values,
  };
}

function valuesOfLastInstant({ values, features, timestampsSeconds, pods }: FeatureTable): Float64Array {
  const width = features.length;
  const size = timestampsSeconds.length * width;
  const last = new Float64Array(pods.length * width);
  for (let pod = 0; pod < pods.length; pod++) {
    for (let column = 0; column < width; column++) {
      last[pod * width + column] = values[(pod + 1) * size - width + column] as number;
    }
  }
  return last;
}
