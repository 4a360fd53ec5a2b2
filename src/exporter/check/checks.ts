/** All checks of an installation, in the order in which a person reads them. */

import type { CheckDefinition } from './check-definition.js';
import type { Conditions, Facts } from './facts.js';
import type { CheckReport, Finding, NotChecked } from './finding.js';
import { clock } from './rules/clock.js';
import { clusters } from './rules/clusters.js';
import { duplicates } from './rules/duplicates.js';
import { exportedSeries } from './rules/exported-series.js';
import { freshness } from './rules/freshness.js';
import { history } from './rules/history.js';
import { kubeStateMetrics } from './rules/kube-state-metrics.js';
import { podCoverage } from './rules/pod-coverage.js';
import { prometheusWarnings } from './rules/prometheus-warnings.js';
import { queries, queryDuration } from './rules/queries.js';
import { rateWindow } from './rules/rate-window.js';
import { series } from './rules/series.js';
import { server } from './rules/server.js';
import { trainingCostCheck } from './rules/training-cost.js';

/** The checks that facts decide. All of them can change while the service runs. */
export const CHECKS: readonly CheckDefinition[] = [
  server,
  clock,
  queries,
  queryDuration,
  series,
  podCoverage,
  rateWindow,
  freshness,
  duplicates,
  clusters,
  kubeStateMetrics,
  history,
  trainingCostCheck,
  exportedSeries,
  prometheusWarnings,
];

/** Judges the facts by every check. */
export function judgeFacts(facts: Facts, conditions: Conditions): CheckReport {
  const findings: Finding[] = [];
  const notChecked: NotChecked[] = [];
  for (const check of CHECKS) {
    const result = check.judge(facts, conditions);
    if ('severity' in result) findings.push(result);
    else notChecked.push(result);
  }
  return { findings, notChecked };
}
