/** Recordings of single series, scored as the Numenta Anomaly Benchmark scores its files. */

import { BIN_SECONDS, type Case } from './case.js';
import type { Fault } from './labels.js';
import { falseEpisodesPerDay, NAB_PROFILES, type NabSeries, nabScore } from './nab-score.js';
import type { OnCallTally } from './on-call.js';
import type { CaseScores } from './scores.js';

/** The files of the benchmark have a row every five minutes. */
const ROW_SECONDS = 300;

/** A case with one pod: what is detected in each of its rows, where a flag or a message is a detection. */
export type NabCase = NonNullable<ReturnType<typeof nabCaseOf>>;

/** What a detector comes to: NAB's score by profile, and its false episodes. */
export type NabMeasures = ReturnType<typeof measureNab>[number];

/** `undefined` for a case of several pods, or of none. */
export function nabCaseOf(
  { startSeconds, minutes, pods }: Case,
  { detector }: CaseScores,
  faults: readonly Fault[],
  { messages }: OnCallTally,
) {
  const [pod, ...others] = pods;
  if (pod === undefined || others.length > 0) return undefined;
  const rows = Math.ceil((minutes * BIN_SECONDS) / ROW_SECONDS);
  const rowsSeconds = Float64Array.from({ length: rows }, (_, row) => startSeconds + row * ROW_SECONDS);
  const windows = faults.map((fault) => [fault.startSeconds, fault.endSeconds] as const).sort(([a], [b]) => a - b);
  const seriesOf = (secondsFromStart: readonly number[]): NabSeries => {
    const detected = new Uint8Array(rows);
    for (const seconds of secondsFromStart) detected[Math.floor(seconds / ROW_SECONDS)] = 1;
    return { rowsSeconds, detected, windows };
  };
  const flagged = [...(detector[0] ?? [])].flatMap((score, offset) =>
    score > 0 ? (pod.firstMinute + offset) * BIN_SECONDS : [],
  );
  const sent = messages.map(({ timestamp }) => timestamp - startSeconds);
  return { flags: seriesOf(flagged), messages: seriesOf(sent) };
}

/** Empty where a case has several pods, or no case has a window. */
export function measureNab(cases: readonly (NabCase | undefined)[]) {
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
