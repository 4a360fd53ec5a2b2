/** Forecasts when memory runs full, beside everything else: no scrape waits for it. */

import { withDeadline } from '../../lib/deadline.js';
import type { Logger } from '../../lib/logging/logger.js';
import { messageOf } from '../../lib/logging/message-of.js';
import { ownTurn } from '../../lib/turns.js';
import { contextQueries, LIMIT_PARTS } from '../context/queries.js';
import { readContexts } from '../context/read-answers.js';
import type { Detection } from '../detection/detection.js';
import { groupsByLength } from '../features/queries/named-pods.js';
import type { MemoryMetric } from '../features/queries/template.js';
import { type NamedPod, type PodIdentity, podKey } from '../features/table.js';
import type { Model } from '../model/model.js';
import { valueHourBefore } from '../model/recent.js';
import { isPartial, type PrometheusApi, type QueryResult } from '../prometheus/api.js';
import { PrometheusError } from '../prometheus/errors.js';
import type { Instants } from '../prometheus/range.js';
import { type ForecastState, NO_FORECAST, type PodForecast } from './forecast-state.js';
import { GrowingPods } from './growing-pods.js';
import { type ForecastOptions, floorsQuery, memoryMetricsToTry, workloadQuery } from './queries.js';
import { readFloors } from './read-answers.js';
import { type Floors, forecastLimit, type MemoryCourse } from './time-to-limit.js';
import { USUAL_DAYS, USUAL_STEP_SECONDS, usualBytes } from './usual-memory.js';

export interface MemoryForecasterOptions {
  /** Not narrowed to the namespaces of a shard: questions name their pods. */
  readonly api: PrometheusApi;
  readonly queryOptions: ForecastOptions;
  readonly logger: Logger;
}

/** Questions are asked once in each slot of this many seconds, for its beginning: so replicas agree. */
const SLOT_SECONDS = 300;

/** Pods that are asked about in a slot. */
const MOST_PODS = 200;

/** Characters of names in one question: a query has them up to four times. */
const LONGEST_NAMES = 1_300;

/** Workloads whose earlier days are asked for in a slot. */
const MOST_WORKLOADS = 10;

/** For how long the earlier days of a workload count, in seconds. */
const USUAL_VALID_SECONDS = 6 * 3600;

/** For all questions of a slot together, in seconds. */
const TIMEOUT_SECONDS = 60;

const DAY_SECONDS = 86_400;

/** The instants of the floors, and the time of each: a scrape every five minutes would do. */
const GRIDS = {
  day: { range: '10m', stepSeconds: 600, instants: 144 },
  hour: { range: '5m', stepSeconds: 300, instants: 12 },
} as const;

/** The highest memory of earlier days, of a workload. */
interface Usual {
  readonly bytes: number;
  readonly askedSeconds: number;
}

/** A pod with all that a forecast is made from, except for the earlier days. */
interface Asked {
  readonly identity: PodIdentity;
  readonly course: MemoryCourse;
  readonly limitBytes: number;
}

/** Asks every few minutes about the pods whose memory grows, one query after the other. */
export class MemoryForecaster {
  readonly #stopping = new AbortController();
  readonly #growing = new GrowingPods();
  /** By the key of the workload. */
  readonly #usual = new Map<string, Usual>();
  #state = NO_FORECAST;
  #slot = Number.NaN;
  #asking: Promise<void> | undefined;

  constructor(private readonly options: MemoryForecasterOptions) {}

  state(): ForecastState {
    return this.#state;
  }

  /**
   * Takes a detection in, and asks about the pods whose memory grows, once in each slot. Nothing is asked where the features have
   * no `memory` in bytes. Never rejects: after a failure, which is logged once, what was forecast counts for some minutes
   * more, and the next detection asks again.
   */
  ask(detection: Detection): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    const slot = Math.floor(detection.timeSeconds / SLOT_SECONDS);
    const column = detection.model.features.findIndex(({ name, unit }) => name === 'memory' && unit === 'bytes');
    // A detection of the slot before comes late; of an earlier one, the clock was set back.
    const isKnown = slot === this.#slot || slot === this.#slot - 1;
    if (isKnown || column < 0 || this.#stopping.signal.aborted) return Promise.resolve();
    this.#slot = slot;
    this.#asking = this.#ask(detection, column, slot * SLOT_SECONDS).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Ends the question that is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#asking;
  }

  async #ask(detection: Detection, column: number, timeSeconds: number): Promise<void> {
    const { logger } = this.options;
    const before = this.#state;
    try {
      const pods = await this.#choose(detection, column);
      const signal = withDeadline(this.#stopping.signal, TIMEOUT_SECONDS);
      this.#state = { pods: await this.#forecast(pods, timeSeconds, signal), succeeded: true };
      if (before.succeeded === false) logger.info({}, 'Forecasts of memory are made again.');
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      // The next detection asks again.
      this.#slot = Number.NaN;
      this.#state = { ...before, succeeded: false };
      if (!(error instanceof PrometheusError)) {
        logger.error({ err: error }, 'Forecasting memory failed unexpectedly. Please report this.');
      } else if (before.succeeded !== false) {
        logger.warn({}, `It is not known when memory runs full. ${messageOf(error)}`);
      }
    }
  }

  /** The pods to ask about, in two turns of the event loop: there may be very many pods. */
  async #choose(detection: Detection, column: number): Promise<readonly PodIdentity[]> {
    const { model, table } = detection;
    await ownTurn();
    this.#growing.observe(detection, column);
    await ownTurn();
    return this.#growing.next(detection, column, {
      always: new Set(this.#state.pods.keys()),
      hourAgo: (row) => hourAgo(model, table.pods[row] as PodIdentity, column),
      most: MOST_PODS,
    });
  }

  async #forecast(
    pods: readonly PodIdentity[],
    timeSeconds: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, PodForecast>> {
    const known = this.#state.pods;
    const forecasts = new Map<string, PodForecast>();
    const growing: Asked[] = [];
    for (const some of groupsByLength(pods, LONGEST_NAMES)) {
      const { asked, isPartial: mayMiss } = await this.#read(some, timeSeconds, signal);
      growing.push(...asked.filter((one) => forecastLimit(one.course, one.limitBytes, Number.NaN) !== undefined));
      if (!mayMiss) continue;
      // Nothing has recovered because a store is down.
      const answered = new Set(asked.map(({ identity }) => podKey(identity.namespace, identity.pod)));
      for (const { namespace, pod } of some) {
        const key = podKey(namespace, pod);
        const before = answered.has(key) ? undefined : known.get(key);
        if (before !== undefined) forecasts.set(key, before);
      }
    }
    await this.#readUsual(growing, timeSeconds, signal);
    for (const { identity, course, limitBytes } of growing) {
      const usual = this.#usual.get(podKey(identity.namespace, identity.workload));
      const forecast = usual && forecastLimit(course, limitBytes, usual.bytes);
      if (forecast === undefined) continue;
      const { bytes, seconds } = forecast;
      forecasts.set(podKey(identity.namespace, identity.pod), {
        ...identity,
        bytes,
        limitBytes,
        fullSeconds: timeSeconds + seconds,
        forecastSeconds: timeSeconds,
      });
    }
    return forecasts;
  }

  /** The courses and limits of some pods; those without one of them are left out. */
  async #read(
    pods: readonly PodIdentity[],
    timeSeconds: number,
    signal: AbortSignal,
  ): Promise<{ readonly asked: readonly Asked[]; readonly isPartial: boolean }> {
    const { api, queryOptions } = this.options;
    const limited: QueryResult[] = [];
    for (const query of contextQueries(pods, queryOptions, LIMIT_PARTS)) {
      limited.push(await api.query({ query, timeSeconds, signal }));
    }
    const contexts = readContexts(limited, pods, queryOptions);
    const limitOf = ({ namespace, pod }: NamedPod) => contexts.get(podKey(namespace, pod))?.limits.memory ?? 0;
    const some = pods.filter((pod) => limitOf(pod) > 0);
    if (some.length === 0) return { asked: [], isPartial: limited.some(isPartial) };
    const day = await this.#readFloors(some, 'day', timeSeconds, signal);
    const hour = await this.#readFloors(some, 'hour', timeSeconds, signal);
    const asked = some.flatMap((identity) => {
      const key = podKey(identity.namespace, identity.pod);
      const [ofDay, ofHour] = [day.floors.get(key), hour.floors.get(key)];
      if (ofDay === undefined || ofHour === undefined) return [];
      return [{ identity, course: { day: ofDay, hour: ofHour }, limitBytes: limitOf(identity) }];
    });
    return { asked, isPartial: [...limited, day.answer, hour.answer].some(isPartial) };
  }

  async #readFloors(
    pods: readonly PodIdentity[],
    grid: keyof typeof GRIDS,
    timeSeconds: number,
    signal: AbortSignal,
  ): Promise<{ readonly answer: QueryResult; readonly floors: ReadonlyMap<string, Floors> }> {
    const { queryOptions } = this.options;
    const { range, stepSeconds, instants } = GRIDS[grid];
    const asked: Instants = { startSeconds: timeSeconds - (instants - 1) * stepSeconds, stepSeconds, instants };
    const answer = await this.#askRange((metric) => floorsQuery(pods, metric, range, queryOptions), asked, signal);
    return { answer, floors: readFloors(answer, asked, queryOptions) };
  }

  /** What was usual for the workloads of some pods, as far as that is not known yet; a workload without an answer has no entry. */
  async #readUsual(pods: readonly Asked[], timeSeconds: number, signal: AbortSignal): Promise<void> {
    const isOld = ({ askedSeconds }: Usual) => Math.abs(timeSeconds - askedSeconds) > USUAL_VALID_SECONDS;
    for (const [key, usual] of this.#usual) if (isOld(usual)) this.#usual.delete(key);
    const { queryOptions } = this.options;
    const endSeconds = timeSeconds - DAY_SECONDS;
    const asked: Instants = {
      startSeconds: timeSeconds - (USUAL_DAYS + 1) * DAY_SECONDS,
      stepSeconds: USUAL_STEP_SECONDS,
      instants: (USUAL_DAYS * DAY_SECONDS) / USUAL_STEP_SECONDS + 1,
    };
    let workloads = 0;
    for (const { identity } of pods) {
      const key = podKey(identity.namespace, identity.workload);
      if (this.#usual.has(key) || workloads++ >= MOST_WORKLOADS) continue;
      const answer = await this.#askRange((metric) => workloadQuery(identity, metric, queryOptions), asked, signal);
      const bytes = usualBytes(answer.timestampsSeconds, answer.values, endSeconds);
      this.#usual.set(key, { bytes, askedSeconds: timeSeconds });
    }
  }

  /** Asks for the working set, and where nobody has it for what counts as memory otherwise. */
  async #askRange(
    queryFor: (metric: MemoryMetric) => string,
    asked: Instants,
    signal: AbortSignal,
  ): Promise<QueryResult> {
    const { startSeconds, stepSeconds, instants } = asked;
    const endSeconds = startSeconds + (instants - 1) * stepSeconds;
    const [first, second] = memoryMetricsToTry(this.options.queryOptions);
    // The next question is about other pods.
    const ask = (metric: MemoryMetric) =>
      this.options.api.queryRange({
        query: queryFor(metric),
        startSeconds,
        endSeconds,
        stepSeconds,
        signal,
        isOneOff: true,
      });
    const answer = await ask(first);
    return answer.labels.length > 0 || second === undefined ? answer : ask(second);
  }
}

function hourAgo(model: Model, { namespace, pod }: PodIdentity, column: number): number {
  const row = model.baseline.pods.rows.get(podKey(namespace, pod));
  return row === undefined ? Number.NaN : valueHourBefore(model, row, column);
}
