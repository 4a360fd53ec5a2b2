/** The report for people: tables of at most 110 columns, then what was left out and why. */

import { type TextColumn, textTable } from '../replay/text-table.js';
import type { Case } from './case.js';
import { type Counts, sumCounts, total } from './counts.js';
import { DEFECTS, type Defect } from './defects.js';
import type { Labels } from './labels.js';
import type { Caught, Measures } from './measures.js';
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
}

/** All that an evaluation found. */
export interface Evaluation {
  readonly cases: readonly MeasuredCase[];
  readonly set: Measures;
  readonly labels: Labels;
  readonly durationSeconds: number;
}

interface Row {
  readonly name: string;
  readonly measures: Measures;
}

/** A longer name would push the table over the edge. */
const LONGEST_NAME = 25;

/** The whole report, lines with their ends. */
export function reportText(evaluation: Evaluation): string {
  const rows: Row[] = evaluation.cases.map(({ summary, measures }) => ({ name: summary.name, measures }));
  rows.push({ name: 'all cases', measures: evaluation.set });
  return [
    'Alerts (flagged in at least 3 of the last 5 minutes), faults, and normal time',
    ...textTable(ALERT_COLUMNS, rows),
    '',
    'Ranking of pod-minutes, with recall at false-alarm rates of 5 %, 1 % and 0.1 %',
    ...textTable(RANKING_COLUMNS, rows),
    '',
    ...notes(evaluation),
    '',
  ].join('\n');
}

const ALERT_COLUMNS: readonly TextColumn<Row>[] = [
  { head: ['', 'case'], align: 'left', cell: ({ name }) => shorten(name) },
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
  { head: ['', 'case'], align: 'left', cell: ({ name }) => shorten(name) },
  column('pos.', 'points', ({ positivePoints }) => String(positivePoints)),
  column('normal', 'points', ({ normalPoints }) => String(normalPoints)),
  ...rankingColumns('detector', ({ detector }) => detector),
  ...rankingColumns('robust z', ({ robustZ }) => robustZ),
];

function column(above: string, below: string, cell: (measures: Measures) => string): TextColumn<Row> {
  return { head: [above, below], align: 'right', cell: ({ measures }) => cell(measures) };
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
  first_hour: 'that begin in the first hour of their case',
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
