/** The report for the terminal, and the sentences and tables that the page has as well. */

import { describeReason } from '../../exporter/detection/reasons.js';
import { counted, formatDuration, formatNumber, formatPercent } from '../../lib/text/format.js';
import { type Bar, left, right, type TextTable, tableLines, tableOf } from '../replay/text-table.js';
import type { AlertStatement, BacktestReport, Loudness, SensitivityReport } from './report.js';

const LISTED = 10;

/** The whole text, with an empty line at its end. @param outputs a line for each file that was written. */
export function reportText(report: BacktestReport, outputs: readonly string[]): string {
  const chosen = report.sensitivities.find(({ sensitivity }) => sensitivity === report.chosen_sensitivity);
  const { sensitivity, reason } = report.suggestion;
  const parts = [
    [
      `Backtest of ${report.prometheus}`,
      `${report.start} to ${report.end} (${counted(report.days, 'day')}), ${report.pods} pods, ` +
        `${report.trainings} trainings`,
      rememberedAtStart(report),
    ],
    section('Messages and alerts that on-call would have got', tableLines(sensitivityTable(report))),
    section('Suggestion', [...(sensitivity === null ? [] : [`ANOMALY_SENSITIVITY=${sensitivity}`]), reason]),
    ...(chosen === undefined ? [] : chosenParts(report, chosen)),
    section(
      'To keep in mind',
      report.notes.map((note) => `- ${note}`),
    ),
    section('Written', outputs),
  ];
  const texts = parts.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${texts.join('\n\n')}\n`;
}

/** How much of the days before the first training knew. */
export function rememberedAtStart({ days_remembered_at_start: days }: BacktestReport): string {
  return `History known at the start: ${counted(days, 'day')}`;
}

/** A title above lines; nothing without lines. */
function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => (line === '' ? '' : `  ${line}`))];
}

export function sensitivityTable({
  sensitivities,
  chosen_sensitivity: chosen,
  budget_per_day: budget,
}: BacktestReport): TextTable {
  const highest = Math.max(...sensitivities.map((own) => own.messages_per_day), budget, 1e-9);
  return tableOf<SensitivityReport>(
    [
      right('', 'sensitivity', ({ sensitivity: own }) => (own === chosen ? `* ${own}` : String(own))),
      right('messages', 'a day', ({ messages_per_day: rate }) => bar(rate, highest, rate > budget)),
      right('per 1,000', 'pods', ({ messages_per_1000_pods_and_day: rate }) =>
        rate === null ? '-' : formatNumber(rate),
      ),
      right('', 'alerts', ({ alerts }) => String(alerts)),
      right('of', 'pods', ({ alerts_by_name: by }) => String(by.PodAnomalous)),
      right('of', 'workloads', ({ alerts_by_name: by }) => String(by.WorkloadAnomalous)),
      right('of', 'namespaces', ({ alerts_by_name: by }) => String(by.NamespaceAnomalous)),
      right('of the', 'fleet', ({ alerts_by_name: by }) => String(by.AnomalyMassFlagging)),
      right('held', 'back', ({ held_back: held }) => String(held)),
      right('pod-minutes', 'flagged', ({ flagged_share: share }) => (share === null ? '-' : formatPercent(share, 2))),
      right('with an', 'existing alert', ({ alerts, overlap }) =>
        overlap === null ? '-' : String(alerts - overlap.alerts_without),
      ),
    ],
    sensitivities,
  );
}

/** @param rows the loudest first. */
export function loudnessTable(rows: readonly Loudness[], listed: number): TextTable {
  const highest = Math.max(1, ...rows.map(({ messages }) => messages));
  return tableOf<Loudness>(
    [
      left('', 'name', ({ namespace, workload, pod }) => [namespace, pod || workload].filter(Boolean).join('/')),
      right('', 'messages', ({ messages }) => bar(messages, highest, false)),
      right('', 'alerts', ({ alerts }) => String(alerts)),
      right('alerts', 'a day', (row) => formatNumber(row.alerts_per_day)),
      right('pod-minutes', 'flagged', (row) => formatNumber(row.flagged_pod_minutes)),
    ],
    rows.slice(0, listed),
  );
}

function bar(value: number, highest: number, over: boolean): Bar {
  return { text: formatNumber(value), share: value / highest, over };
}

function chosenParts(report: BacktestReport, chosen: SensitivityReport): string[][] {
  const at = `at sensitivity ${chosen.sensitivity}`;
  const loudest = (rows: readonly Loudness[]) =>
    rows.length === 0 ? ['none'] : tableLines(loudnessTable(rows, LISTED));
  return [
    section(`How they ended, and what comes every day, ${at}`, endings(chosen)),
    section(`Loudest workloads, ${at}`, loudest(chosen.workloads)),
    section(`Loudest pods, ${at}`, loudest(chosen.loudest_pods)),
    section(`What they would have said, ${at}`, alertLines(report.alerts)),
    section('Beside the alerts that fired then', overlapSentences(report, chosen)),
  ];
}

/** How the alerts of a sensitivity ended, and how much of the messages comes every day, as sentences. */
export function endings({ alerts, alerts_by_ending: by, recurrence }: SensitivityReport): string[] {
  const ended =
    `Of ${counted(alerts, 'alert')}, ${by.recovered} ended as the pod was back at what is usual for it, ` +
    `${by.accepted} as what it did was accepted as usual, ${by.gone} as the pod was gone; ${by.still_on} still fire.`;
  if (recurrence === null) return [ended];
  const { today, every_day: daily, days_before: days } = recurrence;
  return [
    ended,
    `Of ${counted(today, 'message')} of the last 24 hours, ${daily} came at the same time of day, about the same ` +
      `workload, on most of the ${days} days before.`,
  ];
}

function alertLines(alerts: readonly AlertStatement[]): string[] {
  const sent = alerts.filter((alert) => alert.sent);
  if (sent.length === 0) return ['none'];
  const lines = sent
    .slice(0, LISTED)
    .flatMap((alert) => [
      `${alert.start}  ${subjectOf(alert)}, for ${formatDuration(alert.duration_seconds)}`,
      ...alert.features.slice(0, 1).map((feature) => `  ${describeReason(feature)}`),
    ]);
  const more = sent.length - LISTED;
  return more > 0 ? [...lines, `and ${more} more: --output DIR writes them all`] : lines;
}

/** Which alerts of other rules fired, and which came first; nothing where Prometheus could not be asked. */
export function overlapSentences(report: BacktestReport, { alerts, overlap }: SensitivityReport): string[] {
  if (overlap === null) return [];
  const { pod, workload, namespace } = overlap.alerts_by_match;
  const lead = overlap.median_lead_seconds;
  return [
    `${report.existing_alerts ?? 0} alerts of other rules fired in this time.`,
    `${alerts - overlap.alerts_without} of ${alerts} anomaly alerts coincide with one: ${pod} about the same pod, ` +
      `${workload} about the same workload, ${namespace} in the same namespace only.`,
    `${overlap.existing_matched} of the existing alerts had an anomaly alert beside them, ` +
      `${overlap.existing_later} of them had it first` +
      `${lead === null ? '' : `, ${formatDuration(lead)} earlier in the median`}.`,
  ];
}

/** The subject of an alert, as a part of a sentence. */
export function subjectOf({ alert, namespace, workload, pod }: AlertStatement): string {
  return {
    PodAnomalous: `pod ${namespace}/${pod}`,
    WorkloadAnomalous: `most pods of ${namespace}/${workload}`,
    NamespaceAnomalous: `most pods of ${namespace}`,
    AnomalyMassFlagging: 'more than a fifth of all pods',
  }[alert];
}
