/** The measures of the protocol: counted for each case, then made into shares and means over cases. */

import { BIN_SECONDS, type Case, type PodMinutes } from './case.js';
import { type Counts, sumCounts, total } from './counts.js';
import { type FaultOutcome, outcomeOf } from './fault-outcomes.js';
import type { Fault } from './labels.js';
import { newReplicasOf } from './new-replicas.js';
import { ABSENT, classify, NORMAL, POSITIVE } from './point-classes.js';
import { type Points, rankingOf } from './ranking.js';
import type { CaseScores } from './scores.js';
import { episodesOf } from './three-of-five.js';

/** Everything countable of a case. */
export type Tally = ReturnType<typeof tallyCase>;

/** What tallies come to. Shares are in [0, 1], `NaN` where there is nothing to take a share of. */
export type Measures = ReturnType<typeof measure>;

/** The reason for which a pod that just came is not scored yet. */
const WARM_UP = 'warmup';

export const MINUTES_OF_DAY = 1440;

/**
 * Counts everything in a case.
 *
 * @param unscored complete pod-minutes without a score, by reason.
 * @param faults those of this case.
 */
export function tallyCase(recording: Case, scores: CaseScores, unscored: Counts, faults: readonly Fault[]) {
  const classes = classify(recording, faults);
  const newReplicas = newReplicasOf(recording, scores.detector, faults);
  const count = <Part extends Uint8Array | Float64Array>(parts: readonly Part[], is: (value: number) => boolean) =>
    parts.reduce((sum, part) => sum + part.filter(is).length, 0);
  /** A minute of a pod, to look it up: its start as a Unix time in seconds. */
  const placeOf = ({ identity: { namespace, pod }, firstMinute }: PodMinutes, offset: number) => ({
    case: recording.name,
    namespace,
    pod,
    timestamp: recording.startSeconds + (firstMinute + offset) * BIN_SECONDS,
  });
  return {
    normalMinutes: count(classes, (of) => of === NORMAL),
    positiveMinutes: count(classes, (of) => of === POSITIVE),
    /** Pod-minutes after the learning minutes: complete ones, and those with a score. */
    presentMinutes: count(classes, (of) => of !== ABSENT),
    scoredMinutes: count(scores.detector, (score) => !Number.isNaN(score)),
    unscored,
    /** Pod-minutes that lack a required feature, by reason. */
    incomplete: recording.incomplete,
    /** Beginnings of alert episodes on normal time. */
    episodes: recording.pods.flatMap((pod, index) =>
      episodesOf(scores.detector[index] as Float64Array, classes[index] as Uint8Array).map((offset) =>
        placeOf(pod, offset),
      ),
    ),
    faults: faults.map((fault) => outcomeOf(recording, scores.detector, fault)),
    healthyNewReplicas: newReplicas.healthy,
    /** Healthy new replicas with an alert in their first hour, at their first minute. */
    alertedNewReplicas: newReplicas.alerted.map((index) => placeOf(recording.pods[index] as PodMinutes, 0)),
    detector: pointsOf(scores.detector, classes),
    robustZ: pointsOf(scores.robustZ, classes),
  };
}

/** Scores of the positive and the normal points that have one. */
function pointsOf(scores: readonly Float64Array[], classes: readonly Uint8Array[]): Points {
  return joinPoints(
    scores.map((ofPod, index) => {
      const ofClass = (wanted: number) =>
        ofPod.filter((score, offset) => classes[index]?.[offset] === wanted && !Number.isNaN(score));
      return { positives: ofClass(POSITIVE), normals: ofClass(NORMAL) };
    }),
  );
}

function joinPoints(parts: readonly Points[]): Points {
  return {
    positives: concatenate(parts.map(({ positives }) => positives)),
    normals: concatenate(parts.map(({ normals }) => normals)),
  };
}

function concatenate(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

/**
 * What the tallies of some cases come to, all points together.
 *
 * @param withoutCase the faults that belong to none of the cases.
 */
export function measure(tallies: readonly Tally[], withoutCase: readonly FaultOutcome[] = []) {
  const sum = (of: (tally: Tally) => number) => tallies.reduce((all, tally) => all + of(tally), 0);
  const normalPoints = sum(({ detector }) => detector.normals.length);
  /** Days of normal time, all pods together. */
  const podDays = sum(({ normalMinutes }) => normalMinutes) / MINUTES_OF_DAY;
  const flagged = sum(({ detector }) => detector.normals.filter((score) => score > 0).length);
  const episodes = sum((tally) => tally.episodes.length);
  const faults = [...tallies.flatMap((tally) => tally.faults), ...withoutCase];
  const judged = faults.filter(({ leftOut }) => leftOut === undefined);
  const scoredMinutes = sum((tally) => tally.scoredMinutes);
  /** Pod-minutes without a score, by reason. */
  const unscored = sumCounts([...tallies.map((tally) => tally.unscored), ...tallies.map((tally) => tally.incomplete)]);
  const seenMinutes = sum(({ presentMinutes, incomplete }) => presentMinutes + total(incomplete));
  return {
    normalPoints,
    positivePoints: sum(({ positiveMinutes }) => positiveMinutes),
    podDays,
    flaggedShare: flagged / normalPoints,
    episodes,
    episodesPerPodDay: episodes / podDays,
    visible: caughtOf(judged),
    mustTouch: caughtOf(judged.filter(({ fault }) => fault.mustTouch)),
    /** Faults that are not judged, by reason. */
    leftOut: sumCounts(faults.map(({ leftOut }) => new Map(leftOut && [[leftOut, 1]]))),
    /** Of all pod-minutes after the learning minutes with some data, warm-up aside. */
    scoredShare: scoredMinutes / (seenMinutes - (unscored.get(WARM_UP) ?? 0)),
    scoredMinutes,
    unscored,
    healthyNewReplicas: sum(({ healthyNewReplicas }) => healthyNewReplicas),
    alertedNewReplicas: sum(({ alertedNewReplicas }) => alertedNewReplicas.length),
    detector: rankingOf(joinPoints(tallies.map(({ detector }) => detector))),
    robustZ: rankingOf(joinPoints(tallies.map(({ robustZ }) => robustZ))),
  };
}

/** Of faults that are judged, how many were caught; the delay is over those, in minutes, `NaN` without any. */
function caughtOf(outcomes: readonly FaultOutcome[]) {
  const delays = outcomes.flatMap(({ delayMinutes }) => delayMinutes ?? []);
  return { faults: outcomes.length, caught: delays.length, meanDelayMinutes: mean(delays) };
}

/** `NaN` of nothing. */
export const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
