/** How many pods the last pass scored, why the others are not, and problems with the data. */

import { groupBy } from '../../../lib/group-by.js';
import { counted } from '../../../lib/text/format.js';
import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import type { Detection, PassOutcome } from '../../detection/detection.js';
import type { PodIdentity } from '../../features/table.js';
import { UNTUNED } from '../../tuning/tuning.js';
import { timeElement } from './time.js';

/** @param scored how many pods are scored; `undefined` where the pass failed. */
export function coverage(outcome: PassOutcome, scored: number | undefined, nowSeconds: number): Html {
  if (outcome.kind === 'no_model') return NO_HTML;
  const unscored = outcome.kind === 'detection' ? [...outcome.detection.unscored] : [];
  const total = unscored.reduce((sum, [, count]) => sum + count, 0);
  const words =
    scored === undefined ? '' : `${counted(scored, 'pod')} scored, ${total === 0 ? 'none left out' : `${total} not`}.`;
  return html`<section aria-labelledby="coverage"><h2 id="coverage">Last pass</h2>
<p>${timeElement(outcome.timeSeconds, nowSeconds)}, took ${Math.round(outcome.durationSeconds * 1000)} ms. ${outcome.kind === 'detection' ? words : outcome.message}</p>
${list(unscored.map(([reason, count]) => html`<li>${counted(count, 'pod')} ${describeReason(reason)}</li>`))}
${outcome.kind === 'detection' ? html`${mutedPods(outcome.detection, nowSeconds)}${optedOutPods(outcome.detection)}` : NO_HTML}
${list(outcome.warnings.map((warning) => html`<li>${warning}</li>`))}
</section>`;
}

/** Muted pods that the page names. */
const MOST_MUTED = 20;

/** What is muted is not forgotten: which pods, by what, until when, and whether they would be flagged. */
function mutedPods({ table, muted, scores, tunings }: Detection, nowSeconds: number): Html {
  const rows = [...tunings.keys()].filter((row) => muted[row] === 1);
  // Those that would be flagged first.
  rows.sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const items = rows.slice(0, MOST_MUTED).map((row) => {
    const { namespace, pod } = table.pods[row] as PodIdentity;
    const { mutedBy, mutedUntilSeconds } = tunings.get(row) ?? UNTUNED;
    const until =
      mutedUntilSeconds === undefined ? NO_HTML : html` until ${timeElement(mutedUntilSeconds, nowSeconds)}`;
    const anomalous = (scores[row] as number) > 0 ? '; it would be flagged now' : '';
    return html`<li>${namespace}/${pod} is muted by ${mutedBy ?? ''}${until}${anomalous}</li>`;
  });
  const more = rows.length - items.length;
  return list([...items, ...(more > 0 ? [html`<li>${counted(more, 'more pod')} are muted</li>`] : [])]);
}

/** Who opted pods out: a rule or an object may do so for thousands of them. */
function optedOutPods({ optedOut }: Detection): Html {
  const groups = [...groupBy(optedOut.values(), ({ by }) => by)].sort((a, b) => b[1].length - a[1].length);
  const items = groups.slice(0, MOST_MUTED).map(([by, pods]) => {
    const [first] = pods;
    const what = pods.length === 1 ? `${first.namespace}/${first.pod} is` : `${counted(pods.length, 'pod')} are`;
    return html`<li>${what} ignored by ${by}</li>`;
  });
  const more = groups.slice(MOST_MUTED).reduce((sum, [, pods]) => sum + pods.length, 0);
  return list([...items, ...(more > 0 ? [html`<li>${counted(more, 'more pod')} are ignored</li>`] : [])]);
}

/** A list; an empty one is left out, since screen readers would announce it. */
function list(items: readonly Html[]): Html {
  return items.length === 0 ? NO_HTML : html`<ul>${items}</ul>`;
}

const UNSCORED: Readonly<Record<string, string>> = {
  warmup: 'warming up, too young to judge',
  completed: 'completed',
  pending: 'that wait to start',
  ending: 'that have just lost their usage',
  opted_out: 'ignored by a rule or an annotation',
  no_usage: 'without any usage, though not reported as completed',
  not_finite: 'with a value that is not a number',
  misaligned: 'with values at other times than requested',
};

/** Why pods have no score. Ends a sentence that begins with a number of pods. */
function describeReason(reason: string): string {
  const missing = /^missing_(.+)$/.exec(reason)?.[1];
  if (missing !== undefined) return `without ${missing}`;
  return Object.hasOwn(UNSCORED, reason) ? (UNSCORED[reason] as string) : reason.replaceAll('_', ' ');
}
