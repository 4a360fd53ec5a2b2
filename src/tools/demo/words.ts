/** What the terminal shows, as lines of text. */

import { describeReason, notableReasons } from '../../exporter/detection/reasons.js';
import { counted } from '../../lib/text/format.js';
import { EFFECTS } from '../simulation/incidents.js';
import { DATABASE, WORKLOADS } from '../simulation/workloads.js';
import { type FlaggedPod, type IncidentProgress, incidentOf, type Progress } from './progress.js';

/** A line, and how it stands out where there are colours. */
export interface Line {
  readonly text: string;
  readonly style?: 'bold' | 'dim' | 'bad' | 'good';
}

/** Where things are. */
export interface Links {
  readonly exporter: string;
  /** A page that Prometheus has. */
  readonly prometheus: string;
}

/** What is simulated and where to look. */
export function introduction(links: Links, pods: number): Line[] {
  const page = (name: string, url: string): Line => ({ text: `  ${name.padEnd(13)}${url}` });
  return [
    {
      text: `k8s-anomaly-detector on a simulated cluster: ${pods} pods of ${WORKLOADS.length} workloads`,
      style: 'bold',
    },
    page('status', `${links.exporter}/`),
    page('metrics', `${links.exporter}/metrics`),
    page('detections', `${links.exporter}/detect?flagged=true`),
    page('API', `${links.exporter}/docs`),
    page('Prometheus', links.prometheus),
  ];
}

/** The whole screen. */
export function screen(links: Links, progress: Progress): Line[] {
  const { flagged } = progress;
  return [
    ...introduction(links, progress.pods),
    { text: '' },
    { text: 'Model', style: 'bold' },
    { text: `  ${progress.status}` },
    { text: '' },
    { text: 'Script', style: 'bold' },
    ...progress.incidents.map((incident) => incidentLine(incident, progress.timeSeconds)),
    { text: '' },
    {
      text: `Flagged now: ${flagged === undefined ? 'unknown' : counted(flagged.length, 'pod')}`,
      style: 'bold',
    },
    ...(flagged ?? []).flatMap((pod) => flaggedLines(progress, pod)),
    { text: '' },
    databaseLine(progress),
    { text: 'Ctrl-C ends the demo.', style: 'dim' },
  ];
}

function incidentLine({ incident, flaggedSeconds }: IncidentProgress, now: number): Line {
  const { kind, namespace, pod, startSeconds, endSeconds } = incident;
  const name = `  ${EFFECTS[kind].title.padEnd(16)} ${`${namespace}/${pod}`.padEnd(44)}`;
  if (now < startSeconds) return { text: `${name} begins in ${clock(startSeconds - now)}`, style: 'dim' };
  const state = now < endSeconds ? `running for ${clock(now - startSeconds)}` : 'over';
  if (flaggedSeconds === undefined) return { text: `${name} ${state}` };
  return { text: `${name} ${state}, FLAGGED after ${clock(flaggedSeconds - startSeconds)}`, style: 'good' };
}

/** A flagged pod, and below it each feature that is off. */
function flaggedLines(progress: Progress, pod: FlaggedPod): Line[] {
  const known = incidentOf(progress, pod);
  const cause = known === undefined ? 'nothing that is scripted' : EFFECTS[known.kind].title;
  return [
    { text: `  ${pod.namespace}/${pod.pod}  score ${pod.anomaly_score.toFixed(2)} (${cause})`, style: 'bad' },
    ...reasons(pod).map((reason) => ({ text: `    ${reason}` })),
  ];
}

/** Why a pod is flagged, the strongest reason first. */
function reasons({ features }: FlaggedPod): string[] {
  return notableReasons(features).map(describeReason);
}

export function databaseLine({ databaseFlaggedSeconds, timeSeconds }: Progress): Line {
  const database = `${DATABASE.namespace}/${DATABASE.pod}, by far the largest pod (6 cores, 48 GiB)`;
  return databaseFlaggedSeconds === undefined
    ? { text: `${database}: never flagged`, style: 'good' }
    : { text: `${database}: was FLAGGED ${clock(timeSeconds - databaseFlaggedSeconds)} ago`, style: 'bad' };
}

/** What happened since the last look, for terminals that cannot be repainted and for logs. */
export function events(previous: Progress, next: Progress): string[] {
  const lines: string[] = [];
  if (next.status !== previous.status && next.flagged === undefined) lines.push(next.status);
  if (next.flagged !== undefined && previous.flagged === undefined) lines.push(next.status);
  next.incidents.forEach(({ incident, flaggedSeconds }, index) => {
    const { kind, namespace, pod, startSeconds, endSeconds } = incident;
    const passed = (time: number) => previous.timeSeconds < time && time <= next.timeSeconds;
    const what = `${EFFECTS[kind].title} of ${namespace}/${pod}`;
    if (passed(startSeconds)) lines.push(`BEGINS   ${what}`);
    if (flaggedSeconds !== undefined && previous.incidents[index]?.flaggedSeconds === undefined) {
      lines.push(`DETECTED ${what}, ${clock(flaggedSeconds - startSeconds)} after it began`);
    }
    if (passed(endSeconds)) lines.push(`ENDS     ${what}`);
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

/** How things stand, in one line. */
export function summary(progress: Progress): string {
  const begun = progress.incidents.filter(({ incident }) => incident.startSeconds <= progress.timeSeconds);
  const detected = begun.filter(({ flaggedSeconds }) => flaggedSeconds !== undefined);
  return (
    `${detected.length} of ${counted(begun.length, 'incident')} detected; ` +
    `flagged now: ${progress.flagged?.length ?? 'unknown'} of ${progress.pods} pods; ${databaseLine(progress).text}`
  );
}

/** Minutes and seconds: `1:07`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
