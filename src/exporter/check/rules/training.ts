/** Rules about trainings: whether their data is there, and what they cost. */

import { counted, formatBytes, formatDuration, listed } from '../../../lib/text/format.js';
import { MINIMUM_OWN_SAMPLES } from '../../model/baseline.js';
import { fetchingCost, planTraining } from '../../training/plan.js';
import { answersOf, checkOf, checkOfAbsence, NO_SERIES } from '../check-definition.js';
import type { AnswerFacts, Conditions } from '../facts.js';

/** A missed scrape here and there is no gap. */
const TOLERATED_GAPS = 0.05;

/** Whether Prometheus has what a training asks for. */
export const history = checkOfAbsence(
  'history',
  (facts) => facts.history,
  ({ reachSeconds, stepSeconds, windowInstants, windowGaps, slices }, _, { training }) => {
    if (reachSeconds === 0) return NO_SERIES;
    const { lookbackSeconds } = training;
    const lookback = formatDuration(lookbackSeconds);
    // The two ends of what was looked at need not be full.
    if (reachSeconds < lookbackSeconds - 2 * stepSeconds) {
      const reach = formatDuration(reachSeconds);
      return {
        severity: 'warning',
        summary: `Prometheus has data of the last ${reach}, and a training uses ${lookback}.`,
        meaning:
          reachSeconds < MINIMUM_OWN_SAMPLES * training.stepSeconds
            ? 'Pods have no history of their own yet and are compared with each other: large pods may be flagged.'
            : 'Usual values are learned from less than an hour, so flags are less reliable.',
        advice:
          'Wait if Prometheus is new. Otherwise raise its retention, or lower TRAINING_LOOKBACK_MINUTES to what it keeps.',
      };
    }
    if (windowGaps > TOLERATED_GAPS * windowInstants) {
      const share = Math.round((100 * windowGaps) / windowInstants);
      return {
        severity: 'warning',
        summary: `Of the last ${lookback}, ${share} % are without data.`,
        meaning:
          'Usual values are learned from the rest. Pods with less than half of their data keep what an earlier training ' +
          'learned, for a few hours.',
        advice: 'Check whether Prometheus was down, or whether the kubelets are scraped irregularly.',
      };
    }
    const absent = slices.filter(({ present }) => !present).map(({ ageSeconds }) => formatDuration(ageSeconds));
    if (absent.length > 0) {
      return {
        severity: 'warning',
        summary: `Prometheus has the last ${lookback}, but no data of ${listed(absent)} ago.`,
        meaning: 'Jobs that run at the same minute of every hour are not recognised and may be flagged.',
        advice: 'Wait if Prometheus is new. Otherwise raise its retention to four hours or more.',
      };
    }
    const earlier = `, and ${counted(slices.length, 'earlier hour')} to recognise hourly jobs`;
    return {
      severity: 'ok',
      summary: `Prometheus has the last ${lookback}${slices.length > 0 ? earlier : ''}.`,
    };
  },
);

/** A sample as JSON (measured on answers of `query_range`). */
const JSON_BYTES_PER_POINT = 30;

/** Requests for the owners of pods. */
const OWNER_REQUESTS = 3;

/** Scrapes, the model and the program itself need the rest. */
const MEMORY_SHARE = 0.5;

/** The cost of a training, from what each feature answered, by the plan that the training itself follows. */
function trainingCost(answers: readonly AnswerFacts[], { training, nowSeconds }: Conditions) {
  // All are fetched, and those of the pods beyond the limit have no place in the table.
  const kept = answers.reduce((sum, { series }) => sum + Math.min(series, training.maximumPods), 0);
  const plan = planTraining({ ...training, nowSeconds }, training.baseline, kept);
  // Each feature is counted first.
  const cost = { requests: OWNER_REQUESTS + answers.length, points: 0, seconds: 0 };
  for (const answer of answers) {
    const perPoint = answer.points === 0 ? 0 : answer.durationSeconds / answer.points;
    for (const grid of [plan.window, ...plan.slices]) {
      const { requests, points } = fetchingCost(grid, answer.series);
      cost.requests += requests;
      cost.points += points;
      // As long as the queries of a scrape take for each sample: an upper bound, as short requests cost more.
      cost.seconds += points * perPoint;
    }
  }
  return { ...cost, memoryBytes: plan.memoryBytes, reason: plan.reason };
}

/** What each training will cost. */
export const trainingCostCheck = checkOf('training_cost', answersOf, (answers, _, conditions) => {
  if (answers.some(({ feature, series }) => feature.required && series === 0)) return NO_SERIES;
  const { requests, points, seconds, memoryBytes, reason } = trainingCost(answers, conditions);
  const interval = conditions.training.untilNextTrainingSeconds;
  const summary =
    `A training takes ${counted(requests, 'request')}, ${counted(points, 'sample')}, about ` +
    `${formatBytes(points * JSON_BYTES_PER_POINT)} of JSON, ${formatBytes(memoryBytes)} of memory and ` +
    `${formatDuration(Math.max(1, seconds))}, every ${formatDuration(interval)}. ${reason}`;
  const tooLarge = memoryBytes > MEMORY_SHARE * conditions.memoryLimitBytes;
  if (!tooLarge && seconds <= interval / 2) return { severity: 'ok', summary };
  return {
    severity: 'warning',
    summary,
    meaning: tooLarge
      ? `That is more than half of the ${formatBytes(conditions.memoryLimitBytes)} that this process may use: the process may be killed during a training.`
      : 'Trainings keep Prometheus busy most of the time, and some will be skipped.',
    advice:
      'Shorten TRAINING_LOOKBACK_MINUTES, raise QUERY_STEP_SECONDS, narrow NAMESPACE_REGEX' +
      (tooLarge ? ', or raise the memory limit.' : ', or train less often (RETRAIN_SCHEDULE).'),
  };
});
