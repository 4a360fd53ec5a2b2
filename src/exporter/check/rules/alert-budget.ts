/** The rule about the budget of messages: whether the boundaries of the model keep it. */

import { counted, formatDuration, formatNumber } from '../../../lib/text/format.js';
import { HOUR_SECONDS } from '../../history/grid.js';
import { always, checkOf } from '../check-definition.js';

/** More than this many budgets are too much. */
const TOLERATED_BUDGETS = 2;

/** Whether as many messages come as `ALERT_BUDGET_PER_DAY` allows. */
export const alertBudget = checkOf(
  'alert_budget',
  () => always(undefined),
  (_, __, { model, alertBudgetPerDay, historyDays }) => {
    const budget = counted(alertBudgetPerDay, 'message');
    if (historyDays === 0 || model?.remembers === false) {
      const settings = 'HISTORY_DAYS=0, BASELINE=cluster, or a share for IFOREST_CONTAMINATION';
      return { severity: 'ok', summary: `Nothing is remembered (${settings}), and no budget is kept.` };
    }
    if (model === undefined) {
      const summary = `The budget is ${budget} a day (ALERT_BUDGET_PER_DAY). A running exporter reports how many to expect.`;
      return { severity: 'ok', summary };
    }
    const { expectedMessagesPerDay, recentExceedingPerDay, knownHours } = model;
    if (Number.isNaN(expectedMessagesPerDay)) {
      return {
        severity: 'warning',
        summary: `The boundaries rest on ${formatDuration(knownHours * HOUR_SECONDS)} of the past, too little to hold them against a budget.`,
        meaning: `More than ${budget} a day may come (ALERT_BUDGET_PER_DAY).`,
        advice: 'Wait: four days of the past are enough, read from Prometheus or spent beside it.',
      };
    }
    const summary =
      `${counted(expectedMessagesPerDay, 'message')} a day are expected when nothing is wrong, and the budget is ` +
      `${formatNumber(alertBudgetPerDay)}. On the last three days, ${counted(recentExceedingPerDay, 'workload')} a day ` +
      'exceeded their boundaries.';
    if (expectedMessagesPerDay > TOLERATED_BUDGETS * alertBudgetPerDay) {
      return {
        severity: 'warning',
        summary,
        meaning: 'The days of the workloads differ so much that no boundary keeps the budget.',
        advice: 'Raise ALERT_BUDGET_PER_DAY or HISTORY_DAYS, or leave workloads out by NAMESPACE_REGEX.',
      };
    }
    if (recentExceedingPerDay > TOLERATED_BUDGETS * alertBudgetPerDay) {
      return {
        severity: 'warning',
        summary,
        meaning: 'There were incidents, or the workloads do what they did not do in the days before.',
        advice: 'If nothing was wrong, wait: what comes again becomes usual.',
      };
    }
    return { severity: 'ok', summary };
  },
);
