/** One training: fetch the window, build the table, fit the model. Runs in a worker thread. */

import { withDeadline } from '../../lib/deadline.js';
import { messageOf } from '../../lib/logging/message-of.js';
import { counted, formatDuration } from '../../lib/text/format.js';
import type { FeatureDefinition } from '../features/catalog.js';
import { type FeatureTable, podKey } from '../features/table.js';
import { type BuiltTable, FeatureTableBuilder, podLimitWarning } from '../features/table-builder.js';
import { type OwnerQueries, type Owners, queryOwners, workloadFromName } from '../features/workload.js';
import { HOUR_SETTLING_SECONDS } from '../history/grid.js';
import { type HistoryState, WorkloadHistory } from '../history/workload-history.js';
import { MINIMUM_OWN_SAMPLES } from '../model/baseline.js';
import { fitModel, MINIMUM_TRAINING_SAMPLES, type ModelParameters } from '../model/fit.js';
import { countKept, knownWorkload, type Model } from '../model/model.js';
import { ABSENT } from '../model/rows.js';
import type { PrometheusApi, SeriesSet } from '../prometheus/api.js';
import { RangeFetcher } from '../prometheus/range.js';
import { Remarks } from '../prometheus/remarks.js';
import { KnownSamples } from './known-samples.js';
import {
  type Grid,
  MAXIMUM_TRAINING_POINTS,
  POINTS_PER_REQUEST,
  planTraining,
  type TrainingPlan,
  type TrainingTimes,
  trainingWindow,
} from './plan.js';

export interface TrainingRequest extends TrainingTimes {
  readonly features: readonly FeatureDefinition[];
  readonly ownerQueries: OwnerQueries;
  readonly parameters: ModelParameters;
  /** Most pods to train on, always the same ones of those that are there. Unlimited if unset. */
  readonly maximumPods?: number;
  /** What workloads did during the last days; unset where nothing is remembered. */
  readonly history?: HistoryState | undefined;
  /** How many series a query had lately: the first training need not count them. */
  readonly seriesSeen?: ReadonlyMap<string, number> | undefined;
}

/** When a training takes place. */
export interface TrainingOccasion {
  /** When it was due, Unix time in seconds. Replicas on the same schedule agree on it, whenever their timers fire. */
  readonly dueSeconds: number;
  /** How long the model is going to serve. */
  readonly untilNextTrainingSeconds: number;
}

/**
 * What was usual three hours ago counts: a training remembers the usual level of that time as well (`historySlices`), and
 * what is older than that, a model of today would not know either.
 */
const MEMORY_SECONDS = 3 * 3600;

/** Where trainings are rarer, models serve for longer by choice: one training may be missed. */
const INTERVALS_TO_KEEP = 2;

/**
 * How long the usual values of a training count, in seconds.
 *
 * @param intervalSeconds longest time between two of the next trainings.
 */
export function modelLifeSeconds(intervalSeconds: number): number {
  return Math.max(MEMORY_SECONDS, INTERVALS_TO_KEEP * intervalSeconds);
}

/** What every training of a process has in common. */
export interface TrainingScope
  extends Omit<TrainingRequest, 'nowSeconds' | 'untilNextTrainingSeconds' | 'history' | 'seriesSeen'> {
  /** How far back the newest values are taken, in seconds, for a backend that hides its latest; 0 if unset. */
  readonly queryOffsetSeconds?: number;
}

export interface TrainingResult {
  readonly model: Model;
  /** How much of the data was asked for, and why: a sentence. */
  readonly plan: string;
  /** Sentences on what Prometheus warned of, and on what the model had to do without. */
  readonly warnings: readonly string[];
}

/** The data does not make a model. The message says what each query found. */
export class TrainingDataError extends Error {
  override readonly name = 'TrainingDataError';
}

/**
 * Prometheus stamps a sample when a scrape begins and stores it when that ends, by default up to 10 s later. A training
 * leaves out what is younger: of two replicas that train at the same tick, one would find it and the other would not.
 */
export const SETTLING_SECONDS = 15;

/**
 * What is younger than this is asked for again by the next training, in seconds: samples may come later than their time
 * says, those of recording rules last. Relative to the newest values that a training takes.
 */
const LATE_SECONDS = HOUR_SETTLING_SECONDS;

/** Memory for samples between two trainings, in bytes: three hours of 30,000 pods, or the window of 100,000. */
const MOST_SAMPLE_BYTES = 64e6;

/** Where more of what a training can read is wanted than this share, each replica has to count the series at the same time. */
const CERTAIN_SHARE = 0.95;

/** Time for one request of a training, in seconds: a range takes longer than an instant. */
export const TRAINING_REQUEST_TIMEOUT_SECONDS = 60;

/** The parameters of the model, without the other settings. */
export function modelParameters(settings: ModelParameters): ModelParameters {
  const { baseline, estimators, maxSamples, contamination, randomState, sensitivity } = settings;
  const { alertBudgetPerDay, acceptReleaseHours, acceptLevelHours } = settings;
  return {
    baseline,
    estimators,
    maxSamples,
    contamination,
    randomState,
    sensitivity,
    alertBudgetPerDay,
    acceptReleaseHours,
    acceptLevelHours,
  };
}

/** The request for the training of an occasion: its newest sample is as old as it takes to be complete. */
export function trainingRequest(
  { queryOffsetSeconds = 0, ...scope }: TrainingScope,
  { dueSeconds, untilNextTrainingSeconds }: TrainingOccasion,
  { history, seriesSeen }: Pick<TrainingRequest, 'history' | 'seriesSeen'> = {},
): TrainingRequest {
  const ageSeconds = Math.max(SETTLING_SECONDS, queryOffsetSeconds);
  return {
    ...scope,
    ...(history && { history }),
    ...(seriesSeen && { seriesSeen }),
    nowSeconds: dueSeconds - ageSeconds,
    untilNextTrainingSeconds: untilNextTrainingSeconds + ageSeconds,
  };
}

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
 * @param previous the model that this one replaces: what the window has too little of stays as that one knows it, for
 *   `modelLifeSeconds`.
 * @param known what earlier trainings have read of the same namespaces, which is not asked for again; takes over what is
 *   worth keeping of this one. The model is the same as without it.
 * @throws {PrometheusError} when Prometheus cannot be asked.
 * @throws {TrainingDataError} when what it answers is too little, or lacks a feature that `previous` knows.
 */
export async function train(
  api: PrometheusApi,
  request: TrainingRequest,
  signal?: AbortSignal,
  previous?: Model,
  known = new KnownSamples(),
): Promise<TrainingResult> {
  const remarks = new Remarks();
  try {
    return await trainOn({ api, request, signal, previous, known, remarks });
  } finally {
    // After a failure as well, what is left of `known` is right.
    if (remarks.isPartial) known.forgetAll();
    known.forgetOutside(Number.NEGATIVE_INFINITY, request.nowSeconds - LATE_SECONDS);
  }
}

interface Training {
  readonly api: PrometheusApi;
  readonly request: TrainingRequest;
  readonly signal: AbortSignal | undefined;
  readonly previous: Model | undefined;
  readonly known: KnownSamples;
  /** What Prometheus says beside its answers; is added to. */
  readonly remarks: Remarks;
}

async function trainOn({ api, request, signal, previous, known, remarks }: Training): Promise<TrainingResult> {
  const { maximumPods = Number.POSITIVE_INFINITY, parameters } = request;
  const warnings = new Set<string>();
  const lifeSeconds = modelLifeSeconds(request.untilNextTrainingSeconds);
  const end = trainingWindow(request).grid.at(-1) as number;
  const owners = await fetchOwners(api, request.ownerQueries, end, warnings, signal);
  // By a clock that was ahead, instants that had no samples yet.
  if (known.newestSeconds > request.nowSeconds - LATE_SECONDS) known.forgetAll();
  const { plan, series } = await planWith(api, request, known, end, signal);
  known.forgetOutside(earliestOf(plan), end);
  const ranges = new RangeFetcher(api, {
    pointsPerRequest: POINTS_PER_REQUEST,
    timeoutSeconds: TRAINING_REQUEST_TIMEOUT_SECONDS,
  });
  for (const [{ query }, count] of series) ranges.expect(query, count);
  // A pod stays in its workload while kube-state-metrics does not answer.
  const workloadOf = (namespace: string, pod: string) =>
    owners.get(podKey(namespace, pod)) ?? knownWorkload(previous, namespace, pod) ?? workloadFromName(pod);
  const fetching: Fetching = { ranges, known, features: request.features, maximumPods, workloadOf, remarks, signal };
  const window = await fetchTable(fetching, plan.window);
  const limited = podLimitWarning(window.built);
  if (limited !== undefined) warnings.add(limited);
  requireEnoughSamples(window.built, window.found);
  if (previous !== undefined && previous.windowEndSeconds >= end - lifeSeconds) {
    requireKnownFeatures(window.found, previous, previous.windowEndSeconds + lifeSeconds);
  }
  const features: FeatureDefinition[] = [];
  for (const { feature, samples } of window.found) {
    if (samples > 0) features.push(feature);
    else warnings.add(`No series for feature ${feature.name}; training without it.`);
  }
  const slices: FeatureTable[] = [];
  for (const slice of plan.slices) {
    slices.push((await fetchTable({ ...fetching, features }, slice)).built.table);
  }
  const names = features.map(({ name }) => name);
  const tables = { window: window.built.table.selectFeatures(names), history: slices };
  const history = request.history === undefined ? undefined : new WorkloadHistory(request.history);
  const model = fitModel(tables, features, parameters, history, previous && { model: previous, lifeSeconds });
  for (const warning of keptWarnings(model, previous, formatDuration(lifeSeconds))) warnings.add(warning);
  if (parameters.baseline === 'pod' && model.baseline.pods.flags.every((flags) => flags === 0)) {
    warnings.add(
      'No pod has enough samples for a past of its own, so all are compared with the whole fleet. If this stays, ' +
        `lengthen TRAINING_LOOKBACK_MINUTES or shorten QUERY_STEP_SECONDS: ${MINIMUM_OWN_SAMPLES} samples are needed.`,
    );
  }
  return { model, plan: plan.reason, warnings: [...remarks.texts, ...warnings] };
}

/** Pods end every day. Where more than a third are gone at once, they were more likely left out of the answers. */
const LARGE_SHARE_ABSENT = 1 / 3;

/** @param life how long usual values are kept, in words. */
function keptWarnings(model: Model, previous: Model | undefined, life: string): string[] {
  const { pods: kept } = countKept(model);
  const { flags, fittedSeconds } = model.baseline.pods;
  // Those that the training before still found.
  const absent = flags.reduce(
    (sum, own, row) => sum + Number((own & ABSENT) !== 0 && fittedSeconds[row] === previous?.windowEndSeconds),
    0,
  );
  const warnings: string[] = [];
  if (kept > 0) {
    warnings.push(
      `${counted(kept, 'pod')} ${kept === 1 ? 'keeps' : 'keep'} the usual values of an earlier training, as this one found ` +
        `too little of them: Prometheus has gaps, or did not answer with all of its data. They count for ${life}.`,
    );
  }
  if (previous !== undefined && absent > LARGE_SHARE_ABSENT * previous.pods) {
    warnings.push(
      `${absent} of ${counted(previous.pods, 'pod')} of the training before are not found any more. If they have not ended, ` +
        `Prometheus does not answer with all of its data. Their usual values count for ${life}, should they come back.`,
    );
  }
  return warnings;
}

type SeriesCounts = ReadonlyMap<FeatureDefinition, number>;

/** The plan, from how many series there are: as far as that matters, an earlier question has shown it. */
async function planWith(
  api: PrometheusApi,
  request: TrainingRequest,
  known: KnownSamples,
  endSeconds: number,
  signal: AbortSignal | undefined,
): Promise<{ plan: TrainingPlan; series: SeriesCounts }> {
  const { features, parameters, maximumPods = Number.POSITIVE_INFINITY } = request;
  const planFor = (series: SeriesCounts, most: number) => {
    const kept = [...series.values()].reduce((sum, count) => sum + Math.min(count, maximumPods), 0);
    return { plan: planTraining(request, parameters.baseline, kept, most), series };
  };
  const seen = new Map(
    features.flatMap((feature) => {
      const count = known.seriesOf(feature.query) ?? request.seriesSeen?.get(feature.query);
      return count === undefined ? [] : [[feature, count] as const];
    }),
  );
  if (seen.size === features.length) {
    const planned = planFor(seen, CERTAIN_SHARE * MAXIMUM_TRAINING_POINTS);
    if (planned.plan.isWhole) return planned;
  }
  return planFor(await countSeries(api, features, endSeconds, signal), MAXIMUM_TRAINING_POINTS);
}

/** Series of each feature at one instant: what a plan is made from, for a hundredth of the work. */
async function countSeries(
  api: PrometheusApi,
  features: readonly FeatureDefinition[],
  timeSeconds: number,
  signal: AbortSignal | undefined,
): Promise<SeriesCounts> {
  const series = new Map<FeatureDefinition, number>();
  for (const feature of features) {
    const limited = withDeadline(signal, TRAINING_REQUEST_TIMEOUT_SECONDS);
    const { labels } = await api.query({ query: feature.query, timeSeconds, signal: limited });
    series.set(feature, labels.length);
  }
  return series;
}

/** The first instant of all that a plan asks for, Unix time in seconds. */
function earliestOf({ window, slices }: TrainingPlan): number {
  return Math.min(...[window, ...slices].map(({ grid }) => grid[0] as number));
}

interface Fetching extends Pick<Training, 'known' | 'remarks' | 'signal'> {
  readonly ranges: RangeFetcher;
  readonly features: readonly FeatureDefinition[];
  readonly maximumPods: number;
  readonly workloadOf: (namespace: string, pod: string) => string;
}

async function fetchTable(fetching: Fetching, grid: Grid): Promise<{ built: BuiltTable; found: Found[] }> {
  const builder = new FeatureTableBuilder(fetching.features, grid.grid, fetching.maximumPods);
  const found: Found[] = [];
  for (const feature of fetching.features) found.push(await fetchFeature(fetching, feature, grid, builder));
  return { built: builder.build(fetching.workloadOf), found };
}

/** Asks for what is not known of one feature, and adds all of it to the table. */
async function fetchFeature(
  { ranges, known, remarks, signal }: Fetching,
  feature: FeatureDefinition,
  grid: Grid,
  builder: FeatureTableBuilder,
): Promise<Found> {
  const { name, query } = feature;
  const found: Found = { feature, series: 0, samples: 0 };
  const askForMissing = async () => {
    for (const range of known.missing(query, grid)) {
      for await (const { part, answer } of ranges.fetch(query, range, signal)) {
        known.add(query, part, inFewDigits(feature, answer));
        for (const warning of answer.warnings) remarks.add(warning, `Prometheus warns of ${name}: ${warning}`);
        found.series = Math.max(found.series, answer.labels.length);
      }
    }
  };
  await askForMissing();
  if (known.forgetGaps(query, grid)) await askForMissing();
  for (const series of known.read(query, grid)) {
    builder.add(feature, series);
    found.samples += series.values.length;
  }
  known.limit(MOST_SAMPLE_BYTES);
  return found;
}

/** Gauges with seven digits, whenever they were read: those of a rate have 17, in twice the memory. Events are counted exactly. */
function inFewDigits({ type }: FeatureDefinition, series: SeriesSet): SeriesSet {
  return type === 'counter' ? series : { ...series, values: series.values.map(Math.fround) };
}

/** Owners are a refinement: without kube-state-metrics, or without an answer, workloads come from the names of pods. */
async function fetchOwners(
  api: PrometheusApi,
  queries: OwnerQueries,
  timeSeconds: number,
  warnings: Set<string>,
  signal: AbortSignal | undefined,
): Promise<Owners> {
  try {
    const limited = withDeadline(signal, TRAINING_REQUEST_TIMEOUT_SECONDS);
    return await queryOwners(api, queries, timeSeconds, limited);
  } catch (error) {
    if (signal?.aborted) throw error;
    warnings.add(`Workloads are taken from pod names, because the query for their owners failed: ${messageOf(error)}`);
    return new Map();
  }
}

/** A feature that has disappeared is more often an outage than a decision. */
function requireKnownFeatures(found: readonly Found[], previous: Model, untilSeconds: number): void {
  const lost = found
    .filter(({ feature, samples }) => samples === 0 && previous.features.some(({ name }) => name === feature.name))
    .map(({ feature }) => feature.name);
  if (lost.length === 0) return;
  throw new TrainingDataError(
    `The queries of these features found no series, and the model of before knows them: ${lost.join(', ')}. Check what ` +
      `exports them (restarts: kube-state-metrics). From ${new Date(untilSeconds * 1000).toISOString()} on, trainings do ` +
      'without them.',
  );
}

function requireEnoughSamples({ table, unscored }: BuiltTable, found: readonly Found[]): void {
  const samples = table.countPresent();
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
