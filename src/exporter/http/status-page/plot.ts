/** The last hour of one feature of a pod as a small picture: the values, what is usual, and when the pod was flagged. */

import { type Html, html } from '../../../lib/text/html.js';
import { featureValue } from '../../detection/reasons.js';
import { band, finite, line, round, runs, scaleOf } from './curves.js';
import type { FeatureHistory, PodHistory } from './replay.js';
import { isoTime } from './time.js';

/** Units of the drawing; the style sheet gives the size. */
const WIDTH = 180;
const HEIGHT = 44;
/** At the bottom: a bar where the pod was flagged, so that colour is not all that tells. */
const BAR_HEIGHT = 4;
const SHORTEST_SPAN = 4;

/** Draws one of the history's features as SVG. Screen readers get a sentence in its place. */
export function plot(history: PodHistory, feature: FeatureHistory): Html {
  const { values, lower, upper } = feature;
  const scale = scaleOf(values.length, [...values, ...upper, ...lower], WIDTH, HEIGHT - BAR_HEIGHT);
  const { x } = scale;
  const spans = flaggedRuns(history).map(([from, to]) => {
    // Each instant stands for the time around it; one alone is still seen.
    const left = Math.max(0, Math.min(x(from - 0.5), WIDTH - SHORTEST_SPAN));
    const width = Math.max(SHORTEST_SPAN, round(Math.min(WIDTH, x(to - 0.5)) - left));
    return html`<rect class="flagged-span" x="${left}" y="0" width="${width}" height="${HEIGHT}"/>
<rect class="flagged-bar" x="${left}" y="${HEIGHT - BAR_HEIGHT}" width="${width}" height="${BAR_HEIGHT}"/>`;
  });
  return html`<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${describe(history, feature)}">
${band(scale, lower, upper)}
${spans}
${line(scale, values, 'line')}
</svg>`;
}

/** The picture in a sentence. */
function describe(history: PodHistory, own: FeatureHistory): string {
  const { feature, unit, values } = own;
  const shown = finite(values);
  const amount = (value: number | undefined) => featureValue(value ?? Number.NaN, feature, unit);
  const flagged = flaggedRuns(history).map(([from, to]) => {
    const at = (instant: number) => isoTime(history.timestampsSeconds[instant] as number).slice(11, 16);
    return to - from === 1 ? `at ${at(from)}` : `from ${at(from)} to ${at(to - 1)}`;
  });
  return (
    `${feature} in the last hour: between ${amount(Math.min(...shown))} and ${amount(Math.max(...shown))}, ` +
    `now ${amount(values.at(-1))}; usual: ${usualRange(own, amount)}. ` +
    (flagged.length === 0 ? 'Never flagged.' : `Flagged ${flagged.slice(0, 5).join(', ')} UTC.`)
  );
}

/** `500 to 780 MiB`, or `up to 780 MiB` where less is usual as well. */
export function usualRange({ lower, upper }: FeatureHistory, amount: (value: number) => string): string {
  const [least, most] = [lower.at(-1) ?? Number.NaN, upper.at(-1) ?? Number.NaN];
  if (!Number.isFinite(most)) return 'unknown';
  if (!(least > 0)) return `up to ${amount(most)}`;
  const [from, to] = [amount(least), amount(most)];
  const [number = '', unit] = from.split(' ');
  return `${unit !== undefined && to.endsWith(` ${unit}`) ? number : from} to ${to}`;
}

const flaggedRuns = ({ scores }: PodHistory) => runs(scores.length, (instant) => (scores[instant] as number) > 0);
