/** The report as one page that needs nothing else: no network, no JavaScript. */

import { describeReason, featureValue } from '../../exporter/detection/reasons.js';
import { counted, formatDuration, formatNumber, formatPercent } from '../../lib/text/format.js';
import { Html, html, NO_HTML } from '../../lib/text/html.js';
import type { FeatureName } from '../replay/chunk-result.js';
import { READING_NUMBERS } from '../replay/chunk-result.js';
import { STYLE } from '../replay/report-style.js';
import { barChart, timeChart } from './chart.js';
import type { PodDetail, PodPlot } from './plots.js';
import type { AlertStatement, BacktestReport, Loudness, SensitivityReport } from './report.js';
import { endings, recurrence, subjectOf } from './report-text.js';

/** Rows of the tables; `report.json` has more. */
const LISTED_ALERTS = 200;
const LISTED_LOUD = 15;

/** How sparsely the plots of chunks are kept (`ChunkPlots`), with some tolerance. */
const LONGEST_GAP_SECONDS = 1200;
const DETAIL_GAP_MINUTES = 5;

/** Nothing is loaded, and nothing runs, whatever should get into the page. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** @param features names of the readings in the plots. */
export function reportHtml(
  report: BacktestReport,
  plots: readonly PodPlot[],
  features: readonly FeatureName[],
): string {
  const chosen = report.sensitivities.find(({ sensitivity }) => sensitivity === report.chosen_sensitivity);
  const title = `Backtest, ${report.start.slice(0, 10)} to ${report.end.slice(0, 10)}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<header>
<h1>What the alerts would have been</h1>
<p>${report.prometheus}<br><time datetime="${report.start}">${moment(report.start)}</time> to
<time datetime="${report.end}">${moment(report.end)}</time> UTC, ${counted(report.days, 'day')}</p>
</header>
<main>
${chosen === undefined ? NO_HTML : tiles(report, chosen)}
${sensitivities(report)}
${podPlots(report, plots, features)}
${chosen === undefined ? NO_HTML : byDay(report, chosen)}
${chosen === undefined ? NO_HTML : loudest(chosen)}
${alertList(report)}
${chosen === undefined ? NO_HTML : besideOthers(report, chosen)}
${notes(report)}
</main>
<footer>k8s-anomaly-detector ${report.program_version}, ${report.generated}. Times are UTC. The numbers are in report.json.</footer>
</body>
</html>
`;
  return page.markup;
}

function moment(instant: string): string {
  return instant.slice(0, 16).replace('T', ' ');
}

function section(id: string, title: string, content: Html | readonly Html[]): Html {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${content}</section>`;
}

function tiles(report: BacktestReport, chosen: SensitivityReport): Html {
  const { overlap } = chosen;
  const { suggestion } = report;
  const lead = overlap?.median_lead_seconds ?? null;
  const all: (readonly [string, string, string])[] = [
    [
      formatNumber(chosen.messages_per_day),
      'messages a day',
      `at sensitivity ${chosen.sensitivity}, ${counted(chosen.messages, 'message')} with ${counted(chosen.alerts, 'alert')} in all`,
    ],
    [
      suggestion.sensitivity === null ? 'none' : String(suggestion.sensitivity),
      'suggested sensitivity',
      `for at most ${formatNumber(report.budget_per_day)} messages a day`,
    ],
    [
      overlap === null ? 'unknown' : String(overlap.existing_later),
      'existing alerts that came later',
      lead === null
        ? 'than an anomaly about the same'
        : `than an anomaly about the same; ${formatDuration(lead)} in the median`,
    ],
    [
      formatNumber(report.pods),
      'pods',
      `${chosen.flagged_share === null ? 'none' : formatPercent(chosen.flagged_share, 2)} of ${formatNumber(report.pod_minutes_scored)} pod-minutes flagged`,
    ],
  ];
  return html`<ul class="tiles">${all.map(
    ([number, what, more]) =>
      html`<li><strong>${number}</strong><span>${what}</span><small>${more}</small></li>`,
  )}</ul><p class="suggestion">${suggestion.reason} ${endings(chosen)}${chosen.recurrence === null ? '' : ` ${recurrence(chosen.recurrence)}`}</p>`;
}

function sensitivities(report: BacktestReport): Html {
  const highest = Math.max(
    ...report.sensitivities.map((own) => own.messages_per_day),
    report.budget_per_day,
    1e-9,
  );
  const rows = report.sensitivities.map((own) => {
    const isChosen = own.sensitivity === report.chosen_sensitivity;
    const by = own.alerts_by_name;
    const coinciding = own.overlap === null ? 'unknown' : String(own.alerts - own.overlap.alerts_without);
    return html`<tr${isChosen ? new Html(' class="chosen"') : NO_HTML}><th scope="row">${own.sensitivity}${isChosen ? ' (chosen)' : ''}</th>
<td class="number">${formatNumber(own.messages_per_day)}</td><td class="meter">${meter(own.messages_per_day / highest, own.messages_per_day > report.budget_per_day)}</td>
<td class="number">${own.messages_per_1000_pods_and_day === null ? '' : formatNumber(own.messages_per_1000_pods_and_day)}</td>
<td class="number">${by.PodAnomalous}</td><td class="number">${by.WorkloadAnomalous}</td><td class="number">${by.AnomalyMassFlagging}</td>
<td class="number">${own.held_back}</td><td class="number">${own.flagged_share === null ? '' : formatPercent(own.flagged_share, 2)}</td><td class="number">${coinciding}</td></tr>`;
  });
  const table = html`<div class="scroll"><table><thead><tr><th scope="col">Sensitivity</th><th scope="col" colspan="2">Messages a day</th><th scope="col" class="number">per 1,000 pods</th>
<th scope="col" class="number">alerts of pods</th>
<th scope="col" class="number">of workloads</th><th scope="col" class="number">of the fleet</th><th scope="col" class="number">held back</th><th scope="col" class="number">pod-minutes flagged</th>
<th scope="col" class="number">beside an existing alert</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  return section('sensitivities', 'At each sensitivity', table);
}

function meter(share: number, over: boolean): Html {
  return html`<span class="meter${over ? ' over' : ''}"><span style="width:${Math.round(100 * Math.min(1, share))}%"></span></span>`;
}

function byDay(report: BacktestReport, chosen: SensitivityReport): Html {
  // A bar of half a day beside a bar of a whole one would mislead.
  if (report.days < 2) return NO_HTML;
  const bars = chosen.alerts_by_day.map(({ date, alerts }) => ({ label: date, value: alerts }));
  const label = `Alerts by day: ${bars.map((bar) => `${bar.label}: ${bar.value}`).join(', ')}`;
  return section('days', `Alerts by day, at sensitivity ${chosen.sensitivity}`, [
    barChart(bars, label, report.budget_per_day),
    html`<p class="legend"><span class="key limit-key"></span>budget: ${formatNumber(report.budget_per_day)} a day</p>`,
  ]);
}

function loudest(chosen: SensitivityReport): Html {
  const table = (title: string, rows: readonly Loudness[], name: (row: Loudness) => string) => {
    const highest = Math.max(1, ...rows.map(({ messages }) => messages));
    const lines = rows.slice(0, LISTED_LOUD).map(
      (row) => html`<tr><th scope="row" class="name">${name(row)}</th><td class="number">${row.messages}</td>
<td class="meter">${meter(row.messages / highest, false)}</td><td class="number">${row.alerts}</td><td class="number">${formatNumber(row.flagged_pod_minutes)}</td></tr>`,
    );
    const more = rows.length - LISTED_LOUD;
    return html`<div><div class="scroll"><table><caption>${title}</caption><thead><tr><th scope="col">name</th><th scope="col" colspan="2">messages</th><th scope="col" class="number">alerts</th><th scope="col" class="number">flagged minutes</th></tr></thead><tbody>${lines}</tbody></table></div>${more > 0 ? html`<p class="more">and ${more} more in report.json</p>` : NO_HTML}</div>`;
  };
  const content =
    chosen.namespaces.length === 0
      ? [html`<p>No pod was flagged.</p>`]
      : [
          table('By namespace', chosen.namespaces, ({ namespace }) => namespace),
          table('By workload', chosen.workloads, ({ namespace, workload }) => `${namespace}/${workload}`),
          table('By pod', chosen.loudest_pods, ({ namespace, pod }) => `${namespace}/${pod}`),
        ];
  return section('loudest', 'The loudest', html`<div class="beside">${content}</div>`);
}

function podPlots(report: BacktestReport, plots: readonly PodPlot[], features: readonly FeatureName[]): Html {
  if (plots.length === 0) return NO_HTML;
  const startSeconds = Date.parse(report.start) / 1000;
  const endSeconds = Date.parse(report.end) / 1000;
  const cards = plots.map((plot) => {
    const name = `${plot.namespace}/${plot.pod}`;
    const overview = timeChart({
      label: `Score of ${name} over the whole time; ${plot.alerts.length} alerts`,
      startSeconds,
      endSeconds,
      stepSeconds: plot.bucketSeconds,
      bridgedSteps: Math.ceil(LONGEST_GAP_SECONDS / plot.bucketSeconds),
      lines: [{ kind: 'score', values: plot.scores }],
      spans: [
        ...plot.alerts.map((alert) => ({ ...spanOf(alert), kind: 'alert' as const })),
        ...plot.flagged.map((span) => ({ ...span, kind: 'flagged' as const })),
      ],
      threshold: 0,
      least: [-0.1, 0.1],
      text: formatNumber,
    });
    return html`<article><h3>${name}</h3><h4>Score, whole time</h4>${overview}${detail(plot, features)}</article>`;
  });
  const legend = html`<p class="legend"><span class="key flagged-key"></span>flagged <span class="key alert-key"></span>alert fires
<span class="key expected-key"></span>usual value <span class="key threshold-key"></span>boundary of the score</p>`;
  return section('pods', 'The loudest pods over time', [legend, html`<div class="cards">${cards}</div>`]);
}

function spanOf(alert: AlertStatement) {
  return { startSeconds: Date.parse(alert.start) / 1000, endSeconds: Date.parse(alert.end) / 1000 };
}

/** The features around the longest alert. */
function detail({ detail: own, flagged }: PodPlot, features: readonly FeatureName[]): Html {
  if (own === undefined) return NO_HTML;
  const { alert, startSeconds, endSeconds } = own;
  const spans = [
    { ...spanOf(alert), kind: 'alert' as const },
    ...flagged.map((span) => ({ ...span, kind: 'flagged' as const })),
  ].filter((span) => span.endSeconds > startSeconds && span.startSeconds < endSeconds);
  const [worst] = alert.features;
  const charts = features.map(({ name, unit }, column) => {
    const actual = columnOf(own, column, 0);
    if (actual.every((value) => value === null)) return NO_HTML;
    return html`<h5>${name}</h5>${timeChart({
      label: `${name} of the pod around the alert, beside its usual value`,
      startSeconds,
      endSeconds,
      stepSeconds: 60,
      bridgedSteps: DETAIL_GAP_MINUTES,
      lines: [
        { kind: 'expected', values: columnOf(own, column, 1) },
        { kind: 'actual', values: actual },
      ],
      spans,
      least: leastOf(actual),
      text: (value) => featureValue(value, name, unit),
    })}`;
  });
  return html`<h4>${moment(alert.start)}, for ${formatDuration(alert.duration_seconds)}</h4>
${worst === undefined ? NO_HTML : html`<p>${describeReason(worst)}</p>`}${charts}`;
}

function columnOf({ readings }: PodDetail, column: number, offset: number): (number | null)[] {
  return readings.map((reading) => reading?.[1 + column * READING_NUMBERS + offset] ?? null);
}

/** From zero, unless that would leave nothing to see: a counter at 500 that rises to 505. */
function leastOf(values: readonly (number | null)[]): number[] {
  const present = values.filter((value) => value !== null);
  const low = Math.min(...present);
  return low > 0.8 * Math.max(...present) && low > 0 ? [low] : [0];
}

function alertList(report: BacktestReport): Html {
  const sent = report.alerts.filter((alert) => alert.sent);
  const rows = sent.slice(0, LISTED_ALERTS).map((alert) => {
    const beside = alert.existing.map(
      ({ alertname, match, lead_seconds: lead }) =>
        html`<li>${alertname} (same ${match}), ${lead >= 0 ? `${formatDuration(lead)} later` : `${formatDuration(-lead)} earlier`}</li>`,
    );
    const features = alert.features
      .filter(({ deviation }, index) => index === 0 || Math.abs(deviation) >= 2)
      .map((feature) => html`<li>${describeReason(feature)}</li>`);
    return html`<tr><td><time datetime="${alert.start}">${moment(alert.start)}</time></td><td class="number">${formatDuration(alert.duration_seconds)}${alert.still_firing ? ' and on' : ''}</td>
<td class="name">${subjectOf(alert)}${alert.worst_pod === '' ? NO_HTML : html`<small>worst: ${alert.worst_pod}</small>`}</td><td><ul>${features}</ul></td><td><ul>${beside}</ul></td></tr>`;
  });
  const more = sent.length - LISTED_ALERTS;
  const content =
    sent.length === 0
      ? html`<p>None.</p>`
      : html`<div class="scroll"><table><thead><tr><th scope="col">Begin</th><th scope="col" class="number">Duration</th><th scope="col">About</th><th scope="col">It would have said</th>
<th scope="col">Firing already or soon</th></tr></thead><tbody>${rows}</tbody></table></div>${more > 0 ? html`<p class="more">and ${more} more in report.json</p>` : NO_HTML}`;
  return section('alerts', `The alerts, at sensitivity ${report.chosen_sensitivity}`, content);
}

function besideOthers(report: BacktestReport, { alerts, overlap }: SensitivityReport): Html {
  if (overlap === null) return NO_HTML;
  const { pod, workload, namespace } = overlap.alerts_by_match;
  const lead = overlap.median_lead_seconds;
  return section(
    'others',
    'Beside the alerts that fired then',
    html`<p>${report.existing_alerts ?? 0} alerts of other rules fired in this time. ${alerts - overlap.alerts_without} of ${alerts} anomaly alerts
coincide with one: ${pod} about the same pod, ${workload} about the same workload, ${namespace} in the same namespace only. ${overlap.existing_matched} of the
existing alerts had an anomaly alert beside them, ${overlap.existing_later} of them had it first${lead === null ? '' : `, ${formatDuration(lead)} earlier in the median`}.</p>`,
  );
}

function notes(report: BacktestReport): Html {
  const settings = Object.entries(report.settings).map(
    ([name, value]) => html`<tr><th scope="row"><code>${name}</code></th><td><code>${value}</code></td></tr>`,
  );
  const list = report.notes.map((note) => html`<li>${note}</li>`);
  return section('notes', 'How this was made', [
    list.length === 0 ? NO_HTML : html`<ul>${list}</ul>`,
    html`<p>${formatNumber(report.trainings)} trainings; a pod must misbehave for ${formatDuration(report.for_seconds)}. The rules were
evaluated every half minute on one scrape a minute, and what Alertmanager holds back is not counted.</p>
<details><summary>Settings</summary><div class="scroll"><table><tbody>${settings}</tbody></table></div></details>`,
  ]);
}
