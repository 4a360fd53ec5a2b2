/** A table of pods. */

import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import { amount, others } from './amount.js';
import { historyOf, podLink, type Surroundings } from './around.js';
import { plot } from './plot.js';
import type { ShownPod } from './selection.js';
import { sinceElement, sinceOf } from './since.js';

/** The roles are explicit: the style turns rows into cards on narrow screens, which removes the implicit roles. */
export function podsTable(pods: readonly ShownPod[], caption: string, around: Surroundings): Html {
  const hasPlots = pods.some((pod) => historyOf(around, pod) !== undefined);
  const hasFlags = pods.some(({ isFlagged }) => isFlagged);
  const columns = [
    'Pod',
    'Score',
    ...(hasFlags ? ['Flagged'] : []),
    'Furthest from usual',
    ...(hasPlots ? ['Last hour'] : []),
  ];
  return html`<table role="table" class="pods">
<caption class="unseen">${caption}</caption>
${headings(columns)}
<tbody role="rowgroup">
${pods.map((pod) => row(pod, { hasFlags, hasPlots }, around))}
</tbody>
</table>`;
}

function row(
  pod: ShownPod,
  { hasFlags, hasPlots }: Readonly<Record<'hasFlags' | 'hasPlots', boolean>>,
  around: Surroundings,
): Html {
  const { score, isFlagged, reasons } = pod;
  const [main, ...also] = reasons;
  const history = historyOf(around, pod);
  const own = history?.features.find(({ feature }) => feature === main?.feature);
  return html`<tr role="row"${isFlagged ? html` class="flagged"` : NO_HTML}>
<th role="rowheader" scope="row">${podLink(pod)}</th>
${[
  cell('Score', html`${score.toFixed(2)}`),
  ...(hasFlags ? [cell('Flagged', flag(pod, around))] : []),
  cell('Furthest from usual', main === undefined ? NO_HTML : html`${amount(main, own)} ${others(also)}`),
  ...(hasPlots
    ? [cell('Last hour', history && own ? plot(history, own) : html`<span class="quiet">not shown</span>`)]
    : []),
]}
</tr>`;
}

export function headings(columns: readonly string[]): Html {
  return html`<thead role="rowgroup"><tr role="row">
${columns.map((name) => html`<th role="columnheader" scope="col"${name === 'Score' ? html` class="number"` : NO_HTML}>${name}</th>`)}
</tr></thead>`;
}

/** The label stands before the content where the row is a card. */
export function cell(label: string, content: Html): Html {
  return html`<td role="cell" class="${label === 'Score' ? 'number' : ''}" data-label="${label}"><div>${content}</div></td>`;
}

/** Whether and since when a pod is flagged. */
export function flag(pod: ShownPod, around: Surroundings): Html {
  if (!pod.isFlagged) return html`<span class="quiet">no</span>`;
  const since = sinceOf(pod, historyOf(around, pod));
  const yes = html`<strong>yes</strong>${pod.isBrief ? ', briefly' : ''}`;
  return since === undefined ? yes : html`${yes}, since ${sinceElement(since, around.timeSeconds, around.nowSeconds)}`;
}
