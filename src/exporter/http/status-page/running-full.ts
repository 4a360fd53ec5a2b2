/** Pods whose memory reaches its limit within a day, though it is not unusual yet. */

import { formatBytes } from '../../../lib/text/format.js';
import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import { podKey } from '../../features/table.js';
import { type ForecastState, type PodForecast, secondsToLimit } from '../../forecast/forecast-state.js';
import { podLink, type Surroundings } from './around.js';
import { inAbout } from './context-facts.js';
import { type Filters, filterLink, passes } from './filters.js';
import { runbookLink } from './next.js';
import type { Selection } from './selection.js';
import { clock } from './since.js';

const MOST_SHOWN = 10;

/** A section with the pods that are not among the anomalous ones that are shown, the soonest first; empty without such pods. */
export function runningFull(
  { pods }: ForecastState,
  { incidents }: Selection,
  filters: Filters,
  { timeSeconds, nowSeconds }: Surroundings,
): Html {
  const shown = new Set(
    incidents.flatMap((incident) => incident.pods.map(({ identity: { namespace, pod } }) => podKey(namespace, pod))),
  );
  const others = [...pods].flatMap(([key, own]) => {
    const seconds = secondsToLimit(own, timeSeconds);
    return seconds === undefined || shown.has(key) || !passes(filters, own) ? [] : [{ own, seconds }];
  });
  if (others.length === 0) return NO_HTML;
  others.sort((a, b) => a.seconds - b.seconds);
  const item = ({ own, seconds }: { own: PodForecast; seconds: number }) => {
    const { namespace, workload, bytes, limitBytes, fullSeconds } = own;
    return html`<li><a href="${filterLink({ namespace })}"><bdi>${namespace}</bdi></a> / <a href="${filterLink({ namespace, workload })}"><bdi>${workload}</bdi></a>,
${podLink({ identity: own })}: <strong>full ${inAbout(seconds)}</strong>, at ${clock(fullSeconds, nowSeconds)}; ${formatBytes(bytes)} of ${formatBytes(limitBytes)}</li>`;
  };
  const more = others.length - MOST_SHOWN;
  return html`<section aria-labelledby="full"><h2 id="full">Memory runs full</h2>
<ul>${others.slice(0, MOST_SHOWN).map(item)}</ul>
<p class="next">Next: ${runbookLink('PodMemoryFull')}</p>
${more > 0 ? html`<p class="quiet">And ${more} more; <a href="detect">/detect</a> has all.</p>` : NO_HTML}
</section>`;
}
