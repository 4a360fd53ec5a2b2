/** Measures a whole table: for tests, which look at more than one pod and instant. */

import type { FeatureDefinition } from '../../src/exporter/features/catalog.js';
import type { FeatureTable } from '../../src/exporter/features/table.js';
import type { Baseline } from '../../src/exporter/model/baseline.js';
import { emptyMeasurement, type Measurement, Measurer } from '../../src/exporter/model/measure.js';

/** Measures all pods of a table from an instant on. */
export function measure(
  baseline: Baseline,
  features: readonly FeatureDefinition[],
  table: FeatureTable,
  { firstInstant, excuseSchedules }: { readonly firstInstant: number; readonly excuseSchedules: boolean },
): Measurement {
  const instants = table.timestampsSeconds.length;
  const measured = instants - firstInstant;
  const measurement = emptyMeasurement(table.pods.length * measured * features.length);
  const measurer = new Measurer(baseline, features, table, excuseSchedules);
  for (let pod = 0; pod < table.pods.length; pod++) {
    measurer.measurePod(pod, firstInstant, instants, measurement, pod * measured);
  }
  return measurement;
}
