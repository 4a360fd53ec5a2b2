/** The view of one pod: all of its features, its siblings now, and its last two days. */

import { counted, formatNumber, formatPercent } from '../../../lib/text/format.js';
import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import { COMPARISON_WORDS } from '../../detection/comparison.js';
import type { FeatureExplanation } from '../../detection/explain.js';
import { featureValue } from '../../detection/reasons.js';
import { amount, others } from './amount.js';
import { contextOf, fact, historyOf, podLink, released, type Surroundings } from './around.js';
import { allContextFacts, fullFact } from './context-facts.js';
import { dayPlots } from './day-plot.js';
import type { DayOutcome } from './day-reader.js';
import { filterLink } from './filters.js';
import { nextLinks } from './next.js';
import { plot } from './plot.js';
import type { PodView, Sibling } from './pod-selection.js';
import { cell, flag, headings } from './pods.js';
import type { PodHistory } from './replay.js';
import { sinceOf } from './since.js';
import { timeElement } from './time.js';

/** The sections of a pod. */
export function podSections(view: PodView, day: DayOutcome, around: Surroundings): Html {
  const { pod } = view;
  const { namespace, pod: name, workload } = pod.identity;
  const history = historyOf(around, pod);
  const [main, ...also] = pod.reasons;
  return html`<section aria-labelledby="pod" class="incident ${pod.lasts ? 'lasting' : pod.isFlagged ? 'new' : 'calm'}"><h2 id="pod">Pod <bdi>${namespace}/${name}</bdi> ${mark(view)}</h2>
<div class="about">
<p>${main === undefined ? NO_HTML : amount(main, undefined, contextOf(around, pod)?.limits)} ${others(also)}</p>
${facts(view, around)}
</div>
${nextLinks({ namespace, workload, pod: name }, 'PodAnomalous', around.dashboardUrl)}
</section>
<section aria-labelledby="features"><h2 id="features">All features</h2>
${failure(around)}
${featuresTable(pod.features, history)}
</section>
<section aria-labelledby="days"><h2 id="days">Today and yesterday</h2>
${dayPlots(day)}
</section>
${siblingsSection(view)}`;
}

function mark({ pod, isMuted }: PodView): Html {
  if (isMuted) return html`<span class="mark waiting">muted</span>`;
  if (pod.lasts) return html`<span class="mark problem">lasts</span>`;
  if (pod.isFlagged) return html`<span class="mark waiting">${pod.isBrief ? 'brief' : 'just begun'}</span>`;
  return html`<span class="mark ok">not flagged</span>`;
}

function facts({ pod, tuning, isMuted, releaseSeconds }: PodView, around: Surroundings): Html {
  const { namespace, workload } = pod.identity;
  const { mutedBy, mutedUntilSeconds, sensitivity } = tuning;
  const { nowSeconds } = around;
  const until = mutedUntilSeconds === undefined ? NO_HTML : html` until ${timeElement(mutedUntilSeconds, nowSeconds)}`;
  const since = sinceOf(pod, historyOf(around, pod))?.timeSeconds;
  return html`<dl class="facts">
${[
  fact('Workload', html`<a href="${filterLink({ namespace, workload })}"><bdi>${workload}</bdi></a>`),
  fact('Flagged', flag(pod, around)),
  fact('Score', html`${pod.score.toFixed(2)} (above 0 is anomalous)`),
  releaseSeconds === undefined ? NO_HTML : fact('Changed', released(releaseSeconds, since, nowSeconds)),
  isMuted ? fact('Muted by', html`${mutedBy ?? ''}${until}`) : NO_HTML,
  sensitivity === undefined ? NO_HTML : fact('Sensitivity', html`${formatNumber(sensitivity)} spreads`),
  fullFact([pod], around),
  ...allContextFacts(pod, around),
].filter(({ markup }) => markup !== '')}
</dl>`;
}

function failure({ history }: Surroundings): Html {
  return history.kind === 'failed'
    ? html`<p><strong>The last hour is not available:</strong> ${history.message}</p>`
    : NO_HTML;
}

const FEATURE_COLUMNS = [
  'Feature',
  'Now',
  'To expect',
  'Anomalous beyond',
  'Deviation',
  'Share of the score',
  'Last hour',
];

function featuresTable(features: readonly FeatureExplanation[], history: PodHistory | undefined): Html {
  return html`<table role="table" class="pods features">
<caption class="unseen">All features of the pod</caption>
${headings(FEATURE_COLUMNS)}
<tbody role="rowgroup">
${features.map((explanation) => featureRow(explanation, history))}
</tbody>
</table>
<p class="quiet">Deviations are in usual spreads of the pod.</p>`;
}

function featureRow(explanation: FeatureExplanation, history: PodHistory | undefined): Html {
  const { feature, help, unit, actual, expected, boundary, deviation, share, comparison } = explanation;
  const own = history?.features.find((one) => one.feature === feature);
  const value = (number: number) => featureValue(number, feature, unit);
  const { usual, when, lasting } = COMPARISON_WORDS[comparison];
  const words = [usual === 'usually' ? when : `${usual} ${when}`, lasting].filter(Boolean).join(', ');
  return html`<tr role="row">
<th role="rowheader" scope="row"><bdi>${feature}</bdi> <small>${help}</small></th>
${[
  cell('Now', html`<strong>${value(actual)}</strong>`),
  cell('To expect', html`${value(expected)} <small>${words}</small>`),
  cell('Anomalous beyond', boundary === null ? html`<span class="quiet">not alone</span>` : html`${value(boundary)}`),
  cell('Deviation', html`${deviation > 0 ? '+' : ''}${formatNumber(deviation)}`),
  cell('Share of the score', html`${formatPercent(share)}`),
  cell('Last hour', history && own ? plot(history, own) : html`<span class="quiet">not shown</span>`),
]}
</tr>`;
}

function siblingsSection({ pod, siblings, siblingCount, columns, medians }: PodView): Html {
  const { namespace, workload } = pod.identity;
  const more = siblingCount + 1 - siblings.length;
  const value = (number: number, column: number) => {
    const { name, unit } = columns[column] as PodView['columns'][number];
    return Number.isNaN(number) ? '' : featureValue(number, name, unit);
  };
  const row = (first: Html, score: string, state: string, values: readonly number[]) => html`<tr role="row">
<th role="rowheader" scope="row">${first}</th>
${[
  cell('Score', html`${score}`),
  cell('Flagged', html`${state}`),
  ...values.map((number, column) => cell(columns[column]?.name ?? '', html`${value(number, column)}`)),
]}
</tr>`;
  const one = ({ identity, score, isFlagged, values }: Sibling, index: number) => {
    const name =
      index === 0 ? html`<bdi class="name">${identity.pod}</bdi> <small>this pod</small>` : podLink({ identity });
    return row(name, score.toFixed(2), isFlagged ? 'yes' : 'no', values);
  };
  const content =
    siblingCount === 0
      ? html`<p>The workload has no other pod with a score.</p>`
      : html`<table role="table" class="pods siblings">
<caption class="unseen">The pod and its siblings</caption>
${headings(['Pod', 'Score', 'Flagged', ...columns.map(({ name }) => name)])}
<tbody role="rowgroup">
${siblings.map(one)}
${row(html`<em>Median of ${counted(siblingCount, 'sibling')}</em>`, '', '', medians)}
</tbody>
</table>
${more > 0 ? html`<p class="quiet">And ${more} more: <a href="${filterLink({ namespace, workload })}">all of the workload</a>.</p>` : NO_HTML}`;
  return html`<section aria-labelledby="siblings"><h2 id="siblings">Siblings now</h2>
${content}
</section>`;
}
