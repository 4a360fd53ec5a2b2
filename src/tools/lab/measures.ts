/** The measures of the protocol: counted for each case, added up for a set, then made into shares and means. */

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

/** Everything countable; tallies of several cases add up. */
export interface Tally {
  /** Normal pod-minutes: all, those with a score, those that are flagged. */
  readonly normalMinutes: number;
  readonly normalScored: number;
  readonly normalFlagged: number;
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

/** What a tally comes to. Shares are in [0, 1], `NaN` where there is nothing to take a share of. */
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
  const detector = pointsOf(scores.detector, classes);
  const newReplicas = newReplicasOf(recording, scores.detector, faults);
  return {
    normalMinutes: countClass(classes, (of) => of === NORMAL),
    normalScored: detector.normals.length,
    normalFlagged: detector.normals.reduce((flagged, score) => flagged + (score > 0 ? 1 : 0), 0),
    positiveMinutes: countClass(classes, (of) => of === POSITIVE),
    presentMinutes: countClass(classes, (of) => of !== ABSENT),
    scoredMinutes: scores.detector.reduce((sum, ofPod) => sum + countScores(ofPod), 0),
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
    detector,
    robustZ: pointsOf(scores.robustZ, classes),
  };
}

function placeOf(recording: Case, { identity, firstMinute }: PodMinutes, offset: number): Place {
  const { namespace, pod } = identity;
  const timestamp = recording.startSeconds + (firstMinute + offset) * BIN_SECONDS;
  return { case: recording.name, namespace, pod, timestamp };
}

function countClass(classes: readonly Uint8Array[], is: (of: number) => boolean): number {
  return classes.reduce((sum, ofPod) => sum + ofPod.reduce((inPod, of) => inPod + (is(of) ? 1 : 0), 0), 0);
}

function countScores(scores: Float64Array): number {
  return scores.reduce((sum, score) => sum + (Number.isNaN(score) ? 0 : 1), 0);
}

/** Scores of the positive and the normal points that have one. */
function pointsOf(scores: readonly Float64Array[], classes: readonly Uint8Array[]): Points {
  const ofClass = (wanted: number) =>
    concatenate(
      scores.map((ofPod, index) =>
        ofPod.filter((score, offset) => classes[index]?.[offset] === wanted && !Number.isNaN(score)),
      ),
    );
  return { positives: ofClass(POSITIVE), normals: ofClass(NORMAL) };
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

/** The tally of several cases together. */
export function addTallies(tallies: readonly Tally[]): Tally {
  const sum = (of: (tally: Tally) => number) => tallies.reduce((all, tally) => all + of(tally), 0);
  const points = (of: (tally: Tally) => Points): Points => ({
    positives: concatenate(tallies.map((tally) => of(tally).positives)),
    normals: concatenate(tallies.map((tally) => of(tally).normals)),
  });
  return {
    normalMinutes: sum(({ normalMinutes }) => normalMinutes),
    normalScored: sum(({ normalScored }) => normalScored),
    normalFlagged: sum(({ normalFlagged }) => normalFlagged),
    positiveMinutes: sum(({ positiveMinutes }) => positiveMinutes),
    presentMinutes: sum(({ presentMinutes }) => presentMinutes),
    scoredMinutes: sum(({ scoredMinutes }) => scoredMinutes),
    unscored: sumCounts(tallies.map(({ unscored }) => unscored)),
    incomplete: sumCounts(tallies.map(({ incomplete }) => incomplete)),
    episodes: tallies.flatMap(({ episodes }) => episodes),
    faults: tallies.flatMap(({ faults }) => faults),
    healthyNewReplicas: sum(({ healthyNewReplicas }) => healthyNewReplicas),
    alertedNewReplicas: tallies.flatMap(({ alertedNewReplicas }) => alertedNewReplicas),
    detector: points(({ detector }) => detector),
    robustZ: points(({ robustZ }) => robustZ),
  };
}

/** What a tally comes to. */
export function measure(tally: Tally): Measures {
  const podDays = tally.normalMinutes / MINUTES_OF_DAY;
  const judged = tally.faults.filter(({ leftOut }) => leftOut === undefined);
  const warmUp = tally.unscored.get(WARM_UP) ?? 0;
  return {
    normalPoints: tally.normalScored,
    positivePoints: tally.positiveMinutes,
    podDays,
    flaggedShare: tally.normalFlagged / tally.normalScored,
    episodes: tally.episodes.length,
    episodesPerPodDay: tally.episodes.length / podDays,
    visible: caughtOf(judged),
    mustTouch: caughtOf(judged.filter(({ fault }) => fault.mustTouch)),
    leftOut: countLeftOut(tally.faults),
    scoredShare: tally.scoredMinutes / (tally.presentMinutes + total(tally.incomplete) - warmUp),
    scoredMinutes: tally.scoredMinutes,
    unscored: sumCounts([tally.unscored, tally.incomplete]),
    healthyNewReplicas: tally.healthyNewReplicas,
    alertedNewReplicas: tally.alertedNewReplicas.length,
    detector: rankingOf(tally.detector),
    robustZ: rankingOf(tally.robustZ),
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

function countLeftOut(outcomes: readonly FaultOutcome[]): Counts {
  return sumCounts(outcomes.map(({ leftOut }) => new Map(leftOut === undefined ? [] : [[leftOut, 1]])));
}
