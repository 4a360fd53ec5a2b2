/** Short ways to write answers of Prometheus and tables of features. */

import { RECENT_INSTANTS } from '../../src/exporter/detection/detect.js';
import { buildCatalog, type FeatureDefinition } from '../../src/exporter/features/catalog.js';
import { FeatureTable, type PodIdentity } from '../../src/exporter/features/table.js';
import type { BuiltTable } from '../../src/exporter/features/table-builder.js';
import type { Labels, SeriesSet } from '../../src/exporter/prometheus/api.js';

/** The built-in features with the default settings: cpu and memory (required), restarts. */
export const CATALOG = buildCatalog({ namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' });

type Three = readonly [FeatureDefinition, FeatureDefinition, FeatureDefinition];

/** The columns of `CATALOG`. */
export const [CPU, MEMORY, RESTARTS] = CATALOG as Three;

/** A series as a person writes it: labels, then samples of time and value. */
export type WrittenSeries = readonly [labels: Labels, ...samples: (readonly [seconds: number, value: number])[]];

/** The answer to a query. */
export function seriesSet(...series: readonly WrittenSeries[]): SeriesSet {
  const samples = series.map(([, ...rest]) => rest);
  let end = 0;
  return {
    labels: series.map(([labels]) => labels),
    offsets: Uint32Array.from([
      0,
      ...samples.map((some) => {
        end += some.length;
        return end;
      }),
    ]),
    timestampsSeconds: Float64Array.from(samples.flat().map(([seconds]) => seconds)),
    values: Float64Array.from(samples.flat().map(([, value]) => value)),
  };
}

/** A gauge with a name of its own: both directions count, its smallest spread is 1, or a tenth of the usual level. */
export function feature(name: string, changes: Partial<FeatureDefinition> = {}): FeatureDefinition {
  return {
    name,
    unit: 'units',
    help: name,
    query: name,
    podLabel: 'pod',
    type: 'gauge',
    direction: 'both',
    spreadFloor: 1,
    relativeSpreadFloor: 0.1,
    required: true,
    ...changes,
  };
}

/** A pod with one row of values for each instant. */
export interface WrittenPod {
  readonly pod: string;
  readonly rows: readonly (readonly number[])[];
  /** `ns` unless told. */
  readonly namespace?: string;
  /** The pod's own name unless told. */
  readonly workload?: string;
}

/** A table of pods that all have as many rows, one minute apart unless told. */
export function featureTable(
  features: readonly FeatureDefinition[],
  pods: readonly WrittenPod[],
  { startSeconds = 0, stepSeconds = 60 }: { readonly startSeconds?: number; readonly stepSeconds?: number } = {},
): FeatureTable {
  const instants = pods[0]?.rows.length ?? 0;
  for (const { pod, rows } of pods) {
    if (rows.length !== instants || rows.some((row) => row.length !== features.length)) {
      throw new Error(`Expected ${instants} rows of ${features.length} values from ${pod}.`);
    }
  }
  return new FeatureTable({
    features: features.map(({ name }) => name),
    pods: pods.map(({ namespace = 'ns', pod, workload = pod }) => ({ namespace, pod, workload })),
    timestampsSeconds: Float64Array.from({ length: instants }, (_, instant) => startSeconds + stepSeconds * instant),
    values: Float64Array.from(pods.flatMap(({ rows }) => rows.flat())),
  });
}

/** The instants from `from` to before `to` of a table, and the pods that are there at any of them. */
export function sliceTable(table: FeatureTable, from: number, to: number): FeatureTable {
  const slice = table.selectInstants(from, to);
  const there = [...slice.pods.keys()].filter((pod) => !slice.cellsOf(pod).every(Number.isNaN));
  const pods = there.map((pod) => slice.pods[pod] as PodIdentity);
  return FeatureTable.fill({ ...slice, pods }, (row, cells) => cells.set(slice.cellsOf(there[row] as number)));
}

/** What a detection at an instant of a table sees: that instant, and those before it as far as they are there. */
export function recentOf(table: FeatureTable, instant: number): BuiltTable {
  return asBuilt(sliceTable(table, Math.max(0, instant + 1 - RECENT_INSTANTS), instant + 1));
}

/** A table from which nothing was left out. */
export function asBuilt(table: FeatureTable): BuiltTable {
  return { table, unscored: new Map(), incomplete: new Map(), droppedSeries: new Map() };
}
