/** Measures of a ranking: how well scores tell positive points from normal ones, whatever the threshold. */

import { partitionPoint } from '../../lib/partition-point.js';

/** Scores of points, higher = more anomalous. */
export interface Points {
  readonly positives: Float64Array;
  readonly normals: Float64Array;
}

/** How good a ranking is; each in [0, 1], `NaN` without points of both classes. */
export interface Ranking {
  /** Area under the ROC curve. */
  readonly auroc: number;
  readonly averagePrecision: number;
  /** Recall at each of `FALSE_ALARM_RATES`. */
  readonly recall: readonly number[];
}

/** Shares of normal points above the threshold at which recall is reported. */
export const FALSE_ALARM_RATES = Object.freeze([0.05, 0.01, 0.001]);

export function rankingOf(points: Points): Ranking {
  const sorted = { positives: points.positives.slice().sort(), normals: points.normals.slice().sort() };
  return {
    auroc: areaUnderRocCurve(sorted),
    averagePrecision: averagePrecision(sorted),
    recall: FALSE_ALARM_RATES.map((rate) => recallAtFalseAlarmRate(sorted, rate)),
  };
}

/**
 * The probability that a random positive point scores higher than a random normal one, ties half (Mann and Whitney's
 * U).
 *
 * @param points each class in ascending order.
 */
export function areaUnderRocCurve({ positives, normals }: Points): number {
  let wins = 0;
  for (const score of positives) wins += (countBelow(normals, score) + countUpTo(normals, score)) / 2;
  return wins / (positives.length * normals.length);
}

/**
 * The mean over recall of the precision at each threshold, without interpolation, as in scikit-learn.
 *
 * @param points each class in ascending order.
 */
export function averagePrecision({ positives, normals }: Points): number {
  if (positives.length === 0 || normals.length === 0) return Number.NaN;
  let sum = 0;
  for (let end = positives.length; end > 0; ) {
    const threshold = positives[end - 1] as number;
    const start = countBelow(positives, threshold);
    const truePositives = positives.length - start;
    const falsePositives = normals.length - countBelow(normals, threshold);
    sum += (end - start) * (truePositives / (truePositives + falsePositives));
    end = start;
  }
  return sum / positives.length;
}

/**
 * The share of positive points above the lowest threshold that at most the share `rate` of the normal points exceed.
 *
 * @param points each class in ascending order.
 */
export function recallAtFalseAlarmRate({ positives, normals }: Points, rate: number): number {
  if (positives.length === 0 || normals.length === 0) return Number.NaN;
  const allowed = Math.floor(normals.length * rate);
  const threshold = normals[normals.length - 1 - allowed] as number;
  return 1 - countUpTo(positives, threshold) / positives.length;
}

const countBelow = (sorted: Float64Array, limit: number) =>
  partitionPoint(sorted.length, (position) => (sorted[position] as number) < limit);

const countUpTo = (sorted: Float64Array, limit: number) =>
  partitionPoint(sorted.length, (position) => (sorted[position] as number) <= limit);
