/** The report: what a backtest found, as data. `report.json` is this, and the other forms are drawn from it. */

import { podKey } from '../../exporter/features/table.js';
import { HOURS_PER_DAY } from '../../exporter/history/grid.js';
import { quantileInPlace } from '../../lib/statistics.js';
import { type Alert, type AlertName, type RuleOptions, simulateAlerts } from '../replay/alerts.js';
import { type ChunkResult, type FeatureName, lengthOf } from '../replay/chunk-result.js';
import { countEndings, endingOf } from '../replay/endings.js';
import { type Message, type Notifications, notify } from '../replay/messages.js';
import { MINUTE_SECONDS } from '../replay/plan.js';
import { featureReadings, joinChunks, type PodHistory, podRunsAt, worstReading } from '../replay/pod-history.js';
import { recurrenceOf } from '../replay/recurrence.js';
import { suggestSensitivity } from './budget.js';
import { type ExistingAlert, overlapsOf } from './existing-alerts.js';
import { formatInstant } from './time-range.js';

/** Raise it when a field changes its meaning or goes; new fields need no new version. */
export const REPORT_VERSION = 1;

const DAY_SECONDS = 86_400;
const MINUTES_OF_DAY = 1440;

/** Alerts, pods and workloads that are listed; all of them count. */
const LISTED_ALERTS = 1000;
const LISTED_PODS = 50;
const LISTED_WORKLOADS = 200;

/** The whole report: the fields are described in docs/backtest.md. Times are RFC 3339 in UTC. */
export type BacktestReport = ReturnType<typeof makeReport>;
export type SensitivityReport = ReturnType<typeof sensitivityReport>;
/** How much was sent on behalf of a namespace, a workload or a pod; the names of what is narrower are empty. */
export type Loudness = ReturnType<typeof loudestOf>[number];
export type AlertStatement = ReturnType<typeof statementOf>;

export interface ReportInput {
  readonly generatedSeconds: number;
  readonly programVersion: string;
  readonly prometheus: string;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly rules: RuleOptions;
  readonly sensitivities: readonly number[];
  /** Index of the sensitivity that is reported in full. */
  readonly chosen: number;
  readonly budgetPerDay: number;
  readonly chunks: readonly ChunkResult[];
  /** `undefined` where Prometheus could not be asked. */
  readonly existing: readonly ExistingAlert[] | undefined;
  readonly notes: readonly string[];
}

/** What the rules and Alertmanager made of the flags of one sensitivity. */
interface SensitivityRun {
  readonly sensitivity: number;
  readonly index: number;
  readonly alerts: readonly Alert[];
  readonly notifications: Notifications;
}

interface Replayed {
  readonly input: ReportInput;
  readonly days: number;
  readonly pods: readonly PodHistory[];
  readonly features: readonly FeatureName[];
  readonly scoredMinutes: number;
}

/** Adds the chunks up, runs the rules over them, and says what came out. */
export function makeReport(input: ReportInput) {
  const { startSeconds, endSeconds, chunks, sensitivities, chosen } = input;
  const minutes = Math.round((endSeconds - startSeconds) / MINUTE_SECONDS);
  const days = (endSeconds - startSeconds) / DAY_SECONDS;
  const pods = joinChunks(chunks, startSeconds);
  const features = chunks.find((chunk) => chunk.features.length > 0)?.features ?? [];
  const scoredMinutes = sumOf(pods, ({ scored }) => lengthOf(scored));
  const replayed: Replayed = { input, days, pods, features, scoredMinutes };
  const runs = sensitivities.map((sensitivity, index): SensitivityRun => {
    const alerts = simulateAlerts(podRunsAt(pods, index), minutes, input.rules);
    return { sensitivity, index, alerts, notifications: notify(alerts) };
  });
  const chosenRun = runs[chosen] as SensitivityRun;
  const reports = runs.map((run) => sensitivityReport(run, replayed));
  const unscored: Record<string, number> = {};
  for (const [reason, count] of chunks.flatMap((chunk) => Object.entries(chunk.unscored))) {
    unscored[reason] = (unscored[reason] ?? 0) + count;
  }
  const totals = {
    trainings: sumOf(chunks, (chunk) => chunk.trainings),
    failed_trainings: sumOf(chunks, (chunk) => chunk.failedTrainings),
    minutes_without_model: sumOf(chunks, (chunk) => chunk.minutesWithoutModel),
  };
  return {
    version: REPORT_VERSION,
    generated: formatInstant(Math.floor(input.generatedSeconds)),
    program_version: input.programVersion,
    prometheus: input.prometheus,
    start: formatInstant(startSeconds),
    end: formatInstant(endSeconds),
    days: rounded(days),
    settings: input.settings,
    for_seconds: input.rules.forSeconds,
    /** Days that were known at the start: hours with pods, of the days that a training remembers. */
    days_remembered_at_start: rounded((chunks[0]?.rememberedHours ?? 0) / HOURS_PER_DAY),
    pods: pods.length,
    pod_minutes_scored: scoredMinutes,
    pod_minutes_unscored: unscored,
    ...totals,
    /** What a reader should know before believing the numbers. */
    notes: [...input.notes, ...notesOf(chunks, totals, days, chosenRun.alerts.length)],
    chosen_sensitivity: sensitivities[chosen] as number,
    sensitivities: reports,
    budget_per_day: input.budgetPerDay,
    /** Of the last model, when nothing is wrong; `null` where too little was known. */
    expected_messages_per_day: chunks.at(-1)?.expectedMessagesPerDay ?? null,
    suggestion: suggestSensitivity(reports, input.budgetPerDay),
    /** Alerts of other rules; `null` where Prometheus could not be asked. */
    existing_alerts: input.existing?.length ?? null,
    /** Of the chosen sensitivity, by start. */
    alerts: chosenRun.alerts.slice(0, LISTED_ALERTS).map((alert) => statementOf(alert, chosenRun, replayed)),
  };
}

function sensitivityReport(run: SensitivityRun, replayed: Replayed) {
  const { sensitivity, index, alerts, notifications } = run;
  const { input, days, pods, features, scoredMinutes } = replayed;
  const { startSeconds, endSeconds, existing } = input;
  const { messages, sentSeconds } = notifications;
  const sent = alerts.filter((alert) => sentSeconds.has(alert));
  const named = (name: AlertName) => sent.filter((alert) => alert.name === name).length;
  const loudest = (keep: (typeof PLACE)[number], most: number) => loudestOf(keep, sent, run, replayed).slice(0, most);
  const flaggedMinutes = sumOf(pods, ({ flagged }) => lengthOf(flagged[index] ?? []));
  return {
    sensitivity,
    /** What on-call gets: messages of Alertmanager that report something new, after inhibition and grouping. */
    messages: messages.length,
    messages_per_day: rounded(messages.length / days),
    /** Of a thousand pods that are scored for a day; `null` where no pod was scored. */
    messages_per_1000_pods_and_day:
      scoredMinutes === 0 ? null : rounded((1000 * messages.length * MINUTES_OF_DAY) / scoredMinutes),
    /** Alerts that a message reported. */
    alerts: sent.length,
    alerts_per_day: rounded(sent.length / days),
    alerts_by_name: {
      PodAnomalous: named('PodAnomalous'),
      WorkloadAnomalous: named('WorkloadAnomalous'),
      NamespaceAnomalous: named('NamespaceAnomalous'),
      AnomalyMassFlagging: named('AnomalyMassFlagging'),
    },
    alerts_by_ending: countEndings(sent.map((alert) => endingOf(alert, pods, index, features))),
    /** Alerts that Alertmanager held back behind wider ones. */
    held_back: alerts.length - sent.length,
    /** `null` for a time of less than three days. */
    recurrence: recurrenceOf(messages, endSeconds - startSeconds) ?? null,
    flagged_share: scoredMinutes === 0 ? null : rounded(flaggedMinutes / scoredMinutes, 6),
    alerts_by_day: byDay(sent, startSeconds, endSeconds),
    namespaces: loudest('namespace', LISTED_WORKLOADS),
    workloads: loudest('workload', LISTED_WORKLOADS),
    loudest_pods: loudest('pod', LISTED_PODS),
    overlap: existing === undefined ? null : overlapSummary(sent, existing, startSeconds),
  };
}

const PLACE = ['namespace', 'workload', 'pod'] as const;
type Place = Readonly<Record<(typeof PLACE)[number], string>>;

/** The loudest first: by messages, alerts, then flagged minutes. What has none of them is not listed. */
function loudestOf(
  keep: keyof Place,
  sent: readonly Alert[],
  { index, notifications }: SensitivityRun,
  { days, pods }: Replayed,
) {
  const found = new Map<string, Place & { messages: Set<Message>; alerts: number; flagged: number }>();
  const at = ({ namespace, workload, pod }: Place) => {
    const place = {
      namespace,
      workload: keep === 'namespace' ? '' : workload,
      pod: keep === 'pod' ? pod : '',
    };
    const key = JSON.stringify(place);
    const known = found.get(key) ?? { ...place, messages: new Set(), alerts: 0, flagged: 0 };
    found.set(key, known);
    return known;
  };
  const placeOf = (alert: Alert) =>
    alert.namespace === '' || (keep === 'pod' && alert.pod === '') ? undefined : at(alert);
  for (const pod of pods) {
    const flagged = lengthOf(pod.flagged[index] ?? []);
    if (flagged > 0) at(pod).flagged += flagged;
  }
  for (const alert of sent) {
    const place = placeOf(alert);
    if (place !== undefined) place.alerts++;
  }
  for (const message of notifications.messages) {
    for (const alert of message.alerts) placeOf(alert)?.messages.add(message);
  }
  return [...found.values()]
    .sort((a, b) => b.messages.size - a.messages.size || b.alerts - a.alerts || b.flagged - a.flagged)
    .map(({ flagged, messages, ...rest }) => ({
      ...rest,
      messages: messages.size,
      alerts_per_day: rounded(rest.alerts / days),
      flagged_pod_minutes: flagged,
    }));
}

function byDay(sent: readonly Alert[], startSeconds: number, endSeconds: number) {
  const dateOf = (seconds: number) => formatInstant(seconds).slice(0, 10);
  const days = new Map<string, number>();
  for (let day = Math.floor(startSeconds / DAY_SECONDS); day * DAY_SECONDS < endSeconds; day++) {
    days.set(dateOf(day * DAY_SECONDS), 0);
  }
  for (const alert of sent) {
    const date = dateOf(startSeconds + alert.startSeconds);
    days.set(date, (days.get(date) ?? 0) + 1);
  }
  return [...days].map(([date, alerts]) => ({ date, alerts }));
}

function overlapSummary(sent: readonly Alert[], existing: readonly ExistingAlert[], startSeconds: number) {
  const byMatch = { pod: 0, workload: 0, namespace: 0 };
  const leads = new Map<ExistingAlert, number>();
  for (const alert of sent) {
    const overlaps = overlapsOf(alert, existing, startSeconds);
    if (overlaps[0] !== undefined) byMatch[overlaps[0].level]++;
    for (const { existing: other, leadSeconds } of overlaps) {
      leads.set(other, Math.max(leads.get(other) ?? Number.NEGATIVE_INFINITY, leadSeconds));
    }
  }
  const earlier = Float64Array.from(leads.values()).filter((lead) => lead > 0);
  return {
    alerts_by_match: byMatch,
    alerts_without: sent.length - byMatch.pod - byMatch.workload - byMatch.namespace,
    existing_matched: leads.size,
    /** Of these: those before which ours fired. */
    existing_later: earlier.length,
    median_lead_seconds: earlier.length === 0 ? null : quantileInPlace(earlier, earlier.length, 0.5),
  };
}

function statementOf(alert: Alert, { index, notifications }: SensitivityRun, replayed: Replayed) {
  const { pods, features, input } = replayed;
  const { startSeconds, existing = [] } = input;
  const worst = worstReading(alert, pods, index);
  const { name, namespace, workload, pod } = alert;
  return {
    alert: name,
    namespace,
    workload,
    pod,
    start: formatInstant(startSeconds + alert.startSeconds),
    end: formatInstant(startSeconds + alert.endSeconds),
    duration_seconds: alert.endSeconds - alert.startSeconds,
    still_firing: alert.open,
    sent: notifications.sentSeconds.has(alert),
    ended: endingOf(alert, pods, index, features),
    /** The pod that is furthest off, of a workload's or the fleet's alert. */
    worst_pod: pod === '' && worst !== undefined ? podKey(worst.pod.namespace, worst.pod.pod) : '',
    features: featureReadings(worst?.reading ?? [], features).map(
      ({ name: feature, unit, actual, expected, deviation, comparison }) => ({
        feature,
        unit,
        actual,
        expected,
        comparison,
        deviation,
      }),
    ),
    existing: overlapsOf(alert, existing, startSeconds).map(({ existing: other, level, leadSeconds }) => ({
      alertname: other.alertname,
      match: level,
      lead_seconds: leadSeconds,
    })),
  };
}

/** From a shorter time, a number of alerts a day says little. */
const SHORT_DAYS = 2;

const LISTED_WARNINGS = 10;

function notesOf(
  chunks: readonly ChunkResult[],
  totals: Record<'trainings' | 'failed_trainings' | 'minutes_without_model', number>,
  days: number,
  alerts: number,
): string[] {
  const { trainings, failed_trainings: failed, minutes_without_model: without } = totals;
  const reason = chunks.findLast(({ lastFailure }) => lastFailure !== null)?.lastFailure;
  const notes = [
    failed > 0 && `${failed} of ${trainings} trainings failed; the last because: ${reason}`,
    without > 0 && `For ${without} minutes there was no model, and nothing was scored.`,
    days < SHORT_DAYS &&
      `Numbers a day are extrapolated from ${rounded(days * 24, 1)} hours: take a longer time to rely on them.`,
    alerts > LISTED_ALERTS && `Of ${alerts} alerts, the first ${LISTED_ALERTS} are listed.`,
  ].filter((note) => note !== false);
  return [...notes, ...[...new Set(chunks.flatMap((chunk) => chunk.warnings))].slice(0, LISTED_WARNINGS)];
}

function sumOf<Item>(items: readonly Item[], numberOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + numberOf(item), 0);
}

function rounded(value: number, digits = 4): number {
  return Number(value.toFixed(digits));
}
