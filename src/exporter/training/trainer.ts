/** Decides when to train, and counts trainings: at start until one succeeds, then on schedule, never two at once. */

import type { Logger } from '../../lib/logging/logger.js';
import { messageOf } from '../../lib/logging/message-of.js';
import type { Model } from '../model/model.js';
import type { Snapshot } from '../model/snapshot/snapshot.js';
import { PrometheusError } from '../prometheus/errors.js';
import { Backoff } from './backoff.js';
import type { TrainingOccasion } from './job.js';
import { NothingToTrainOnError, type TrainedModel } from './run-in-worker.js';
import type { Schedule } from './schedule.js';

/** The account of all trainings since the start. Times are Unix times in seconds. */
export interface TrainingState {
  readonly running: boolean;
  readonly runs: number;
  readonly failures: number;
  /** How the last training ended; `undefined` before the first end. */
  readonly lastSucceeded: boolean | undefined;
  readonly lastSuccessSeconds: number | undefined;
  /** Where the model that scores comes from: a training since the start, or a snapshot of an earlier run. */
  readonly model: { readonly origin: 'training' | 'snapshot'; readonly trainedSeconds: number } | undefined;
  readonly lastError: { readonly message: string; readonly timeSeconds: number } | undefined;
  /** Duration of the last training, failed or not. */
  readonly lastDurationSeconds: number | undefined;
  readonly nextRun: Date | null;
  /** How many trainings were due since the model was trained, at most 10; `undefined` without a model, and before the start. */
  readonly missedRuns: number | undefined;
}

export interface TrainerOptions {
  /** One training; `signal` ends it. */
  readonly train: (signal: AbortSignal, occasion: TrainingOccasion) => Promise<TrainedModel>;
  /** Starts the schedule that calls `work`, which never rejects, with the Unix time in seconds that it was due. */
  readonly startSchedule: (work: (dueSeconds: number) => Promise<unknown>) => Schedule;
  /** Saves the model of a training, which already scores. Does not reject. */
  readonly save?: (snapshot: Uint8Array, trainedSeconds: number) => Promise<void>;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** Waits that long, or until the signal aborts; does not reject. */
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Where the schedule has no next run. */
export const DEFAULT_INTERVAL_SECONDS = 15 * 60;

export class Trainer {
  readonly #stopping = new AbortController();
  #schedule: Schedule | undefined;
  #model: Model | undefined;
  #snapshot: Uint8Array | undefined;
  #current: Promise<boolean> | undefined;
  /** How long Prometheus asked to wait when the last training failed. */
  #retryAfterSeconds: number | undefined;
  #account: Omit<TrainingState, 'running' | 'nextRun' | 'missedRuns'> = {
    runs: 0,
    failures: 0,
    lastSucceeded: undefined,
    lastSuccessSeconds: undefined,
    model: undefined,
    lastError: undefined,
    lastDurationSeconds: undefined,
  };

  constructor(private readonly options: TrainerOptions) {}

  /** The model that scores: an immutable value, replaced as a whole. */
  get model(): Model | undefined {
    return this.#model;
  }

  /** The bytes of that model, which shares their memory. */
  get snapshot(): Uint8Array | undefined {
    return this.#snapshot;
  }

  /** Takes over the model of an earlier run. Call it before `start`. */
  restore({ model, trainedSeconds, bytes }: Snapshot): void {
    this.#model = model;
    this.#snapshot = bytes;
    this.#account = { ...this.#account, model: { origin: 'snapshot', trainedSeconds } };
  }

  /**
   * Starts the schedule, and trains until it has succeeded once: also where a model was restored, as that may be old
   * and the schedule slow. Returns at once; after `stop` it does nothing.
   */
  start(): void {
    if (this.#stopping.signal.aborted) return;
    this.#schedule = this.options.startSchedule(async (dueSeconds) => {
      // A training that is under way uses data of another time. Counting it as this one would leave replicas with
      // different models until the next.
      await this.#current;
      await this.train(dueSeconds);
    });
    void this.#trainUntilSuccess();
  }

  async #trainUntilSuccess(): Promise<void> {
    const { signal } = this.#stopping;
    const backoff = new Backoff();
    while (!(await this.train()) && this.#account.lastSuccessSeconds === undefined && !signal.aborted) {
      await this.options.delay(backoff.next(this.#retryAfterSeconds) * 1000, signal);
      // A scheduled training may have succeeded meanwhile.
      if (this.#account.lastSuccessSeconds !== undefined) return;
    }
  }

  /**
   * Trains now, or joins the training that is under way.
   *
   * @param dueSeconds Unix time; now if unset.
   * @returns whether it succeeded; a failure is logged and leaves the old model in place.
   */
  train(dueSeconds = this.options.now() / 1000): Promise<boolean> {
    if (this.#stopping.signal.aborted) return Promise.resolve(false);
    this.#current ??= this.#trainOnce(dueSeconds).finally(() => {
      this.#current = undefined;
    });
    return this.#current;
  }

  async #trainOnce(dueSeconds: number): Promise<boolean> {
    const { train, save, logger, now } = this.options;
    const started = now();
    this.#retryAfterSeconds = undefined;
    try {
      const { model, plan, warnings, snapshot, trainedSeconds } = await train(this.#stopping.signal, {
        dueSeconds,
        untilNextTrainingSeconds: this.#schedule?.intervalSeconds() ?? DEFAULT_INTERVAL_SECONDS,
      });
      this.#model = model;
      this.#snapshot = snapshot;
      for (const warning of warnings) logger.warn({}, warning);
      const { samples, pods, fingerprint } = model;
      const seconds = Math.max(0, now() - started) / 1000;
      logger.info({ samples, pods, fingerprint, seconds }, `Trained a model. ${plan}`);
      this.#account = {
        ...this.#account,
        runs: this.#account.runs + 1,
        lastSucceeded: true,
        lastSuccessSeconds: trainedSeconds,
        model: { origin: 'training', trainedSeconds },
        lastDurationSeconds: seconds,
      };
      await save?.(snapshot, trainedSeconds);
      return true;
    } catch (error) {
      if (this.#stopping.signal.aborted) return false;
      const message = messageOf(error);
      if (error instanceof PrometheusError || error instanceof NothingToTrainOnError) {
        this.#retryAfterSeconds = error.retryAfterSeconds;
      }
      // No training took place, so there is nothing to count.
      if (error instanceof NothingToTrainOnError) return false;
      this.#account = {
        ...this.#account,
        runs: this.#account.runs + 1,
        failures: this.#account.failures + 1,
        lastSucceeded: false,
        lastError: { message, timeSeconds: now() / 1000 },
        lastDurationSeconds: Math.max(0, now() - started) / 1000,
      };
      const kept = this.#model === undefined ? 'There is no model yet' : 'Keeping the old model';
      logger.error({}, `Training failed. ${kept}. ${message}`);
      return false;
    }
  }

  state(): TrainingState {
    const { model } = this.#account;
    return {
      ...this.#account,
      running: this.#current !== undefined,
      nextRun: this.#schedule?.nextRun() ?? null,
      missedRuns: model && this.#schedule?.dueSince(model.trainedSeconds),
    };
  }

  /** Stops the schedule and ends a training that is under way. */
  async stop(): Promise<void> {
    this.#schedule?.stop();
    this.#stopping.abort();
    await this.#current;
  }
}
