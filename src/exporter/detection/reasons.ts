/** Why a pod is flagged: which features are worth a mention, and each as a sentence. */

import { formatNumber, formatPercent, formatQuantity } from '../../lib/text/format.js';
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

/** A feature of a pod beside its usual value, and how much of the score is due to it, if that is known. */
export type Reason = Pick<FeatureExplanation, 'feature' | 'unit' | 'actual' | 'expected' | 'deviation'> &
  Partial<Pick<FeatureExplanation, 'share'>>;

/** `memory 1.9 GiB, usually 614 MiB (+21.7 spreads, 97 % of the score)`. */
export function describeReason({ feature, unit, actual, expected, deviation, share = 0 }: Reason): string {
  const spreads = `${deviation > 0 ? '+' : ''}${formatNumber(deviation)} spreads`;
  const weight = share < NOTABLE_SHARE ? '' : `, ${formatPercent(share)} of the score`;
  const text = (value: number) => featureValue(value, feature, unit);
  return `${feature} ${text(actual)}, usually ${text(expected)} (${spreads}${weight})`;
}

/** A value beside the name of its feature: `restarts 2`, not `restarts 2 restarts`. */
export function featureValue(value: number, feature: string, unit: string): string {
  return formatQuantity(value, unit === feature ? '' : unit);
}
