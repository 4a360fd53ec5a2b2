/** Checks the installation of a running service once an hour, more often while something is wrong, and keeps what it found. */

import { withDeadline } from '../../lib/deadline.js';
import type { Logger } from '../../lib/logging/logger.js';
import { messageOf } from '../../lib/logging/message-of.js';
import { PrometheusError } from '../prometheus/errors.js';
import { CHECKS, judgeFacts } from './checks.js';
import { type Finding, worstSeverity } from './finding.js';
import { CHECK_TIMEOUT_SECONDS, type Inspection } from './gather.js';

/** What is known so far. Times are Unix times. */
export interface FindingsState {
  /** In the order of the checks. A check is here once it could be made, and stays. */
  readonly findings: readonly { readonly finding: Finding; readonly timeSeconds: number }[];
  /** The last time that Prometheus answered; `undefined` before the first. */
  readonly lastSuccessSeconds: number | undefined;
  /** The last time that it did not. */
  readonly lastError: { readonly message: string; readonly timeSeconds: number } | undefined;
}

/** The first training is repeated every second at first; findings do not change that fast. */
const LEAST_DISTANCE_MILLISECONDS = 60_000;

/**
 * A check makes Prometheus work about as much as a training does, so an installation without an error is checked this often.
 * Somewhat less than an hour: trainings of an hourly schedule do not start to the second.
 */
const SOUND_DISTANCE_MILLISECONDS = 55 * 60_000;

/** One check at a time. A finding whose severity changes is logged; one that cannot be updated stays. */
export class CheckRunner {
  readonly #stopping = new AbortController();
  readonly #known = new Map<string, FindingsState['findings'][number]>();
  #lastSuccessSeconds: number | undefined;
  #lastError: FindingsState['lastError'];
  #current: Promise<void> | undefined;
  #lastStartMilliseconds = Number.NEGATIVE_INFINITY;

  /** @param options `now` is Unix time in milliseconds. */
  constructor(
    private readonly options: {
      readonly inspect: (signal: AbortSignal) => Promise<Inspection>;
      readonly logger: Logger;
      readonly now: () => number;
    },
  ) {}

  /**
   * Checks after a training, or joins the check that is running. Does nothing within a minute of the last start, or within an
   * hour if that check was complete and found no error, and the training succeeded. Never rejects.
   */
  afterTraining(hasSucceeded: boolean): Promise<void> {
    if (this.#current !== undefined) return this.#current;
    const now = this.options.now();
    const least = hasSucceeded && this.#isSound() ? SOUND_DISTANCE_MILLISECONDS : LEAST_DISTANCE_MILLISECONDS;
    const passed = now - this.#lastStartMilliseconds;
    // The clock may have been set back.
    if ((passed >= 0 && passed < least) || this.#stopping.signal.aborted) return Promise.resolve();
    this.#lastStartMilliseconds = now;
    this.#current = this.#check().finally(() => {
      this.#current = undefined;
    });
    return this.#current;
  }

  /** Whether the last check succeeded, and nothing that is known is an error. */
  #isSound(): boolean {
    if (this.#lastSuccessSeconds === undefined) return false;
    if (this.#lastError !== undefined && this.#lastError.timeSeconds > this.#lastSuccessSeconds) return false;
    return worstSeverity([...this.#known.values()].map(({ finding }) => finding)) !== 'error';
  }

  async #check(): Promise<void> {
    const { inspect, logger, now } = this.options;
    try {
      const { facts, conditions } = await inspect(withDeadline(this.#stopping.signal, CHECK_TIMEOUT_SECONDS));
      // A server that went away in the middle says nothing about the installation.
      for (const { answer } of facts.features) {
        if (!answer.known && answer.error?.about === 'availability') throw answer.error;
      }
      const timeSeconds = now() / 1000;
      for (const finding of judgeFacts(facts, conditions).findings) this.#take(finding, timeSeconds);
      this.#lastSuccessSeconds = timeSeconds;
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#lastError = { message: messageOf(error), timeSeconds: now() / 1000 };
      if (error instanceof PrometheusError) {
        const message = 'The check of the installation failed; the previous findings stay.';
        logger.debug({}, `${message} ${error.message}`);
      } else {
        const message = 'The check of the installation failed unexpectedly. Please report this.';
        logger.error({ err: error }, message);
      }
    }
  }

  #take(finding: Finding, timeSeconds: number): void {
    const { logger } = this.options;
    const { check, severity, summary, meaning, advice } = finding;
    const before = this.#known.get(check)?.finding.severity ?? 'ok';
    this.#known.set(check, { finding, timeSeconds });
    if (severity === before) return;
    const text = [summary, meaning, advice].filter((sentence) => sentence !== undefined).join(' ');
    if (severity === 'ok') logger.info({ check }, `Resolved: ${check}. ${text}`);
    else logger.warn({ check, severity }, text);
  }

  state(): FindingsState {
    return {
      findings: CHECKS.flatMap(({ id }) => this.#known.get(id) ?? []),
      lastSuccessSeconds: this.#lastSuccessSeconds,
      lastError: this.#lastError,
    };
  }

  /** Ends the check that is running. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#current;
  }
}
