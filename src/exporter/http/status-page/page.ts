/** The status page: what an on-call engineer sees first. Works without JavaScript. */

import type { RequestHandler } from 'express';
import { groupBy } from '../../../lib/group-by.js';
import { SharedWork } from '../../../lib/shared-work.js';
import { counted } from '../../../lib/text/format.js';
import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import { ownTurn } from '../../../lib/turns.js';
import type { Detection, PassOutcome } from '../../detection/detection.js';
import type { EpisodesState } from '../../episodes/episodes.js';
import type { PodIdentity } from '../../features/table.js';
import { UNTUNED } from '../../tuning/tuning.js';
import type { AppDependencies } from '../dependencies.js';
import { ENDPOINTS } from '../endpoints.js';
import { type Packed, pack, sendShared } from '../packed.js';
import type { HealthReport } from '../schemas.js';
import { allow } from '../security.js';
import { ASSETS } from './assets.js';
import { endedSection } from './ended.js';
import type { HistoryOutcome } from './history-reader.js';
import { podsTable } from './pods.js';
import { type Filters, filterLink, isFiltered, readFilters, type Selection, select } from './selection.js';
import { findingsSection, stateList } from './state.js';
import { timeElement } from './time.js';

/** What the page shows; without a detection, there is no selection. */
interface StatusPage {
  readonly report: HealthReport;
  readonly outcome: PassOutcome;
  readonly episodes: EpisodesState;
  readonly selection: Selection | undefined;
  readonly history: HistoryOutcome;
  readonly filters: Filters;
  readonly nowSeconds: number;
}

/**
 * Answers with status 200 also when no pod can be scored: the page says so. Those who ask for the same page while it is made
 * share it.
 */
export function statusPage({ exporter, now }: Pick<AppDependencies, 'exporter' | 'now'>): RequestHandler {
  const renderings = new SharedWork<string, Packed>();
  const make = async (filters: Filters, requireWanted: () => void) => {
    const outcome = await exporter.recentPass();
    let selection: Selection | undefined;
    let history: HistoryOutcome = { kind: 'histories', histories: new Map() };
    if (outcome.kind === 'detection') {
      await ownTurn();
      requireWanted();
      selection = select(outcome.detection, filters);
      const rows = selection.shown.map(({ row }) => row);
      history = await exporter.history(outcome.detection, rows);
    }
    await ownTurn();
    requireWanted();
    const report = exporter.health();
    const episodes = exporter.episodes();
    const page = render({ report, outcome, episodes, selection, history, filters, nowSeconds: now() / 1000 });
    return pack('text/html; charset=utf-8', [page.markup]);
  };
  return async (request, response) => {
    const filters = readFilters(request.query);
    const self = "'self'";
    const sources = { 'script-src': self, 'style-src': self, 'connect-src': self };
    allow(response, { ...sources, 'img-src': 'data:', 'form-action': self });
    await sendShared(request, response, renderings, JSON.stringify(filters), (requireWanted) =>
      make(filters, requireWanted),
    );
  };
}

/** Links are relative, so that they hold behind a path prefix as well. */
function render(page: StatusPage): Html {
  const { report, episodes, filters, selection, nowSeconds } = page;
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title(page)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${ASSETS.style.url}">
<script src="${ASSETS.script.url}" defer></script>
</head>
<body>
<header>
<h1>k8s-anomaly-detector <small>${report.version}</small></h1>
<nav aria-label="Endpoints"><ul>
${['/metrics', '/detect', '/healthz', '/docs'].map((path) => html`<li><a href="${path.slice(1)}">${path}</a></li>`)}
</ul></nav>
</header>
<main>
<p id="summary" role="status">${summary(page)}</p>
<div class="controls">
${filterForm(filters, selection)}
<p class="refresh"><a id="refresh" href="${isFiltered(filters) ? filterLink(filters) : './'}">Refresh</a>
<button id="pause" type="button" aria-pressed="false" hidden>Pause</button>
<span id="refreshed"></span></p>
</div>
<div id="live">
${pods(page)}
${endedSection(episodes, filters, nowSeconds)}
<section aria-labelledby="state"><h2 id="state">State</h2>
${stateList(report, nowSeconds)}
</section>
${findingsSection(report, nowSeconds)}
${coverage(page)}
</div>
</main>
<footer>
<table class="endpoints"><caption>Endpoints</caption>
<tbody>
${ENDPOINTS.filter(({ path }) => path !== '/').map(
  ({ path, summary: text }) =>
    html`<tr><th scope="row"><a href="${path.slice(1)}">${path}</a></th><td>${text}</td></tr>`,
)}
</tbody></table>
</footer>
</body>
</html>
`;
}

/** The state in a browser's tab. */
function title({ selection }: StatusPage): string {
  return `${selection === undefined ? 'No scores' : `${counted(selection.flagged, 'pod')} flagged`} · k8s-anomaly-detector`;
}

/** The whole page in a sentence. Without times: screen readers read it out when it changes. */
function summary({ outcome, selection }: StatusPage): Html {
  if (selection === undefined) {
    const what = outcome.kind === 'no_model' ? 'No pod is scored yet.' : 'No pod can be scored now.';
    return html`<strong>${what}</strong> ${outcome.kind === 'detection' ? '' : outcome.message}`;
  }
  const { flagged, scored } = selection;
  if (scored === 0) return html`<strong>No pod is scored.</strong> Prometheus has no pods in scope.`;
  return html`<strong>${flagged === 0 ? 'No pod is flagged' : `${counted(flagged, 'pod')} flagged`}</strong> of ${counted(scored, 'pod')} scored.`;
}

function filterForm(filters: Filters, selection: Selection | undefined): Html {
  const field = (label: string, name: 'namespace' | 'workload') => {
    const options = selection?.[`${name}s`].map((option) => html`<option value="${option}"></option>`) ?? [];
    return html`<label>${label} <input name="${name}" list="${name}s" value="${filters[name] ?? ''}" placeholder="all" autocomplete="off" spellcheck="false" autocapitalize="none" maxlength="253"></label>
<datalist id="${name}s">${options}</datalist>`;
  };
  return html`<form id="filter" role="search" aria-label="Filter pods">
${[field('Namespace', 'namespace'), field('Workload', 'workload')]}
<button>Filter</button>${isFiltered(filters) ? html` <a href="./">Show all</a>` : NO_HTML}
</form>`;
}

function pods({ selection, history, outcome, filters, nowSeconds }: StatusPage): Html {
  if (selection === undefined || selection.scored === 0) return NO_HTML;
  const { shown, matching, matchingFlagged } = selection;
  const all = isFiltered(filters) ? `${counted(matching, 'pod')} that match` : counted(matching, 'pod');
  const note =
    matching === 0
      ? html`<p>No scored pod matches the filter. Names must match exactly.</p>`
      : html`<p class="quiet">Shows ${shown.length} of ${all}, ${matchingFlagged === 0 ? 'none flagged: those nearest to the threshold' : `the most anomalous first, ${matchingFlagged} flagged`}.</p>`;
  const timeSeconds = outcome.kind === 'detection' ? outcome.detection.timeSeconds : outcome.timeSeconds;
  return html`<section aria-labelledby="pods"><h2 id="pods">Most anomalous pods</h2>
${note}
${matching === 0 ? NO_HTML : podsTable({ shown, history, timeSeconds, nowSeconds })}
</section>`;
}

/** How many pods are scored, why the others are not, and problems with the data. */
function coverage({ outcome, selection, nowSeconds }: StatusPage): Html {
  if (outcome.kind === 'no_model') return NO_HTML;
  const unscored = outcome.kind === 'detection' ? [...outcome.detection.unscored] : [];
  const total = unscored.reduce((sum, [, count]) => sum + count, 0);
  const scored =
    selection && `${counted(selection.scored, 'pod')} scored, ${total === 0 ? 'none left out' : `${total} not`}.`;
  return html`<section aria-labelledby="coverage"><h2 id="coverage">Last pass</h2>
<p>${timeElement(outcome.timeSeconds, nowSeconds)}, took ${Math.round(outcome.durationSeconds * 1000)} ms. ${outcome.kind === 'detection' ? (scored ?? '') : outcome.message}</p>
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
