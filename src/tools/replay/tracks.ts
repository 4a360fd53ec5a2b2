/** Every reading of a chunk in typed arrays, while it is replayed. */

import type { Detection } from '../../exporter/detection/detection.js';
import { type PodIdentity, podKey } from '../../exporter/features/table.js';
import {
  type ChunkPlots,
  type FeatureName,
  type PodReadings,
  type PodStretch,
  READING_NUMBERS,
  runsOf,
  spansOf,
} from './chunk-result.js';

export interface Track {
  readonly identity: PodIdentity;
  /** minutes × `readingSize`: what a `Reading` has, `NaN` without. */
  readonly readings: Float64Array;
  /** minutes: 1 where there is a score. */
  readonly scored: Uint8Array;
  /** minutes: 1 where it is muted. */
  readonly muted: Uint8Array;
  /** For each sensitivity, minutes: 1 where it flags, and where the anomaly lasts. */
  readonly flagged: readonly Uint8Array[];
  readonly lasting: readonly Uint8Array[];
}

/** Readings of each run that are kept in the result: at first all, as alerts begin there, then one of ten. */
const FIRST_READINGS = 20;
const LATER_READINGS_EVERY = 10;

/**
 * The minutes that are kept at the beginning and end of a pod that was never flagged in the chunk, one of five: an alert
 * in the chunk after or before is drawn with what came before and after it.
 */
const FIRST_DRAWN_MINUTES = 30;
const LAST_DRAWN_MINUTES = 60;
const DRAWN_EVERY_MINUTES = 5;

const BUCKET_MINUTES = 10;

/** Collects detections minute by minute. */
export class Tracks {
  readonly #tracks = new Map<string, Track>();
  readonly #size: number;

  /** @param features all that may be known; a model may have to do without some of them. */
  constructor(
    readonly minutes: number,
    readonly features: readonly FeatureName[],
    readonly sensitivities: number,
  ) {
    this.#size = readingSize(features.length);
  }

  /** By namespace, then pod. */
  all(): readonly Track[] {
    return [...this.#tracks.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, track]) => track);
  }

  /**
   * Adds what was detected at a minute.
   *
   * @param detections one for each sensitivity, of the same pods.
   * @param chosen the sensitivity whose readings are kept.
   */
  add(minute: number, detections: readonly Detection[], chosen: number): void {
    const detection = detections[chosen] as Detection;
    const { features } = detection.model;
    const places = features.map(({ name }) => this.features.findIndex((own) => own.name === name));
    const start = minute * this.#size;
    for (const [row, identity] of detection.table.pods.entries()) {
      const { scored, muted, flagged, lasting, readings } = this.#track(identity);
      scored[minute] = 1;
      muted[minute] = detection.muted[row] as number;
      for (const [index, own] of detections.entries()) {
        (flagged[index] as Uint8Array)[minute] = own.flags[row] as number;
        (lasting[index] as Uint8Array)[minute] = own.lasting[row] as number;
      }
      readings[start] = detection.scores[row] as number;
      for (const [column, place] of places.entries()) {
        const cell = row * features.length + column;
        const position = start + 1 + place * READING_NUMBERS;
        readings[position] = detection.table.at(row, 0, column);
        readings[position + 1] = detection.expected[cell] as number;
        readings[position + 2] = detection.deviations[cell] as number;
        readings[position + 3] = detection.comparisons[cell] as number;
      }
    }
  }

  #track(identity: PodIdentity): Track {
    const key = podKey(identity.namespace, identity.pod);
    const track = this.#tracks.get(key) ?? {
      identity,
      readings: new Float64Array(this.minutes * this.#size).fill(Number.NaN),
      scored: new Uint8Array(this.minutes),
      muted: new Uint8Array(this.minutes),
      flagged: Array.from({ length: this.sensitivities }, () => new Uint8Array(this.minutes)),
      lasting: Array.from({ length: this.sensitivities }, () => new Uint8Array(this.minutes)),
    };
    this.#tracks.set(key, track);
    return track;
  }

  stretches(): PodStretch[] {
    return this.all().map((track) => {
      const { identity, scored } = track;
      const flagged = track.flagged.map(runsOf);
      const minutes = minutesToKeep(flagged).filter((minute) => scored[minute] === 1);
      const readings = this.#readings(track, minutes);
      const lasting = track.lasting.map(runsOf);
      const muted = runsOf(track.muted);
      return { ...identity, scored: runsOf(scored), muted, flagged, lasting, readMinutes: minutes, readings };
    });
  }

  plots(startSeconds: number): ChunkPlots {
    const overview: Record<string, (number | null)[]> = {};
    const detail: Record<string, PodReadings> = {};
    for (const track of this.all()) {
      const key = podKey(track.identity.namespace, track.identity.pod);
      overview[key] = this.#highestByBucket(track);
      const minutes = minutesToDraw(track);
      detail[key] = { minutes, readings: this.#readings(track, minutes) };
    }
    return { startSeconds, minutes: this.minutes, bucketMinutes: BUCKET_MINUTES, overview, detail };
  }

  /** Six digits: what people read and plots show needs no more. JSON knows no `NaN`. */
  #readings({ readings }: Track, minutes: readonly number[]): (number | null)[] {
    const size = this.#size;
    const values = minutes.flatMap((minute) => [...readings.subarray(minute * size, (minute + 1) * size)]);
    return values.map((value) => (Number.isFinite(value) ? Number(value.toPrecision(6)) : null));
  }

  #highestByBucket({ readings }: Track): (number | null)[] {
    return Array.from({ length: Math.ceil(this.minutes / BUCKET_MINUTES) }, (_, bucket) => {
      let highest = Number.NEGATIVE_INFINITY;
      const end = Math.min(this.minutes, (bucket + 1) * BUCKET_MINUTES);
      for (let minute = bucket * BUCKET_MINUTES; minute < end; minute++) {
        const score = readings[minute * this.#size] as number;
        if (score > highest) highest = score;
      }
      return highest === Number.NEGATIVE_INFINITY ? null : Number(highest.toPrecision(4));
    });
  }
}

export function readingSize(features: number): number {
  return 1 + features * READING_NUMBERS;
}

function minutesToKeep(flagged: readonly (readonly number[])[]): number[] {
  const minutes = new Set([0]);
  for (const [from, to] of flagged.flatMap(spansOf)) {
    for (let minute = from; minute < to; minute++) {
      const isKept = minute - from < FIRST_READINGS || (minute - from) % LATER_READINGS_EVERY === 0;
      if (isKept) minutes.add(minute);
    }
    minutes.add(to);
  }
  return [...minutes].sort((a, b) => a - b);
}

function minutesToDraw({ scored, flagged }: Track): number[] {
  const all = flagged.some((minutes) => minutes.includes(1));
  const drawn: number[] = [];
  scored.forEach((isScored, minute) => {
    const atEdge = minute < FIRST_DRAWN_MINUTES || minute >= scored.length - LAST_DRAWN_MINUTES;
    if (isScored === 1 && (all || (atEdge && minute % DRAWN_EVERY_MINUTES === 0))) drawn.push(minute);
  });
  return drawn;
}
