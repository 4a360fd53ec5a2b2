/** What the terminal shows, as lines of text. */

import { describeReason, notableReasons } from '../../exporter/detection/reasons.js';
import type { HealthReport } from '../../exporter/http/schemas.js';
import { counted, formatDuration } from '../../lib/text/format.js';
import { EFFECTS } from '../simulation/incidents.js';
import { DATABASE, WORKLOADS } from '../simulation/workloads.js';
import { type FlaggedPod, type IncidentProgress, incidentOf, type Progress } from './progress.js';

/** A line and its style on a terminal with colours. */
export interface Line {
  readonly text: string;
  readonly style?: 'bold' | 'dim' | 'bad' | 'good';
}

export interface Links {
  readonly exporter: string;
  /** A page of Prometheus. */
  readonly prometheus: string;
}

const bold = (text: string): Line => ({ text, style: 'bold' });

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

export function screen(links: Links, progress: Progress): Line[] {
  const { flagged } = progress;
  return [
    ...introduction(links, progress.pods),
    { text: '' },
    bold('Model'),
    { text: `  ${progress.status}` },
    { text: '' },
    bold('Incidents'),
    ...progress.incidents.map((incident) => incidentLine(incident, progress.timeSeconds)),
    { text: '' },
    bold(`Flagged now: ${flagged === undefined ? 'unknown' : counted(flagged.length, 'pod')}`),
    ...(flagged ?? []).flatMap((pod) => flaggedLines(progress, pod)),
    { text: '' },
    databaseLine(progress),
    { text: 'Press Ctrl-C to stop.', style: 'dim' },
  ];
}

function incidentLine({ incident, flaggedSeconds }: IncidentProgress, now: number): Line {
  const { kind, namespace, pod, startSeconds, endSeconds } = incident;
  const name = `  ${EFFECTS[kind].title.padEnd(16)} ${`${namespace}/${pod}`.padEnd(44)}`;
  if (now < startSeconds) return { text: `${name} starts in ${clock(startSeconds - now)}`, style: 'dim' };
  const state = now < endSeconds ? `running for ${clock(now - startSeconds)}` : 'ended';
  if (flaggedSeconds === undefined) return { text: `${name} ${state}` };
  return { text: `${name} ${state}, DETECTED after ${clock(flaggedSeconds - startSeconds)}`, style: 'good' };
}

function flaggedLines(progress: Progress, pod: FlaggedPod): Line[] {
  const known = incidentOf(progress, pod);
  const cause = known === undefined ? 'no scripted incident' : EFFECTS[known.kind].title;
  return [
    { text: `  ${pod.namespace}/${pod.pod}  score ${pod.anomaly_score.toFixed(2)} (${cause})`, style: 'bad' },
    ...reasons(pod).map((reason) => ({ text: `    ${reason}` })),
  ];
}

const reasons = ({ features }: FlaggedPod) => notableReasons(features).map(describeReason);

export function databaseLine({ databaseFlaggedSeconds, timeSeconds }: Progress): Line {
  const database = `The largest pod, ${DATABASE.namespace}/${DATABASE.pod} (6 cores, 48 GiB), was`;
  if (databaseFlaggedSeconds === undefined) return { text: `${database} never flagged.`, style: 'good' };
  const ago = clock(timeSeconds - databaseFlaggedSeconds);
  return { text: `${database} FLAGGED ${ago} ago, although it is healthy.`, style: 'bad' };
}

/** What happened since the previous observation, for logs and output that is not a terminal. */
export function events(previous: Progress, next: Progress): string[] {
  const lines: string[] = [];
  if (next.status !== previous.status && next.flagged === undefined) lines.push(next.status);
  if (next.flagged !== undefined && previous.flagged === undefined) lines.push(next.status);
  next.incidents.forEach(({ incident, flaggedSeconds }, index) => {
    const { kind, namespace, pod, startSeconds, endSeconds } = incident;
    const passed = (time: number) => previous.timeSeconds < time && time <= next.timeSeconds;
    const what = `${EFFECTS[kind].title} on ${namespace}/${pod}`;
    if (passed(startSeconds)) lines.push(`STARTED  ${what}`);
    if (flaggedSeconds !== undefined && previous.incidents[index]?.flaggedSeconds === undefined) {
      lines.push(`DETECTED ${what}, ${clock(flaggedSeconds - startSeconds)} after its start`);
    }
    if (passed(endSeconds)) lines.push(`ENDED    ${what}`);
  });
  if (next.flagged === undefined) return lines;
  const name = (pod: FlaggedPod) => `${pod.namespace}/${pod.pod}`;
  const before = new Set((previous.flagged ?? []).map(name));
  const now = new Set(next.flagged.map(name));
  for (const pod of next.flagged) {
    if (before.has(name(pod))) continue;
    lines.push(`flagged  ${name(pod)}`, ...reasons(pod).map((reason) => `         ${reason}`));
  }
  for (const pod of before) if (!now.has(pod)) lines.push(`cleared  ${pod}`);
  return lines;
}

/** The state of the demo in one line. */
export function summary(progress: Progress): string {
  const begun = progress.incidents.filter(({ incident }) => incident.startSeconds <= progress.timeSeconds);
  const detected = begun.filter(({ flaggedSeconds }) => flaggedSeconds !== undefined);
  return (
    `${detected.length} of ${counted(begun.length, 'incident')} detected, ` +
    `${progress.flagged?.length ?? 'unknown'} of ${progress.pods} pods flagged now. ${databaseLine(progress).text}`
  );
}

/** Minutes and seconds: `1:07`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
