/** All checks of an installation, in the order in which a person reads them. */

import type { CheckDefinition } from './check-definition.js';
import type { Conditions, Facts } from './facts.js';
import type { CheckReport, Finding } from './finding.js';
import { alertBudget } from './rules/alert-budget.js';
import { grid } from './rules/grid.js';
import { kubeStateMetrics } from './rules/kube-state-metrics.js';
import { memoryMetric } from './rules/memory-metric.js';
import { metricsSource } from './rules/names.js';
import { pastDays } from './rules/past-days.js';
import { exportedSeries, podCoverage } from './rules/pods.js';
import { queries, queryDuration } from './rules/queries.js';
import { rateWindow } from './rules/rate-window.js';
import { series } from './rules/series.js';
import { clock, prometheusWarnings, server } from './rules/server.js';
import { clusters, duplicates, freshness } from './rules/sources.js';
import { history, trainingCostCheck } from './rules/training.js';
import { tuningAnnotations, tuningFile } from './rules/tuning.js';

/** The checks that facts decide. All of them can change while the service runs. */
export const CHECKS: readonly CheckDefinition[] = [
  server,
  clock,
  queries,
  queryDuration,
  grid,
  metricsSource,
  series,
  memoryMetric,
  podCoverage,
  rateWindow,
  freshness,
  duplicates,
  clusters,
  kubeStateMetrics,
  tuningFile,
  tuningAnnotations,
  history,
  pastDays,
  alertBudget,
  trainingCostCheck,
  exportedSeries,
  prometheusWarnings,
];

/** Enough to act on, where the labels of a server make a sentence long. */
const LONGEST_TEXT = 2_000;

/** Judges the facts by every check. */
export function judgeFacts(facts: Facts, conditions: Conditions): CheckReport {
  const results = CHECKS.map((check) => check.judge(facts, conditions));
  return {
    findings: results.filter((result) => 'severity' in result).map(bounded),
    notChecked: results.filter((result) => 'because' in result),
  };
}

function bounded({ summary, meaning, advice, ...finding }: Finding): Finding {
  const start = (text: string) => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text);
  return {
    ...finding,
    summary: start(summary),
    ...(meaning !== undefined && { meaning: start(meaning) }),
    ...(advice !== undefined && { advice: start(advice) }),
  };
}
