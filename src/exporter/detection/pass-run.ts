/** The work of one detection pass, and where its time went. */

import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { withDeadline } from '../../lib/deadline.js';
import { messageOf } from '../../lib/logging/message-of.js';
import type { FeatureDefinition } from '../features/catalog.js';
import { type NamedPod, podKey } from '../features/table.js';
import { FeatureTableBuilder, podLimitWarning } from '../features/table-builder.js';
import type { Model } from '../model/model.js';
import { locatePodsInSteps } from '../model/rows.js';
import type { PrometheusApi } from '../prometheus/api.js';
import { PrometheusError } from '../prometheus/errors.js';
import { NO_ANNOTATIONS } from '../tuning/annotations.js';
import type { LiveAnnotations } from '../tuning/live-annotations.js';
import type { LayersOf } from '../tuning/rules.js';
import { tuningAt } from '../tuning/tuning.js';
import { detectInTurns, instantsUpTo, inTurns, type TuningOf } from './detect.js';
import type { Detection, PassOutcome, PassReport } from './detection.js';
import type { MinuteReader, MinutesRead } from './minute-reader.js';
import type { PodPhases } from './pod-phases.js';
import { minuteOf } from './recent-minutes.js';
import type { WorkloadDirectory } from './workloads.js';

export interface PassRunOptions {
  readonly api: PrometheusApi;
  /** How far back the newest values are taken, in seconds, for a backend that hides its latest; 0 if unset. */
  readonly queryOffsetSeconds?: number;
  readonly model: () => Model | undefined;
  /** Why there is no model, as a sentence. */
  readonly whyNoModel: () => string;
  /** The rules of the tuning file, as they are now; none if unset. */
  readonly tuningRules?: (() => LayersOf) | undefined;
  /** Most pods to score; those beyond it are counted. Unlimited if unset. */
  readonly maximumPods?: number;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** Details are for the log: they may quote what nobody else should read. */
const INTERNAL_MESSAGE = 'Scoring failed because of a bug in the exporter. See its log.';

/** Shorter stages are not named in the message of a timeout. */
const NOTABLE_SECONDS = 0.05;

/** The stage in which pods are scored by the model before as well. */
const AGAIN = 'scoring by the model before';

/** What passes share. */
export interface PassMemory {
  readonly minutes: MinuteReader;
  readonly workloads: WorkloadDirectory;
  readonly phases: PodPhases;
  /** `undefined` where annotations do not count. */
  readonly annotations: LiveAnnotations | undefined;
}

/** A model that flagged a pod whose anomaly lasts, and the minute of that, in Unix seconds. */
export interface ModelBefore {
  readonly model: Model;
  readonly timeSeconds: number;
}

/** One pass. Model, rules and time are those of the moment of its creation. */
export class PassRun {
  readonly #model: Model | undefined;
  readonly #rules: LayersOf | undefined;
  readonly #started: number;
  readonly #queries: PassReport['queries'][number][] = [];
  readonly #warnings: string[] = [];
  #isPartial = false;
  /** Whether something was not answered, or may be answered otherwise within the minute. */
  #isFinal = true;
  /** When each stage began, in milliseconds: a stage ends where the next one begins. */
  readonly #stages: { readonly name: string; readonly began: number }[] = [];

  constructor(
    private readonly options: PassRunOptions,
    private readonly memory: PassMemory,
    private readonly before: ModelBefore | undefined,
  ) {
    this.#model = options.model();
    this.#rules = options.tuningRules?.();
    this.#started = options.now();
  }

  /** Whether a pass that began now would come to the same as this one did. Call it after a detection. */
  get isCurrent(): boolean {
    const { model, tuningRules, now } = this.options;
    return (
      this.#isFinal &&
      model() === this.#model &&
      tuningRules?.() === this.#rules &&
      this.#minuteAt(now()) === this.#minuteAt(this.#started) &&
      // Mute times count by the minute.
      minuteOf(now() / 1000) === minuteOf(this.#started / 1000)
    );
  }

  /**
   * Does the work. Does not reject; once the signal aborts, it resolves at once and computes no further.
   *
   * @param signal ends the pass; its reason is a `TimeoutError` when the time is up, after `timeoutSeconds`.
   * @param aboutPodsTimeoutSeconds how long to wait for what kube-state-metrics says of pods.
   */
  async outcome(signal: AbortSignal, timeoutSeconds: number, aboutPodsTimeoutSeconds: number): Promise<PassOutcome> {
    const model = this.#model;
    if (model === undefined) return { ...this.#report(), kind: 'no_model', message: this.options.whyNoModel() };
    try {
      const aborted = once(signal, 'abort').then(() => signal.throwIfAborted() as never);
      const detection = await Promise.race([this.#score(model, signal, aboutPodsTimeoutSeconds), aborted]);
      return { ...this.#report(), kind: 'detection', detection };
    } catch (error) {
      const report = this.#report();
      if (signal.aborted) {
        if (signal.reason.name === 'TimeoutError') return this.timedOut(timeoutSeconds);
        return { ...report, kind: 'timeout', message: 'The exporter stopped before the pass ended.' };
      }
      if (!(error instanceof PrometheusError)) {
        return { ...report, kind: 'internal', message: INTERNAL_MESSAGE, error };
      }
      const { kind: cause, message } = error;
      if (cause === 'timeout') return { ...report, kind: cause, message };
      return { ...report, kind: 'upstream_error', message, cause };
    }
  }

  /** The outcome for a caller who could wait for this time and no longer: says where the time went so far. */
  timedOut(timeoutSeconds: number): PassOutcome {
    const report = this.#report();
    const { durationSeconds } = report;
    const answered = new Set(report.queries.map(({ query }) => query));
    const late = (this.#model?.features ?? [])
      .filter(({ name }) => !answered.has(name))
      .map(({ name }) => ({ query: name, success: false, durationSeconds }));
    const queries = [...report.queries, ...late];
    const missing = queries.filter(({ success }) => !success).map(({ query }) => query);
    const stages = this.#stages.map(({ name, began }, index) => ({
      name,
      seconds: secondsBetween(began, this.#stages[index + 1]?.began ?? this.options.now()),
    }));
    const [queried, ...own] = stages.map(({ seconds }) => seconds);
    const isOurs = missing.length === 0 && own.reduce((sum, seconds) => sum + seconds, 0) > (queried ?? 0);
    const unanswered = missing.length === 0 ? '' : ` (no answer for ${missing.join(', ')})`;
    const parts = stages
      .filter(({ seconds }, index) => index === 0 || seconds >= NOTABLE_SECONDS)
      .map(({ name, seconds }, index) => `${name} ${seconds.toFixed(1)} s${index === 0 ? unanswered : ''}`);
    const advice = isOurs ? 'give the exporter more CPU or fewer pods' : 'find out why Prometheus is slow';
    const message =
      `No result within ${timeoutSeconds.toFixed(1)} s: ${parts.join(', ')}. Raise the scrape timeout and ` +
      `REQUEST_TIMEOUT_SECONDS, or ${advice}.`;
    return { ...report, queries, kind: 'timeout', message };
  }

  /** Whether it came to scoring by the model before: a pass without time for that must not be followed by others. */
  get scoredAgain(): boolean {
    return this.#stages.at(-1)?.name === AGAIN;
  }

  #report(): PassReport {
    return {
      timeSeconds: this.#started / 1000,
      durationSeconds: secondsBetween(this.#started, this.options.now()),
      // Copies: a query that is still under way reports later.
      queries: [...this.#queries],
      warnings: [...this.#warnings],
      isPartial: this.#isPartial,
    };
  }

  #begin(name: string): void {
    this.#stages.push({ name, began: this.options.now() });
  }

  /** The newest minute that a pass at a time looks at. */
  #minuteAt(milliseconds: number): number {
    return minuteOf(milliseconds / 1000 - (this.options.queryOffsetSeconds ?? 0));
  }

  async #score(model: Model, signal: AbortSignal, aboutPodsTimeoutSeconds: number): Promise<Detection> {
    const { minutes, workloads, phases, annotations } = this.memory;
    const timeSeconds = this.#minuteAt(this.#started);
    this.#begin('queries took');
    minutes.keep(model.features);
    const asked = model.features.map((feature) => this.#read(feature, timeSeconds, signal));
    // All, so that each query is in the report.
    await Promise.allSettled(asked);
    const answers = await Promise.all(asked);
    signal.throwIfAborted();
    this.#begin('reading the answers');
    const builder = new FeatureTableBuilder(model.features, instantsUpTo(timeSeconds), this.options.maximumPods);
    for (const [index, answer] of answers.entries()) {
      const feature = model.features[index] as FeatureDefinition;
      if (answer.series === 0) this.#warnings.push(`${feature.name}: the query found no series.`);
      this.#isPartial ||= answer.isPartial;
      this.#isFinal &&= answer.isFinal;
      for (const warning of answer.warnings) this.#warnings.push(`${feature.name}: ${warning}`);
      for (const piece of answer.pieces()) {
        builder.add(feature, piece);
        // For many pods there are many pieces.
        await nextTurn();
        signal.throwIfAborted();
      }
    }
    const seenRows = await inTurns(locatePodsInSteps(model.baseline.pods, builder.podsSeen()), signal);
    this.#begin('owners, phases and annotations of pods');
    const either = withDeadline(signal, aboutPodsTimeoutSeconds);
    const orWarn = async (consequence: string, answer: Promise<void>) =>
      answer.catch((error: unknown) => {
        signal.throwIfAborted();
        this.#isFinal = false;
        this.#warnings.push(`${consequence}: ${messageOf(error)}`);
      });
    await Promise.all([
      orWarn(
        'Workloads of new pods are taken from their names',
        workloads.lookUp(builder.podsSeen(), seenRows, timeSeconds, either, this.#isPartial),
      ),
      orWarn(
        'Pods that have ended, or wait, may count as pods without usage',
        phases.lookUp(builder.incompletePods(), timeSeconds, either),
      ),
      orWarn(
        'Annotations count as they were last known',
        annotations?.lookUp(timeSeconds, either) ?? Promise.resolve(),
      ),
    ]);
    this.#begin('scoring');
    const idleReasonOf = (pod: NamedPod) => phases.idleReasonOf(pod);
    const table = workloads.buildTableInSteps(model, builder, seenRows, idleReasonOf);
    const { built, rows } = await inTurns(table, signal);
    const warning = podLimitWarning(built);
    if (warning !== undefined) this.#warnings.push(warning);
    // As all who ask within the minute share it, and replicas are to agree.
    const tuningOf = this.#tuningAt(minuteOf(this.#started / 1000));
    const detection = await detectInTurns(model, built, signal, rows, tuningOf);
    const { before } = this;
    // Another fingerprint means other features or parameters: what the old model says is then about something else.
    if (before === undefined || before.model === model || before.model.fingerprint !== model.fingerprint) {
      return detection;
    }
    // Episodes take what is accepted from a later minute alone.
    if (before.timeSeconds === timeSeconds) return detection;
    this.#begin(AGAIN);
    return {
      ...detection,
      accepted: acceptedIn(detection, await detectInTurns(before.model, built, signal, undefined, tuningOf)),
    };
  }

  /** What counts at a time, in Unix seconds: of all that is tuned, or of nothing. */
  #tuningAt(timeSeconds: number): TuningOf | undefined {
    const rules = this.#rules;
    const annotations = this.memory.annotations?.known ?? NO_ANNOTATIONS;
    if (annotations === NO_ANNOTATIONS) return rules && ((pod) => tuningAt(rules(pod), timeSeconds));
    // What is said of an object itself is more specific than what a rule says.
    return (pod) => tuningAt([...(rules?.(pod) ?? []), ...annotations.layersOf(pod)], timeSeconds);
  }

  async #read(feature: FeatureDefinition, timeSeconds: number, signal: AbortSignal): Promise<MinutesRead> {
    const { name: query } = feature;
    const started = this.options.now();
    try {
      const answer = await this.memory.minutes.read(feature, timeSeconds, signal);
      this.#queries.push({ query, success: true, durationSeconds: answer.durationSeconds });
      return answer;
    } catch (error) {
      this.#queries.push({ query, success: false, durationSeconds: secondsBetween(started, this.options.now()) });
      throw error;
    }
  }
}

/** From one reading of the clock to the next, in milliseconds; the clock may have been set back meanwhile. */
function secondsBetween(start: number, end: number): number {
  return Math.max(0, end - start) / 1000;
}

/** Keys of the pods whose anomaly lasts by the model before, and by the new one not. */
function acceptedIn(detection: Detection, before: Detection): ReadonlySet<string> {
  const lasting = new Set<string>();
  for (const [row, { namespace, pod }] of before.table.pods.entries()) {
    if (before.lasting[row] === 1) lasting.add(podKey(namespace, pod));
  }
  for (const [row, { namespace, pod }] of detection.table.pods.entries()) {
    if (lasting.size > 0 && detection.lasting[row] === 1) lasting.delete(podKey(namespace, pod));
  }
  return lasting;
}
