/** What the demo says, in lines of text. */

import { describeReason, notableReasons } from '../../exporter/detection/reasons.js';
import type { HealthReport } from '../../exporter/http/schemas.js';
import { counted, formatDuration } from '../../lib/text/format.js';
import { EFFECTS, type Incident } from '../simulation/incidents.js';
import { DAILY_JOB, WORKLOADS } from '../simulation/workloads.js';
import {
  type EndedPod,
  type FlaggedPod,
  type HealthyPod,
  type IncidentProgress,
  incidentOf,
  type Progress,
} from './progress.js';

/** A line and its style on a terminal with colours. */
export interface Line {
  readonly text: string;
  /** Follows the text where there is room for it. */
  readonly details?: string;
  readonly style?: 'bold' | 'dim' | 'bad' | 'good';
}

export interface Links {
  readonly exporter: string;
  /** A page of Prometheus. */
  readonly prometheus: string;
}

export const bold = (text: string): Line => ({ text, style: 'bold' });

/** What runs and where to look at it. */
export function introduction(links: Links, pods: number): Line[] {
  const page = (name: string, url: string): Line => ({ text: `  ${name.padEnd(14)}${url}` });
  return [
    bold(`k8s-anomaly-detector on a simulated cluster: ${pods} pods of ${WORKLOADS.length} workloads`),
    page('Status page', `${links.exporter}/`),
    page('Metrics', `${links.exporter}/metrics`),
    page('Flagged pods', `${links.exporter}/detect?flagged=true`),
    page('API docs', `${links.exporter}/docs`),
    page('Prometheus', links.prometheus),
  ];
}

/** What is wrong already, and how much is going to be. */
export function announcement({ incidents, timeSeconds }: Progress): string[] {
  const begun = incidents.map(({ incident }) => incident).filter(({ startSeconds }) => startSeconds <= timeSeconds);
  const lines = begun.map((one) => `Under way: ${titleOf(one)}, for ${clock(timeSeconds - one.startSeconds)}.`);
  const others = counted(incidents.length - begun.length, 'incident');
  return [...lines, `${others} will start soon; watch the exporter detect them. Press Ctrl-C to stop.`];
}

/** `memory leak on payments/ledger-1`. */
const titleOf = ({ kind, namespace, pod }: Incident) => `${EFFECTS[kind].title} on ${namespace}/${pod}`;

/** Whether the exporter has a model, and what it was trained on. */
export function describeModel({ model, training }: HealthReport): string {
  if (!model.trained) {
    return `There is no model yet, so no pod is scored.${training.running ? ' The first training is running.' : ''}`;
  }
  const age = model.age_seconds === null ? '' : ` ${formatDuration(Math.floor(model.age_seconds))} ago`;
  return (
    `The model was trained${age} on ${counted(model.samples ?? 0, 'sample')} of ${counted(model.pods ?? 0, 'pod')}; ` +
    `features: ${model.features.join(', ')}; baseline: ${model.baseline}.`
  );
}

/** What the exporter has read of the days before. */
export function historyWords({ history, historySeconds, startSeconds }: Progress): string {
  if (history === undefined) return 'Nothing is known of the days before yet.';
  const days = counted(Number(history.knownDays.toFixed(1)), 'day');
  if (historySeconds === undefined) return `History: ${days} so far.`;
  return `History: ${days}, read within ${formatDuration(Math.round(historySeconds - startSeconds))} of the start.`;
}

/** An incident that was there before the exporter is detected once it knows enough. */
export function whenDetected(
  { startSeconds }: Incident,
  flaggedSeconds: number,
  { startSeconds: begin }: Progress,
): string {
  return startSeconds < begin
    ? `${clock(flaggedSeconds - begin)} into the demo`
    : `${clock(flaggedSeconds - startSeconds)} after its start`;
}

/** The words of a pod's notable reasons, one each. */
export const reasons = ({ features }: FlaggedPod) => notableReasons(features).map(describeReason);

/** What would be flagged if it were compared with the other pods, or with its last hour. */
export function healthyLines({ database, backup, startSeconds, timeSeconds }: Progress): Line[] {
  const line = (what: string, { namespace, pod, flaggedSeconds }: HealthyPod, details: string): Line => {
    const words = `The ${what}, ${namespace}/${pod} (${details}), was`;
    if (flaggedSeconds === undefined) return { text: `${words} never flagged.`, style: 'good' };
    const ago = clock(timeSeconds - flaggedSeconds);
    return { text: `${words} FLAGGED ${ago} ago, although it is healthy.`, style: 'bad' };
  };
  const since = new Date(1000 * (startSeconds + DAILY_JOB.startOffsetSeconds)).toISOString().slice(11, 16);
  return [
    line('largest pod', database, '6 cores, 48 GiB'),
    line('daily job', backup, `since ${since} UTC, as every day`),
  ];
}

/** What happened since the previous observation, for logs and output that is not a terminal. */
export function events(previous: Progress, next: Progress): string[] {
  const { flagged } = next;
  const lines: string[] = [];
  if (next.status !== previous.status && flagged === undefined) lines.push(next.status);
  if (flagged !== undefined && previous.flagged === undefined) lines.push(next.status);
  lines.push(...historyEvents(previous, next));
  next.incidents.forEach((one, index) => {
    lines.push(...incidentEvents(one, previous.incidents[index], previous, next));
  });
  lines.push(...endEvents(previous, next));
  if (flagged === undefined) return lines;
  const name = (pod: FlaggedPod) => `${pod.namespace}/${pod.pod}`;
  const before = new Set((previous.flagged ?? []).map(name));
  const now = new Set(flagged.map(name));
  for (const pod of flagged) {
    if (before.has(name(pod))) continue;
    lines.push(`flagged  ${name(pod)}`, ...reasons(pod).map((reason) => `         ${reason}`));
  }
  for (const pod of previous.flagged ?? []) {
    if (now.has(name(pod))) continue;
    const incident = incidentOf(next, pod);
    const goesOn = incident !== undefined && next.timeSeconds < incident.endSeconds;
    lines.push(`cleared  ${name(pod)}${goesOn ? ` (the ${EFFECTS[incident.kind].title} goes on)` : ''}`);
  }
  return lines;
}

/** Why an alert ends is not the same as that it ends. */
function endEvents(previous: Progress, next: Progress): string[] {
  const key = ({ namespace, pod, end }: EndedPod) => `${namespace}/${pod}/${end}`;
  const known = new Set(previous.ended.map(key));
  return next.ended
    .filter((one) => !known.has(key(one)))
    .toReversed()
    .map((one) => `ended    ${one.namespace}/${one.pod}: ${END_MEANINGS[one.reason]}`);
}

const END_MEANINGS: Readonly<Record<EndedPod['reason'], string>> = {
  recovered: 'recovered',
  gone: 'gone',
  accepted: 'accepted; it is where it was, and that is usual now',
  muted: 'muted',
};

/** The first day is enough to judge what lasts; all days are what the exporter looks for. */
function historyEvents(previous: Progress, next: Progress): string[] {
  const hasDay = ({ history }: Progress) => (history?.knownDays ?? 0) >= 1;
  if (next.historySeconds !== undefined && previous.historySeconds === undefined) {
    return [historyWords(next), ...healthyLines(next).map(({ text }) => text)];
  }
  return next.historySeconds === undefined && hasDay(next) && !hasDay(previous) ? [historyWords(next)] : [];
}

function incidentEvents(
  { incident, flaggedSeconds, resolvedSeconds }: IncidentProgress,
  before: IncidentProgress | undefined,
  previous: Progress,
  next: Progress,
): string[] {
  const { startSeconds, endSeconds } = incident;
  const lines: string[] = [];
  const passed = (time: number) => previous.timeSeconds < time && time <= next.timeSeconds;
  const what = titleOf(incident);
  if (passed(startSeconds)) lines.push(`STARTED  ${what}`);
  if (flaggedSeconds !== undefined && before?.flaggedSeconds === undefined) {
    lines.push(`DETECTED ${what}, ${whenDetected(incident, flaggedSeconds, next)}`);
  }
  if (passed(endSeconds)) lines.push(`ENDED    ${what}, after ${clock(endSeconds - startSeconds)}`);
  if (resolvedSeconds !== undefined && before?.resolvedSeconds === undefined) {
    lines.push(`RESOLVED ${what}, ${clock(resolvedSeconds - endSeconds)} after its end`);
  }
  return lines;
}

/** The state of the demo in one line. */
export function summary(progress: Progress): string {
  const begun = progress.incidents.filter(({ incident }) => incident.startSeconds <= progress.timeSeconds);
  const detected = begun.filter(({ flaggedSeconds }) => flaggedSeconds !== undefined);
  return (
    `${detected.length} of ${counted(begun.length, 'incident')} detected, ` +
    `${progress.flagged?.length ?? 'unknown'} of ${progress.pods} pods flagged now. ` +
    healthyLines(progress)
      .map(({ text }) => text)
      .join(' ')
  );
}

/** Minutes and seconds, `1:07`; from an hour on, `2 h 4 min`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole >= 7200) return formatDuration(whole);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
