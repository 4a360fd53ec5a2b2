/** The report for people: tables of at most 110 columns, then what was left out and why. */

import { left, right, type TextColumn, type TextTable, tableLines, tableOf } from '../replay/text-table.js';
import { DEFECTS, type Defect } from './case.js';
import { type Counts, sumCounts, total } from './counts.js';
import type { Evaluation } from './evaluation.js';
import { mean } from './measures.js';
import type { NabMeasures } from './nab.js';
import type { MessageRate, OnCallCaught, OnCallMeasures } from './on-call.js';
import type { Ranking } from './ranking.js';

type SensitivityMeasures = Evaluation['sensitivities'][number];

/** A case, or all of them together. */
type Row = { readonly name: string } & Pick<Evaluation['cases'][number], 'measures' | 'onCall'>;

/** A longer name would push the table over the edge. */
const LONGEST_NAME = 25;

const LISTED_WORKLOADS = 10;

/** The report as text, lines with their ends. */
export function reportText(evaluation: Evaluation): string {
  const lines = sectionsOf(evaluation).flatMap(({ title, tables, notes: below }) => [
    title,
    ...tables.flatMap((table, index) => [...(index === 0 ? [] : ['']), ...tableLines(table)]),
    ...below,
    '',
  ]);
  return lines.join('\n');
}

/** All parts, each of tables and of lines below them: what on-call gets comes first. */
export function sectionsOf(evaluation: Evaluation) {
  const { cases, set, nab, sensitivities, chosen, budgetPerDay } = evaluation;
  const { onCall } = sensitivities[chosen] as SensitivityMeasures;
  const rows: Row[] = cases.map(({ summary: { name }, measures, onCall: own }) => ({ name, measures, onCall: own }));
  rows.push({ name: 'all cases', measures: set, onCall });
  const { recovered, accepted, gone, still_on: on } = onCall.falseEndings;
  const budget =
    `The budget of a case when nothing is wrong: ${budgetPerDay} messages a day; ` +
    `expected by the last models: ${decimal(onCall.expectedPerDay, 1)}.`;
  const endings =
    `False alerts ended: ${recovered} recovered, ${accepted} accepted as usual, ${gone} gone, ${on} still on. ` +
    `${onCall.falseAboutChanges} false messages are about a level that has changed for good.`;
  const all = { type: 'all', ...onCall.faults };
  const faultRows = onCall.byFaultType.length > 1 ? [...onCall.byFaultType, all] : onCall.byFaultType;
  const onCallTables = [
    tableOf(ON_CALL_COLUMNS, rows),
    tableOf(SENSITIVITY_COLUMNS, sensitivities.length === 1 ? [] : sensitivities),
    tableOf(FAULT_COLUMNS, faultRows),
    tableOf(CHANGE_COLUMNS, onCall.byChange),
    tableOf([left<MessageRate>('', 'kind', ({ of }) => of), MESSAGES, RATE], onCall.byKind),
    tableOf(
      [left<MessageRate>('', 'loudest workloads', ({ of }) => of), MESSAGES],
      onCall.byWorkload.slice(0, LISTED_WORKLOADS),
    ),
  ];
  const section = (title: string, tables: readonly TextTable[], below: readonly string[] = []) => ({
    title,
    tables: tables.filter((table) => table.rows.length > 0),
    notes: below,
  });
  const sections = [
    section(
      'What on-call gets, by the shipped rules, inhibition and grouping',
      onCallTables,
      onCall.falseMessages === 0 ? [budget] : [budget, endings],
    ),
    section('By 3 flagged minutes of 5 (for comparison): alerts, faults, and normal time', [
      tableOf(ALERT_COLUMNS, rows),
    ]),
    section('Ranking of pod-minutes, with recall at false-alarm rates of 5 %, 1 % and 0.1 %', [
      tableOf(RANKING_COLUMNS, rows),
    ]),
    section('By the rules of the Numenta Anomaly Benchmark: a detection is a row of five minutes', [
      tableOf(NAB_COLUMNS, nab),
    ]),
    section('Data', [], notes(evaluation)),
  ];
  return sections.filter(({ tables, notes: below }) => tables.length + below.length > 0);
}

const CASE = left<Row>('', 'case', ({ name }) =>
  name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name,
);
const MESSAGES = right<MessageRate>('false', 'messages', ({ messages }) => String(messages));
const RATE = right<MessageRate>('per 1,000', 'pods+day', ({ per1000PodsAndDay }) => decimal(per1000PodsAndDay, 0));

const ON_CALL_COLUMNS: readonly TextColumn<Row>[] = [
  CASE,
  right('', 'pod-days', ({ onCall }) => decimal(onCall.podDays, 1)),
  ...onCallColumns<Row>(),
];

const SENSITIVITY_COLUMNS: readonly TextColumn<SensitivityMeasures>[] = [
  right('', 'sensitivity', ({ sensitivity }) => String(sensitivity)),
  ...onCallColumns<SensitivityMeasures>(),
];

const FAULT_COLUMNS: readonly TextColumn<OnCallMeasures['byFaultType'][number]>[] = [
  left('', 'fault', ({ type }) => type),
  ...caughtColumns<OnCallCaught>((row) => row),
  right('', 'right', (row) => String(row.endedRight)),
  right('messages', 'mean', (row) => decimal(row.meanMessages, 2)),
  right('just', 'one', (row) => String(row.withOneMessage)),
  right('at', 'recovery', (row) => String(row.recoveryMessages)),
];

const CHANGE_COLUMNS: readonly TextColumn<OnCallMeasures['byChange'][number]>[] = [
  left('a level', 'for good', ({ change }) => change),
  right('', 'changes', (row) => String(row.changes)),
  right('with a', 'message', (row) => String(row.reported)),
  right('', 'messages', (row) => String(row.messages)),
  right('with', 'several', (row) => String(row.reportedAgain)),
  right('hours until', 'quiet', (row) => decimal(row.meanHoursUntilQuiet, 1)),
  right('', 'at most', (row) => decimal(row.mostHoursUntilQuiet, 1)),
  right('still', 'on', (row) => String(row.stillOn)),
];

function onCallColumns<Of extends { readonly onCall: OnCallMeasures }>(): readonly TextColumn<Of>[] {
  return [
    right('false', 'messages', ({ onCall }) => String(onCall.falseMessages)),
    right('', 'a day', ({ onCall }) => decimal(onCall.falsePerDay, 1)),
    right('per 1,000', 'pods+day', ({ onCall }) => decimal(onCall.falsePer1000PodsAndDay, 0)),
    ...caughtColumns<Of>(({ onCall }) => onCall.faults),
  ];
}

/** What became of faults; the alerts that ended as all was well, as their level was accepted, as the pod was gone, or did not end. */
function caughtColumns<Of>(of: (row: Of) => OnCallCaught): readonly TextColumn<Of>[] {
  return [
    right('faults', 'caught', (row) => shareCaught(of(row))),
    right('delay', 'min', (row) => decimal(of(row).meanDelayMinutes, 1)),
    right('', 'held', (row) => decimal(of(row).meanHeldShare, 2)),
    right('ended:', 'recovered', (row) => String(of(row).endings.recovered)),
    right('', 'accepted', (row) => String(of(row).endings.accepted)),
    right('', 'gone', (row) => String(of(row).endings.gone)),
    right('still', 'on', (row) => String(of(row).endings.still_on)),
  ];
}

const ALERT_COLUMNS: readonly TextColumn<Row>[] = [
  CASE,
  right('normal', 'pod-days', ({ measures }) => decimal(measures.podDays, 2)),
  right('points', 'flagged', ({ measures }) => percent(measures.flaggedShare, 2)),
  right('alert', 'episodes', ({ measures }) => String(measures.episodes)),
  right('per', 'pod-day', ({ measures }) => decimal(measures.episodesPerPodDay, 2)),
  right('must-touch', 'faults', ({ measures }) => shareCaught(measures.mustTouch)),
  right('delay', 'min', ({ measures }) => decimal(measures.mustTouch.meanDelayMinutes, 1)),
  right('visible', 'faults', ({ measures }) => shareCaught(measures.visible)),
  right('delay', 'min', ({ measures }) => decimal(measures.visible.meanDelayMinutes, 1)),
  right('new pods', 'alerted', ({ measures: of }) => `${of.alertedNewReplicas}/${of.healthyNewReplicas}`),
  right('', 'scored', ({ measures }) => percent(measures.scoredShare, 1)),
];

const RANKING_COLUMNS: readonly TextColumn<Row>[] = [
  CASE,
  right('pos.', 'points', ({ measures }) => String(measures.positivePoints)),
  right('normal', 'points', ({ measures }) => String(measures.normalPoints)),
  ...rankingColumns('detector', ({ measures }) => measures.detector),
  ...rankingColumns('robust z', ({ measures }) => measures.robustZ),
];

function rankingColumns(title: string, of: (row: Row) => Ranking): readonly TextColumn<Row>[] {
  return [
    right(title, 'AUROC', (row) => decimal(of(row).auroc, 3)),
    right('', 'AP', (row) => decimal(of(row).averagePrecision, 3)),
    ...['5 %', '1 %', '.1 %'].map((rate, index) => right<Row>('', rate, (row) => decimal(of(row).recall[index], 2))),
  ];
}

const NAB_COLUMNS: readonly TextColumn<NabMeasures>[] = [
  left('', 'a row with', ({ detections }) => (detections === 'flags' ? 'a flag' : 'a message')),
  ...['standard', 'low FP', 'low FN'].map((profile, index) =>
    right<NabMeasures>('score', profile, ({ scores }) => decimal(scores[index]?.score, 1)),
  ),
  right('false episodes', 'per series-day', (measures) => decimal(measures.falseEpisodesPerDay, 3)),
];

function shareCaught({ faults, caught }: Pick<OnCallCaught, 'faults' | 'caught'>): string {
  return `${caught}/${faults}`;
}

/** A dash where there is nothing to measure. */
function decimal(value: number | undefined, digits: number): string {
  return value !== undefined && Number.isFinite(value) ? value.toFixed(digits) : '-';
}

function percent(share: number, digits: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : '-';
}

/** Why a fault is not judged, after its number. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  no_such_case: 'of a case without a file',
  no_data: 'whose pod has no data',
  learning: 'that begin while a case is only learned from',
  not_visible: 'that are not visible in CPU or memory',
};

/** Sentences on what was used, and what was not. */
function notes({ cases, set, labels, durationSeconds }: Evaluation): readonly string[] {
  const summaries = cases.map(({ summary }) => summary);
  const sum = (of: 'rows' | 'minutes' | 'gapMinutes') => summaries.reduce((all, own) => all + own[of], 0);
  const features = [...new Set(summaries.flatMap((own) => own.features))];
  return [
    `${sum('rows')} rows of ${cases.length} ${cases.length === 1 ? 'case' : 'cases'} with ${features.join(', ')}, ` +
      `${sum('minutes')} minutes, in ${durationSeconds.toFixed(1)} s.`,
    `The first trainings remembered ${decimal(mean(cases.map(({ rememberedDays }) => rememberedDays)), 1)} days.`,
    ...summaries.flatMap(({ name, emptyColumns: empty }) =>
      empty.length === 0 ? [] : `Columns without any value in ${name}, passed over: ${empty.join(', ')}.`,
    ),
    ...list('Faults left out', set.leftOut, (reason) => LEFT_OUT[reason] ?? reason),
    ...list('Labels left out', labels.malformed, (reason) => `entries (${reason})`),
    ...list('Rows', sumCounts(summaries.map(({ defects }) => defects)), (reason) => DEFECTS[reason as Defect]),
    ...list('Gaps', new Map([['pod-minutes without a sample', sum('gapMinutes')]])),
    ...list('Pod-minutes without a score', set.unscored),
  ];
}

/** A line for each reason below a title; nothing where nothing was counted. */
function list(title: string, counts: Counts, words = (reason: string) => reason): readonly string[] {
  if (total(counts) === 0) return [];
  return [`${title}:`, ...[...counts].map(([reason, times]) => `  ${times} ${words(reason)}`)];
}
