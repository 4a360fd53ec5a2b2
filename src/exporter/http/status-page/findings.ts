/** What `check` found about the installation. */

import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import type { HealthReport } from '../schemas.js';
import { timeElement } from './time.js';

/** A section with errors before warnings; nothing where all is well. */
export function findingsSection({ check }: HealthReport, nowSeconds: number): Html {
  const { findings, last_error } = check;
  if (findings.length === 0 && last_error === null) return NO_HTML;
  const sorted = findings.toSorted((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'));
  return html`<section aria-labelledby="findings"><h2 id="findings">Findings about the installation</h2>
${last_error === null ? NO_HTML : html`<p>The last check failed ${timeElement(last_error.time, nowSeconds)}: ${last_error.message}</p>`}
${findings.length === 0 ? NO_HTML : html`<ul class="findings">${sorted.map((finding) => item(finding, nowSeconds))}</ul>`}
</section>`;
}

function item(
  { severity, summary, meaning, advice, check, time }: HealthReport['check']['findings'][number],
  nowSeconds: number,
): Html {
  return html`<li><span class="mark ${severity === 'error' ? 'problem' : 'waiting'}">${severity}</span> ${summary}
${meaning ?? ''} ${advice ?? ''} <small>${check}, found ${timeElement(time, nowSeconds)}</small></li>`;
}
