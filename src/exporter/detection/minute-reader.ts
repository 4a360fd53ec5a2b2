/** Asks Prometheus for minutes that are new, and remembers those that it has read. */

import type { FeatureDefinition } from '../features/catalog.js';
import { isPartial, type PrometheusApi, type QueryResult, type SeriesSet } from '../prometheus/api.js';
import { recentSecondsOf } from './detect.js';
import { isSettled, join, MINUTE_SECONDS, piecesOf, type RecentMinutes } from './recent-minutes.js';

/** What the query of a feature answered for the minutes that a detection looks at. */
export interface MinutesRead {
  /** The series, in pieces; a series may be in several. */
  readonly pieces: () => Iterable<SeriesSet>;
  readonly series: number;
  /** What Prometheus had to say about its answer. */
  readonly warnings: readonly string[];
  readonly isPartial: boolean;
  /** How long the answer took, in seconds. */
  readonly durationSeconds: number;
  /** Whether another question within the minute is not expected to bring more. */
  readonly isFinal: boolean;
}

/** An answer that is not partial, and all of whose samples are at whole minutes. */
interface Known {
  readonly recent: RecentMinutes;
  readonly read: MinutesRead;
}

/**
 * Reads minutes of features. A minute is asked for once when it is the newest, and once more together with the next one, as
 * some of its samples may come late; until it is settled, also at each call in between.
 *
 * All minutes are asked for at the start, where none of those that are needed is remembered, where the clock was set back,
 * and where the answer does not fit to what is remembered. A failure, and a partial answer, change nothing of what is
 * remembered: it came before.
 */
export class MinuteReader {
  /** By `keyOf`. */
  readonly #known = new Map<string, Known>();

  constructor(
    private readonly api: PrometheusApi,
    /** Unix time in milliseconds. */
    private readonly now: () => number,
  ) {}

  /** Forgets what other features answered. */
  keep(features: readonly FeatureDefinition[]): void {
    const kept = new Set(features.map(keyOf));
    for (const key of this.#known.keys()) if (!kept.has(key)) this.#known.delete(key);
  }

  /**
   * What a feature had in the minutes up to one.
   *
   * @param newestSeconds a whole minute (`minuteOf`).
   * @throws {PrometheusError} where Prometheus does not answer.
   */
  async read(feature: FeatureDefinition, newestSeconds: number, signal: AbortSignal): Promise<MinutesRead> {
    const key = keyOf(feature);
    const known = this.#known.get(key);
    if (known?.read.isFinal && known.recent.newestSeconds === newestSeconds) return known.read;
    const started = this.now();
    const { answer, recent } = await this.#ask(feature, newestSeconds, known?.recent, signal);
    const common = {
      series: answer.labels.length,
      warnings: answer.warnings,
      isPartial: isPartial(answer),
      durationSeconds: Math.max(0, this.now() - started) / 1000,
    };
    if (recent === undefined) return { ...common, pieces: () => [answer], isFinal: false };
    const isFinal = !common.isPartial && isSettled(recent);
    const read = { ...common, pieces: () => piecesOf(recent), isFinal };
    // One who gave up may have been overtaken.
    if (!common.isPartial && !signal.aborted) this.#known.set(key, { recent, read });
    return read;
  }

  /** @returns `recent` is `undefined` where samples are not at whole minutes. */
  async #ask(
    feature: FeatureDefinition,
    newestSeconds: number,
    before: RecentMinutes | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly answer: QueryResult; readonly recent: RecentMinutes | undefined }> {
    const span = recentSecondsOf(feature);
    const minutes = span / MINUTE_SECONDS + 1;
    const ask = async (startSeconds: number, remembered: RecentMinutes | undefined) => {
      const answer = await this.api.queryRange({
        query: feature.query,
        startSeconds,
        endSeconds: newestSeconds,
        stepSeconds: MINUTE_SECONDS,
        signal,
      });
      return { answer, recent: join(remembered, answer, newestSeconds, minutes) };
    };
    const age = before === undefined ? Number.NaN : newestSeconds - before.newestSeconds;
    if (before !== undefined && age >= 0 && age < span) {
      const joined = await ask(before.newestSeconds, before);
      if (joined.recent !== undefined) return joined;
    }
    return ask(newestSeconds - span, undefined);
  }
}

/** Of a counter, more minutes are asked for than of a gauge by the same query. */
const keyOf = ({ type, query }: FeatureDefinition) => `${type} ${query}`;
