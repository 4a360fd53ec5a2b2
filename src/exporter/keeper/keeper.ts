/** Keeps the history of the workloads: reads the hours that are missing, the newest first, at a pace that is polite. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../../lib/logging/logger.js';
import { messageOf } from '../../lib/logging/message-of.js';
import { counted, formatBytes, formatDuration } from '../../lib/text/format.js';
import { HOURS_PER_DAY, lastSettledHour } from '../history/grid.js';
import type { HourSummary } from '../history/hour-summary.js';
import { hoursToRead, nextStretch, type Stretch, secondsUntilNextHour } from '../history/plan-hours.js';
import { type HistoryShape, type HistoryState, WorkloadHistory } from '../history/workload-history.js';
import { PrometheusError } from '../prometheus/errors.js';
import { Backoff } from '../training/backoff.js';
import type { HistoryFile, HistoryFileState } from './history-file.js';

/** The account of the history. Times are Unix times in seconds. */
export interface KeeperState {
  /** How far back the history is meant to reach. */
  readonly days: number;
  /** Hours that are known and had pods, also before the start. */
  readonly knownHours: number;
  /** Hours that Prometheus is still to be asked for. */
  readonly missingHours: number;
  readonly workloads: number;
  /** Memory of the history. */
  readonly sizeBytes: number;
  /** Readings of a few hours since the start, without those that failed, and those. */
  readonly reads: number;
  readonly failures: number;
  readonly lastError: { readonly message: string; readonly timeSeconds: number } | undefined;
  /** Whether the last reading failed. */
  readonly isFailing: boolean;
  /** `undefined` where the history is not saved. */
  readonly file: HistoryFileState | undefined;
}

export interface KeeperOptions extends HistoryShape {
  /** Of the time, the share in which Prometheus may be asked: above 0, up to 100. */
  readonly loadPercent: number;
  /** How far back the newest values are taken, in seconds, for a backend that hides its latest. */
  readonly queryOffsetSeconds: number;
  /** Reads hours beside everything else, and says how long that took, and why they may be incomplete. */
  readonly read: (
    stretch: Stretch,
    signal: AbortSignal,
  ) => Promise<{
    readonly summaries: readonly HourSummary[];
    readonly seconds: number;
    readonly warning?: string | undefined;
  }>;
  /** Trains a model that knows more than the last one. Does not reject. */
  readonly retrain: () => Promise<unknown>;
  readonly file?: HistoryFile | undefined;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** Waits that long, or until the signal aborts; does not reject. */
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** A training waits this long for a reading that is under way, and ends it then. */
const PATIENCE_MILLISECONDS = 30_000;

/** How often to look whether a training has ended. */
const HELD_SECONDS = 1;

/** A failure is followed by a rest of at most this time: the clock that measures it may have been set. */
const LONGEST_REST_SECONDS = 900;

/** Where all is known, the clock is looked at this often: it may be set. */
const LONGEST_SLEEP_SECONDS = 300;

/** An hour that came with a warning is asked for again after this time. */
const ASK_AGAIN_MILLISECONDS = 30 * 60_000;

/** A backend may warn for ever, of a store that is gone: after this time the hour is taken as it comes. */
const INCOMPLETE_MILLISECONDS = 6 * 3_600_000;

/** Never two readings at once, and none while a training runs: call `hold` around it. */
export class HistoryKeeper {
  readonly #stopping = new AbortController();
  readonly #backoff = new Backoff();
  #history: WorkloadHistory;
  #running: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  /** The change of the history that is under way, which does not reject, and what ends a reading. */
  #changing: Promise<unknown> | undefined;
  #makingWay = new AbortController();
  #holds = 0;
  /** Bound of the next stretch; lower after a failure, since a shorter one may succeed. */
  #mostHours: number | undefined;
  /** When the filling began, and once it ended. */
  #filling: { readonly startedMilliseconds: number } | 'done' | undefined;
  /** Hours that came with a warning: when first, and when last. */
  readonly #incomplete = new Map<number, { readonly firstMilliseconds: number; readonly lastMilliseconds: number }>();
  #isUnsaved = false;
  /** Whether hours were read since the last training that was begun here. */
  #hasMoreThanModel = false;
  #account: Pick<KeeperState, 'reads' | 'failures' | 'lastError' | 'isFailing'> = {
    reads: 0,
    failures: 0,
    lastError: undefined,
    isFailing: false,
  };

  constructor(private readonly options: KeeperOptions) {
    this.#history = new WorkloadHistory(options);
  }

  /** Takes over the history of an earlier run, where there is one. Call it before `start`. */
  async restore(): Promise<void> {
    const state = await this.options.file?.load();
    if (state !== undefined) this.#history = new WorkloadHistory(state);
  }

  /** Begins to read, once. Returns at once. */
  start(): void {
    if (!this.#stopping.signal.aborted) this.#running ??= this.#run();
  }

  /** What is known, as a copy. Call it between `hold` and the release: nothing may change meanwhile. */
  historyState(): Promise<HistoryState> {
    return this.#history.stateInTurns(nextTurn);
  }

  /**
   * Waits for a reading that is under way, or ends it when that takes long.
   *
   * @param patienceMilliseconds how long to wait.
   * @returns what lets the next reading begin; it has to be called.
   */
  async hold(patienceMilliseconds = PATIENCE_MILLISECONDS): Promise<() => void> {
    this.#holds++;
    const impatience = setTimeout(() => this.#makingWay.abort(), patienceMilliseconds);
    await this.#changing;
    clearTimeout(impatience);
    return () => {
      this.#holds--;
    };
  }

  async #run(): Promise<void> {
    const { delay, logger } = this.options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const seconds = await this.#step().catch((error: unknown) => {
        logger.error({ err: error }, 'Reading the past failed unexpectedly. Please report this.');
        return LONGEST_SLEEP_SECONDS;
      });
      if (!signal.aborted) await delay(seconds * 1000, signal);
    }
  }

  /** Does what is to be done now. @returns seconds until the next step. */
  async #step(): Promise<number> {
    if (this.#holds > 0) return HELD_SECONDS;
    const { logger, now } = this.options;
    const newest = this.#newestHour();
    await this.#alone(this.#history.forgetAllButInTurns(newest, nextTurn));
    if (this.#holds > 0) return HELD_SECONDS;
    const missing = hoursToRead(this.#history, newest);
    for (const hour of this.#incomplete.keys()) if (!missing.includes(hour)) this.#incomplete.delete(hour);
    const due = missing.filter((hour) => this.#isDue(hour));
    const stretch = nextStretch(due, this.#history, this.#mostHours);
    if (stretch === undefined) {
      if (missing.length === 0) await this.#completed();
      return Math.min(LONGEST_SLEEP_SECONDS, secondsUntilNextHour(this.#visibleSeconds()));
    }
    if (this.#filling === undefined) {
      this.#filling = { startedMilliseconds: now() };
      logger.info(
        { hours: missing.length },
        `Reading what workloads did in the last ${counted(this.options.days, 'day')}, the newest hours first.`,
      );
    }
    const hoursBefore = this.#knownHours();
    const seconds = await this.#alone(this.#read(stretch));
    // With a day, each time of the day is known once.
    const isFirstDay = hoursBefore < HOURS_PER_DAY && this.#knownHours() >= HOURS_PER_DAY;
    if (isFirstDay) await this.#retrain();
    return seconds;
  }

  /** Has `hold` wait for what changes the history. @param work does not reject. */
  async #alone<Result>(work: Promise<Result>): Promise<Result> {
    this.#changing = work;
    const result = await work;
    this.#changing = undefined;
    return result;
  }

  #newestHour(): number {
    return lastSettledHour(this.#visibleSeconds());
  }

  /** Unix time of the newest values that can be asked for. */
  #visibleSeconds(): number {
    return this.options.now() / 1000 - this.options.queryOffsetSeconds;
  }

  /** The known hours that had pods. */
  #knownHours(): number {
    return this.#history.knownHours(this.#newestHour()).filter((hour) => this.#history.podsIn(hour) > 0).length;
  }

  /** @returns seconds to wait afterwards. */
  async #read(stretch: Stretch): Promise<number> {
    const { read, loadPercent, file, logger, now } = this.options;
    const hours = stretch.lastHour - stretch.firstHour + 1;
    const started = now();
    this.#makingWay = new AbortController();
    const makingWay = this.#makingWay.signal;
    const restPerSecond = 100 / loadPercent - 1;
    try {
      const { summaries, seconds, warning } = await read(stretch, AbortSignal.any([this.#stopping.signal, makingWay]));
      if (warning !== undefined && !this.#isTakenIncomplete(stretch, warning)) return seconds * restPerSecond;
      for (const { hour } of summaries) this.#incomplete.delete(hour);
      for (const summary of summaries) await this.#history.addInTurns(summary, nextTurn);
      logger.debug({ ...stretch, seconds }, 'Read hours of the past.');
      if (this.#account.isFailing) logger.info({}, 'The past of the workloads can be read again.');
      this.#account = { ...this.#account, reads: this.#account.reads + 1, isFailing: false };
      this.#backoff.reset();
      if (this.#mostHours !== undefined) this.#mostHours = 2 * hours;
      this.#isUnsaved = true;
      this.#hasMoreThanModel = true;
      if (file?.isDue) await this.#save();
      return seconds * restPerSecond;
    } catch (error) {
      if (this.#stopping.signal.aborted) return 0;
      this.#mostHours = Math.max(1, Math.floor(hours / 2));
      if (makingWay.aborted) return HELD_SECONDS;
      const seconds = Math.max(0, (now() - started) / 1000);
      return Math.max(this.#fail(error), Math.min(seconds * restPerSecond, LONGEST_REST_SECONDS));
    }
  }

  /** Whether an hour is to be read now: one that came with a warning is left alone for a while. */
  #isDue(hour: number): boolean {
    const last = this.#incomplete.get(hour)?.lastMilliseconds;
    return last === undefined || Math.abs(this.options.now() - last) >= ASK_AGAIN_MILLISECONDS;
  }

  /**
   * Whether hours are taken that came with a warning: after some hours of attempts. Until then, a shorter stretch is tried
   * first, since the warning may be about one of its hours, and then each of them again later.
   */
  #isTakenIncomplete({ firstHour, lastHour }: Stretch, warning: string): boolean {
    const { logger, now } = this.options;
    const message = `Prometheus warns that hours of the past are incomplete: ${warning}`;
    this.#account = { ...this.#account, lastError: { message, timeSeconds: now() / 1000 } };
    const hours = lastHour - firstHour + 1;
    this.#mostHours = Math.max(1, Math.floor(hours / 2));
    if (hours > 1) return false;
    if (this.#incomplete.size === 0) {
      logger.warn({}, `${message} They are asked for again, each for six hours at most.`);
    }
    const firstMilliseconds = this.#incomplete.get(lastHour)?.firstMilliseconds ?? now();
    this.#incomplete.set(lastHour, { firstMilliseconds, lastMilliseconds: now() });
    return Math.abs(now() - firstMilliseconds) >= INCOMPLETE_MILLISECONDS;
  }

  /** @returns seconds until another attempt. */
  #fail(error: unknown): number {
    const message = messageOf(error);
    const { logger, now } = this.options;
    if (!this.#account.isFailing) {
      logger.warn({}, `The past of the workloads cannot be read; it is tried again until it can. ${message}`);
    }
    this.#account = {
      ...this.#account,
      failures: this.#account.failures + 1,
      isFailing: true,
      lastError: { message, timeSeconds: now() / 1000 },
    };
    return this.#backoff.next(error instanceof PrometheusError ? error.retryAfterSeconds : undefined);
  }

  /** Nothing is missing. */
  async #completed(): Promise<void> {
    const filling = this.#filling;
    if (filling === 'done') return;
    this.#filling = 'done';
    if (filling === undefined) return;
    const { logger, now, days } = this.options;
    const { knownHours, workloads, sizeBytes, reads } = this.state();
    const seconds = Math.max(0, now() - filling.startedMilliseconds) / 1000;
    logger.info(
      { knownHours, workloads, sizeBytes, reads, seconds },
      `Read the past of the workloads: ${inDays(knownHours)} of ${counted(days, 'day')} are known, of ` +
        `${counted(workloads, 'workload')}, in ${formatBytes(sizeBytes)}. It took ${formatDuration(seconds)}.`,
    );
    await this.#save();
    if (this.#hasMoreThanModel) await this.#retrain();
  }

  async #retrain(): Promise<void> {
    this.#hasMoreThanModel = false;
    await this.options.retrain();
  }

  async #save(): Promise<void> {
    const { file } = this.options;
    if (file === undefined || !this.#isUnsaved) return;
    // Hours that are added meanwhile are unsaved again.
    this.#isUnsaved = false;
    if (!(await file.save(await this.#history.stateInTurns(nextTurn)))) this.#isUnsaved = true;
  }

  state(): KeeperState {
    return {
      ...this.#account,
      days: this.options.days,
      knownHours: this.#knownHours(),
      missingHours: hoursToRead(this.#history, this.#newestHour()).length,
      workloads: this.#history.workloads.length,
      sizeBytes: this.#history.sizeBytes,
      file: this.options.file?.state(),
    };
  }

  /** Ends a reading that is under way, and saves what is known. */
  stop(): Promise<void> {
    this.#stopping.abort();
    this.#stopped ??= Promise.resolve(this.#running).then(() => this.#save());
    return this.#stopped;
  }
}

/** `2.3` of 55 hours. */
export function inDays(hours: number): string {
  return String(Number((hours / HOURS_PER_DAY).toFixed(1)));
}
