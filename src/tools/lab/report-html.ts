/** The report as a page. */

import { formatPercent } from '../../lib/text/format.js';
import { type Html, html } from '../../lib/text/html.js';
import { htmlTable, reportPage } from '../replay/report-page.js';
import type { Evaluation } from './evaluation.js';
import { sectionsOf } from './report.js';

/** Besides the common style: the plot. */
const PLOT_STYLE = `figure { margin: 1rem 0; max-width: 44rem; } figure svg { display: block; width: 100%; }
svg text { fill: var(--soft); font-size: 12px; } svg .axis { stroke: var(--rule); stroke-width: 1; } svg circle { fill: var(--blue); }
svg circle.chosen { fill: var(--amber); } svg .label { fill: var(--ink); }`;

/** @param data the directory, for the title. */
export function reportHtml(evaluation: Evaluation, data: string): string {
  const { sensitivities, chosen } = evaluation;
  const parts = sectionsOf(evaluation).map(
    ({ title, tables, notes }) => html`<section><h2>${title}</h2>
${tables.map((table) => htmlTable(table))}
${notes.map((note) => html`<p>${note}</p>`)}</section>`,
  );
  const body = html`<header><h1>Messages and faults</h1><p>${data}, at sensitivity ${sensitivities[chosen]?.sensitivity ?? ''}</p></header>
<main>
${plot(evaluation)}
${parts}
</main>`;
  return reportPage(`Evaluation of ${data}`, body, PLOT_STYLE);
}

const WIDTH = 700;
const HEIGHT = 320;
const MARGIN = { left: 52, right: 28, top: 16, bottom: 44 };

/** Messages are drawn on a logarithmic axis from this on, per 1,000 pods and day. */
const FEWEST_MESSAGES = 0.1;

/** False messages against the share of faults that are caught, a point for each sensitivity. */
function plot({ sensitivities, chosen }: Evaluation): Html {
  const points = sensitivities.map(({ sensitivity, onCall }) => ({
    sensitivity,
    messages: Math.max(FEWEST_MESSAGES, onCall.falsePer1000PodsAndDay || 0),
    caught: onCall.faults.faults === 0 ? 0 : onCall.faults.caught / onCall.faults.faults,
  }));
  const most = Math.ceil(Math.log10(Math.max(10, ...points.map(({ messages }) => messages))));
  const least = Math.log10(FEWEST_MESSAGES);
  const x = (messages: number) =>
    Math.round(MARGIN.left + ((Math.log10(messages) - least) / (most - least)) * (WIDTH - MARGIN.left - MARGIN.right));
  const y = (share: number) => Math.round(HEIGHT - MARGIN.bottom - share * (HEIGHT - MARGIN.top - MARGIN.bottom));
  const decades = Array.from({ length: most - least + 1 }, (_, index) => 10 ** (least + index));
  const labels = points.map(({ sensitivity, messages, caught }) => {
    const share = formatPercent(caught, 0);
    return `sensitivity ${sensitivity}: ${messages.toPrecision(2)} messages, ${share} of the faults`;
  });
  return html`<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${labels.join('; ')}">
${decades.map(
  (messages) => html`<line class="axis" x1="${x(messages)}" x2="${x(messages)}" y1="${y(1)}" y2="${y(0)}"/>
<text x="${x(messages)}" y="${y(0) + 18}" text-anchor="middle">${messages < 1 ? messages.toFixed(1) : messages}</text>`,
)}
${[0, 0.25, 0.5, 0.75, 1].map(
  (
    share,
  ) => html`<line class="axis" x1="${x(FEWEST_MESSAGES)}" x2="${WIDTH - MARGIN.right}" y1="${y(share)}" y2="${y(share)}"/>
<text x="${MARGIN.left - 8}" y="${y(share) + 4}" text-anchor="end">${formatPercent(share, 0)}</text>`,
)}
${points.map(
  (
    { sensitivity, messages, caught },
    index,
  ) => html`<circle class="${index === chosen ? 'chosen' : 'other'}" cx="${x(messages)}" cy="${y(caught)}" r="6"/>
<text class="label" x="${x(messages) - 10}" y="${y(caught) + 4}" text-anchor="end">${sensitivity}</text>`,
)}
<text x="${WIDTH / 2}" y="${HEIGHT - 6}" text-anchor="middle">false messages per 1,000 pods and day</text>
</svg><figcaption class="legend">Faults caught against false messages; a point for each sensitivity.</figcaption></figure>`;
}
