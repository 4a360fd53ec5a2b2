/** Recordings of single series, scored as the Numenta Anomaly Benchmark scores its files. */

import { BIN_SECONDS, type Case } from './case.js';
import type { Fault } from './labels.js';
import { falseEpisodesPerDay, NAB_PROFILES, type NabSeries, nabScore } from './nab-score.js';
import type { OnCallTally } from './on-call.js';
import type { CaseScores } from './scores.js';

/** The files of the benchmark have a row every five minutes. */
const ROW_SECONDS = 300;

/** A case with one pod: what is detected in each of its rows, counted in two ways. */
export interface NabCase {
  /** A row with a flag is a detection. */
  readonly flags: NabSeries;
  /** A row in which a message is sent is a detection. */
  readonly messages: NabSeries;
}

/** What a detector comes to: NAB's score by profile, and its false episodes. */
export interface NabMeasures {
  readonly detections: keyof NabCase;
  readonly scores: readonly { readonly profile: string; readonly score: number }[];
  readonly falseEpisodesPerDay: number;
}

/** `undefined` for a case of several pods, or of none. */
export function nabCaseOf(
  recording: Case,
  { detector }: CaseScores,
  faults: readonly Fault[],
  { messages }: OnCallTally,
): NabCase | undefined {
  const [pod, ...others] = recording.pods;
  if (pod === undefined || others.length > 0) return undefined;
  const rows = Math.ceil((recording.minutes * BIN_SECONDS) / ROW_SECONDS);
  const rowsSeconds = Float64Array.from(
    { length: rows },
    (_, row) => recording.startSeconds + row * ROW_SECONDS,
  );
  const windows = faults
    .map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds] as const)
    .sort(([a], [b]) => a - b);
  const seriesOf = (timesSeconds: Iterable<number>): NabSeries => {
    const detected = new Uint8Array(rows);
    for (const time of timesSeconds) {
      detected[Math.floor((time - recording.startSeconds) / ROW_SECONDS)] = 1;
    }
    return { rowsSeconds, detected, windows };
  };
  const flagged: number[] = [];
  detector[0]?.forEach((score, offset) => {
    if (score > 0) flagged.push(recording.startSeconds + (pod.firstMinute + offset) * BIN_SECONDS);
  });
  return { flags: seriesOf(flagged), messages: seriesOf(messages.map(({ timestamp }) => timestamp)) };
}

/** Empty where a case has several pods, or no case has a window. */
export function measureNab(cases: readonly (NabCase | undefined)[]): readonly NabMeasures[] {
  const series = cases.filter((one) => one !== undefined);
  if (series.length < cases.length || series.every(({ flags }) => flags.windows.length === 0)) return [];
  return (['flags', 'messages'] as const).map((detections) => {
    const own = series.map((one) => one[detections]);
    return {
      detections,
      scores: NAB_PROFILES.map((profile) => ({ profile: profile.name, score: nabScore(own, profile) })),
      falseEpisodesPerDay: falseEpisodesPerDay(own),
    };
  });
}
