/** The report: what a backtest found, as data. `report.json` is this, and the other forms are drawn from it. */

import { podKey } from '../../exporter/features/table.js';
import { type Alert, type AlertName, type RuleOptions, simulateAlerts } from '../replay/alerts.js';
import { type ChunkResult, type FeatureName, lengthOf, type Reading } from '../replay/chunk-result.js';
import { countEndings, type Ending, endingOf } from '../replay/endings.js';
import { type Message, type Notifications, notify } from '../replay/messages.js';
import { MINUTE_SECONDS } from '../replay/plan.js';
import {
  featureReadings,
  flagsOf,
  joinChunks,
  type PodHistory,
  worstReading,
} from '../replay/pod-history.js';
import { type Recurrence, recurrenceOf } from '../replay/recurrence.js';
import { type Suggestion, suggestSensitivity } from './budget.js';
import { type ExistingAlert, type MatchLevel, type Overlap, overlapsOf } from './existing-alerts.js';
import { formatInstant } from './time-range.js';

/** Raise it when a field changes its meaning or goes; new fields need no new version. */
export const REPORT_VERSION = 1;

const DAY_SECONDS = 86_400;
const MINUTES_OF_DAY = 1440;

/** Alerts, pods and workloads that are listed; all of them count. */
const LISTED_ALERTS = 1000;
const LISTED_PODS = 50;
const LISTED_WORKLOADS = 200;

/** How much was sent on behalf of something. */
export interface Loudness {
  readonly namespace: string;
  /** Empty for a whole namespace. */
  readonly workload: string;
  /** Empty for a workload and for a namespace. */
  readonly pod: string;
  /** Messages that report an alert of it. */
  readonly messages: number;
  readonly alerts: number;
  readonly alerts_per_day: number;
  readonly flagged_pod_minutes: number;
}

/** What was firing already, and whether ours came first. */
export interface OverlapSummary {
  /** Alerts of ours that were sent and coincide, by the closest level of the match. */
  readonly alerts_by_match: Readonly<Record<MatchLevel, number>>;
  /** Alerts of ours that were sent while nothing of the same fired. */
  readonly alerts_without: number;
  /** Existing alerts that coincide with one of ours. */
  readonly existing_matched: number;
  /** Of these: those before which ours fired. */
  readonly existing_later: number;
  /** How much earlier ours fired, where it did: the median, in seconds. */
  readonly median_lead_seconds: number | null;
}

/** What one sensitivity gives. */
export interface SensitivityReport {
  readonly sensitivity: number;
  /** What on-call gets: messages of Alertmanager that report something new, after inhibition and grouping. */
  readonly messages: number;
  readonly messages_per_day: number;
  /** Of a thousand pods that are scored for a day; `null` where no pod was scored. */
  readonly messages_per_1000_pods_and_day: number | null;
  /** Alerts that a message reported. */
  readonly alerts: number;
  readonly alerts_per_day: number;
  readonly alerts_by_name: Readonly<Record<AlertName, number>>;
  readonly alerts_by_ending: Readonly<Record<Ending, number>>;
  /** How much of the last day's messages comes every day; `null` for a time of less than three days. */
  readonly recurrence: Recurrence | null;
  /** Alerts that fired and that Alertmanager held back behind those of a workload or of the fleet. */
  readonly held_back: number;
  readonly flagged_share: number | null;
  /** Alerts that began, by day (UTC). */
  readonly alerts_by_day: readonly { readonly date: string; readonly alerts: number }[];
  readonly namespaces: readonly Loudness[];
  readonly workloads: readonly Loudness[];
  readonly loudest_pods: readonly Loudness[];
  readonly overlap: OverlapSummary | null;
}

/** A feature of a pod when an alert fired. */
export interface FeatureStatement {
  readonly feature: string;
  readonly unit: string;
  readonly actual: number;
  readonly expected: number;
  readonly deviation: number;
}

/** An alert that would have fired. */
export interface AlertStatement {
  readonly alert: AlertName;
  readonly namespace: string;
  readonly workload: string;
  readonly pod: string;
  readonly start: string;
  readonly end: string;
  readonly duration_seconds: number;
  readonly still_firing: boolean;
  readonly sent: boolean;
  readonly ended: Ending;
  /** The pod that is furthest off, of a workload's or the fleet's alert. */
  readonly worst_pod: string;
  /** What the alert would have said, the feature that is furthest off first. */
  readonly features: readonly FeatureStatement[];
  readonly existing: readonly {
    readonly alertname: string;
    readonly match: MatchLevel;
    readonly lead_seconds: number;
  }[];
}

/** The whole report. Times are RFC 3339 in UTC. */
export interface BacktestReport {
  readonly version: number;
  readonly generated: string;
  readonly program_version: string;
  readonly prometheus: string;
  readonly start: string;
  readonly end: string;
  readonly days: number;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly for_seconds: number;
  readonly pods: number;
  readonly pod_minutes_scored: number;
  readonly pod_minutes_unscored: Readonly<Record<string, number>>;
  readonly minutes_without_model: number;
  readonly trainings: number;
  readonly failed_trainings: number;
  /** What a reader should know before believing the numbers. */
  readonly notes: readonly string[];
  readonly chosen_sensitivity: number;
  readonly sensitivities: readonly SensitivityReport[];
  readonly budget_per_day: number;
  readonly suggestion: Suggestion;
  /** Existing alerts that fired in this time, ours not counted; `null` where Prometheus could not be asked. */
  readonly existing_alerts: number | null;
  /** Of the chosen sensitivity, by start; at most 1,000. */
  readonly alerts: readonly AlertStatement[];
}

/** What the report is made of. */
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

/** Adds the chunks up, runs the rules over them, and says what came out. */
export function makeReport(input: ReportInput): BacktestReport {
  const { startSeconds, endSeconds, chunks, sensitivities, chosen } = input;
  const minutes = Math.round((endSeconds - startSeconds) / MINUTE_SECONDS);
  const days = (endSeconds - startSeconds) / DAY_SECONDS;
  const pods = joinChunks(chunks, startSeconds);
  const features = chunks.find((chunk) => chunk.features.length > 0)?.features ?? [];
  const scoredMinutes = pods.reduce((sum, { scored }) => sum + lengthOf(scored), 0);
  const runs = sensitivities.map((sensitivity, index): SensitivityRun => {
    const alerts = simulateAlerts(flagsOf(pods, index), minutes, input.rules);
    return { sensitivity, index, pods, features, alerts, notifications: notify(alerts), scoredMinutes };
  });
  const chosenRun = runs[chosen] as SensitivityRun;
  const reports = runs.map((run) => sensitivityReport(run, days, input));
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
    pods: pods.length,
    pod_minutes_scored: scoredMinutes,
    pod_minutes_unscored: addCounts(chunks.map(({ unscored }) => unscored)),
    minutes_without_model: sum(chunks.map((chunk) => chunk.minutesWithoutModel)),
    trainings: sum(chunks.map((chunk) => chunk.trainings)),
    failed_trainings: sum(chunks.map((chunk) => chunk.failedTrainings)),
    notes: [...input.notes, ...notesOf(chunks, days, chosenRun.alerts.length)],
    chosen_sensitivity: sensitivities[chosen] as number,
    sensitivities: reports,
    budget_per_day: input.budgetPerDay,
    suggestion: suggestSensitivity(reports, input.budgetPerDay),
    existing_alerts: input.existing?.length ?? null,
    alerts: chosenRun.alerts.slice(0, LISTED_ALERTS).map((alert) => statementOf(alert, chosenRun, input)),
  };
}

/** What the rules and Alertmanager made of the flags of one sensitivity. */
interface SensitivityRun {
  readonly sensitivity: number;
  readonly index: number;
  readonly pods: readonly PodHistory[];
  readonly features: readonly FeatureName[];
  readonly alerts: readonly Alert[];
  readonly notifications: Notifications;
  /** Of all pods. */
  readonly scoredMinutes: number;
}

function sensitivityReport(run: SensitivityRun, days: number, input: ReportInput): SensitivityReport {
  const { sensitivity, index, pods, features, alerts, notifications, scoredMinutes } = run;
  const { startSeconds, endSeconds, existing } = input;
  const sent = alerts.filter((alert) => notifications.sentSeconds.has(alert));
  const { messages } = notifications;
  const flaggedOf = (pod: PodHistory) => lengthOf(pod.flagged[index] ?? []);
  const loudness = (keep: 'namespace' | 'workload' | 'pod') =>
    loudestOf(sent, messages, pods, flaggedOf, days, keep);
  return {
    sensitivity,
    messages: messages.length,
    messages_per_day: rounded(messages.length / days),
    messages_per_1000_pods_and_day:
      scoredMinutes === 0 ? null : rounded((1000 * messages.length * MINUTES_OF_DAY) / scoredMinutes),
    alerts: sent.length,
    alerts_per_day: rounded(sent.length / days),
    alerts_by_name: {
      PodAnomalous: countOf(sent, 'PodAnomalous'),
      WorkloadAnomalous: countOf(sent, 'WorkloadAnomalous'),
      AnomalyMassFlagging: countOf(sent, 'AnomalyMassFlagging'),
    },
    alerts_by_ending: countEndings(sent.map((alert) => endingOf(alert, pods, index, features))),
    held_back: alerts.length - sent.length,
    recurrence: recurrenceOf(messages, endSeconds - startSeconds) ?? null,
    flagged_share: scoredMinutes === 0 ? null : rounded(sum(pods.map(flaggedOf)) / scoredMinutes, 6),
    alerts_by_day: byDay(sent, startSeconds, endSeconds),
    namespaces: loudness('namespace').slice(0, LISTED_WORKLOADS),
    workloads: loudness('workload').slice(0, LISTED_WORKLOADS),
    loudest_pods: loudness('pod').slice(0, LISTED_PODS),
    overlap: existing === undefined ? null : overlapSummary(sent, existing, startSeconds),
  };
}

function countOf(alerts: readonly Alert[], name: AlertName): number {
  return alerts.filter((alert) => alert.name === name).length;
}

interface Loud {
  readonly namespace: string;
  readonly workload: string;
  readonly pod: string;
  readonly messages: Set<Message>;
  alerts: number;
  flagged: number;
}

/** The loudest first: by messages, alerts, then flagged minutes. What has none of them is not listed. */
function loudestOf(
  sent: readonly Alert[],
  messages: readonly Message[],
  pods: readonly PodHistory[],
  flaggedOf: (pod: PodHistory) => number,
  days: number,
  keep: 'namespace' | 'workload' | 'pod',
): Loudness[] {
  const found = new Map<string, Loud>();
  const at = (namespace: string, ofWorkload: string, ofPod: string) => {
    const workload = keep === 'namespace' ? '' : ofWorkload;
    const pod = keep === 'pod' ? ofPod : '';
    const key = podKey(namespace, keep === 'pod' ? pod : workload);
    const known = found.get(key) ?? { namespace, workload, pod, messages: new Set(), alerts: 0, flagged: 0 };
    found.set(key, known);
    return known;
  };
  const workloads = new Map(pods.map((pod) => [podKey(pod.namespace, pod.pod), pod.workload]));
  /** Where an alert counts: the pods of a workload under one name, whatever the rule takes from theirs. */
  const placeOf = ({ namespace, workload, pod }: Alert) =>
    namespace === '' || (keep === 'pod' && pod === '')
      ? undefined
      : at(namespace, workloads.get(podKey(namespace, pod)) ?? workload, pod);
  for (const pod of pods) {
    const flagged = flaggedOf(pod);
    if (flagged > 0) at(pod.namespace, pod.workload, pod.pod).flagged += flagged;
  }
  for (const alert of sent) {
    const place = placeOf(alert);
    if (place !== undefined) place.alerts++;
  }
  for (const message of messages) for (const alert of message.alerts) placeOf(alert)?.messages.add(message);
  return [...found.values()]
    .sort((a, b) => b.messages.size - a.messages.size || b.alerts - a.alerts || b.flagged - a.flagged)
    .map(({ flagged, messages: own, ...rest }) => ({
      ...rest,
      messages: own.size,
      alerts_per_day: rounded(rest.alerts / days),
      flagged_pod_minutes: flagged,
    }));
}

function byDay(sent: readonly Alert[], startSeconds: number, endSeconds: number) {
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

function dateOf(timeSeconds: number): string {
  return formatInstant(timeSeconds).slice(0, 10);
}

function overlapSummary(
  sent: readonly Alert[],
  existing: readonly ExistingAlert[],
  startSeconds: number,
): OverlapSummary {
  const byMatch = { pod: 0, workload: 0, namespace: 0 };
  let without = 0;
  const leads = new Map<ExistingAlert, number>();
  for (const alert of sent) {
    const overlaps = overlapsOf(alert, existing, startSeconds);
    const [first] = overlaps;
    if (first === undefined) without++;
    else byMatch[first.level]++;
    for (const { existing: other, leadSeconds } of overlaps) {
      leads.set(other, Math.max(leads.get(other) ?? Number.NEGATIVE_INFINITY, leadSeconds));
    }
  }
  const earlier = [...leads.values()].filter((lead) => lead > 0);
  return {
    alerts_by_match: byMatch,
    alerts_without: without,
    existing_matched: leads.size,
    existing_later: earlier.length,
    median_lead_seconds: median(earlier),
  };
}

function statementOf(
  alert: Alert,
  run: SensitivityRun,
  { startSeconds, existing }: ReportInput,
): AlertStatement {
  const { pods, index, features, notifications } = run;
  const worst = worstReading(alert, pods, index);
  const overlaps: readonly Overlap[] =
    existing === undefined ? [] : overlapsOf(alert, existing, startSeconds);
  return {
    alert: alert.name,
    namespace: alert.namespace,
    workload: alert.workload,
    pod: alert.pod,
    start: formatInstant(startSeconds + alert.startSeconds),
    end: formatInstant(startSeconds + alert.endSeconds),
    duration_seconds: alert.endSeconds - alert.startSeconds,
    still_firing: alert.open,
    sent: notifications.sentSeconds.has(alert),
    ended: endingOf(alert, pods, index, features),
    worst_pod: alert.pod === '' && worst !== undefined ? podKey(worst.pod.namespace, worst.pod.pod) : '',
    features: worst === undefined ? [] : statements(worst.reading, features),
    existing: overlaps.map(({ existing: other, level, leadSeconds }) => ({
      alertname: other.alertname,
      match: level,
      lead_seconds: leadSeconds,
    })),
  };
}

/** The features of a reading, the one that is furthest off first. */
function statements(reading: Reading, features: readonly FeatureName[]): FeatureStatement[] {
  return featureReadings(reading, features).map(({ name, unit, actual, expected, deviation }) => ({
    feature: name,
    unit,
    actual,
    expected,
    deviation,
  }));
}

/** From a shorter time, a number of alerts a day says little. */
const SHORT_DAYS = 2;

function notesOf(chunks: readonly ChunkResult[], days: number, alerts: number): string[] {
  const notes: string[] = [];
  const trainings = sum(chunks.map((chunk) => chunk.trainings));
  const failed = sum(chunks.map((chunk) => chunk.failedTrainings));
  const reason = chunks.findLast(({ lastFailure }) => lastFailure !== null)?.lastFailure;
  if (failed > 0 && reason != null)
    notes.push(`${failed} of ${trainings} trainings failed; the last because: ${reason}`);
  const without = sum(chunks.map((chunk) => chunk.minutesWithoutModel));
  if (without > 0) notes.push(`For ${without} minutes there was no model, and nothing was scored.`);
  if (days < SHORT_DAYS) {
    notes.push(
      `Numbers a day are extrapolated from ${rounded(days * 24, 1)} hours: take a longer time to rely on them.`,
    );
  }
  if (alerts > LISTED_ALERTS) notes.push(`Of ${alerts} alerts, the first ${LISTED_ALERTS} are listed.`);
  const warnings = new Set(chunks.flatMap((chunk) => chunk.warnings));
  return [...notes, ...[...warnings].slice(0, LISTED_WARNINGS)];
}

const LISTED_WARNINGS = 10;

function addCounts(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const own of counts) {
    for (const [reason, count] of Object.entries(own)) total[reason] = (total[reason] ?? 0) + count;
  }
  return total;
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function rounded(value: number, digits = 4): number {
  return Number(value.toFixed(digits));
}
