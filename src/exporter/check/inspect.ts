/** Gathers the facts of an installation with its settings: for the command, and within the service. */

import { totalmem } from 'node:os';
import type { Settings } from '../config/settings.js';
import type { FeatureSet } from '../features/queries/feature-file.js';
import type { PrometheusServerApi } from '../prometheus/api.js';
import { longestIntervalSeconds } from '../training/schedule.js';
import { DEFAULT_INTERVAL_SECONDS } from '../training/trainer.js';
import type { Conditions, Facts } from './facts.js';
import { gatherFacts } from './gather.js';

/** Limit for all questions of a check together, in seconds. */
export const CHECK_TIMEOUT_SECONDS = 120;

/** What a check judges: facts, and what they are compared with. */
export interface Inspection {
  readonly facts: Facts;
  readonly conditions: Conditions;
}

/**
 * Asks Prometheus what the checks need to know.
 *
 * @param now Unix time in milliseconds.
 * @throws {PrometheusError} when it does not answer the first question.
 */
export async function inspect(
  settings: Settings,
  { features, ownerQueries }: FeatureSet,
  api: PrometheusServerApi,
  now: () => number,
  signal: AbortSignal,
): Promise<Inspection> {
  const nowSeconds = () => now() / 1000;
  const conditions = conditionsOf(settings, nowSeconds());
  const { training } = conditions;
  const { queryOffsetSeconds } = settings;
  const facts = await gatherFacts({
    api,
    features,
    ownerQueries,
    training,
    queryOffsetSeconds,
    nowSeconds,
    signal,
  });
  return { facts, conditions };
}

/** What facts are compared with. */
function conditionsOf(settings: Settings, nowSeconds: number): Conditions {
  return {
    namespaceRegex: settings.namespaceRegex,
    podLabel: settings.podLabel,
    requestTimeoutSeconds: settings.requestTimeoutSeconds,
    training: {
      baseline: settings.baseline,
      lookbackSeconds: settings.trainingLookbackMinutes * 60,
      stepSeconds: settings.queryStepSeconds,
      untilNextTrainingSeconds:
        longestIntervalSeconds(settings.retrainSchedule, settings.retrainTimezone) ??
        DEFAULT_INTERVAL_SECONDS,
      maximumPods: settings.maximumPods,
    },
    explain: settings.explain,
    memoryLimitBytes: memoryLimitBytes(),
    nowSeconds,
  };
}

/** The limit of the container, or the memory of the machine. */
function memoryLimitBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
