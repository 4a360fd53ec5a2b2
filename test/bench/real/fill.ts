/** Writes the samples of a cluster into a server, all series of some minutes at a time as they would have come. */

import { encodeLabels, remoteWrite, type SeriesSamples } from './remote-write.js';
import type { StoredSeries } from './stored-series.js';

/** Minutes whose samples are sent for one series after the other: Prometheus refuses what is an hour older than the newest. */
export const SLICE_SECONDS = 1200;

/** Series in a message, so that it stays below the usual limits of 32 MB. */
const SERIES_PER_MESSAGE = 4000;

/** Messages under way at the same time: what one processor encodes, the others store. */
const MESSAGES_AT_ONCE = 2;

/** A range of time, Unix seconds: whole multiples of a slice. */
export interface TimeRange {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** @param url of remote write. @returns how many samples were written. */
export async function fill(
  url: string,
  series: Iterable<StoredSeries>,
  { startSeconds, endSeconds }: TimeRange,
): Promise<number> {
  const states = Array.from(series, ({ labels, ...rest }) => ({ ...rest, labels: encodeLabels(labels), value: 0 }));
  let samples = 0;
  const underWay = new Set<Promise<void>>();
  for (let start = startSeconds; start < endSeconds; start += SLICE_SECONDS) {
    for (let first = 0; first < states.length; first += SERIES_PER_MESSAGE) {
      const message = states.slice(first, first + SERIES_PER_MESSAGE).map((state): SeriesSamples => {
        const { labels, stepSeconds, delayMilliseconds } = state;
        const steps = SLICE_SECONDS / stepSeconds;
        const values = new Float64Array(steps);
        const timesMilliseconds = new Float64Array(steps);
        for (let index = 0; index < steps; index++) {
          const step = start / stepSeconds + index;
          state.value = state.next(state.value, step);
          values[index] = state.value;
          timesMilliseconds[index] = 1000 * step * stepSeconds + delayMilliseconds;
        }
        samples += steps;
        return { labels, values, timesMilliseconds };
      });
      const sent = remoteWrite(url, message).finally(() => underWay.delete(sent));
      underWay.add(sent);
      if (underWay.size >= MESSAGES_AT_ONCE) await Promise.race(underWay);
    }
    await Promise.all(underWay);
  }
  return samples;
}
