/** The measures of the protocol: counted for each case, then made into shares and means over cases. */

import { BIN_SECONDS, type Case, type PodMinutes } from './case.js';
import { type Counts, sumCounts, total } from './counts.js';
import { type FaultOutcome, outcomeOf } from './fault-outcomes.js';
import type { Fault } from './labels.js';
import { newReplicasOf } from './new-replicas.js';
import { ABSENT, classify, NORMAL, POSITIVE } from './point-classes.js';
import { type Points, type Ranking, rankingOf } from './ranking.js';
import type { CaseScores } from './scores.js';
import { episodesOf } from './three-of-five.js';

/** A pod at a time, to look it up. */
export interface Place {
  readonly case: string;
  readonly namespace: string;
  readonly pod: string;
  /** Start of the minute, Unix time in seconds. */
  readonly timestamp: number;
}

/** Everything countable of a case. */
export interface Tally {
  readonly normalMinutes: number;
  readonly positiveMinutes: number;
  /** Pod-minutes after the learning minutes: complete ones, and those with a score. */
  readonly presentMinutes: number;
  readonly scoredMinutes: number;
  /** Complete pod-minutes without a score, by reason. */
  readonly unscored: Counts;
  /** Pod-minutes that lack a required feature, by reason. */
  readonly incomplete: Counts;
  /** Beginnings of alert episodes on normal time. */
  readonly episodes: readonly Place[];
  readonly faults: readonly FaultOutcome[];
  readonly healthyNewReplicas: number;
  /** Healthy new replicas with an alert in their first hour, at their first minute. */
  readonly alertedNewReplicas: readonly Place[];
  readonly detector: Points;
  readonly robustZ: Points;
}

/** Faults of a kind that are judged. */
export interface Caught {
  readonly faults: number;
  readonly caught: number;
  /** Over the faults that were caught, in minutes; `NaN` without any. */
  readonly meanDelayMinutes: number;
}

/** What tallies come to. Shares are in [0, 1], `NaN` where there is nothing to take a share of. */
export interface Measures {
  readonly normalPoints: number;
  readonly positivePoints: number;
  /** Days of normal time, all pods together. */
  readonly podDays: number;
  readonly flaggedShare: number;
  readonly episodes: number;
  readonly episodesPerPodDay: number;
  readonly visible: Caught;
  readonly mustTouch: Caught;
  /** Faults that are not judged, by reason. */
  readonly leftOut: Counts;
  /** Of all pod-minutes after the learning minutes with some data, warm-up aside. */
  readonly scoredShare: number;
  readonly scoredMinutes: number;
  /** Pod-minutes without a score, by reason, warm-up included. */
  readonly unscored: Counts;
  readonly healthyNewReplicas: number;
  readonly alertedNewReplicas: number;
  readonly detector: Ranking;
  readonly robustZ: Ranking;
}

/** The reason for which a pod that just came is not scored yet. */
const WARM_UP = 'warmup';

const MINUTES_OF_DAY = 1440;

/**
 * Counts everything in a case.
 *
 * @param unscored complete pod-minutes without a score, by reason.
 * @param faults those of this case.
 */
export function tallyCase(
  recording: Case,
  scores: CaseScores,
  unscored: Counts,
  faults: readonly Fault[],
): Tally {
  const classes = classify(recording, faults);
  const newReplicas = newReplicasOf(recording, scores.detector, faults);
  const count = <Part extends Uint8Array | Float64Array>(
    parts: readonly Part[],
    is: (value: number) => boolean,
  ) => parts.reduce((sum, part) => sum + part.filter(is).length, 0);
  return {
    normalMinutes: count(classes, (of) => of === NORMAL),
    positiveMinutes: count(classes, (of) => of === POSITIVE),
    presentMinutes: count(classes, (of) => of !== ABSENT),
    scoredMinutes: count(scores.detector, (score) => !Number.isNaN(score)),
    unscored,
    incomplete: recording.incomplete,
    episodes: recording.pods.flatMap((pod, index) =>
      episodesOf(scores.detector[index] as Float64Array, classes[index] as Uint8Array).map((offset) =>
        placeOf(recording, pod, offset),
      ),
    ),
    faults: faults.map((fault) => outcomeOf(recording, scores.detector, fault)),
    healthyNewReplicas: newReplicas.healthy,
    alertedNewReplicas: newReplicas.alerted.map((index) =>
      placeOf(recording, recording.pods[index] as PodMinutes, 0),
    ),
    detector: pointsOf(scores.detector, classes),
    robustZ: pointsOf(scores.robustZ, classes),
  };
}

function placeOf(recording: Case, { identity, firstMinute }: PodMinutes, offset: number): Place {
  const { namespace, pod } = identity;
  const timestamp = recording.startSeconds + (firstMinute + offset) * BIN_SECONDS;
  return { case: recording.name, namespace, pod, timestamp };
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
export function measure(tallies: readonly Tally[], withoutCase: readonly FaultOutcome[] = []): Measures {
  const sum = (of: (tally: Tally) => number) => tallies.reduce((all, tally) => all + of(tally), 0);
  const normalMinutes = sum((tally) => tally.normalMinutes);
  const normalScored = sum(({ detector }) => detector.normals.length);
  const podDays = normalMinutes / MINUTES_OF_DAY;
  const episodes = sum((tally) => tally.episodes.length);
  const faults = [...tallies.flatMap((tally) => tally.faults), ...withoutCase];
  const judged = faults.filter(({ leftOut }) => leftOut === undefined);
  const scoredMinutes = sum((tally) => tally.scoredMinutes);
  const unscored = sumCounts(tallies.map((tally) => tally.unscored));
  const incomplete = sumCounts(tallies.map((tally) => tally.incomplete));
  const seenMinutes = sum(({ presentMinutes }) => presentMinutes) + total(incomplete);
  const flagged = sum(({ detector }) => detector.normals.filter((score) => score > 0).length);
  return {
    normalPoints: normalScored,
    positivePoints: sum(({ positiveMinutes }) => positiveMinutes),
    podDays,
    flaggedShare: flagged / normalScored,
    episodes,
    episodesPerPodDay: episodes / podDays,
    visible: caughtOf(judged),
    mustTouch: caughtOf(judged.filter(({ fault }) => fault.mustTouch)),
    leftOut: sumCounts(faults.map(({ leftOut }) => new Map(leftOut && [[leftOut, 1]]))),
    scoredShare: scoredMinutes / (seenMinutes - (unscored.get(WARM_UP) ?? 0)),
    scoredMinutes,
    unscored: sumCounts([unscored, incomplete]),
    healthyNewReplicas: sum(({ healthyNewReplicas }) => healthyNewReplicas),
    alertedNewReplicas: sum(({ alertedNewReplicas }) => alertedNewReplicas.length),
    detector: rankingOf(joinPoints(tallies.map(({ detector }) => detector))),
    robustZ: rankingOf(joinPoints(tallies.map(({ robustZ }) => robustZ))),
  };
}

function caughtOf(outcomes: readonly FaultOutcome[]): Caught {
  const delays = outcomes.flatMap(({ delayMinutes }) => (delayMinutes === undefined ? [] : [delayMinutes]));
  return {
    faults: outcomes.length,
    caught: delays.length,
    meanDelayMinutes: delays.reduce((sum, delay) => sum + delay, 0) / delays.length,
  };
}
