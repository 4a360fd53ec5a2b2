/** One training: fetch the window, build the table, fit the model. Runs in a worker thread. */

import type { FeatureDefinition } from '../features/catalog.js';
import { queryOwners } from '../features/owners.js';
import { type BuiltTable, FeatureTableBuilder, podKey } from '../features/table.js';
import { type Owners, workloadFromName } from '../features/workload.js';
import { messageOf } from '../logging/logger.js';
import { fitModel, MINIMUM_TRAINING_SAMPLES, type ModelParameters } from '../model/fit.js';
import type { Model } from '../model/model.js';
import type { PrometheusApi } from '../prometheus/api.js';

/** What to train on. */
export interface TrainingRequest {
  readonly features: readonly FeatureDefinition[];
  readonly parameters: ModelParameters;
  readonly lookbackSeconds: number;
  readonly stepSeconds: number;
  /** Unix time in seconds; the window ends at the last multiple of the step before it. */
  readonly nowSeconds: number;
}

/** What a training brings. */
export interface TrainingResult {
  readonly model: Model;
  /** Sentences on what Prometheus warned of, and on what the model had to do without. */
  readonly warnings: readonly string[];
}

/** The data does not make a model. The message tells what each query found. */
export class TrainingDataError extends Error {
  override readonly name = 'TrainingDataError';
}

/** Time for one request of a training, in seconds: a range takes longer than an instant. */
export const TRAINING_REQUEST_TIMEOUT_SECONDS = 60;

/** Points in one answer: about 20 MB of JSON, and far below Prometheus' limits on samples and on points. */
const POINTS_PER_REQUEST = 600_000;

/** Instants in the first request for a feature, before the number of its series is known. */
const FIRST_REQUEST_INSTANTS = 30;

/** Prometheus answers at most this many points for each series (`exceeded maximum resolution`). */
const MAXIMUM_INSTANTS = 11_000;

/** What one query found over the whole window. */
interface Found {
  readonly feature: FeatureDefinition;
  series: number;
  samples: number;
}

/**
 * Trains a model on the window before `request.nowSeconds`.
 *
 * @param signal ends it early.
 * @throws {PrometheusError} when Prometheus cannot be asked.
 * @throws {TrainingDataError} when what it answers is too little.
 */
export async function train(
  api: PrometheusApi,
  request: TrainingRequest,
  signal: AbortSignal,
): Promise<TrainingResult> {
  const grid = trainingGrid(request);
  const warnings = new Set<string>();
  const builder = new FeatureTableBuilder(request.features, grid);
  const found: Found[] = [];
  for (const feature of request.features) {
    found.push(
      await fetchFeature(api, feature, { grid, stepSeconds: request.stepSeconds }, builder, warnings, signal),
    );
  }
  const absent = found.filter(({ samples }) => samples === 0).map(({ feature }) => feature);
  const owners = await fetchOwners(api, grid[grid.length - 1] as number, warnings, signal);
  const built = builder.build(
    (namespace, pod) => owners.get(podKey(namespace, pod)) ?? workloadFromName(pod),
  );
  requireEnoughSamples(built, found);
  for (const feature of absent) {
    warnings.add(`The query for ${feature.name} found no series; the model does without this feature.`);
  }
  const features = request.features.filter((feature) => !absent.includes(feature));
  const table = selectFeatures(built, request.features, features);
  return { model: fitModel(table, features, request.parameters), warnings: [...warnings] };
}

/** Instants of the window at multiples of the step, ascending: replicas that train in the same step agree. */
function trainingGrid({ nowSeconds, lookbackSeconds, stepSeconds }: TrainingRequest): Float64Array {
  const end = Math.floor(nowSeconds / stepSeconds) * stepSeconds;
  const steps = Math.floor(lookbackSeconds / stepSeconds);
  return Float64Array.from({ length: steps + 1 }, (_, index) => end - (steps - index) * stepSeconds);
}

/** Asks for one feature in slices of time, so that no answer is large, and decodes each into the table at once. */
async function fetchFeature(
  api: PrometheusApi,
  feature: FeatureDefinition,
  // The step does not follow from the grid, which has a single instant where the step is longer than the window.
  { grid, stepSeconds }: { readonly grid: Float64Array; readonly stepSeconds: number },
  builder: FeatureTableBuilder,
  warnings: Set<string>,
  signal: AbortSignal,
): Promise<Found> {
  const found: Found = { feature, series: 0, samples: 0 };
  let instants = FIRST_REQUEST_INSTANTS;
  for (let first = 0; first < grid.length; first += instants) {
    if (first > 0) {
      const fitting = Math.floor(POINTS_PER_REQUEST / Math.max(1, found.series));
      instants = Math.max(1, Math.min(MAXIMUM_INSTANTS, fitting));
    }
    const last = Math.min(first + instants, grid.length) - 1;
    const answer = await api.queryRange({
      query: feature.query,
      startSeconds: grid[first] as number,
      endSeconds: grid[last] as number,
      stepSeconds,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TRAINING_REQUEST_TIMEOUT_SECONDS * 1000)]),
    });
    builder.add(feature, answer);
    for (const warning of answer.warnings) warnings.add(`Prometheus warns of ${feature.name}: ${warning}`);
    found.series = Math.max(found.series, answer.labels.length);
    found.samples += answer.values.length;
  }
  return found;
}

/** Owners are a refinement: without kube-state-metrics, or without an answer, the names of pods tell. */
async function fetchOwners(
  api: PrometheusApi,
  timeSeconds: number,
  warnings: Set<string>,
  signal: AbortSignal,
): Promise<Owners> {
  try {
    return await queryOwners(api, timeSeconds, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    warnings.add(
      `Workloads are taken from pod names, as the owners of pods could not be asked for: ${messageOf(error)}`,
    );
    return new Map();
  }
}

function requireEnoughSamples({ table, unscored }: BuiltTable, found: readonly Found[]): void {
  const width = table.features.length;
  let samples = 0;
  for (let cell = 0; cell < table.values.length; cell += width) {
    if (!Number.isNaN(table.values[cell])) samples++;
  }
  if (samples >= MINIMUM_TRAINING_SAMPLES) return;
  const perQuery = found.map(
    ({ feature, series, samples: count }) => `${feature.name}: ${series} series with ${count} samples`,
  );
  const reasons = [...unscored].map(([reason, pods]) => `${pods} ${reason}`);
  throw new TrainingDataError(
    `Expected at least ${MINIMUM_TRAINING_SAMPLES} samples that have every required feature, found ${samples} ` +
      `(${perQuery.join('; ')}${reasons.length > 0 ? `; pods left out: ${reasons.join(', ')}` : ''}). ` +
      adviceFor(found),
  );
}

function adviceFor(found: readonly Found[]): string {
  const samplesOf = (name: string) => found.find(({ feature }) => feature.name === name)?.samples ?? 0;
  if (samplesOf('cpu') === 0 && samplesOf('memory') > 0) {
    return (
      'Memory has data and the CPU rate has none: the scrape interval of cAdvisor is probably too long for ' +
      'CPU_RATE_WINDOW; set it to at least four scrape intervals.'
    );
  }
  return (
    'Check NAMESPACE_REGEX and POD_LABEL, that Prometheus scrapes cAdvisor (the kubelet), and that it has done so ' +
    'for some minutes.'
  );
}

/** The table with fewer columns. */
function selectFeatures(
  { table }: BuiltTable,
  all: readonly FeatureDefinition[],
  selected: readonly FeatureDefinition[],
): BuiltTable['table'] {
  if (selected.length === all.length) return table;
  const columns = selected.map((feature) => all.indexOf(feature));
  const rows = table.values.length / all.length;
  const values = new Float64Array(rows * columns.length);
  for (let row = 0; row < rows; row++) {
    columns.forEach((column, index) => {
      values[row * columns.length + index] = table.values[row * all.length + column] as number;
    });
  }
  return { ...table, features: selected.map((feature) => feature.name), values };
}
