/** The report for programs: every number, and the places behind them. */

import type { Settings } from '../../exporter/config/settings.js';
import type { Counts } from './counts.js';
import type { FaultOutcome } from './fault-outcomes.js';
import type { Caught, Measures, Tally } from './measures.js';
import type { OnCallCaught, OnCallFault, OnCallMeasures, OnCallTally } from './on-call.js';
import { FALSE_ALARM_RATES, type Ranking } from './ranking.js';
import type { CaseSummary, Evaluation } from './report.js';

/** What the numbers were made with. */
export interface EvaluationParameters {
  /** The directory. */
  readonly data: string;
  /** Columns that were used besides the built-in ones. */
  readonly columns: readonly string[];
  readonly settings: Settings;
}

/**
 * The report as an object for `JSON.stringify`, which writes `null` for a measure that there is nothing to take from.
 *
 * @param tally of the whole set.
 * @param onCall of the whole set.
 */
export function reportJson(
  evaluation: Evaluation,
  tally: Tally,
  onCall: OnCallTally,
  parameters: EvaluationParameters,
): object {
  return {
    parameters: parametersJson(parameters),
    duration_seconds: evaluation.durationSeconds,
    on_call: onCallJson(evaluation.onCall),
    set: measuresJson(evaluation.set),
    cases: evaluation.cases.map(({ summary, measures, onCall: own }) => ({
      ...summaryJson(summary),
      on_call: onCallJson(own),
      ...measuresJson(measures),
    })),
    on_call_faults: onCall.faults.map(onCallFaultJson),
    messages: onCall.messages.map(({ isOfFault, kind, ...message }) => ({
      ...message,
      kind: kind ?? null,
      is_of_fault: isOfFault,
    })),
    faults: tally.faults.map(faultJson),
    false_episodes: tally.episodes,
    alerted_new_replicas: tally.alertedNewReplicas,
    malformed_labels: countsJson(evaluation.labels.malformed),
  };
}

function parametersJson(parameters: EvaluationParameters): object {
  const { data, columns, settings } = parameters;
  const { baseline, sensitivity, estimators, maxSamples, contamination, randomState } = settings;
  return {
    data,
    columns,
    baseline,
    sensitivity,
    estimators,
    max_samples: maxSamples,
    contamination,
    seed: randomState,
  };
}

function summaryJson(summary: CaseSummary): object {
  return {
    case: summary.name,
    minutes: summary.minutes,
    pods: summary.pods,
    features: summary.features,
    rows: summary.rows,
    defects: countsJson(summary.defects),
    gap_minutes: summary.gapMinutes,
    empty_columns: summary.emptyColumns,
  };
}

function measuresJson(measures: Measures): object {
  return {
    normal_points: measures.normalPoints,
    positive_points: measures.positivePoints,
    pod_days: measures.podDays,
    flagged_share: measures.flaggedShare,
    episodes: measures.episodes,
    episodes_per_pod_day: measures.episodesPerPodDay,
    visible_faults: caughtJson(measures.visible),
    must_touch_faults: caughtJson(measures.mustTouch),
    faults_left_out: countsJson(measures.leftOut),
    scored_share: measures.scoredShare,
    scored_pod_minutes: measures.scoredMinutes,
    unscored_pod_minutes: countsJson(measures.unscored),
    healthy_new_replicas: measures.healthyNewReplicas,
    alerted_new_replicas: measures.alertedNewReplicas,
    detector: rankingJson(measures.detector),
    robust_z: rankingJson(measures.robustZ),
  };
}

function onCallJson(measures: OnCallMeasures): object {
  return {
    pod_days: measures.podDays,
    false_messages: measures.falseMessages,
    false_messages_per_1000_pods_and_day: measures.falsePer1000PodsAndDay,
    false_alerts_by_ending: measures.falseEndings,
    fault_messages: measures.faultMessages,
    faults: onCallCaughtJson(measures.faults),
    faults_by_type: measures.byFaultType.map(({ type, ...caught }) => ({
      fault_type: type,
      ...onCallCaughtJson(caught),
    })),
    false_messages_by_kind: measures.byKind.map(({ of, messages, per1000PodsAndDay }) => ({
      kind: of,
      messages,
      per_1000_pods_and_day: per1000PodsAndDay,
    })),
    false_messages_by_workload: measures.byWorkload.map(({ of, messages }) => ({ workload: of, messages })),
  };
}

function onCallCaughtJson({ faults, caught, meanDelayMinutes, meanHeldShare, endings }: OnCallCaught) {
  return {
    faults,
    caught,
    mean_delay_minutes: meanDelayMinutes,
    mean_held_share: meanHeldShare,
    ended: endings,
  };
}

function onCallFaultJson(fault: OnCallFault): object {
  return {
    case: fault.case,
    fault_type: fault.type,
    kind: fault.kind ?? null,
    pods: fault.pods,
    start: fault.startSeconds,
    end: fault.endSeconds,
    left_out: fault.leftOut ?? null,
    caught: fault.leftOut === undefined ? fault.delayMinutes !== undefined : null,
    delay_minutes: fault.delayMinutes ?? null,
    held_share: fault.heldShare ?? null,
    ended: fault.ended ?? null,
  };
}

function caughtJson({ faults, caught, meanDelayMinutes }: Caught): object {
  return { faults, caught, mean_delay_minutes: meanDelayMinutes };
}

function rankingJson({ auroc, averagePrecision, recall }: Ranking): object {
  return {
    auroc,
    average_precision: averagePrecision,
    recall_at_false_alarm_rate: Object.fromEntries(
      FALSE_ALARM_RATES.map((rate, index) => [rate, recall[index]]),
    ),
  };
}

function faultJson({ fault, leftOut, delayMinutes }: FaultOutcome): object {
  return {
    case: fault.case,
    namespace: fault.namespace ?? null,
    pod: fault.pod ?? null,
    fault_type: fault.type,
    start: fault.startSeconds,
    end: fault.endSeconds,
    visible: fault.visible,
    must_touch: fault.mustTouch,
    left_out: leftOut ?? null,
    caught: leftOut === undefined ? delayMinutes !== undefined : null,
    delay_minutes: delayMinutes ?? null,
  };
}

function countsJson(counts: Counts): object {
  return Object.fromEntries(counts);
}
