import { counted, formatBytes, formatDuration } from '../../../lib/text/format.js';
import { fetchingCost, planTraining } from '../../training/plan.js';
import { anyOf, checkOf, NO_SERIES } from '../check-definition.js';
import type { AnswerFacts, Conditions, FeatureFacts } from '../facts.js';

/** A sample as JSON (measured on answers of `query_range`). */
const JSON_BYTES_PER_POINT = 30;

/** Requests for the owners of pods. */
const OWNER_REQUESTS = 3;

/** Scrapes, the model and the program itself need the rest. */
const MEMORY_SHARE = 0.5;

/** What a training asks for. */
export interface TrainingCost {
  readonly requests: number;
  readonly points: number;
  readonly jsonBytes: number;
  /** What the training adds at its peak. */
  readonly memoryBytes: number;
  /** As long as the queries of a scrape take for each sample; an upper bound, as short requests cost more. */
  readonly seconds: number;
  /** How much of the data is asked for, and why. */
  readonly plan: string;
}

/** The cost of a training, from what each feature answered, by the plan that the training itself follows. */
export function trainingCost(
  answers: readonly Pick<AnswerFacts, 'series' | 'points' | 'durationSeconds'>[],
  { training, nowSeconds }: Pick<Conditions, 'training' | 'nowSeconds'>,
): TrainingCost {
  const times = { ...training, nowSeconds };
  // All are fetched, and those of the pods beyond the limit have no place in the table.
  const keptOf = (series: number) => Math.min(series, training.maximumPods);
  const kept = answers.reduce((sum, answer) => sum + keptOf(answer.series), 0);
  const plan = planTraining(times, training.baseline, kept);
  const grids = [plan.window, ...plan.slices];
  // Each feature is counted first.
  let requests = OWNER_REQUESTS + answers.length;
  let points = 0;
  let seconds = 0;
  for (const answer of answers) {
    const perPoint = answer.points === 0 ? 0 : answer.durationSeconds / answer.points;
    for (const grid of grids) {
      const cost = fetchingCost(grid, answer.series);
      requests += cost.requests;
      points += cost.points;
      seconds += cost.points * perPoint;
    }
  }
  return {
    requests,
    points,
    jsonBytes: points * JSON_BYTES_PER_POINT,
    memoryBytes: plan.memoryBytes,
    seconds,
    plan: plan.reason,
  };
}

/** What each training will cost. */
export const trainingCostCheck = checkOf(
  'training_cost',
  ({ features }) => anyOf(features.map(({ answer }: FeatureFacts) => answer)),
  (answers, { features }, conditions) => {
    const required = features.filter(({ feature }) => feature.required);
    if (required.some(({ answer }) => answer.known && answer.value.series === 0)) return NO_SERIES;
    const cost = trainingCost(answers, conditions);
    const interval = conditions.training.untilNextTrainingSeconds;
    const summary =
      `A training takes ${counted(cost.requests, 'request')}, ${counted(cost.points, 'sample')}, about ` +
      `${formatBytes(cost.jsonBytes)} of JSON, ${formatBytes(cost.memoryBytes)} of memory and ${formatDuration(Math.max(1, cost.seconds))}, ` +
      `every ${formatDuration(interval)}. ${cost.plan}`;
    const tooLarge = cost.memoryBytes > MEMORY_SHARE * conditions.memoryLimitBytes;
    const tooLong = cost.seconds > interval / 2;
    if (!tooLarge && !tooLong) return { severity: 'ok', summary };
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
  },
);
