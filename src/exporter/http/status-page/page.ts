/** The status page: what an on-call engineer sees first. Works without JavaScript. */

import type { RequestHandler } from 'express';
import { SharedWork } from '../../../lib/shared-work.js';
import { counted } from '../../../lib/text/format.js';
import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import { ownTurn } from '../../../lib/turns.js';
import { type NodePods, podsByNode } from '../../context/nodes.js';
import type { PassOutcome } from '../../detection/detection.js';
import { secondsToLimit } from '../../forecast/forecast-state.js';
import type { AppDependencies } from '../dependencies.js';
import { type KnownBeside, knownBeside } from '../detect.js';
import { ENDPOINTS } from '../endpoints.js';
import { type Packed, pack, sendShared } from '../packed.js';
import type { HealthReport } from '../schemas.js';
import { allow } from '../security.js';
import type { Surroundings } from './around.js';
import { ASSETS } from './assets.js';
import { inCommon } from './common.js';
import { coverage } from './coverage.js';
import type { DayOutcome } from './day-reader.js';
import { endedSection } from './ended.js';
import { type Filters, filterLink, isFiltered, readFilters } from './filters.js';
import type { HistoryOutcome } from './history-reader.js';
import { incidentList } from './incidents.js';
import { type PodView, selectPod } from './pod-selection.js';
import { podSections } from './pod-view.js';
import { podsTable } from './pods.js';
import { runningFull } from './running-full.js';
import { type Selection, select } from './selection.js';
import { findingsSection, stateList } from './state.js';

/** What the page shows; without a detection, there is no selection. */
interface StatusPage {
  readonly report: HealthReport;
  readonly outcome: PassOutcome;
  readonly known: KnownBeside;
  readonly selection: Selection | undefined;
  /** Where the page is about one pod. */
  readonly podView: { readonly view: PodView; readonly day: DayOutcome } | undefined;
  readonly history: HistoryOutcome;
  readonly filters: Filters;
  readonly nowSeconds: number;
  /** Address of the dashboard in Grafana; empty where nobody said it. */
  readonly dashboardUrl: string;
}

/**
 * Answers with status 200 also when no pod can be scored: the page says so. Those who ask for the same page while it is made
 * share it.
 */
export function statusPage({
  exporter,
  now,
  dashboardUrl,
}: Pick<AppDependencies, 'exporter' | 'now' | 'dashboardUrl'>): RequestHandler {
  const renderings = new SharedWork<string, Packed>();
  const make = async (filters: Filters, requireWanted: () => void) => {
    const outcome = await exporter.recentPass();
    let selection: Selection | undefined;
    let podView: StatusPage['podView'];
    let history: HistoryOutcome = { kind: 'histories', histories: new Map() };
    if (outcome.kind === 'detection') {
      await ownTurn();
      requireWanted();
      const { detection } = outcome;
      selection = select(detection, knownBeside(exporter), filters);
      const row = filters.pod === undefined || selection.matching !== 1 ? undefined : selection.firstRow;
      if (row === undefined) history = await exporter.history(detection, rowsOfPictures(selection));
      else {
        const view = selectPod(detection, exporter.episodes(), row);
        const [hour, day] = await Promise.all([exporter.history(detection, [row]), exporter.day(detection, row)]);
        history = hour;
        podView = { view, day };
      }
    }
    await ownTurn();
    requireWanted();
    const report = exporter.health();
    const known = knownBeside(exporter);
    const page = render({
      report,
      outcome,
      known,
      selection,
      podView,
      history,
      filters,
      nowSeconds: now() / 1000,
      dashboardUrl,
    });
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

/** The first pod of each workload before the others, since there are pictures of some only. */
function rowsOfPictures({ incidents }: Selection): readonly number[] {
  const first = incidents.map(({ pods: [worst] }) => worst.row);
  return [...first, ...incidents.flatMap(({ pods }) => pods.slice(1).map(({ row }) => row))];
}

/** Links are relative, so that they hold behind a path prefix as well. */
function render(page: StatusPage): Html {
  const { report, known, filters, selection, nowSeconds } = page;
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
${findingsSection(report, 'error', nowSeconds)}
${page.podView ? podSections(page.podView.view, page.podView.day, surroundings(page)) : pods(page)}
${endedSection(known.episodes, filters, nowSeconds)}
${page.podView ? NO_HTML : detector(page)}
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

/** How the detector itself is. */
function detector({ report, outcome, selection, nowSeconds }: StatusPage): Html {
  return html`<section aria-labelledby="state"><h2 id="state">State</h2>
${stateList(report, nowSeconds)}
</section>
${findingsSection(report, 'warning', nowSeconds)}
${coverage(outcome, selection?.scored, nowSeconds)}`;
}

/** The state in a browser's tab. */
function title({ selection, podView }: StatusPage): string {
  const pod = podView?.view.pod;
  if (pod !== undefined)
    return `${pod.identity.pod} ${pod.isFlagged ? 'flagged' : 'not flagged'} · k8s-anomaly-detector`;
  return `${selection === undefined ? 'No scores' : `${counted(selection.flagged, 'pod')} flagged`} · k8s-anomaly-detector`;
}

/** The whole page in a sentence. Without times: screen readers read it out when it changes. */
function summary({ outcome, selection, known }: StatusPage): Html {
  if (selection === undefined) {
    const what = outcome.kind === 'no_model' ? 'No pod is scored yet.' : 'No pod can be scored now.';
    return html`<strong>${what}</strong> ${outcome.kind === 'detection' ? '' : outcome.message}`;
  }
  const { flagged, lasting, scored } = selection;
  if (scored === 0) return html`<strong>No pod is scored.</strong> Prometheus has no pods in scope.`;
  const full = [...known.forecast.pods.values()].filter(
    (own) => secondsToLimit(own, outcome.timeSeconds) !== undefined,
  );
  const runsFull = full.length === 0 ? '' : ` The memory of ${counted(full.length, 'pod')} runs full.`;
  if (flagged === 0) return html`<strong>No pod is flagged</strong> of ${counted(scored, 'pod')} scored.${runsFull}`;
  const lasts =
    lasting === 0 ? 'none of them lasts' : lasting === flagged ? 'all of them last' : `${lasting} of them last`;
  return html`<strong>${counted(flagged, 'pod')} flagged</strong> of ${counted(scored, 'pod')} scored; ${lasts}.${runsFull}`;
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

/** What is anomalous, by workload; the other pods take a line. */
function pods(page: StatusPage): Html {
  const { selection, filters } = page;
  if (selection === undefined || selection.scored === 0) return NO_HTML;
  const { incidents, matchingWorkloads, matching } = selection;
  if (matching === 0)
    return html`<section aria-labelledby="incidents"><h2 id="incidents">Anomalous now</h2>
${notFound(filters)}</section>`;
  const around = surroundings(page);
  const more = matchingWorkloads - incidents.length;
  return html`<section aria-labelledby="incidents"><h2 id="incidents">Anomalous now</h2>
${inCommon(selection, nodesOf(page))}
${incidents.length === 0 ? html`<p>No pod is flagged${isFiltered(filters) ? ' of those that match' : ''}.</p>` : incidentList(incidents, around)}
${more > 0 ? html`<p>And ${counted(more, 'more workload')} with flagged pods: filter by a namespace, or see <a href="detect?flagged=true">/detect</a>.</p>` : NO_HTML}
${calm(selection, filters, around)}
${legend(page)}
</section>
${runningFull(page.known.forecast, selection, filters, around)}`;
}

/** The nodes with several pods whose anomaly lasts. */
function nodesOf({ outcome, known }: StatusPage): readonly NodePods[] {
  return outcome.kind === 'detection' ? podsByNode(outcome.detection, known.context.nodeOf) : [];
}

function notFound({ namespace, pod }: Filters): Html {
  return pod === undefined
    ? html`<p>No scored pod matches the filter. Names must match exactly.</p>`
    : html`<p>The pod <bdi>${namespace === undefined ? pod : `${namespace}/${pod}`}</bdi> is not scored now: it is gone, or has no usage yet. Names must match exactly.</p>`;
}

/** The pods that are not flagged: a line, behind which are those nearest to the threshold. */
function calm({ calm: shown, matchingCalm, matchingFlagged }: Selection, filters: Filters, around: Surroundings): Html {
  if (matchingCalm === 0) return NO_HTML;
  const isOpen = matchingFlagged === 0 && isFiltered(filters);
  const which = shown.length < matchingCalm ? `; the ${shown.length} nearest to the threshold` : '';
  return html`<details id="calm"${isOpen ? html` open` : NO_HTML}><summary>${counted(matchingCalm, matchingFlagged === 0 ? 'pod' : 'other pod')} not flagged${which}</summary>
${podsTable(shown, 'Pods that are not flagged', around)}
</details>`;
}

/** How to read the list. */
function legend({ history, selection }: StatusPage): Html {
  if (selection?.matchingFlagged === 0) return NO_HTML;
  const failed = html`<p><strong>The last hour is not available:</strong> ${history.kind === 'failed' ? history.message : ''}</p>`;
  return html`${history.kind === 'failed' ? failed : NO_HTML}
<details id="legend"><summary>How to read this</summary>
<p class="quiet">Pictures: the last hour. The line is the feature, the shaded band what is usual, a bar at the bottom marks when the
pod was flagged, scored with the current model. What is usual is that of the same time of day where the days before are
known. "Lasts": worth an alert. "Brief": it is unusual for its last hours only, which is flagged for at most three minutes
and makes no alert. "Just begun": it may end before it lasts.</p>
</details>`;
}

function surroundings({ history, known, outcome, nowSeconds, dashboardUrl }: StatusPage): Surroundings {
  const timeSeconds = outcome.kind === 'detection' ? outcome.detection.timeSeconds : outcome.timeSeconds;
  return { history, ...known, timeSeconds, nowSeconds, dashboardUrl };
}
