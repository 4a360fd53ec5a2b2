/** One detection pass for all who ask at the same time: the scrapes that overlap, and `/detect`. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '../../lib/logging/message-of.js';
import type { FeatureDefinition } from '../features/catalog.js';
import { FeatureTableBuilder, podLimitWarning } from '../features/table-builder.js';
import type { OwnerQueries } from '../features/workload.js';
import type { Model } from '../model/model.js';
import type { ModelSlot } from '../model/slot.js';
import type { PrometheusApi, QueryResult } from '../prometheus/api.js';
import { PrometheusError } from '../prometheus/errors.js';
import { detectInTurns, RECENT_INSTANTS, RECENT_STEP_SECONDS } from './detect.js';
import type { Detection, PassOutcome, QueryReport } from './detection.js';
import { WorkloadDirectory } from './workloads.js';

/** What passes work with. */
export interface DetectionPassOptions {
  readonly api: PrometheusApi;
  readonly ownerQueries: OwnerQueries;
  /** How far back the newest values are taken, in seconds, for a backend that hides its latest; 0 if unset. */
  readonly queryOffsetSeconds?: number;
  readonly slot: ModelSlot;
  /** Most pods to score; those beyond are counted. All unless told. */
  readonly maximumPods?: number;
  /** Longest time for all queries of a pass together, in seconds. */
  readonly timeoutSeconds: number;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** Why there is no model, as a sentence. */
  readonly whyNoModel: () => string;
  /** Told the outcome of each pass, with the error if there was one. */
  readonly onOutcome: (outcome: PassOutcome, error?: unknown) => void;
}

/** Kept back from the time that the caller gives, for rendering and the way home (as blackbox_exporter does). */
const TIMEOUT_OFFSET_SECONDS = 0.5;

/** Of the time of a pass, what the question for the owners of new pods may take: scores are worth more than owners. */
const OWNERS_SHARE = 0.25;

/** A pass that is under way, and how many wait for it. */
interface RunningPass {
  readonly outcome: Promise<PassOutcome>;
  readonly controller: AbortController;
  waiting: number;
}

/** What a pass has to keep to. */
interface Limits {
  /** The instant to score, Unix time in seconds. */
  readonly timeSeconds: number;
  readonly signal: AbortSignal;
  readonly ownersTimeoutSeconds: number;
}

/** What a pass adds to on its way. */
interface Account {
  readonly queries: QueryReport[];
  readonly warnings: string[];
}

/** What went wrong within this program is for its log. */
const INTERNAL_MESSAGE = 'The scores could not be made by a fault of the exporter; its log has the details.';

/** Runs passes, one at a time. */
export class DetectionPass {
  readonly #options: DetectionPassOptions;
  readonly #workloads: WorkloadDirectory;
  #running: RunningPass | undefined;

  constructor(options: DetectionPassOptions) {
    this.#options = options;
    this.#workloads = new WorkloadDirectory(options.api, options.ownerQueries);
  }

  /**
   * The outcome of a pass that is under way, or of a new one. Does not reject.
   *
   * @param scrapeTimeoutSeconds after this time the caller gives up; the outcome comes half a second before.
   */
  async run(scrapeTimeoutSeconds: number | undefined): Promise<PassOutcome> {
    const timeoutSeconds = Math.min(
      this.#options.timeoutSeconds,
      // Of a very short time, half is kept back.
      Math.max(
        (scrapeTimeoutSeconds ?? Infinity) - TIMEOUT_OFFSET_SECONDS,
        (scrapeTimeoutSeconds ?? Infinity) / 2,
      ),
    );
    const pass = this.#running ?? this.#start(timeoutSeconds);
    pass.waiting++;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<PassOutcome>((resolve) => {
      timer = setTimeout(() => resolve(this.#timedOut(timeoutSeconds)), milliseconds(timeoutSeconds));
    });
    try {
      return await Promise.race([pass.outcome, tooLate]);
    } finally {
      clearTimeout(timer);
      // The last one to give up ends the work; whoever comes next starts anew.
      if (--pass.waiting === 0) this.#end(pass);
    }
  }

  /** Ends the pass that is under way; whoever waits for it gets an outcome at once. */
  close(): void {
    if (this.#running !== undefined) this.#end(this.#running);
  }

  /** @param timeoutSeconds how long the first who asks is going to wait. */
  #start(timeoutSeconds: number): RunningPass {
    const controller = new AbortController();
    // Its own limit as well: otherwise scrapes that join one after the other would keep a stuck pass alive.
    const limit = AbortSignal.timeout(milliseconds(this.#options.timeoutSeconds));
    const signal = AbortSignal.any([controller.signal, limit]);
    const outcome = this.#pass(signal, timeoutSeconds * OWNERS_SHARE);
    const pass: RunningPass = { outcome, controller, waiting: 0 };
    this.#running = pass;
    void outcome.finally(() => this.#forget(pass)).catch(() => undefined);
    return pass;
  }

  #forget(pass: RunningPass): void {
    if (this.#running === pass) this.#running = undefined;
  }

  #end(pass: RunningPass): void {
    this.#forget(pass);
    pass.controller.abort(new DOMException('Nobody waits for the answer any more.', 'TimeoutError'));
  }

  async #pass(signal: AbortSignal, ownersTimeoutSeconds: number): Promise<PassOutcome> {
    const { slot, now, onOutcome, queryOffsetSeconds = 0, whyNoModel } = this.#options;
    const started = now();
    const queries: QueryReport[] = [];
    const warnings: string[] = [];
    const report = () => ({
      timeSeconds: started / 1000,
      durationSeconds: secondsBetween(started, now()),
      queries,
      warnings,
    });
    const model = slot.get();
    const end = (outcome: PassOutcome, error?: unknown) => {
      onOutcome(outcome, error);
      return outcome;
    };
    if (model === undefined) return end({ ...report(), kind: 'no_model', message: whyNoModel() });
    try {
      const detection = await this.#score(
        model,
        { timeSeconds: started / 1000 - queryOffsetSeconds, signal, ownersTimeoutSeconds },
        { queries, warnings },
      );
      return end({ ...report(), kind: 'detection', detection });
    } catch (error) {
      if (!(error instanceof PrometheusError)) {
        return end(
          { ...report(), kind: 'internal', message: INTERNAL_MESSAGE, reason: messageOf(error) },
          error,
        );
      }
      const { kind: cause, message } = error;
      return end(
        cause === 'timeout'
          ? { ...report(), kind: 'timeout', message }
          : { ...report(), kind: 'upstream_error', message, cause },
        error,
      );
    }
  }

  async #score(
    model: Model,
    { timeSeconds, signal, ownersTimeoutSeconds }: Limits,
    { queries, warnings }: Account,
  ): Promise<Detection> {
    const builder = new FeatureTableBuilder(
      model.features,
      recentInstants(timeSeconds),
      this.#options.maximumPods,
    );
    const answers = await settleAll(
      model.features.map((feature) => this.#ask(feature, timeSeconds, signal, queries)),
    );
    for (const [index, feature] of model.features.entries()) {
      const answer = answers[index] as QueryResult;
      builder.add(feature, answer);
      if (answer.labels.length === 0) warnings.push(`${feature.name}: the query found no series.`);
      for (const warning of answer.warnings) warnings.push(`${feature.name}: ${warning}`);
      // For many pods each of these steps takes a while.
      await nextTurn();
    }
    try {
      const limit = AbortSignal.timeout(milliseconds(ownersTimeoutSeconds));
      const either = AbortSignal.any([signal, limit]);
      await this.#workloads.lookUp(model, builder.podsSeen(), timeSeconds, either);
    } catch (error) {
      if (signal.aborted) throw error;
      warnings.push(`Workloads of new pods are taken from their names: ${messageOf(error)}`);
    }
    const built = builder.build((namespace, pod) => this.#workloads.workloadOf(model, namespace, pod));
    const warning = podLimitWarning(built);
    if (warning !== undefined) warnings.push(warning);
    return detectInTurns(model, built);
  }

  async #ask(
    feature: FeatureDefinition,
    timeSeconds: number,
    signal: AbortSignal,
    queries: QueryReport[],
  ): Promise<QueryResult> {
    const { api, now } = this.#options;
    const started = now();
    const report = (success: boolean) =>
      queries.push({ query: feature.name, success, durationSeconds: secondsBetween(started, now()) });
    try {
      const answer = await api.queryRange({
        query: feature.query,
        startSeconds: timeSeconds - (RECENT_INSTANTS - 1) * RECENT_STEP_SECONDS,
        endSeconds: timeSeconds,
        stepSeconds: RECENT_STEP_SECONDS,
        signal,
      });
      report(true);
      return answer;
    } catch (error) {
      report(false);
      throw error;
    }
  }

  /** For one who gave up; the pass itself may still come to an end for others. */
  #timedOut(timeoutSeconds: number): PassOutcome {
    return {
      kind: 'timeout',
      message:
        `Expected Prometheus to answer within ${timeoutSeconds.toFixed(1)} s, got no answer. Raise the scrape timeout ` +
        'and REQUEST_TIMEOUT_SECONDS, or find out why Prometheus is slow.',
      timeSeconds: this.#options.now() / 1000,
      durationSeconds: timeoutSeconds,
      queries: (this.#options.slot.get()?.features ?? []).map((feature) => ({
        query: feature.name,
        success: false,
        durationSeconds: timeoutSeconds,
      })),
      warnings: [],
    };
  }
}

/** The minutes up to now: state such as a recent restart comes from the answer, and is never kept between passes. */
function recentInstants(timeSeconds: number): Float64Array {
  return Float64Array.from(
    { length: RECENT_INSTANTS },
    (_, index) => timeSeconds - (RECENT_INSTANTS - 1 - index) * RECENT_STEP_SECONDS,
  );
}

/** From one reading of the clock to the next, in milliseconds; the clock may have been set back meanwhile. */
function secondsBetween(start: number, end: number): number {
  return Math.max(0, end - start) / 1000;
}

/** Timers take whole milliseconds: `2.01 * 1000` is none. */
function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}

/** Waits for all, so that each has been accounted for, then rejects with the first failure. */
async function settleAll<Value>(promises: readonly Promise<Value>[]): Promise<Value[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
