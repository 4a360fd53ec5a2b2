/** Where to look next: the runbook, all that is known as JSON, and the dashboard. */

import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import { RUNBOOKS_URL } from '../../version.js';

/** Of the alert that a pod or a workload makes; the alerts themselves name the same ones. */
export type Runbook =
  | 'PodAnomalous'
  | 'WorkloadAnomalous'
  | 'NodeAnomalous'
  | 'NamespaceAnomalous'
  | 'AnomalyMassFlagging'
  | 'PodMemoryFull';

export const runbookLink = (runbook: Runbook) => html`<a href="${RUNBOOKS_URL}/${runbook}.md">runbook ${runbook}</a>`;

/** What the links are about. */
interface Subject {
  readonly namespace: string;
  readonly workload: string;
  readonly pod?: string | undefined;
}

/** @param dashboardUrl address of the dashboard in Grafana; empty where nobody said it. */
export function nextLinks({ namespace, workload, pod }: Subject, runbook: Runbook, dashboardUrl: string): Html {
  const detect = new URLSearchParams({ namespace, flagged: 'true' });
  return html`<p class="next">Next: ${runbookLink(runbook)}
<a href="detect?${String(detect)}">/detect of the namespace</a>
${dashboardUrl === '' ? NO_HTML : html`<a href="${dashboardLink(dashboardUrl, { namespace, workload, pod })}">dashboard</a>`}</p>`;
}

/** The dashboard with its variables set. */
function dashboardLink(address: string, { namespace, workload, pod }: Subject): string {
  const url = new URL(address);
  url.searchParams.set('var-namespace', namespace);
  url.searchParams.set('var-workload', workload);
  if (pod !== undefined) url.searchParams.set('var-pod', pod);
  return url.href;
}
