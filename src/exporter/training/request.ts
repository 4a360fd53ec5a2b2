/** From what is to be trained, and when it is due, to the request for one training. */

import type { ModelParameters } from '../model/fit.js';
import { SETTLING_SECONDS, type TrainingRequest } from './job.js';

/** When a training takes place. */
export interface TrainingOccasion {
  /** When it was due, Unix time in seconds. Replicas on the same schedule agree on it, whenever their timers fire. */
  readonly dueSeconds: number;
  /** How long the model is going to serve. */
  readonly untilNextTrainingSeconds: number;
}

/** What every training of a process has in common. */
export interface TrainingScope extends Omit<TrainingRequest, 'nowSeconds' | 'untilNextTrainingSeconds'> {
  /** How far back the newest values are taken, in seconds, for a backend that hides its latest; 0 if unset. */
  readonly queryOffsetSeconds?: number;
}

/** The parameters of the model, without the other settings. */
export function modelParameters(settings: ModelParameters): ModelParameters {
  const { baseline, estimators, maxSamples, contamination, randomState, sensitivity } = settings;
  return { baseline, estimators, maxSamples, contamination, randomState, sensitivity };
}

/** The request for the training of an occasion: its newest sample is as old as it takes to be complete. */
export function trainingRequest(
  { queryOffsetSeconds = 0, ...scope }: TrainingScope,
  { dueSeconds, untilNextTrainingSeconds }: TrainingOccasion,
): TrainingRequest {
  const ageSeconds = Math.max(SETTLING_SECONDS, queryOffsetSeconds);
  return {
    ...scope,
    nowSeconds: dueSeconds - ageSeconds,
    untilNextTrainingSeconds: untilNextTrainingSeconds + ageSeconds,
  };
}
