/** From the cases of an evaluation to all that is reported. */

import { HOURS_PER_DAY } from '../../exporter/history/grid.js';
import type { Case } from './case.js';
import { outcomeWithoutCase } from './fault-outcomes.js';
import type { Labels } from './labels.js';
import { measure, type Tally } from './measures.js';
import { measureNab, type NabCase } from './nab.js';
import { measureOnCall, type OnCallTally } from './on-call.js';

/** A case that is done: its minutes are let go, the counts stay. */
export interface FinishedCase {
  readonly summary: ReturnType<typeof summaryOf>;
  readonly tally: Tally;
  /** At each sensitivity. */
  readonly onCall: readonly OnCallTally[];
  /** `undefined` for a case that is not a single series. */
  readonly nab: NabCase | undefined;
}

/** What a case brought, without its minutes. */
export function summaryOf(recording: Case) {
  const { name, minutes, rows, defects, gapMinutes, emptyColumns, pods, features } = recording;
  const names = features.map((feature) => feature.name);
  return { name, minutes, rows, defects, gapMinutes, emptyColumns, pods: pods.length, features: names };
}

export type Evaluation = ReturnType<typeof resultOf>;

interface Context {
  readonly sensitivities: readonly number[];
  /** Index of the sensitivity that is reported in full. */
  readonly chosen: number;
  /** False messages a day that each case may make (`ALERT_BUDGET_PER_DAY`). */
  readonly budgetPerDay: number;
  readonly labels: Labels;
  readonly durationSeconds: number;
}

/** Measures each case, all cases together, and what on-call gets at each sensitivity. */
export function resultOf(finished: readonly FinishedCase[], context: Context) {
  const names = new Set(finished.map(({ summary }) => summary.name));
  const strangers = context.labels.faults.filter((fault) => !names.has(fault.case)).map(outcomeWithoutCase);
  const tallies = finished.map(({ tally }) => tally);
  const onCallAt = (index: number) => finished.map(({ onCall }) => onCall[index] as OnCallTally);
  const onCall = onCallAt(context.chosen);
  return {
    ...context,
    cases: finished.map(({ summary, tally }, index) => ({
      summary,
      /** What the first training remembered: hours with pods, in days. */
      rememberedDays: (onCall[index]?.rememberedHours ?? 0) / HOURS_PER_DAY,
      measures: measure([tally]),
      onCall: measureOnCall(onCall.slice(index, index + 1)),
    })),
    set: measure(tallies, strangers),
    /** Empty where the recordings are not single series with labelled windows. */
    nab: measureNab(finished.map(({ nab }) => nab)),
    sensitivities: context.sensitivities.map((sensitivity, index) => ({
      sensitivity,
      onCall: measureOnCall(onCallAt(index)),
    })),
    /** The places and times behind the numbers of all cases. */
    faults: [...tallies.flatMap(({ faults }) => faults), ...strangers],
    episodes: tallies.flatMap(({ episodes }) => episodes),
    alertedNewReplicas: tallies.flatMap(({ alertedNewReplicas }) => alertedNewReplicas),
    onCallFaults: onCall.flatMap(({ faults }) => faults),
    levelChanges: onCall.flatMap(({ changes }) => changes),
    messages: onCall.flatMap(({ messages }) => messages),
  };
}
