/** The page of a report: it needs nothing else, no network and no JavaScript. */

import { Html, html } from '../../lib/text/html.js';
import type { Cell, TextTable } from './text-table.js';

/** Nothing is loaded, and nothing runs, whatever should get into the page. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** The markup of a page. @param style rules of CSS besides those that all reports have. */
export function reportPage(title: string, body: Html, style = ''): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Html(STYLE + style)}</style>
</head>
<body>
${body}
</body>
</html>
`.markup;
}

/** @param chosen index of the row that is emphasized. */
export function htmlTable({ columns, rows }: TextTable, caption = '', chosen = -1): Html {
  const classOf = (column: number) => (columns[column]?.align === 'right' ? 'number' : 'name');
  const heads = columns.map(({ head }, column) => {
    const isBar = typeof rows[0]?.[column] === 'object';
    return html`<th scope="col" class="${classOf(column)}" colspan="${isBar ? 2 : 1}">${head.join(' ').trim()}</th>`;
  });
  const cellOf = (cell: Cell, column: number) =>
    typeof cell === 'string'
      ? html`<td class="${classOf(column)}">${cell}</td>`
      : html`<td class="${classOf(column)}">${cell.text}</td><td class="meter"><span class="meter${cell.over ? ' over' : ''}"><span
style="width:${Math.round(100 * Math.min(1, cell.share))}%"></span></span></td>`;
  const lines = rows.map((row, index) => html`<tr class="${index === chosen ? 'chosen' : ''}">${row.map(cellOf)}</tr>`);
  return html`<div class="scroll"><table>${caption === '' ? caption : html`<caption>${caption}</caption>`}
<thead><tr>${heads}</tr></thead><tbody>${lines}</tbody></table></div>`;
}

/** Dark and light as the reader's system is, and for paper. */
const STYLE = `
:root { --ground: #fff; --panel: #f6f7f9; --ink: #16191d; --soft: #5b6470; --rule: #dfe3e8; --blue: #1f6feb; --amber: #b45309;
  --red: #c62828; --flag: rgba(198, 40, 40, .30); --fire: rgba(230, 150, 20, .20); }
@media (prefers-color-scheme: dark) { :root { --ground: #111418; --panel: #1a1f25; --ink: #e7eaee; --soft: #9aa5b1; --rule: #2e353d;
  --blue: #6cb0ff; --amber: #f0b35a; --red: #ff7b72; --flag: rgba(255, 100, 90, .38); --fire: rgba(240, 179, 90, .20); } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem; max-width: 72rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; line-height: 1.2; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 0 0 .3rem; overflow-wrap: anywhere; } h4 { font-size: .85rem; margin: .9rem 0 .25rem; }
h5 { font-size: .8rem; font-weight: 600; color: var(--soft); margin: .5rem 0 .15rem; }
header p, footer, small, .more, caption, .legend { color: var(--soft); } header p { margin: .3rem 0 1.2rem; overflow-wrap: anywhere; }
p { margin: .4rem 0; } code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .9em; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; padding: 0; margin: 0 0 .8rem; list-style: none; }
.tiles li { background: var(--panel); border: 1px solid var(--rule); border-radius: .5rem; padding: .7rem .9rem; }
.tiles strong { display: block; font-size: 1.7rem; line-height: 1.15; font-variant-numeric: tabular-nums; }
.tiles span, .tiles small { display: block; } .tiles small { font-size: .8rem; margin-top: .15rem; }
.suggestion { border-left: 3px solid var(--blue); padding-left: .75rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .875rem; margin-bottom: .9rem; }
caption { text-align: left; padding: .2rem 0; font-weight: 600; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
thead th { color: var(--soft); font-weight: 500; font-size: .8rem; vertical-align: bottom; } tbody th { font-weight: 500; }
td.number { white-space: nowrap; } th.number { max-width: 6rem; } .number { text-align: right; font-variant-numeric: tabular-nums; } td time { white-space: nowrap; }
.chosen > * { background: var(--panel); } .name { overflow-wrap: anywhere; min-width: 10rem; } td ul { margin: 0; padding: 0; list-style: none; }
td small { display: block; } td.meter { width: 22%; min-width: 5rem; vertical-align: middle; }
span.meter { display: block; height: .6rem; border-radius: .3rem; background: var(--rule); overflow: hidden; }
span.meter span { display: block; height: 100%; background: var(--blue); } span.meter.over span { background: var(--amber); }
.bars { padding: 1.1rem 0 1.4rem; } .columns { position: relative; display: flex; gap: 2px; height: 7rem; border-bottom: 1px solid var(--rule); }
.bar { position: relative; flex: 1; max-width: 4rem; } .bar .fill { position: absolute; bottom: 0; left: 0; right: 0; background: var(--blue); border-radius: 2px 2px 0 0; }
.bar .fill.over { background: var(--amber); } .bar .count { position: absolute; bottom: 2px; left: 0; right: 0; text-align: center; font-size: .75rem; color: var(--ground); font-weight: 600; }
.bar .day { position: absolute; top: 100%; left: 0; font-size: .75rem; color: var(--soft); white-space: nowrap; padding-top: .15rem; }
.limit { position: absolute; left: 0; right: 0; border-top: 2px dashed var(--red); }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: .9rem 1.5rem; } .beside td.meter { width: 18%; min-width: 3rem; } .beside .name { min-width: 7rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: .9rem; }
article { background: var(--panel); border: 1px solid var(--rule); border-radius: .5rem; padding: .9rem; min-width: 0; } article p { font-size: .875rem; }
.chart { display: grid; grid-template-columns: 4.6rem 1fr; column-gap: .4rem; font-size: .72rem; color: var(--soft); }
.values, .drawing { position: relative; height: 5.2rem; } .values span { position: absolute; right: 0; transform: translateY(-50%); white-space: nowrap; line-height: 1; }
.drawing { border: 1px solid var(--rule); border-width: 0 0 1px 1px; } .drawing svg { display: block; width: 100%; height: 100%; }
.times { grid-column: 2; position: relative; height: 1.2rem; } .times span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
svg path, svg line { fill: none; vector-effect: non-scaling-stroke; stroke-width: 1.6; stroke-linejoin: round; }
svg .score, svg .actual { stroke: var(--blue); } svg .expected { stroke: var(--soft); stroke-dasharray: 4 3; } svg .threshold { stroke: var(--red); stroke-width: 1; stroke-dasharray: 2 3; }
svg .flagged { fill: var(--flag); } svg .alert { fill: var(--fire); }
.legend { font-size: .8rem; } .key { display: inline-block; width: 1.2rem; height: .7rem; margin: 0 .35rem 0 .7rem; vertical-align: baseline; }
.legend .key:first-child { margin-left: 0; } .flagged-key { background: var(--flag); } .alert-key { background: var(--fire); }
.expected-key { height: 0; border-top: 2px dashed var(--soft); vertical-align: middle; } .threshold-key, .limit-key { height: 0; border-top: 2px dashed var(--red); vertical-align: middle; }
summary { cursor: pointer; } footer { margin-top: 2.5rem; padding-top: .8rem; border-top: 1px solid var(--rule); font-size: .8rem; }
@media (max-width: 36rem) { body { padding: .9rem; } .chart { grid-template-columns: 3.6rem 1fr; } }
@media print { .cards { display: block; } article { break-inside: avoid; margin-bottom: .6rem; } .scroll { overflow: visible; } }
`;
