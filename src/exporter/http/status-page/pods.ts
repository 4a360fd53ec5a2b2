/** The table of pods. */

import { formatDuration } from '../../../lib/text/format.js';
import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import type { FeatureExplanation } from '../../detection/explain.js';
import { featureValue } from '../../detection/reasons.js';
import { podKey } from '../../features/table.js';
import type { HistoryOutcome } from './history-reader.js';
import { plot, usualRange } from './plot.js';
import { type FeatureHistory, flaggedSince, type PodHistory } from './replay.js';
import { type Filters, filterLink, type ShownPod } from './selection.js';
import { isoTime } from './time.js';

/** What the table shows. */
export interface PodsTable {
  readonly shown: readonly ShownPod[];
  readonly history: HistoryOutcome;
  /** The instant that was scored, Unix time in seconds. */
  readonly timeSeconds: number;
  readonly nowSeconds: number;
}

/** The roles are explicit: the style turns rows into cards on narrow screens, which removes the implicit roles. */
export function podsTable({ shown, history, timeSeconds, nowSeconds }: PodsTable): Html {
  const histories = history.kind === 'histories' ? history.histories : new Map<string, PodHistory>();
  return html`<table role="table" class="pods" aria-describedby="legend">
<caption class="unseen">The most anomalous pods</caption>
<thead role="rowgroup"><tr role="row">
<th role="columnheader" scope="col">Pod</th>
<th role="columnheader" scope="col" class="number">Score</th>
<th role="columnheader" scope="col">Flagged</th>
<th role="columnheader" scope="col">Feature</th>
<th role="columnheader" scope="col" class="number">Now</th>
<th role="columnheader" scope="col" class="number">Usually</th>
<th role="columnheader" scope="col">Last hour</th>
</tr></thead>
<tbody role="rowgroup">
${shown.map((pod) => row(pod, histories.get(podKey(pod.identity.namespace, pod.identity.pod)), { timeSeconds, nowSeconds }))}
</tbody>
</table>
${legend(history, timeSeconds)}`;
}

function legend(history: HistoryOutcome, timeSeconds: number): Html {
  const reason =
    history.kind === 'failed'
      ? html`<strong>The last hour is not available:</strong> ${history.message} `
      : html`Last hour: the line is the feature, the shaded band what is usual, a bar at the bottom marks when the pod was
flagged, scored with the current model. `;
  return html`<p id="legend" class="quiet">${reason}Values at <time datetime="${isoTime(timeSeconds)}">${isoTime(timeSeconds)}</time>.</p>`;
}

interface Times {
  readonly timeSeconds: number;
  readonly nowSeconds: number;
}

function row(pod: ShownPod, history: PodHistory | undefined, times: Times): Html {
  const { namespace, pod: name, workload } = pod.identity;
  const [main, ...others] = pod.reasons;
  const own = history?.features.find(({ feature }) => feature === main?.feature);
  const isFlagged = pod.score > 0;
  return html`<tr role="row"${isFlagged ? html` class="flagged"` : NO_HTML}>
<th role="rowheader" scope="row"><bdi class="name" title="${name}">${name}</bdi>
<small>${link(namespace, { namespace, workload: undefined })} / ${link(workload, { namespace, workload })}</small></th>
${[
  cell('Score', html`${pod.score.toFixed(2)}`, 'number'),
  cell('Flagged', isFlagged ? beginning(history, times) : html`<span class="quiet">no</span>`),
  ...(main === undefined ? [] : readings(main, others, own)),
  cell(
    'Last hour',
    history === undefined || own === undefined
      ? html`<span class="quiet">not shown</span>`
      : plot(history, own),
  ),
]}
</tr>`;
}

/** The label stands before the content where the row is a card. */
function cell(label: string, content: Html, kind = ''): Html {
  return html`<td role="cell" class="${kind}" data-label="${label}"><div>${content}</div></td>`;
}

const DIRECTIONS = { above: 'above usual', below: 'below usual', usual: 'usual' } as const;

function readings(
  { feature, unit, actual, expected, direction }: FeatureExplanation,
  others: readonly FeatureExplanation[],
  history: FeatureHistory | undefined,
): readonly Html[] {
  const amount = amountOf(feature, unit);
  const also = others.map(
    (other) =>
      html`<small>also <bdi>${other.feature}</bdi>: ${amountOf(other.feature, other.unit)(other.actual)}, usually ${amountOf(other.feature, other.unit)(other.expected)}</small>`,
  );
  const band =
    history === undefined
      ? NO_HTML
      : html`<small>${usualRange(history.lower.at(-1), history.upper.at(-1), amount)}</small>`;
  return [
    cell(
      'Feature',
      html`<bdi>${feature}</bdi> <small class="direction">${DIRECTIONS[direction]}</small> ${also}`,
    ),
    cell('Now', html`<span class="now">${amount(actual)}</span>`, 'number'),
    cell('Usually', html`${amount(expected)} ${band}`, 'number'),
  ];
}

const amountOf = (feature: string, unit: string) => (value: number) => featureValue(value, feature, unit);

function beginning(history: PodHistory | undefined, { timeSeconds, nowSeconds }: Times): Html {
  const since = history === undefined ? undefined : flaggedSince(history);
  if (since === undefined) return html`<strong>yes</strong>`;
  const iso = isoTime(since.timeSeconds);
  const words = since.orEarlier
    ? 'for over an hour'
    : since.timeSeconds === timeSeconds
      ? 'since now'
      : `for ${formatDuration(nowSeconds - since.timeSeconds)}`;
  return html`<strong>yes</strong>, <time datetime="${iso}">${words}<small>${since.orEarlier ? 'before ' : 'since '}${iso.slice(11, 16)} UTC</small></time>`;
}

function link(name: string, filters: Filters): Html {
  return html`<a href="${filterLink(filters)}" title="${name}"><bdi>${name}</bdi></a>`;
}
