/** A screen: all of the demo's state, or of a small terminal what matters most. */

import { counted } from '../../lib/text/format.js';
import { EFFECTS } from '../simulation/incidents.js';
import { HEAVIER_RELEASE } from '../simulation/workloads.js';
import { type EndedPod, type FlaggedPod, type IncidentProgress, incidentOf, type Progress } from './progress.js';
import {
  bold,
  clock,
  healthyLines,
  historyWords,
  introduction,
  type Line,
  type Links,
  reasons,
  whenDetected,
} from './words.js';

/** Of a terminal, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** How much of each part is shown. */
interface Cut {
  /** Whether there are empty lines, all links, and the state of the model. */
  readonly whole: boolean;
  /** The most reasons of each flagged pod, flagged pods, and anomalies that have ended. */
  readonly reasons: number;
  readonly flagged: number;
  readonly ended: number;
}

const MOST_ENDED = 4;

/** From all to the least. */
const CUTS: readonly Cut[] = [
  { whole: true, reasons: Number.POSITIVE_INFINITY, flagged: Number.POSITIVE_INFINITY, ended: MOST_ENDED },
  { whole: false, reasons: Number.POSITIVE_INFINITY, flagged: Number.POSITIVE_INFINITY, ended: MOST_ENDED },
  { whole: false, reasons: 1, flagged: Number.POSITIVE_INFINITY, ended: 1 },
  { whole: false, reasons: 0, flagged: Number.POSITIVE_INFINITY, ended: 1 },
  ...[8, 4, 2, 1].map((flagged) => ({ whole: false, reasons: 0, flagged, ended: 0 })),
];

/** The first cut whose lines fit; none is wider than the terminal. */
export function screen(links: Links, progress: Progress, { columns, rows }: Size): Line[] {
  let lines: Line[] = [];
  for (const cut of CUTS) {
    lines = linesOf(links, progress, cut).flatMap((line) => fitLine(line, columns));
    if (lines.length <= rows) return lines;
  }
  return lines.slice(0, rows);
}

function linesOf(links: Links, progress: Progress, { whole, ...most }: Cut): Line[] {
  const { flagged, ended } = progress;
  const gap = whole ? [{ text: '' }] : [];
  const intro = introduction(links, progress.pods);
  const model = [bold('Model'), { text: `  ${progress.status}` }, { text: `  ${historyWords(progress)}` }, ...gap];
  const shownEnds = ended.slice(0, most.ended);
  const shownPods = flagged?.slice(0, most.flagged) ?? [];
  const others = (flagged?.length ?? 0) - shownPods.length;
  return [
    // The title and the status page.
    ...(whole ? intro : intro.slice(0, 2)),
    ...gap,
    ...(whole ? model : []),
    bold('Incidents'),
    ...progress.incidents.map((incident) => incidentLine(incident, progress)),
    ...gap,
    ...(shownEnds.length === 0 ? [] : [bold('Ended'), ...shownEnds.map((one) => endedLine(one, progress)), ...gap]),
    bold(`Flagged now: ${flagged === undefined ? 'unknown' : counted(flagged.length, 'pod')}`),
    ...shownPods.flatMap((pod) => flaggedLines(progress, pod, most.reasons)),
    ...(others === 0 ? [] : [{ text: `  and ${counted(others, 'other')}` }]),
    ...gap,
    ...healthyLines(progress),
    { text: 'Press Ctrl-C to stop.', style: 'dim' as const },
  ];
}

function incidentLine({ incident, flaggedSeconds, resolvedSeconds }: IncidentProgress, progress: Progress): Line {
  const { timeSeconds: now, startSeconds: begin } = progress;
  const { kind, namespace, pod, startSeconds, endSeconds } = incident;
  const name = `  ${EFFECTS[kind].title.padEnd(15)} ${`${namespace}/${pod}`.padEnd(37)}`;
  if (now < startSeconds) return { text: `${name} starts in ${clock(startSeconds - now)}`, style: 'dim' };
  const state = now < endSeconds ? `running for ${clock(now - startSeconds)}` : 'ended';
  if (flaggedSeconds === undefined) return { text: `${name} ${state}` };
  const text =
    resolvedSeconds !== undefined
      ? `${name} RESOLVED after ${clock(resolvedSeconds - endSeconds)}`
      : `${name} DETECTED ${startSeconds < begin ? 'at' : 'after'} ${clock(flaggedSeconds - Math.max(startSeconds, begin))}`;
  const detected = `detected ${whenDetected(incident, flaggedSeconds, progress)}`;
  return { text, details: resolvedSeconds === undefined ? `, ${state}` : `, ${detected}`, style: 'good' };
}

function flaggedLines(progress: Progress, pod: FlaggedPod, mostReasons: number): Line[] {
  const known = incidentOf(progress, pod);
  const isHeavier = pod.namespace === HEAVIER_RELEASE.namespace && pod.pod.startsWith(HEAVIER_RELEASE.workload);
  const other = isHeavier ? 'a release that takes more memory' : 'no scripted incident';
  const cause = known === undefined ? other : EFFECTS[known.kind].title;
  return [
    { text: `  ${pod.namespace}/${pod.pod}  score ${pod.anomaly_score.toFixed(2)} (${cause})`, style: 'bad' },
    ...reasons(pod)
      .slice(0, mostReasons)
      .map((reason) => ({ text: `    ${reason}` })),
  ];
}

/** How an anomaly ended. */
function endedLine({ namespace, pod, reason, end }: EndedPod, { startSeconds }: Progress): Line {
  const words = reason === 'accepted' ? 'ACCEPTED as usual' : reason.toUpperCase();
  const details = `, ${clock(Date.parse(end) / 1000 - startSeconds)} into the demo`;
  return { text: `  ${`${namespace}/${pod}`.padEnd(37)} ${words}`, details, style: 'good' };
}

/** A line with its details if there is room for them, else in as many lines as it takes, cut between words. */
function fitLine({ text, details = '', ...style }: Line, columns: number): Line[] {
  const whole = `${text}${details}`;
  if (whole.length <= columns) return [{ text: whole, ...style }];
  const indent = ' '.repeat(Math.min(text.search(/\S|$/) + 2, Math.floor(columns / 2)));
  const lines: Line[] = [];
  let rest = text;
  while (rest.length > columns) {
    const space = rest.lastIndexOf(' ', columns);
    const end = rest.slice(0, Math.max(0, space)).trim() === '' ? columns : space;
    lines.push({ text: rest.slice(0, end), ...style });
    rest = `${indent}${rest.slice(end).trimStart()}`;
  }
  return [...lines, { text: rest, ...style }];
}
