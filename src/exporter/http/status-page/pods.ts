/** The table of pods. */

import { formatDuration } from '../../../lib/text/format.js';
import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import { COMPARISON_WORDS } from '../../detection/comparison.js';
import type { FeatureExplanation } from '../../detection/explain.js';
import { describeValue, featureValue } from '../../detection/reasons.js';
import { podKey } from '../../features/table.js';
import type { HistoryOutcome } from './history-reader.js';
import { plot, usualRange } from './plot.js';
import { type FeatureHistory, flaggedSince, type PodHistory } from './replay.js';
import { type Filters, filterLink, type ShownPod } from './selection.js';
import { isoTime } from './time.js';

/** What the table shows. Times are Unix times in seconds; `timeSeconds` is the instant that was scored. */
interface PodsTable {
  readonly shown: readonly ShownPod[];
  readonly history: HistoryOutcome;
  readonly timeSeconds: number;
  readonly nowSeconds: number;
}

const COLUMNS = ['Pod', 'Score', 'Flagged', 'Feature', 'Now', 'Usually', 'Last hour'];
const NUMBERS: ReadonlySet<string> = new Set(['Score', 'Now', 'Usually']);

/** The roles are explicit: the style turns rows into cards on narrow screens, which removes the implicit roles. */
export function podsTable(table: PodsTable): Html {
  const { shown, history, timeSeconds } = table;
  const last =
    history.kind === 'failed'
      ? html`<strong>The last hour is not available:</strong> ${history.message} `
      : html`Last hour: the line is the feature, the shaded band what is usual, a bar at the bottom marks when the pod was
flagged, scored with the current model. What is usual is that of the same time of day where the days before are known.
"Briefly": it is unusual for its last hours only, which is flagged for at most three minutes and makes no alert. `;
  return html`<table role="table" class="pods" aria-describedby="legend">
<caption class="unseen">The most anomalous pods</caption>
<thead role="rowgroup"><tr role="row">
${COLUMNS.map((name) => html`<th role="columnheader" scope="col"${NUMBERS.has(name) ? html` class="number"` : NO_HTML}>${name}</th>`)}
</tr></thead>
<tbody role="rowgroup">
${shown.map((pod) => row(pod, table))}
</tbody>
</table>
<p id="legend" class="quiet">${last}Values at <time datetime="${isoTime(timeSeconds)}">${isoTime(timeSeconds)}</time>.</p>`;
}

function row(
  { identity: { namespace, pod, workload }, score, isFlagged, isBrief, releaseSeconds, reasons }: ShownPod,
  table: PodsTable,
): Html {
  const [main, ...others] = reasons;
  const outcome = table.history;
  const history = outcome.kind === 'histories' ? outcome.histories.get(podKey(namespace, pod)) : undefined;
  const own = history?.features.find(({ feature }) => feature === main?.feature);
  return html`<tr role="row"${isFlagged ? html` class="flagged"` : NO_HTML}>
<th role="rowheader" scope="row"><bdi class="name" title="${pod}">${pod}</bdi>
<small>${link(namespace, { namespace, workload: undefined })} / ${link(workload, { namespace, workload })}</small></th>
${[
  cell('Score', html`${score.toFixed(2)}`),
  cell(
    'Flagged',
    isFlagged
      ? html`${beginning(history, isBrief, table)}${released(releaseSeconds)}`
      : html`<span class="quiet">no</span>`,
  ),
  ...(main === undefined ? [] : readings(main, others, own)),
  cell('Last hour', history && own ? plot(history, own) : html`<span class="quiet">not shown</span>`),
]}
</tr>`;
}

/** The label stands before the content where the row is a card. */
function cell(label: string, content: Html): Html {
  return html`<td role="cell" class="${NUMBERS.has(label) ? 'number' : ''}" data-label="${label}"><div>${content}</div></td>`;
}

const DIRECTIONS = { above: 'above usual', below: 'below usual', usual: 'usual' } as const;

function readings(
  { feature, unit, actual, expected, direction, comparison }: FeatureExplanation,
  others: readonly FeatureExplanation[],
  history: FeatureHistory | undefined,
): readonly Html[] {
  const amount = (value: number) => featureValue(value, feature, unit);
  const also = others.map((other) => html`<small>also <bdi>${other.feature}</bdi>: ${describeValue(other)}</small>`);
  const { when, lasting } = COMPARISON_WORDS[comparison];
  const words = [comparison.startsWith('siblings') ? 'its siblings now' : when, lasting].filter(Boolean).join(', ');
  const range = history && usualRange(history, amount);
  const what = html`<bdi>${feature}</bdi> <small class="direction">${DIRECTIONS[direction]}</small> ${also}`;
  return [
    cell('Feature', what),
    cell('Now', html`<span class="now">${amount(actual)}</span>`),
    cell(
      'Usually',
      html`${amount(expected)} <small>${words}</small> ${range ? html`<small>${range}</small>` : NO_HTML}`,
    ),
  ];
}

function beginning(history: PodHistory | undefined, isBrief: boolean, { timeSeconds, nowSeconds }: PodsTable): Html {
  const since = history && flaggedSince(history);
  const yes = html`<strong>yes</strong>${isBrief ? ', briefly' : ''}`;
  if (since === undefined) return yes;
  const iso = isoTime(since.timeSeconds);
  const words = since.orEarlier
    ? 'for over an hour'
    : since.timeSeconds === timeSeconds
      ? 'since now'
      : `for ${formatDuration(nowSeconds - since.timeSeconds)}`;
  return html`${yes}, <time datetime="${iso}">${words}<small>${since.orEarlier ? 'before ' : 'since '}${iso.slice(11, 16)} UTC</small></time>`;
}

/** What changed lately. */
function released(seconds: number | undefined): Html {
  if (seconds === undefined) return NO_HTML;
  const iso = isoTime(seconds);
  return html` <small>released <time datetime="${iso}">${iso.slice(11, 16)} UTC</time></small>`;
}

function link(name: string, filters: Filters): Html {
  return html`<a href="${filterLink(filters)}" title="${name}"><bdi>${name}</bdi></a>`;
}
