/** The anomalies that ended lately, and why, in words. */

import { formatDuration } from '../../../lib/text/format.js';
import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import type { EndedEpisode, EndReason, EpisodesState } from '../../episodes/episodes.js';
import { type Filters, filterLink, passes } from './filters.js';
import { timeElement } from './time.js';

/** What each end means for a person. */
const MEANINGS: Readonly<Record<EndReason, string>> = {
  recovered: 'it is back within its boundaries',
  gone: 'the pod is gone, or has no score any more',
  accepted: 'the pod is where it was: its new level has become usual',
  muted: 'somebody has muted the pod or opted it out',
};

const MOST_SHOWN = 20;

/** Nothing where nothing ended. */
export function endedSection({ ended }: EpisodesState, filters: Filters, nowSeconds: number): Html {
  const matching = ended.filter((own) => passes(filters, own)).reverse();
  if (matching.length === 0) return NO_HTML;
  const more = matching.length - MOST_SHOWN;
  return html`<section aria-labelledby="ended"><h2 id="ended">Ended in the last half hour</h2>
<ul>
${matching.slice(0, MOST_SHOWN).map((own) => item(own, nowSeconds))}
</ul>
${more > 0 ? html`<p class="quiet">And ${more} more; <a href="detect">/detect</a> has all.</p>` : NO_HTML}
</section>`;
}

function item({ namespace, pod, workload, sinceSeconds, endSeconds, reason }: EndedEpisode, nowSeconds: number): Html {
  const link = html`<a href="${filterLink({ namespace, workload })}"><bdi>${workload}</bdi></a>`;
  return html`<li><bdi>${namespace}</bdi> / ${link}, <bdi>${pod}</bdi>: <strong>${reason}</strong>
${timeElement(endSeconds, nowSeconds)} after ${formatDuration(endSeconds - sinceSeconds)}; ${MEANINGS[reason]}.</li>`;
}
