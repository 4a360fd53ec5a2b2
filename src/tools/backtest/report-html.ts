/** The report as a page. */

import { describeReason, featureValue } from '../../exporter/detection/reasons.js';
import { counted, formatDuration, formatNumber, formatPercent } from '../../lib/text/format.js';
import { type Html, html, NO_HTML } from '../../lib/text/html.js';
import { type FeatureName, READING_NUMBERS } from '../replay/chunk-result.js';
import { htmlTable, reportPage } from '../replay/report-page.js';
import { barChart, type TimeChart, timeChart } from './chart.js';
import type { PodPlot } from './plots.js';
import type { BacktestReport, SensitivityReport } from './report.js';
import {
  endings,
  loudnessTable,
  overlapSentences,
  rememberedAtStart,
  sensitivityTable,
  subjectOf,
} from './report-text.js';

/** Rows of the tables; `report.json` has more. */
const LISTED_ALERTS = 200;
const LISTED_LOUD = 15;

/** How sparsely the plots of chunks are kept (`ChunkPlots`), with some tolerance. */
const LONGEST_GAP_SECONDS = 1200;
const DETAIL_GAP_MINUTES = 5;

/** @param features names of the readings in the plots. */
export function reportHtml(
  report: BacktestReport,
  plots: readonly PodPlot[],
  features: readonly FeatureName[],
): string {
  const index = report.sensitivities.findIndex((own) => own.sensitivity === report.chosen_sensitivity);
  const chosen = report.sensitivities[index];
  const body = html`<header>
<h1>What the alerts would have been</h1>
<p>${report.prometheus}<br><time datetime="${report.start}">${moment(report.start)}</time> to
<time datetime="${report.end}">${moment(report.end)}</time> UTC, ${counted(report.days, 'day')}<br>
${rememberedAtStart(report)}</p>
</header>
<main>
${chosen === undefined ? NO_HTML : tiles(report, chosen)}
${section('sensitivities', 'At each sensitivity', htmlTable(sensitivityTable(report), '', index))}
${podPlots(report, plots, features)}
${chosen === undefined ? NO_HTML : [byDay(report, chosen), loudest(chosen)]}
${alertList(report)}
${chosen === undefined ? NO_HTML : besideOthers(report, chosen)}
${notes(report)}
</main>
<footer>k8s-anomaly-detector ${report.program_version}, ${report.generated}. Times are UTC. The numbers are in report.json.</footer>`;
  return reportPage(`Backtest, ${report.start.slice(0, 10)} to ${report.end.slice(0, 10)}`, body);
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
    ([number, what, more]) => html`<li><strong>${number}</strong><span>${what}</span><small>${more}</small></li>`,
  )}</ul><p class="suggestion">${[suggestion.reason, ...endings(chosen)].join(' ')}</p>`;
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

function loudest({ namespaces, workloads, loudest_pods: pods }: SensitivityReport): Html {
  const lists = [['By namespace', namespaces] as const, ['By workload', workloads] as const, ['By pod', pods] as const];
  const tables = lists.map(
    ([title, rows]) =>
      html`<div>${htmlTable(loudnessTable(rows, LISTED_LOUD), title)}${andMore(rows.length - LISTED_LOUD)}</div>`,
  );
  const content = namespaces.length === 0 ? html`<p>No pod was flagged.</p>` : tables;
  return section('loudest', 'The loudest', html`<div class="beside">${content}</div>`);
}

function andMore(more: number): Html {
  return more > 0 ? html`<p class="more">and ${more} more in report.json</p>` : NO_HTML;
}

function podPlots(report: BacktestReport, plots: readonly PodPlot[], features: readonly FeatureName[]): Html {
  if (plots.length === 0) return NO_HTML;
  const startSeconds = Date.parse(report.start) / 1000;
  const endSeconds = Date.parse(report.end) / 1000;
  const cards = plots.map((plot) => {
    const name = `${plot.namespace}/${plot.pod}`;
    const spans = [
      ...plot.alerts.map((alert) => ({
        startSeconds: Date.parse(alert.start) / 1000,
        endSeconds: Date.parse(alert.end) / 1000,
        kind: 'alert' as const,
      })),
      ...plot.flagged.map((span) => ({ ...span, kind: 'flagged' as const })),
    ];
    const overview = timeChart({
      label: `Score of ${name} over the whole time; ${plot.alerts.length} alerts`,
      startSeconds,
      endSeconds,
      stepSeconds: plot.bucketSeconds,
      bridgedSteps: Math.ceil(LONGEST_GAP_SECONDS / plot.bucketSeconds),
      lines: [{ kind: 'score', values: plot.scores }],
      spans,
      threshold: 0,
      least: [-0.1, 0.1],
      text: formatNumber,
    });
    return html`<article><h3>${name}</h3><h4>Score, whole time</h4>${overview}${detail(plot, spans, features)}</article>`;
  });
  const legend = html`<p class="legend"><span class="key flagged-key"></span>flagged <span class="key alert-key"></span>alert fires
<span class="key expected-key"></span>usual value <span class="key threshold-key"></span>boundary of the score</p>`;
  return section('pods', 'The loudest pods over time', [legend, html`<div class="cards">${cards}</div>`]);
}

/** The features around the longest alert. */
function detail({ detail: own }: PodPlot, spans: TimeChart['spans'], features: readonly FeatureName[]): Html {
  if (own === undefined) return NO_HTML;
  const { alert, startSeconds, endSeconds, readings } = own;
  const valuesOf = (column: number, offset: number) =>
    readings.map((reading) => reading?.[1 + column * READING_NUMBERS + offset] ?? null);
  const [worst] = alert.features;
  const charts = features.map(({ name, unit }, column) => {
    const actual = valuesOf(column, 0);
    if (actual.every((value) => value === null)) return NO_HTML;
    return html`<h5>${name}</h5>${timeChart({
      label: `${name} of the pod around the alert, beside its usual value`,
      startSeconds,
      endSeconds,
      stepSeconds: 60,
      bridgedSteps: DETAIL_GAP_MINUTES,
      lines: [
        { kind: 'expected', values: valuesOf(column, 1) },
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
  const content =
    sent.length === 0
      ? html`<p>None.</p>`
      : html`<div class="scroll"><table><thead><tr><th scope="col">Begin</th><th scope="col" class="number">Duration</th><th scope="col">About</th><th scope="col">It would have said</th>
<th scope="col">Firing already or soon</th></tr></thead><tbody>${rows}</tbody></table></div>${andMore(sent.length - LISTED_ALERTS)}`;
  return section('alerts', `The alerts, at sensitivity ${report.chosen_sensitivity}`, content);
}

function besideOthers(report: BacktestReport, chosen: SensitivityReport): Html {
  const sentences = overlapSentences(report, chosen);
  if (sentences.length === 0) return NO_HTML;
  return section('others', 'Beside the alerts that fired then', html`<p>${sentences.join(' ')}</p>`);
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
