/** Families about the budget of messages: what the boundaries are made for, and what came of them. */

import { HOUR_SECONDS } from '../history/grid.js';
import type { Model } from '../model/model.js';
import { type Family, single } from './family.js';
import type { DetectorState } from './state.js';

/** A value of the model that may be unknown. */
const ofModel = (name: string, help: string, read: (model: Model) => number) =>
  single<DetectorState>(name, help, ({ model }) => {
    const value = model && read(model);
    return Number.isNaN(value) ? undefined : value;
  });

export const budget: readonly Family<DetectorState>[] = [
  ofModel(
    'k8s_anomaly_detector_alert_budget_messages_per_day',
    'Messages a day that the cluster may make when nothing is wrong (ALERT_BUDGET_PER_DAY); absent without a model.',
    (model) => model.alertBudgetPerDay,
  ),
  ofModel(
    'k8s_anomaly_detector_expected_messages_per_day',
    'Messages a day that are expected when nothing is wrong, by days that are left out; absent while less than four days are known.',
    (model) => model.expectedMessagesPerDay,
  ),
  ofModel(
    'k8s_anomaly_detector_recent_exceeding_workloads_per_day',
    'Workloads a day that exceeded their boundaries in a gauge on the last three days, incidents included; absent while less than four days are known.',
    (model) => model.recentExceedingPerDay,
  ),
  ofModel(
    'k8s_anomaly_detector_boundaries_workloads',
    'Workloads with boundaries of their own; absent without a model.',
    (model) => model.limits.keys.length,
  ),
  ofModel(
    'k8s_anomaly_detector_boundaries_known_seconds',
    'Past time that the boundaries rest on, in whole hours with pods; absent without a model.',
    (model) => model.knownHours * HOUR_SECONDS,
  ),
];
