/** One detection pass a minute, for all who ask: the scrapes, `/detect` and the page. */

import { withDeadline } from '../../lib/deadline.js';
import type { PhaseQueries } from '../features/pod-phase.js';
import type { OwnerQueries } from '../features/workload.js';
import { LiveAnnotations } from '../tuning/live-annotations.js';
import type { Detection, PassOutcome } from './detection.js';
import { MinuteReader } from './minute-reader.js';
import { type ModelBefore, type PassMemory, PassRun, type PassRunOptions } from './pass-run.js';
import { PodPhases } from './pod-phases.js';
import { WorkloadDirectory } from './workloads.js';

export interface DetectionPassOptions extends PassRunOptions {
  readonly ownerQueries: OwnerQueries;
  /** Those that say which pods have ended. */
  readonly phaseQueries: Pick<PhaseQueries, 'idle'>;
  /** Asks for annotations (`buildAnnotationQuery`); `undefined` where they do not count. */
  readonly annotationQuery?: string | undefined;
  /** Longest time of a pass, in seconds. */
  readonly timeoutSeconds: number;
  /**
   * Called with every outcome that a caller is given, once for all callers who share it, and with no other. What it
   * throws is thrown at those callers.
   */
  readonly onOutcome: (outcome: PassOutcome) => void;
}

/** Subtracted from the caller's timeout, for rendering and the way back (as blackbox_exporter does). */
const TIMEOUT_OFFSET_SECONDS = 0.5;

/** Of the time of a pass, what the questions about pods may take: scores are worth more than owners, phases and annotations. */
const ABOUT_PODS_SHARE = 0.25;

/** A pass that is under way, and how many callers wait for it. */
interface RunningPass {
  readonly run: PassRun;
  readonly outcome: Promise<PassOutcome>;
  readonly controller: AbortController;
  waiting: number;
}

/** Runs passes, one at a time. */
export class DetectionPass {
  readonly #memory: PassMemory;
  #running: RunningPass | undefined;
  /** The last pass whose outcome is a detection that somebody was given. */
  #last: { readonly run: PassRun; readonly outcome: PassOutcome } | undefined;
  /** The model of the last pass, if a pod had an anomaly that lasts in it: the next model may accept that. */
  #before: ModelBefore | undefined;

  constructor(private readonly options: DetectionPassOptions) {
    const { api, annotationQuery, now } = options;
    this.#memory = {
      minutes: new MinuteReader(api, now),
      workloads: new WorkloadDirectory(api, options.ownerQueries),
      phases: new PodPhases(api, options.phaseQueries.idle),
      annotations: annotationQuery === undefined ? undefined : new LiveAnnotations(api, annotationQuery),
    };
  }

  /**
   * The outcome of the last pass as long as another would come to the same; of one that is under way, or of a new one, half a
   * second before the caller gives up. Rejects only with what `onOutcome` throws.
   */
  async run(scrapeTimeoutSeconds: number | undefined): Promise<PassOutcome> {
    if (this.#last?.run.isCurrent) return this.#last.outcome;
    const { timeoutSeconds: longest, onOutcome } = this.options;
    const given = scrapeTimeoutSeconds ?? Infinity;
    // Of a very short time, half is kept back.
    const timeoutSeconds = Math.min(longest, Math.max(given - TIMEOUT_OFFSET_SECONDS, given / 2));
    const pass = this.#running ?? this.#start(timeoutSeconds);
    pass.waiting++;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, Math.round(timeoutSeconds * 1000), undefined);
    });
    try {
      const outcome = await Promise.race([pass.outcome, tooLate]);
      if (outcome !== undefined) return outcome;
      const timedOut = pass.run.timedOut(timeoutSeconds);
      onOutcome(timedOut);
      return timedOut;
    } finally {
      clearTimeout(timer);
      // The last caller to give up ends the work; the next one starts a new pass.
      if (--pass.waiting === 0) {
        this.#end(pass, new DOMException('Nobody waits for the answer any more.', 'TimeoutError'));
      }
    }
  }

  /** Ends the pass that is under way; callers who wait for it get an outcome at once. */
  close(): void {
    if (this.#running !== undefined) this.#end(this.#running, undefined);
  }

  /** @param timeoutSeconds how long the first caller is going to wait. */
  #start(timeoutSeconds: number): RunningPass {
    const { timeoutSeconds: longest, onOutcome } = this.options;
    const controller = new AbortController();
    // Its own limit as well: otherwise callers that join one after the other would keep a stuck pass alive.
    const signal = withDeadline(controller.signal, longest);
    const run = new PassRun(this.options, this.#memory, this.#before);
    const outcome = run.outcome(signal, longest, timeoutSeconds * ABOUT_PODS_SHARE).then((result) => {
      if (this.#running === pass) this.#running = undefined;
      if (result.kind === 'detection') this.#rememberModel(result.detection);
      else if (run.scoredAgain) this.#before = undefined;
      // Callers who gave up were given, and `onOutcome` was called with, another outcome.
      if (pass.waiting === 0) return result;
      onOutcome(result);
      if (result.kind === 'detection') this.#last = { run, outcome: result };
      return result;
    });
    const pass: RunningPass = { run, outcome, controller, waiting: 0 };
    this.#running = pass;
    return pass;
  }

  #rememberModel({ model, lasting, timeSeconds }: Detection): void {
    // A model that came within the minute has not been compared with the one before yet.
    if (this.#before?.timeSeconds === timeSeconds) return;
    this.#before = lasting.includes(1) ? { model, timeSeconds } : undefined;
  }

  #end(pass: RunningPass, reason: Error | undefined): void {
    if (this.#running === pass) this.#running = undefined;
    pass.controller.abort(reason);
  }
}
