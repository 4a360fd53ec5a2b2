/** The findings of a running service: gathered after each training, and kept while they cannot be gathered anew. */

import type { Logger } from '../../lib/logging/logger.js';
import { messageOf } from '../../lib/logging/message-of.js';
import { PrometheusError } from '../prometheus/errors.js';
import { CHECKS, judgeFacts } from './checks.js';
import type { Conditions, Facts } from './facts.js';
import type { Finding } from './finding.js';

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

export interface FindingsKeeperOptions {
  readonly gather: (signal: AbortSignal) => Promise<Facts>;
  readonly conditions: () => Conditions;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** All questions of one gathering may take so long. */
const GATHERING_LIMIT_MILLISECONDS = 120_000;

/** The first training is repeated every second at first; findings do not change that fast. */
const LEAST_DISTANCE_MILLISECONDS = 60_000;

/** Keeps the findings of a service, and says in the log when one changes. */
export class FindingsKeeper {
  readonly #options: FindingsKeeperOptions;
  readonly #stopping = new AbortController();
  readonly #known = new Map<string, KnownFinding>();
  #lastSuccessSeconds: number | undefined;
  #lastError: FindingsState['lastError'];
  #current: Promise<void> | undefined;
  #lastStartMilliseconds = Number.NEGATIVE_INFINITY;

  constructor(options: FindingsKeeperOptions) {
    this.#options = options;
  }

  /** Gathers anew, or joins the gathering that is under way; soon after the last one it does nothing. Never rejects. */
  refresh(): Promise<void> {
    if (this.#current !== undefined) return this.#current;
    const now = this.#options.now();
    const isTooSoon = now - this.#lastStartMilliseconds < LEAST_DISTANCE_MILLISECONDS;
    if (isTooSoon || this.#stopping.signal.aborted) return Promise.resolve();
    this.#lastStartMilliseconds = now;
    this.#current = this.#gather().finally(() => {
      this.#current = undefined;
    });
    return this.#current;
  }

  async #gather(): Promise<void> {
    const { gather, conditions, logger, now } = this.#options;
    const limit = AbortSignal.timeout(GATHERING_LIMIT_MILLISECONDS);
    try {
      const facts = await gather(AbortSignal.any([this.#stopping.signal, limit]));
      requireWhole(facts);
      this.#take(judgeFacts(facts, conditions()).findings, now() / 1000);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#lastError = { message: messageOf(error), timeSeconds: now() / 1000 };
      if (error instanceof PrometheusError) {
        logger.debug({}, `The installation could not be checked; the last findings stay. ${error.message}`);
      } else
        logger.error({ err: error }, 'A check of the installation failed unexpectedly. Please report this.');
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
    if (severity === 'ok') logger.info({ check }, `No longer so: ${check}. ${sentences}`);
    else logger.warn({ check, severity }, sentences);
  }

  state(): FindingsState {
    return {
      findings: CHECKS.flatMap(({ id }) => this.#known.get(id) ?? []),
      lastSuccessSeconds: this.#lastSuccessSeconds,
      lastError: this.#lastError,
    };
  }

  /** Ends a gathering that is under way. */
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
