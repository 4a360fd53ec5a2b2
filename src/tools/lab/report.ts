/** The report for people: tables of at most 110 columns, then what was left out and why. */

import { left, right, type TextColumn, type TextTable, tableLines, tableOf } from '../replay/text-table.js';
import type { Case } from './case.js';
import { type Counts, sumCounts, total } from './counts.js';
import { DEFECTS, type Defect } from './defects.js';
import type { Labels } from './labels.js';
import type { Caught, Measures } from './measures.js';
import type { NabMeasures } from './nab.js';
import type { MessageRate, OnCallCaught, OnCallMeasures } from './on-call.js';
import type { Ranking } from './ranking.js';

/** What a case brought, without its minutes. */
export type CaseSummary = Pick<
  Case,
  'name' | 'minutes' | 'rows' | 'defects' | 'gapMinutes' | 'emptyColumns'
> & { readonly pods: number; readonly features: readonly string[] };

/** A row of the tables. */
export interface MeasuredCase {
  readonly summary: CaseSummary;
  readonly measures: Measures;
  readonly onCall: OnCallMeasures;
}

/** What on-call gets at a sensitivity. */
export interface SensitivityMeasures {
  readonly sensitivity: number;
  readonly onCall: OnCallMeasures;
}

/** All that an evaluation found. */
export interface Evaluation {
  readonly cases: readonly MeasuredCase[];
  readonly set: Measures;
  /** Empty where the recordings are not single series with labelled windows. */
  readonly nab: readonly NabMeasures[];
  /** Of all cases together, at each sensitivity. */
  readonly sensitivities: readonly SensitivityMeasures[];
  /** Index of the sensitivity that everything else is of. */
  readonly chosen: number;
  readonly labels: Labels;
  readonly durationSeconds: number;
}

interface Row {
  readonly name: string;
  readonly measures: Measures;
  readonly onCall: OnCallMeasures;
}

/** A longer name would push the table over the edge. */
const LONGEST_NAME = 25;

/** A part of the report. */
export interface Section {
  readonly title: string;
  readonly tables: readonly TextTable[];
  /** Lines below the tables. */
  readonly notes: readonly string[];
}

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

/** All parts: what on-call gets comes first. */
export function sectionsOf(evaluation: Evaluation): readonly Section[] {
  const { cases, set, nab, sensitivities, chosen } = evaluation;
  const { onCall } = sensitivities[chosen] as SensitivityMeasures;
  const rows: Row[] = cases.map(({ summary, ...of }) => ({ name: summary.name, ...of }));
  rows.push({ name: 'all cases', measures: set, onCall });
  const { recovered, became_usual: usual, gone, still_on: on } = onCall.falseEndings;
  const tables = [
    tableOf(ON_CALL_COLUMNS, rows),
    ...(sensitivities.length === 1 ? [] : [tableOf(SENSITIVITY_COLUMNS, sensitivities)]),
    tableOf(FAULT_COLUMNS, onCall.byFaultType),
    tableOf([nameColumn('kind'), MESSAGES_COLUMN, RATE_COLUMN], onCall.byKind),
    tableOf([nameColumn('loudest workloads'), MESSAGES_COLUMN], onCall.byWorkload.slice(0, LISTED_WORKLOADS)),
  ];
  return [
    {
      title: 'What on-call gets, by the shipped rules, inhibition and grouping',
      tables: tables.filter((table) => table.rows.length > 0),
      notes:
        onCall.falseMessages === 0
          ? []
          : [
              `False alerts ended: ${recovered} recovered, ${usual} became usual, ${gone} gone, ${on} still on.`,
            ],
    },
    {
      title: 'By 3 flagged minutes of 5 (for comparison): alerts, faults, and normal time',
      tables: [tableOf(ALERT_COLUMNS, rows)],
      notes: [],
    },
    {
      title: 'Ranking of pod-minutes, with recall at false-alarm rates of 5 %, 1 % and 0.1 %',
      tables: [tableOf(RANKING_COLUMNS, rows)],
      notes: [],
    },
    {
      title: 'By the rules of the Numenta Anomaly Benchmark: a detection is a row of five minutes',
      tables: nab.length === 0 ? [] : [tableOf(NAB_COLUMNS, nab)],
      notes: [],
    },
    { title: 'Data', tables: [], notes: notes(evaluation) },
  ].filter((section) => section.tables.length > 0 || section.notes.length > 0);
}

const CASE_COLUMN = left<Row>('', 'case', ({ name }) => shorten(name));

const ON_CALL_COLUMNS: readonly TextColumn<Row>[] = [
  CASE_COLUMN,
  onCallColumn('', 'pod-days', ({ podDays }) => decimal(podDays, 1)),
  onCallColumn('false', 'messages', ({ falseMessages }) => String(falseMessages)),
  onCallColumn('per 1,000', 'pods+day', ({ falsePer1000PodsAndDay: rate }) => decimal(rate, 0)),
  ...caughtColumns<Row>(({ onCall }) => onCall.faults),
];

const SENSITIVITY_COLUMNS: readonly TextColumn<SensitivityMeasures>[] = [
  right('', 'sensitivity', ({ sensitivity }) => String(sensitivity)),
  right('false', 'messages', ({ onCall }) => String(onCall.falseMessages)),
  right('per 1,000', 'pods+day', ({ onCall }) => decimal(onCall.falsePer1000PodsAndDay, 0)),
  ...caughtColumns<SensitivityMeasures>(({ onCall }) => onCall.faults),
];

/** What became of faults; the alerts that ended as all was well, as it became usual, as the pod was gone, or did not end. */
function caughtColumns<Of>(of: (row: Of) => OnCallCaught): readonly TextColumn<Of>[] {
  const column = (above: string, below: string, cell: (caught: OnCallCaught) => string) =>
    right<Of>(above, below, (row) => cell(of(row)));
  return [
    column('faults', 'caught', ({ faults, caught: found }) => `${found}/${faults}`),
    column('delay', 'min', ({ meanDelayMinutes }) => decimal(meanDelayMinutes, 1)),
    column('', 'held', ({ meanHeldShare }) => decimal(meanHeldShare, 2)),
    column('ended:', 'recovered', ({ endings }) => String(endings.recovered)),
    column('became', 'usual', ({ endings }) => String(endings.became_usual)),
    column('', 'gone', ({ endings }) => String(endings.gone)),
    column('still', 'on', ({ endings }) => String(endings.still_on)),
  ];
}

function onCallColumn(above: string, below: string, cell: (of: OnCallMeasures) => string): TextColumn<Row> {
  return right(above, below, ({ onCall }) => cell(onCall));
}

const LISTED_WORKLOADS = 10;

type FaultTypeRow = OnCallMeasures['byFaultType'][number];

const FAULT_COLUMNS: readonly TextColumn<FaultTypeRow>[] = [
  left('', 'fault', ({ type }) => type),
  ...caughtColumns<FaultTypeRow>((row) => row),
];

const MESSAGES_COLUMN = right<MessageRate>('false', 'messages', ({ messages }) => String(messages));

const RATE_COLUMN = right<MessageRate>('per 1,000', 'pods+day', ({ per1000PodsAndDay: rate }) =>
  decimal(rate, 0),
);

function nameColumn(head: string): TextColumn<MessageRate> {
  return left('', head, ({ of }) => of);
}

const ALERT_COLUMNS: readonly TextColumn<Row>[] = [
  CASE_COLUMN,
  column('normal', 'pod-days', ({ podDays }) => decimal(podDays, 2)),
  column('points', 'flagged', ({ flaggedShare }) => percent(flaggedShare, 2)),
  column('alert', 'episodes', ({ episodes }) => String(episodes)),
  column('per', 'pod-day', ({ episodesPerPodDay }) => decimal(episodesPerPodDay, 2)),
  column('must-touch', 'faults', ({ mustTouch }) => caught(mustTouch)),
  column('delay', 'min', ({ mustTouch }) => decimal(mustTouch.meanDelayMinutes, 1)),
  column('visible', 'faults', ({ visible }) => caught(visible)),
  column('delay', 'min', ({ visible }) => decimal(visible.meanDelayMinutes, 1)),
  column(
    'new pods',
    'alerted',
    (measures) => `${measures.alertedNewReplicas}/${measures.healthyNewReplicas}`,
  ),
  column('', 'scored', ({ scoredShare }) => percent(scoredShare, 1)),
];

const RANKING_COLUMNS: readonly TextColumn<Row>[] = [
  CASE_COLUMN,
  column('pos.', 'points', ({ positivePoints }) => String(positivePoints)),
  column('normal', 'points', ({ normalPoints }) => String(normalPoints)),
  ...rankingColumns('detector', ({ detector }) => detector),
  ...rankingColumns('robust z', ({ robustZ }) => robustZ),
];

const NAB_COLUMNS: readonly TextColumn<NabMeasures>[] = [
  left('', 'a row with', ({ detections }) => (detections === 'flags' ? 'a flag' : 'a message')),
  ...['standard', 'low FP', 'low FN'].map((profile, index) =>
    right<NabMeasures>('score', profile, ({ scores }) => decimal(scores[index]?.score ?? Number.NaN, 1)),
  ),
  right('false episodes', 'per series-day', (measures) => decimal(measures.falseEpisodesPerDay, 3)),
];

function column(above: string, below: string, cell: (measures: Measures) => string): TextColumn<Row> {
  return right(above, below, ({ measures }) => cell(measures));
}

function rankingColumns(title: string, of: (measures: Measures) => Ranking): readonly TextColumn<Row>[] {
  const recall = (head: string, index: number) =>
    column('', head, (measures) => decimal(of(measures).recall[index] ?? Number.NaN, 2));
  return [
    column(title, 'AUROC', (measures) => decimal(of(measures).auroc, 3)),
    column('', 'AP', (measures) => decimal(of(measures).averagePrecision, 3)),
    recall('5 %', 0),
    recall('1 %', 1),
    recall('.1 %', 2),
  ];
}

function caught({ faults, caught: found }: Caught): string {
  return `${found}/${faults}`;
}

/** A dash where there is nothing to measure. */
function decimal(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}

function percent(share: number, digits: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : '-';
}

function shorten(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
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
  const sum = (of: (summary: CaseSummary) => number) =>
    cases.reduce((all, { summary }) => all + of(summary), 0);
  const defects = sumCounts(cases.map(({ summary }) => summary.defects));
  const features = [...new Set(cases.flatMap(({ summary }) => summary.features))];
  return [
    `${sum(({ rows }) => rows)} rows of ${cases.length} ${cases.length === 1 ? 'case' : 'cases'} with ${features.join(', ')}, ` +
      `${sum(({ minutes }) => minutes)} minutes, in ${durationSeconds.toFixed(1)} s.`,
    ...emptyColumnNotes(cases),
    ...list('Faults left out', set.leftOut, (reason) => LEFT_OUT[reason] ?? reason),
    ...list('Labels left out', labels.malformed, (reason) => `entries (${reason})`),
    ...list('Rows', defects, (reason) => DEFECTS[reason as Defect]),
    ...list(
      'Gaps',
      new Map([['gap', sum(({ gapMinutes }) => gapMinutes)]]),
      () => 'pod-minutes without a sample',
    ),
    ...list('Pod-minutes without a score', set.unscored, (reason) => reason),
  ];
}

function emptyColumnNotes(cases: readonly MeasuredCase[]): readonly string[] {
  return cases.flatMap(({ summary }) =>
    summary.emptyColumns.length === 0
      ? []
      : [`Columns without any value in ${summary.name}, passed over: ${summary.emptyColumns.join(', ')}.`],
  );
}

/** A line for each reason below a title; nothing where nothing was counted. */
function list(title: string, counts: Counts, words: (reason: string) => string): readonly string[] {
  if (total(counts) === 0) return [];
  return [`${title}:`, ...[...counts].map(([reason, times]) => `  ${times} ${words(reason)}`)];
}
