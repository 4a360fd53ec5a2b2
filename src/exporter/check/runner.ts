/** Checks the installation of a running service after each training, and keeps what it found. */

import { withDeadline } from '../../lib/deadline.js';
import type { Logger } from '../../lib/logging/logger.js';
import { messageOf } from '../../lib/logging/message-of.js';
import { PrometheusError } from '../prometheus/errors.js';
import { CHECKS, judgeFacts } from './checks.js';
import type { Facts } from './facts.js';
import type { Finding } from './finding.js';
import { CHECK_TIMEOUT_SECONDS, type Inspection } from './gather.js';

/** A finding and when it was made, Unix time in seconds. */
export interface KnownFinding {
  readonly finding: Finding;
  readonly timeSeconds: number;
}

/** What is known so far. */
export interface FindingsState {
  /** In the order of the checks. A check is here once it could be made, and stays. */
  readonly findings: readonly KnownFinding[];
  /** The last time that Prometheus answered; `undefined` before the first. */
  readonly lastSuccessSeconds: number | undefined;
  /** The last time that it did not. */
  readonly lastError: { readonly message: string; readonly timeSeconds: number } | undefined;
}

export interface CheckRunnerOptions {
  readonly inspect: (signal: AbortSignal) => Promise<Inspection>;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** The first training is repeated every second at first; findings do not change that fast. */
const LEAST_DISTANCE_MILLISECONDS = 60_000;

/** One check at a time. A finding whose severity changes is logged; one that cannot be updated stays. */
export class CheckRunner {
  readonly #options: CheckRunnerOptions;
  readonly #stopping = new AbortController();
  readonly #known = new Map<string, KnownFinding>();
  #lastSuccessSeconds: number | undefined;
  #lastError: FindingsState['lastError'];
  #current: Promise<void> | undefined;
  #lastStartMilliseconds = Number.NEGATIVE_INFINITY;

  constructor(options: CheckRunnerOptions) {
    this.#options = options;
  }

  /** Starts a check, or joins the one that is running; within a minute of the last start it does nothing. Never rejects. */
  run(): Promise<void> {
    if (this.#current !== undefined) return this.#current;
    const now = this.#options.now();
    const isTooSoon = now - this.#lastStartMilliseconds < LEAST_DISTANCE_MILLISECONDS;
    if (isTooSoon || this.#stopping.signal.aborted) return Promise.resolve();
    this.#lastStartMilliseconds = now;
    this.#current = this.#check().finally(() => {
      this.#current = undefined;
    });
    return this.#current;
  }

  async #check(): Promise<void> {
    const { inspect, logger, now } = this.#options;
    try {
      const { facts, conditions } = await inspect(withDeadline(this.#stopping.signal, CHECK_TIMEOUT_SECONDS));
      requireWhole(facts);
      this.#take(judgeFacts(facts, conditions).findings, now() / 1000);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#lastError = { message: messageOf(error), timeSeconds: now() / 1000 };
      if (error instanceof PrometheusError) {
        logger.debug(
          {},
          `The check of the installation failed; the previous findings stay. ${error.message}`,
        );
      } else
        logger.error(
          { err: error },
          'The check of the installation failed unexpectedly. Please report this.',
        );
    }
  }

  #take(findings: readonly Finding[], timeSeconds: number): void {
    for (const finding of findings) {
      const before = this.#known.get(finding.check)?.finding.severity ?? 'ok';
      this.#known.set(finding.check, { finding, timeSeconds });
      if (finding.severity !== before) this.#log(finding);
    }
    this.#lastSuccessSeconds = timeSeconds;
  }

  #log({ check, severity, summary, meaning, advice }: Finding): void {
    const { logger } = this.#options;
    const sentences = [summary, meaning, advice].filter((text) => text !== undefined).join(' ');
    if (severity === 'ok') logger.info({ check }, `Resolved: ${check}. ${sentences}`);
    else logger.warn({ check, severity }, sentences);
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

/** @throws {PrometheusError} where the server went away in the middle: that says nothing about the installation. */
function requireWhole({ features }: Facts): void {
  for (const { answer } of features) {
    if (!answer.known && answer.error?.about === 'availability') throw answer.error;
  }
}
