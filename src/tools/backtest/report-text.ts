/** The report for the terminal. */

import { describeReason } from '../../exporter/detection/reasons.js';
import { counted, formatDuration, formatNumber, formatPercent } from '../../lib/text/format.js';
import type { Recurrence } from '../replay/recurrence.js';
import { type TextColumn, textTable } from '../replay/text-table.js';
import type {
  AlertStatement,
  BacktestReport,
  FeatureStatement,
  Loudness,
  SensitivityReport,
} from './report.js';

const LISTED_WORKLOADS = 10;
const LISTED_PODS = 10;
const LISTED_ALERTS = 10;

/** The whole text, with an empty line at its end. */
export function reportText(report: BacktestReport, outputs: readonly string[]): string {
  const chosen = report.sensitivities.find(({ sensitivity }) => sensitivity === report.chosen_sensitivity);
  const parts = [
    heading(report),
    section('Messages and alerts that on-call would have got', sensitivityTable(report)),
    section('Suggestion', suggestion(report)),
    ...(chosen === undefined ? [] : chosenParts(report, chosen)),
    ...(report.notes.length === 0
      ? []
      : [
          section(
            'To keep in mind',
            report.notes.map((note) => `- ${note}`),
          ),
        ]),
    ...(outputs.length === 0 ? [] : [section('Written', outputs)]),
  ];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function heading(report: BacktestReport): string[] {
  return [
    `Backtest of ${report.prometheus}`,
    `${report.start} to ${report.end} (${counted(report.days, 'day')}), ${report.pods} pods, ` +
      `${report.trainings} trainings`,
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return [title, ...lines.map((line) => (line === '' ? '' : `  ${line}`))];
}

function sensitivityTable(report: BacktestReport): readonly string[] {
  const columns: readonly TextColumn<SensitivityReport>[] = [
    right('', 'sensitivity', ({ sensitivity }) =>
      sensitivity === report.chosen_sensitivity ? `* ${sensitivity}` : String(sensitivity),
    ),
    right('messages', 'a day', (row) => formatNumber(row.messages_per_day)),
    right('per 1,000', 'pods', ({ messages_per_1000_pods_and_day: rate }) =>
      rate === null ? '-' : formatNumber(rate),
    ),
    right('', 'alerts', ({ alerts }) => String(alerts)),
    right('of', 'pods', ({ alerts_by_name: by }) => String(by.PodAnomalous)),
    right('of', 'workloads', ({ alerts_by_name: by }) => String(by.WorkloadAnomalous)),
    right('of the', 'fleet', ({ alerts_by_name: by }) => String(by.AnomalyMassFlagging)),
    right('held', 'back', ({ held_back: held }) => String(held)),
    right('pod-minutes', 'flagged', ({ flagged_share: share }) =>
      share === null ? '-' : formatPercent(share, 2),
    ),
    right('with an', 'existing alert', ({ alerts, overlap }) =>
      overlap === null ? '-' : String(alerts - overlap.alerts_without),
    ),
  ];
  return textTable(columns, report.sensitivities);
}

function suggestion({ suggestion: { sensitivity, reason } }: BacktestReport): string[] {
  return sensitivity === null ? [reason] : [`ANOMALY_SENSITIVITY=${sensitivity}`, reason];
}

function chosenParts(report: BacktestReport, chosen: SensitivityReport): string[][] {
  const at = `at sensitivity ${chosen.sensitivity}`;
  const parts = [
    section(`How they ended, and what comes every day, ${at}`, [
      endings(chosen),
      ...(chosen.recurrence === null ? [] : [recurrence(chosen.recurrence)]),
    ]),
    section(`Loudest workloads, ${at}`, loudnessLines(chosen.workloads.slice(0, LISTED_WORKLOADS))),
  ];
  parts.push(section(`Loudest pods, ${at}`, loudnessLines(chosen.loudest_pods.slice(0, LISTED_PODS))));
  parts.push(section(`What they would have said, ${at}`, alertLines(report.alerts)));
  if (chosen.overlap !== null) {
    parts.push(section('Beside the alerts that fired then', overlapLines(report, chosen)));
  }
  return parts;
}

/** How the alerts of a sensitivity ended, as a sentence. */
export function endings({ alerts, alerts_by_ending: by }: SensitivityReport): string {
  return (
    `Of ${counted(alerts, 'alert')}, ${by.recovered} ended as the pod was back at what is usual for it, ` +
    `${by.became_usual} as what it did had become usual, ${by.gone} as the pod was gone; ${by.still_on} still fire.`
  );
}

/** How much of the messages comes every day, as a sentence. */
export function recurrence({ today, every_day: daily, days_before: days }: Recurrence): string {
  return (
    `Of ${counted(today, 'message')} of the last 24 hours, ${daily} came at the same time of day, about the same ` +
    `workload, on most of the ${days} days before.`
  );
}

function loudnessLines(loudest: readonly Loudness[]): readonly string[] {
  if (loudest.length === 0) return ['none'];
  const columns: readonly TextColumn<Loudness>[] = [
    left('', 'name', ({ namespace, workload, pod }) => `${namespace}/${pod || workload}`),
    right('', 'messages', ({ messages }) => String(messages)),
    right('', 'alerts', ({ alerts }) => String(alerts)),
    right('alerts', 'a day', (row) => formatNumber(row.alerts_per_day)),
    right('pod-minutes', 'flagged', (row) => String(row.flagged_pod_minutes)),
  ];
  return textTable(columns, loudest);
}

function alertLines(alerts: readonly AlertStatement[]): string[] {
  const sent = alerts.filter((alert) => alert.sent);
  if (sent.length === 0) return ['none'];
  const lines = sent
    .slice(0, LISTED_ALERTS)
    .flatMap((alert) => [
      `${alert.start}  ${subjectOf(alert)}, for ${formatDuration(alert.duration_seconds)}`,
      ...alert.features.slice(0, 1).map((feature: FeatureStatement) => `  ${describeReason(feature)}`),
    ]);
  const more = sent.length - LISTED_ALERTS;
  return more > 0 ? [...lines, `and ${more} more: --output DIR writes them all`] : lines;
}

function overlapLines(report: BacktestReport, { alerts, overlap }: SensitivityReport): string[] {
  if (overlap === null) return [];
  const { pod, workload, namespace } = overlap.alerts_by_match;
  const lead = overlap.median_lead_seconds;
  return [
    `${report.existing_alerts} alerts of other rules fired in this time.`,
    `${alerts - overlap.alerts_without} of ${alerts} anomaly alerts coincide with one: ${pod} about the same pod, ` +
      `${workload} about the same workload, ${namespace} in the same namespace only.`,
    `${overlap.existing_matched} of the existing alerts had an anomaly alert beside them, ` +
      `${overlap.existing_later} of them had it first` +
      `${lead === null ? '' : `, ${formatDuration(lead)} earlier in the median`}.`,
  ];
}

function left<Row>(first: string, second: string, cell: (row: Row) => string): TextColumn<Row> {
  return { head: [first, second], align: 'left', cell };
}

function right<Row>(first: string, second: string, cell: (row: Row) => string): TextColumn<Row> {
  return { head: [first, second], align: 'right', cell };
}

/** The subject of an alert, as a part of a sentence. */
export function subjectOf({ alert, namespace, workload, pod }: AlertStatement): string {
  switch (alert) {
    case 'PodAnomalous':
      return `pod ${namespace}/${pod}`;
    case 'WorkloadAnomalous':
      return `most pods of ${namespace}/${workload}`;
    case 'AnomalyMassFlagging':
      return 'more than a fifth of all pods';
  }
}
