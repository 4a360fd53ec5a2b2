/** How far a value is from what is usual, as people say it. */

import { formatNumber, formatPercent } from '../../../lib/text/format.js';
import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import type { ResourceAmounts } from '../../context/pod-context.js';
import { COMPARISON_WORDS } from '../../detection/comparison.js';
import type { FeatureExplanation } from '../../detection/explain.js';
import { featureValue } from '../../detection/reasons.js';
import { usualRange } from './plot.js';
import type { FeatureHistory } from './replay.js';

/** From this ratio on, a multiple says more than a share. */
const LEAST_MULTIPLE = 1.1;

/**
 * A feature of a pod in a sentence: `cpu 2.23 cores, 9.2 × usual (243 millicores at this time of day, 49 to 341)`. The first
 * words are what stands out.
 *
 * @param history of the same feature, for the range.
 * @param limits of the pod.
 */
export function amount(explanation: FeatureExplanation, history?: FeatureHistory, limits: ResourceAmounts = {}): Html {
  const { feature, unit, actual, expected, comparison, boundary, direction } = explanation;
  if (comparison === 'rise_in_an_hour') {
    const most = boundary === null ? '' : `, usually at most ${formatNumber(Math.max(0, boundary - expected))}`;
    return html`<bdi>${feature}</bdi> <strong class="now">+${formatNumber(actual - expected)} within an hour</strong>${most}`;
  }
  const value = (number: number) => featureValue(number, feature, unit);
  const { when, lasting } = COMPARISON_WORDS[comparison];
  const isOfSiblings = comparison.startsWith('siblings');
  const usual = isOfSiblings ? `its siblings ${value(expected)} now` : `usually ${value(expected)} ${when}`;
  const range = history && usualRange(history, value);
  const about = [
    usual,
    ...(range && range !== 'unknown' && !isOfSiblings ? [range] : []),
    lasting && direction !== 'usual' ? `away from it ${lasting}` : '',
  ];
  return html`<bdi>${feature}</bdi> <strong class="now">${value(actual)}${size(explanation)}${ofLimit(explanation, limits)}</strong>
<small>${about.filter(Boolean).join('; ')}</small>`;
}

/** How large that is beside what is usual; nothing where that is no number. */
function size({ actual, expected, comparison }: FeatureExplanation): string {
  const ratio = actual / expected;
  if (!(actual >= 0 && expected > 0 && Number.isFinite(ratio))) return '';
  const than = comparison.startsWith('siblings') ? 'its siblings' : 'usual';
  if (ratio >= LEAST_MULTIPLE) return `, ${formatNumber(Number(ratio.toPrecision(2)))} × ${than}`;
  return ratio > 1 / LEAST_MULTIPLE ? '' : `, ${formatPercent(ratio)} of ${than}`;
}

/** How near the limit it is; empty for a pod without a limit. */
function ofLimit({ feature, unit, actual }: FeatureExplanation, limits: ResourceAmounts): string {
  const resource =
    feature === 'memory' && unit === 'bytes' ? 'memory' : feature === 'cpu' && unit === 'cores' ? 'cpu' : '';
  const limit = resource === '' ? undefined : limits[resource];
  return limit === undefined || !(limit > 0) ? '' : `, ${formatPercent(actual / limit)} of its limit`;
}

/** The other reasons, in short: `also memory: …`. */
export function others(explanations: readonly FeatureExplanation[]): Html {
  return explanations.length === 0
    ? NO_HTML
    : html`${explanations.map((one) => html`<small class="also">also ${amount(one)}</small>`)}`;
}
