/** The report for programs: every number, and the places behind them. */

import type { Settings } from '../../exporter/config/settings.js';
import type { Evaluation } from './evaluation.js';
import type { FaultOutcome } from './fault-outcomes.js';
import type { Measures } from './measures.js';
import { FALSE_ALARM_RATES, type Ranking } from './ranking.js';

/**
 * The report as an object for `JSON.stringify`, which writes `null` for a measure that there is nothing to take from.
 *
 * @param made what the numbers were made with: the directory, the columns besides the built-in ones, the settings.
 */
export function reportJson(
  evaluation: Evaluation,
  made: { readonly data: string; readonly columns: readonly string[]; readonly settings: Settings },
): unknown {
  const { durationSeconds, sensitivities, onCallFaults, levelChanges, messages, alertedNewReplicas } = evaluation;
  const { data, columns, settings } = made;
  const {
    baseline,
    sensitivity,
    alertBudgetPerDay,
    estimators,
    maxSamples,
    contamination,
    randomState: seed,
  } = settings;
  return snakeCase({
    parameters: {
      data,
      columns,
      baseline,
      sensitivity,
      alertBudgetPerDay,
      estimators,
      maxSamples,
      contamination,
      seed,
    },
    durationSeconds,
    sensitivities,
    set: measuresJson(evaluation.set),
    nab: evaluation.nab,
    cases: evaluation.cases.map(({ summary: { name, ...summary }, rememberedDays, measures, onCall }) => ({
      case: name,
      ...summary,
      rememberedDays,
      onCall,
      ...measuresJson(measures),
    })),
    onCallFaults,
    levelChanges,
    messages,
    faults: evaluation.faults.map(faultJson),
    falseEpisodes: evaluation.episodes,
    alertedNewReplicas,
    malformedLabels: evaluation.labels.malformed,
  });
}

function measuresJson({ visible, mustTouch, leftOut, scoredMinutes, unscored, ...rest }: Measures): object {
  return {
    ...rest,
    visibleFaults: visible,
    mustTouchFaults: mustTouch,
    faultsLeftOut: leftOut,
    scoredPodMinutes: scoredMinutes,
    unscoredPodMinutes: unscored,
    detector: rankingJson(rest.detector),
    robustZ: rankingJson(rest.robustZ),
  };
}

function rankingJson({ recall, ...ranking }: Ranking): object {
  const byRate = FALSE_ALARM_RATES.map((rate, index) => [String(rate), recall[index]] as const);
  return { ...ranking, recallAtFalseAlarmRate: new Map(byRate) };
}

function faultJson({ fault, leftOut, delayMinutes }: FaultOutcome): object {
  const { type: faultType, startSeconds: start, endSeconds: end, ...rest } = fault;
  const caught = leftOut === undefined ? delayMinutes !== undefined : undefined;
  return { ...rest, faultType, start, end, leftOut, caught, delayMinutes };
}

/** Names in snake case, at all depths; maps become objects, whose keys are data. */
function snakeCase(value: unknown): unknown {
  if (value === undefined) return null;
  if (value instanceof Map) return Object.fromEntries(value);
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, own]) => [
      name.replaceAll(/(?<=[a-z0-9])[A-Z]|(?<=[a-z])\d+/g, '_$&').toLowerCase(),
      snakeCase(own),
    ]),
  );
}
