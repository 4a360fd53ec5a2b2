/** The flagged pods by workload: one entry for each, whatever the number of its pods. */

import { counted } from '../../../lib/text/format.js';
import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import { amount, others } from './amount.js';
import { contextOf, fact, historyOf, podLink, released, type Surroundings } from './around.js';
import { contextFacts, fullFact } from './context-facts.js';
import { filterLink } from './filters.js';
import { nextLinks, type Runbook } from './next.js';
import { plot } from './plot.js';
import { podsTable } from './pods.js';
import type { Incident } from './selection.js';
import { earliest, sinceElement, sinceOf } from './since.js';

/** The list, in the order of the incidents. */
export function incidentList(incidents: readonly Incident[], around: Surroundings): Html {
  return html`<ol class="incidents">
${incidents.map((incident) => entry(incident, around))}
</ol>`;
}

function entry(incident: Incident, around: Surroundings): Html {
  const { namespace, workload, scored, flagged, lasting, pods } = incident;
  const [worst] = pods;
  const history = historyOf(around, worst);
  const [main, ...also] = worst.reasons;
  const ofMain = history?.features.find(({ feature }) => feature === main?.feature);
  const link = html`<a href="${filterLink({ namespace })}" title="${namespace}"><bdi>${namespace}</bdi></a> / <a href="${filterLink({ namespace, workload })}" title="${workload}"><bdi>${workload}</bdi></a>`;
  return html`<li class="incident ${lasting > 0 ? 'lasting' : 'new'}">
<h3>${flagged} of ${counted(scored, 'pod')} of ${link} ${markOf(incident)}</h3>
<div class="about">
<p>${main === undefined ? NO_HTML : amount(main, ofMain, contextOf(around, worst)?.limits)} ${others(also)}</p>
${facts(incident, around)}
</div>
${history && ofMain ? html`<div class="picture">${plot(history, ofMain)}</div>` : NO_HTML}
${flagged > 1 ? podsOf(incident, around) : NO_HTML}
${nextLinks({ namespace, workload, pod: flagged > 1 ? undefined : worst.identity.pod }, runbookOf(incident), around.dashboardUrl)}
</li>`;
}

/** Whether it is worth an alert, in a word. */
function markOf({ lasting, flagged, pods: [worst] }: Incident): Html {
  if (lasting > 0) return html`<span class="mark problem">${lasting === flagged ? 'lasts' : `${lasting} last`}</span>`;
  return html`<span class="mark waiting">${worst.isBrief ? 'brief' : 'just begun'}</span>`;
}

/** As the rules choose the alert: of the workload where most of at least two of its pods have an anomaly that lasts. */
function runbookOf({ lasting, scored }: Incident): Runbook {
  return scored >= 2 && lasting > scored / 2 ? 'WorkloadAnomalous' : 'PodAnomalous';
}

/** Since when, what changed, and which pod. */
function facts(incident: Incident, around: Surroundings): Html {
  const { flagged, pods, sinceSeconds, releaseSeconds } = incident;
  const { timeSeconds, nowSeconds } = around;
  const known = sinceSeconds === undefined ? undefined : { timeSeconds: sinceSeconds, orEarlier: false };
  const since = earliest([known, ...pods.map((pod) => sinceOf(pod, historyOf(around, pod)))]);
  const [worst] = pods;
  return html`<dl class="facts">
${[
  since === undefined ? NO_HTML : fact('Since', sinceElement(since, timeSeconds, nowSeconds)),
  releaseSeconds === undefined ? NO_HTML : fact('Changed', released(releaseSeconds, since?.timeSeconds, nowSeconds)),
  fullFact(pods, around),
  ...contextFacts(pods, around),
  fact(flagged > 1 ? 'Worst' : 'Pod', podLink(worst)),
].filter(({ markup }) => markup !== '')}
</dl>`;
}

function podsOf({ namespace, workload, flagged, pods }: Incident, around: Surroundings): Html {
  const more = flagged - pods.length;
  return html`<details id="pods of ${namespace}/${workload}"><summary>${counted(flagged, 'flagged pod')}</summary>
${podsTable(pods, `Flagged pods of ${namespace}/${workload}`, around)}
${more > 0 ? html`<p class="quiet">And ${more} more: <a href="${filterLink({ namespace, workload })}">all of the workload</a>.</p>` : NO_HTML}
</details>`;
}
