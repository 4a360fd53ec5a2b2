/** Model and the last minutes in, scores out: no clock, no network. */

import { type BuiltTable, type FeatureTable, podKey } from '../features/table.js';
import { COUNTER_LOOKBACK_SECONDS } from '../model/counter.js';
import { type Measurement, measure, WARM_UP_SECONDS } from '../model/measure.js';
import type { Model } from '../model/model.js';
import { scoreInputs } from '../model/score.js';
import type { Detection } from './detection.js';

/** Distance of the instants that a detection looks at, in seconds. */
export const RECENT_STEP_SECONDS = 60;

/** How many there are: state such as a recent restart is read from them, and never kept from pass to pass. */
export const RECENT_INSTANTS = COUNTER_LOOKBACK_SECONDS / RECENT_STEP_SECONDS + 1;

/**
 * Scores every pod that is there at the last instant of a table, and that is past its warm-up.
 *
 * @param built up to `RECENT_INSTANTS` instants, `RECENT_STEP_SECONDS` apart, with the columns of the model's features
 *   in their order.
 */
export function detect(model: Model, built: BuiltTable): Detection {
  const { table, droppedSeries } = built;
  const last = table.timestampsSeconds.length - 1;
  const unscored = new Map(built.unscored);
  const scored: number[] = [];
  table.pods.forEach((_, index) => {
    if (!isComplete(table, index, last)) return;
    if (isWarmingUp(model, table, index)) unscored.set('warmup', (unscored.get('warmup') ?? 0) + 1);
    else scored.push(index);
  });
  const recent = selectPods(table, scored);
  const measurement = measure(model.baseline, model.features, recent, {
    firstInstant: last,
    excuseSchedules: true,
  });
  const { expected, deviations, inputs } = withoutSilentFeatures(measurement, model, recent);
  return {
    timeSeconds: table.timestampsSeconds[last] ?? Number.NaN,
    model,
    table: lastInstant(recent),
    scores: scoreInputs(model, inputs),
    expected,
    deviations,
    inputs,
    unscored,
    droppedSeries,
  };
}

/**
 * An optional gauge that reads 0 for every pod has most likely lost its source, and would seem to have fallen
 * everywhere. It counts as usual; where 0 is usual, nothing changes.
 */
function withoutSilentFeatures(measurement: Measurement, model: Model, table: FeatureTable): Measurement {
  const width = model.features.length;
  model.features.forEach((feature, column) => {
    if (feature.required || feature.type === 'counter' || model.baseline.kind === 'cluster') return;
    for (let cell = column; cell < table.values.length; cell += width) {
      if (table.values[cell] !== 0) return;
    }
    for (let cell = column; cell < measurement.inputs.length; cell += width) {
      measurement.inputs[cell] = 0;
      measurement.deviations[cell] = 0;
    }
  });
  return measurement;
}

function isComplete({ values, features, timestampsSeconds }: FeatureTable, pod: number, instant: number) {
  return !Number.isNaN(values[(pod * timestampsSeconds.length + instant) * features.length]);
}

/** The plain method knows no warm-up. */
function isWarmingUp(model: Model, table: FeatureTable, index: number): boolean {
  if (model.baseline.kind === 'cluster') return false;
  const { namespace, pod } = table.pods[index] as FeatureTable['pods'][number];
  if ((model.baseline.seenSeconds.get(podKey(namespace, pod)) ?? 0) >= WARM_UP_SECONDS) return false;
  let samples = 0;
  for (let instant = 0; instant < table.timestampsSeconds.length; instant++) {
    if (isComplete(table, index, instant)) samples++;
  }
  return samples * RECENT_STEP_SECONDS < WARM_UP_SECONDS;
}

function selectPods(table: FeatureTable, indices: readonly number[]): FeatureTable {
  const size = table.timestampsSeconds.length * table.features.length;
  const values = new Float64Array(indices.length * size);
  indices.forEach((index, position) => {
    values.set(table.values.subarray(index * size, (index + 1) * size), position * size);
  });
  return {
    ...table,
    pods: indices.map((index) => table.pods[index] as FeatureTable['pods'][number]),
    values,
  };
}

function lastInstant(table: FeatureTable): FeatureTable {
  const width = table.features.length;
  const instants = table.timestampsSeconds.length;
  const values = new Float64Array(table.pods.length * width);
  table.pods.forEach((_, index) => {
    const end = (index + 1) * instants * width;
    values.set(table.values.subarray(end - width, end), index * width);
  });
  return { ...table, timestampsSeconds: table.timestampsSeconds.slice(-1), values };
}
