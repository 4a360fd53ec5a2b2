/** Why a pod is flagged: which features are worth a mention, and each as a sentence. */

import { formatNumber, formatPercent, formatQuantity } from '../../lib/text/format.js';
import { COMPARISON_WORDS, type Comparison } from './comparison.js';
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
  const { feature, actual, expected, deviation, share = 0, comparison } = reason;
  const { lasting } = comparison === undefined ? NO_WORDS : COMPARISON_WORDS[comparison];
  const ratio = actual / expected;
  // What is below 0, or beside nearly nothing, is no multiple.
  const isMultiple = actual >= 0 && expected > 0 && Number.isFinite(ratio);
  const hasRatio = comparison !== undefined && !NOT_BY_RATIO.has(comparison) && isMultiple;
  const notes = [
    lasting,
    hasRatio ? `${formatNumber(ratio)} × as much` : '',
    `${deviation > 0 ? '+' : ''}${formatNumber(deviation)} spreads`,
    share < NOTABLE_SHARE ? '' : `${formatPercent(share)} of the score`,
  ];
  return `${feature} ${describeValue(reason)} (${notes.filter(Boolean).join(', ')})`;
}

/** Their distances are not on a logarithmic scale. */
const NOT_BY_RATIO: ReadonlySet<Comparison> = new Set(['last_hours', 'rise_in_an_hour']);

/** A value and the one to expect: `1.9 GiB, usually 614 MiB at this time of day`. */
export function describeValue({ feature, unit, actual, expected, comparison, boundary }: Reason): string {
  if (comparison === 'rise_in_an_hour') {
    const most = boundary == null ? '' : `, usually at most ${formatNumber(boundary - expected)}`;
    return `${formatNumber(actual - expected)} within an hour${most}`;
  }
  const { usual, when } = comparison === undefined ? NO_WORDS : COMPARISON_WORDS[comparison];
  return `${featureValue(actual, feature, unit)}, ${usual} ${featureValue(expected, feature, unit)}${when && ` ${when}`}`;
}

/** A value beside the name of its feature: `restarts 2`, not `restarts 2 restarts`. */
export function featureValue(value: number, feature: string, unit: string): string {
  return formatQuantity(value, unit === feature ? '' : unit);
}
