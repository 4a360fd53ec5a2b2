/** Walks forward through a chunk of the past with the service's own training and detection. */

import type { Settings } from '../../exporter/config/settings.js';
import { detect, instantsUpTo, RECENT_STEP_SECONDS, recentSecondsOf } from '../../exporter/detection/detect.js';
import type { Detection, PassOutcome } from '../../exporter/detection/detection.js';
import { WorkloadDirectory } from '../../exporter/detection/workloads.js';
import type { FeatureDefinition } from '../../exporter/features/catalog.js';
import type { PodIdentity } from '../../exporter/features/table.js';
import { FeatureTableBuilder } from '../../exporter/features/table-builder.js';
import type { OwnerQueries } from '../../exporter/features/workload.js';
import type { DetectorState } from '../../exporter/metrics/state.js';
import type { ModelParameters } from '../../exporter/model/fit.js';
import type { Model } from '../../exporter/model/model.js';
import { locatePods } from '../../exporter/model/rows.js';
import { Remarks } from '../../exporter/prometheus/remarks.js';
import { train, trainingRequest } from '../../exporter/training/job.js';
import { compileRules, type LayersOf, type TuningRule } from '../../exporter/tuning/rules.js';
import { tuningAt } from '../../exporter/tuning/tuning.js';
import { messageOf } from '../../lib/logging/message-of.js';
import type { ChunkResult } from './chunk-result.js';
import type { History } from './history.js';
import { countHours, GrowingHistory, type PastHours } from './past-hours.js';
import { type Chunk, MINUTE_SECONDS } from './plan.js';
import { Tracks } from './tracks.js';

/** What shapes a replay: the settings of the service, and the sensitivities to compare. */
export interface ReplayParameters {
  readonly features: readonly FeatureDefinition[];
  readonly ownerQueries: OwnerQueries;
  /** The sensitivity in it does not count. */
  readonly model: ModelParameters;
  readonly sensitivities: readonly number[];
  /** Index of the sensitivity whose readings are kept. */
  readonly chosen: number;
  readonly lookbackSeconds: number;
  readonly stepSeconds: number;
  /** Longest time from one training to the next. */
  readonly trainingIntervalSeconds: number;
  /** Days that trainings remember; 0 for nothing. */
  readonly historyDays: number;
  /** The rules of the tuning file; none if unset. */
  readonly tuningRules?: readonly TuningRule[];
}

/** Days that the trainings of the service remember with these settings. */
export function historyDaysOf({ historyDays, baseline }: Pick<Settings, 'historyDays' | 'baseline'>): number {
  return baseline === 'cluster' ? 0 : historyDays;
}

/** What a replay knows of the time of its chunk, and of the time before. */
export interface Past {
  /** All that trainings and detections look at themselves. */
  readonly history: History;
  /** What trainings remember of the days before; `undefined` where they remember nothing. */
  readonly hours: PastHours | undefined;
}

/** Minutes from one report of the progress to the next. */
const PROGRESS_MINUTES = 15;

/** What the exporter would have made its metrics from at a minute; trainings count from the beginning of the chunk. */
export type MinuteState = Omit<DetectorState, 'explain' | 'version'>;

/**
 * Replays a chunk. A model serves from the minute after its training on, until the next one that succeeds, as in the
 * service; trainings that fail leave the old model in place.
 *
 * @param trainingTimes Unix times in seconds: the last training before the chunk, and those in it.
 * @param onProgress receives the share that is done, in [0, 1], every `PROGRESS_MINUTES`.
 * @param onMinute gets what is known at each minute, counted from the start of the chunk; awaited.
 */
export async function replay(
  past: Past,
  chunk: Chunk,
  trainingTimes: readonly number[],
  parameters: ReplayParameters,
  onProgress: (share: number) => void,
  onMinute?: (minute: number, state: MinuteState) => Promise<void>,
) {
  const minutes = Math.round((chunk.endSeconds - chunk.startSeconds) / MINUTE_SECONDS);
  const names = parameters.features.map(({ name, unit, type }) => ({
    name,
    unit,
    isCounter: type === 'counter',
  }));
  const tracks = new Tracks(minutes, names, parameters.sensitivities.length);
  const { history, hours } = past;
  const rememberedHours = hours === undefined ? 0 : countHours(hours.state);
  const directory = new WorkloadDirectory(history, parameters.ownerQueries);
  const trainings = new Trainings(past, parameters);
  const layersOf = compileRules(parameters.tuningRules ?? []);
  const unscored: Record<string, number> = {};
  let next = 0;
  let minutesWithoutModel = 0;
  for (let minute = 0; minute < minutes; minute++) {
    const timeSeconds = chunk.startSeconds + minute * MINUTE_SECONDS;
    while (next < trainingTimes.length && (trainingTimes[next] as number) < timeSeconds) {
      const trainingTime = trainingTimes[next++] as number;
      // The last one before the chunk counts with the chunk before.
      await trainings.train(trainingTime, trainingTime >= chunk.startSeconds);
    }
    const { models } = trainings;
    const detections = await detectAt(history, directory, models, timeSeconds, layersOf);
    const detection = detections[parameters.chosen];
    if (detection === undefined) minutesWithoutModel++;
    else {
      tracks.add(minute, detections, parameters.chosen);
      for (const [reason, pods] of detection.unscored) unscored[reason] = (unscored[reason] ?? 0) + pods;
    }
    await onMinute?.(minute, {
      outcome: outcomeOf(timeSeconds, detection),
      model: models[parameters.chosen],
      training: { ...trainings.state },
    });
    if ((minute + 1) % PROGRESS_MINUTES === 0) onProgress((minute + 1) / minutes);
  }
  const result: ChunkResult = {
    startSeconds: chunk.startSeconds,
    minutes,
    features: names,
    pods: tracks.stretches(),
    unscored,
    minutesWithoutModel,
    rememberedHours,
    expectedMessagesPerDay: numberOrNull(trainings.models[parameters.chosen]?.expectedMessagesPerDay),
    trainings: trainings.state.runs,
    failedTrainings: trainings.state.failures,
    lastFailure: trainings.lastFailure,
    warnings: trainings.warnings.texts,
  };
  return { result, tracks };
}

function numberOrNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

/** As of a pass whose durations are not known. */
function outcomeOf(timeSeconds: number, detection: Detection | undefined): PassOutcome {
  const durationSeconds = Number.NaN;
  const queries = (detection?.model.features ?? []).map(({ name }) => ({
    query: name,
    success: true,
    durationSeconds,
  }));
  const report = { timeSeconds, durationSeconds, queries, warnings: [], isPartial: false };
  return detection === undefined
    ? { ...report, kind: 'no_model', message: '' }
    : { ...report, kind: 'detection', detection };
}

/** The models in force, one for each sensitivity, and how the trainings went. */
class Trainings {
  models: readonly Model[] = [];
  state: DetectorState['training'] = {
    runs: 0,
    failures: 0,
    lastSucceeded: undefined,
    lastDurationSeconds: undefined,
    model: undefined,
  };
  lastFailure: string | null = null;
  readonly warnings = new Remarks();

  readonly #history: History;
  readonly #memory: GrowingHistory | undefined;

  constructor(
    { history, hours }: Past,
    readonly parameters: ReplayParameters,
  ) {
    this.#history = history;
    this.#memory = hours && new GrowingHistory(hours);
  }

  async train(dueSeconds: number, counts: boolean): Promise<void> {
    const { features, ownerQueries, model, sensitivities } = this.parameters;
    const { lookbackSeconds, stepSeconds, trainingIntervalSeconds } = this.parameters;
    const runs = this.state.runs + (counts ? 1 : 0);
    const history = this.#memory?.at(dueSeconds);
    try {
      const models: Model[] = [];
      for (const [index, sensitivity] of sensitivities.entries()) {
        const request = trainingRequest(
          { features, ownerQueries, parameters: { ...model, sensitivity }, lookbackSeconds, stepSeconds },
          { dueSeconds, untilNextTrainingSeconds: trainingIntervalSeconds },
          { history },
        );
        const { model: trained, warnings } = await train(this.#history, request, undefined, this.models[index]);
        models.push(trained);
        for (const warning of warnings) this.warnings.add(warning);
      }
      this.models = models;
      const origin = { origin: 'training', trainedSeconds: dueSeconds } as const;
      this.state = { ...this.state, runs, lastSucceeded: true, model: origin };
    } catch (error) {
      const failures = this.state.failures + (counts ? 1 : 0);
      this.state = { ...this.state, runs, failures, lastSucceeded: false };
      this.lastFailure = messageOf(error);
    }
  }
}

/** What a detection pass at that time would have found, with each of the models; none without models. */
async function detectAt(
  history: History,
  directory: WorkloadDirectory,
  models: readonly Model[],
  timeSeconds: number,
  layersOf: LayersOf,
): Promise<readonly Detection[]> {
  const [model] = models;
  if (model === undefined) return [];
  // Models of different sensitivities know the same features: both follow from the same data.
  const builder = new FeatureTableBuilder(model.features, instantsUpTo(timeSeconds));
  for (const feature of model.features) {
    const startSeconds = timeSeconds - recentSecondsOf(feature);
    builder.add(feature, history.range(feature.query, startSeconds, timeSeconds, RECENT_STEP_SECONDS));
  }
  const seenRows = locatePods(model.baseline.pods, builder.podsSeen());
  await directory.lookUp(builder.podsSeen(), seenRows, timeSeconds);
  const { built, rows } = directory.buildTable(model, builder, seenRows);
  const tuningOf = (pod: PodIdentity) => tuningAt(layersOf(pod), timeSeconds);
  return models.map((own) => detect(own, built, rows, tuningOf));
}
