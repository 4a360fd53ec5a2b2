/** Why a pod is flagged: which features are worth a mention, and each as a sentence. */

import { formatNumber, formatPercent, formatQuantity } from '../../lib/text/format.js';
import { COMPARISON_WORDS } from './comparison.js';
import type { FeatureExplanation } from './explain.js';

/** From this share of the score on, a feature is a reason. */
const NOTABLE_SHARE = 0.05;

/**
 * From this deviation on, a feature is a reason whatever its share: if several features deviate this far, the score
 * would be as high without any one of them, so none has a large share.
 */
const NOTABLE_SPREADS = 4;

/** The reasons among the explanations of a pod, the largest share first; at least one. */
export function notableReasons<Explanation extends Pick<FeatureExplanation, 'share' | 'deviation'>>(
  explanations: readonly Explanation[],
): Explanation[] {
  return explanations
    .toSorted((a, b) => b.share - a.share)
    .filter(
      ({ share, deviation }, index) => index === 0 || share >= NOTABLE_SHARE || Math.abs(deviation) >= NOTABLE_SPREADS,
    );
}

const NO_WORDS = { usual: 'usually', when: '', lasting: '' };

/** A feature of a pod beside its usual value; without a comparison, that is just what is usual. */
export type Reason = Pick<FeatureExplanation, 'feature' | 'unit' | 'actual' | 'expected' | 'deviation'> &
  Partial<Pick<FeatureExplanation, 'share' | 'comparison' | 'boundary'>>;

/** `memory 1.9 GiB, usually 614 MiB at this time of day (3.1 × as much, +21.7 spreads, 97 % of the score)`. */
export function describeReason(reason: Reason): string {
  const { feature, unit, actual, expected, deviation, share = 0, comparison, boundary } = reason;
  const amount = (value: number) => featureValue(value, feature, unit);
  const notes = [
    `${deviation > 0 ? '+' : ''}${formatNumber(deviation)} spreads`,
    ...(share < NOTABLE_SHARE ? [] : [`${formatPercent(share)} of the score`]),
  ];
  if (comparison === 'rise_in_an_hour') {
    const most = boundary == null ? '' : `, usually at most ${formatNumber(boundary - expected)}`;
    return `${feature} ${formatNumber(actual - expected)} within an hour${most} (${notes.join(', ')})`;
  }
  const { usual, when, lasting } = comparison === undefined ? NO_WORDS : COMPARISON_WORDS[comparison];
  if (comparison !== undefined && comparison !== 'last_hours' && expected > 0) {
    notes.unshift(`${formatNumber(actual / expected)} × as much`);
  }
  if (lasting !== '') notes.unshift(lasting);
  return `${feature} ${amount(actual)}, ${usual} ${amount(expected)}${when && ` ${when}`} (${notes.join(', ')})`;
}

/** A value beside the name of its feature: `restarts 2`, not `restarts 2 restarts`. */
export function featureValue(value: number, feature: string, unit: string): string {
  return formatQuantity(value, unit === feature ? '' : unit);
}
