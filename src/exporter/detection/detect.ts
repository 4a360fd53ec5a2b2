/** Model and the last minutes in, scores out: no clock, no network. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { finish, finishInTurns } from '../../lib/steps.js';
import type { FeatureDefinition } from '../features/catalog.js';
import { COUNTER_WINDOW_SECONDS } from '../features/counter-events.js';
import { FeatureTable, type PodIdentity, podKey } from '../features/table.js';
import type { BuiltTable } from '../features/table-builder.js';
import { emptyMeasurement, type Measurement, Measurer, WARM_UP_SECONDS } from '../model/measure.js';
import type { Model } from '../model/model.js';
import { releasesAt } from '../model/releases.js';
import { ABSENT, locatePods } from '../model/rows.js';
import { marginsOf } from '../model/score.js';
import { shrink } from '../model/transform.js';
import { emptyJudgement, GAUGE_SECONDS, ViewJudge } from '../model/views.js';
import { type PodTuning, UNTUNED } from '../tuning/tuning.js';
import { compare, largestShare } from './comparison.js';
import type { Detection, OptedOutPod } from './detection.js';

/** What people said about a pod, as it counts at the time of a detection. */
export type TuningOf = (pod: PodIdentity) => PodTuning;

/** The reason why a pod is not scored that somebody opted out. */
export const OPTED_OUT = 'opted_out';

/** Distance of the instants that a detection looks at, in seconds. */
export const RECENT_STEP_SECONDS = 60;

/**
 * How many there are: state such as a recent restart is read from them, and nothing else is kept from pass to pass. The last
 * rise of a counter may be ten minutes ago, and counts with those of the ten minutes before it.
 */
export const RECENT_INSTANTS = (2 * COUNTER_WINDOW_SECONDS) / RECENT_STEP_SECONDS;

/** How many of them have values of gauges: these are judged by them, and the warm-up is counted in them. */
const GAUGE_INSTANTS = GAUGE_SECONDS / RECENT_STEP_SECONDS + 1;

/** How far back a feature is asked for, in seconds. */
export function recentSecondsOf({ type }: Pick<FeatureDefinition, 'type'>): number {
  return ((type === 'counter' ? RECENT_INSTANTS : GAUGE_INSTANTS) - 1) * RECENT_STEP_SECONDS;
}

/** The last `count` instants up to a time, counted from the end: the last one is the time itself, to the bit. */
export function instantsUpTo(timeSeconds: number, count = RECENT_INSTANTS): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => timeSeconds - (count - 1 - index) * RECENT_STEP_SECONDS);
}

/** Pods that are scored in one turn of the event loop: some milliseconds of work. */
const PODS_PER_TURN = 1024;

/** Pods whose last minutes are scored as well in one turn. */
const LOOKS_BACK_PER_TURN = 128;

/**
 * Scores every pod that is there at the last instant of a table, and that is past its warm-up. A pod that lacks a required
 * feature, or that is warming up, is scored by its counters alone once one of them rose: a container that dies within
 * seconds has nothing else.
 *
 * @param built up to `RECENT_INSTANTS` instants, `RECENT_STEP_SECONDS` apart, with the columns of the model's features
 *   in their order.
 * @param rows row of each pod of the table in the model, -1 where it has none (`locatePods`).
 * @param tuningOf what people said about a pod, as it counts now.
 */
export function detect(model: Model, built: BuiltTable, rows?: Int32Array, tuningOf?: TuningOf): Detection {
  return finish(detectInSteps(model, built, rows, tuningOf));
}

/**
 * Scores as `detect` does, and lets the event loop turn every few milliseconds.
 *
 * @throws the reason of the signal, at the first turn after its abort.
 */
export async function detectInTurns(
  model: Model,
  built: BuiltTable,
  signal: AbortSignal,
  rows?: Int32Array,
  tuningOf?: TuningOf,
): Promise<Detection> {
  return inTurns(detectInSteps(model, built, rows, tuningOf), signal);
}

/**
 * Lets the event loop turn between two steps of a pass.
 *
 * @throws the reason of the signal, at the first turn after its abort.
 */
export function inTurns<Result>(steps: Generator<undefined, Result>, signal: AbortSignal): Promise<Result> {
  return finishInTurns(steps, async () => {
    await nextTurn();
    signal.throwIfAborted();
  });
}

function* detectInSteps(
  model: Model,
  { table, unscored: notInTable, incomplete, droppedSeries }: BuiltTable,
  rows = locatePods(model.baseline.pods, table.pods),
  tuningOf: TuningOf = () => UNTUNED,
): Generator<undefined, Detection> {
  const width = model.features.length;
  const last = table.timestampsSeconds.length - 1;
  const unscored = new Map(notInTable);
  const count = (reason: string) => unscored.set(reason, (unscored.get(reason) ?? 0) + 1);
  const scored: PodIdentity[] = [];
  const measurer = new Measurer(model.baseline, model.features, table, true, rows);
  const measured = emptyMeasurement(table.pods.length * width);
  const silent = silentColumns(model);
  const judge = model.remembers ? new ViewJudge(model, table, rows) : undefined;
  const judged = emptyJudgement(judge === undefined ? 0 : table.pods.length * width);
  const gauges = model.features.flatMap(({ type }, column) => (type === 'counter' ? [] : [column]));
  const positions: number[] = [];
  const tunings = new Map<number, PodTuning>();
  const optedOut = new Map<string, OptedOutPod>();
  /** Rows of pods that are scored by their counters alone. */
  const counterRows = new Set<number>();
  for (const [pod, identity] of table.pods.entries()) {
    if (pod > 0 && pod % PODS_PER_TURN === 0) yield;
    const isPresent = table.isPresent(pod, last);
    const isYoung = isPresent && isWarmingUp(model, table, pod, rows[pod] as number);
    const isWhole = isPresent && !isYoung;
    const tuning = tuningOf(identity);
    if (tuning.ignoredBy !== undefined) {
      if (isPresent || incomplete.has(pod)) {
        count(OPTED_OUT);
        optedOut.set(podKey(identity.namespace, identity.pod), { ...identity, by: tuning.ignoredBy });
      }
      continue;
    }
    const row = scored.length;
    measurer.measurePod(pod, last, last + 1, measured, row);
    if (!isWhole && !keepCountersAlone(model, measured, row)) {
      const reason = isYoung ? 'warmup' : incomplete.get(pod);
      if (reason !== undefined) count(reason);
      continue;
    }
    if (tuning.sensitivity !== undefined) rescale(model, measured, row, distanceOf(model, tuning));
    judge?.judge(pod, judged, row, distanceOf(model, tuning));
    if (isWhole) {
      for (const column of silent) if (!isSilent(table, pod, column)) silent.delete(column);
    } else {
      counterRows.add(row);
      for (const column of gauges) {
        judged.shares[row * width + column] = 0;
        judged.expected[row * width + column] = Number.NaN;
        judged.boundaries[row * width + column] = Number.NaN;
      }
    }
    positions.push(pod);
    scored.push(identity);
    if (tuning !== UNTUNED) tunings.set(row, tuning);
  }
  yield;
  const ofScored = (cells: Float64Array) => cells.subarray(0, scored.length * width);
  const deviations = ofScored(measured.deviations);
  const inputs = ofScored(measured.inputs);
  for (const column of silent) {
    for (let cell = column; cell < inputs.length; cell += width) {
      deviations[cell] = 0;
      inputs[cell] = 0;
      if (judge !== undefined) judged.shares[cell] = 0;
    }
  }
  const scores = new Float64Array(scored.length);
  for (let row = 0; row < scored.length; row += PODS_PER_TURN) {
    scores.set(marginsOf(model, inputs.subarray(row * width, (row + PODS_PER_TURN) * width)), row);
    yield;
  }
  const lasting = new Uint8Array(scored.length);
  let lookedBack = 0;
  const lookBack = (row: number, minutes: number) => {
    lookedBack++;
    const usual = counterRows.has(row) ? gauges : silent;
    const distance = distanceOf(model, tunings.get(row) ?? UNTUNED);
    return marginsBefore(model, measurer, positions[row] as number, last, minutes, usual, distance);
  };
  for (let row = 0; row < scores.length; row++) {
    const margin = scores[row] as number;
    if (model.remembers) {
      const shares = judged.shares.subarray(row * width, (row + 1) * width);
      const verdict = verdictOf(margin, shares, () => hasJustBegun(lookBack(row, LOOK_BACK_MINUTES)));
      scores[row] = verdict.score;
      lasting[row] = Number(verdict.lasts);
    } else if (margin > 0) {
      const flagged = 1 + lookBack(row, LASTING_MINUTES - 1).filter((earlier) => earlier > 0).length;
      lasting[row] = Number(flagged >= LEAST_LASTING_FLAGS);
    }
    if (lookedBack < LOOKS_BACK_PER_TURN) continue;
    lookedBack = 0;
    yield;
  }
  yield;
  const muted = Uint8Array.from(scores, (_, row) => Number(tunings.get(row)?.mutedBy !== undefined));
  const judgement = judge && {
    shares: ofScored(judged.shares),
    expected: ofScored(judged.expected),
    boundaries: ofScored(judged.boundaries),
    views: judged.views.subarray(0, scored.length * width),
  };
  const flags = Uint8Array.from(scores, (score, row) => Number(score > 0 && muted[row] === 0));
  return {
    timeSeconds: table.timestampsSeconds[last] ?? Number.NaN,
    model,
    table: new FeatureTable({
      features: table.features,
      pods: scored,
      timestampsSeconds: table.timestampsSeconds.slice(-1),
      values: ofScored(measured.actual),
    }),
    scores,
    flags,
    lasting: lasting.map((lasts, row) => Number(lasts > 0 && muted[row] === 0)),
    muted,
    tunings,
    ...compare(model, { expected: ofScored(measured.expected), deviations }, judgement, scores),
    inputs,
    ...(judgement && { judgement }),
    releases: releasesAt(model, table, podsOfWorkloads(table, scored, flags)),
    optedOut,
    accepted: new Set(),
    unscored,
    droppedSeries,
  };
}

/**
 * What is unusual for the last hours alone is flagged for this many minutes, until it has been usual for some minutes. It
 * never counts as lasting.
 */
const BRIEF_MINUTES = 3;
const USUAL_MINUTES = 4;
const LOOK_BACK_MINUTES = BRIEF_MINUTES * (USUAL_MINUTES - 1);

/** Without a memory, an anomaly lasts if the pod is flagged now and in this many of the last minutes, this one included. */
const LASTING_MINUTES = 6;
const LEAST_LASTING_FLAGS = 5;

/** What a view adds to the score for each doubling of its share of the boundary. */
const VIEW_WEIGHT = 0.1;

/**
 * The score of a pod, of which the last hours have one opinion and the last days another, and whether its anomaly lasts.
 * What is unusual for the last hours counts while it is brief; what lasts counts as far as the last days do not know it.
 *
 * @param margin the score by the last hours; `shares` of the boundaries of the last days, one for each feature.
 */
export function verdictOf(
  margin: number,
  shares: Float64Array,
  isBriefly: () => boolean,
): { readonly score: number; readonly lasts: boolean } {
  const share = largestShare(shares);
  if (share > 1) return { score: Math.max(margin, VIEW_WEIGHT * Math.log2(share)), lasts: true };
  return { score: margin > 0 && !isBriefly() ? 0 : margin, lasts: false };
}

/**
 * The scores of a pod by the last hours, at up to `minutes` instants before the last one.
 *
 * @param usual columns that count as usual, as absent values do.
 * @param distance of the boundaries, in terms of those without tuning.
 */
function marginsBefore(
  model: Model,
  measurer: Measurer,
  pod: number,
  last: number,
  minutes: number,
  usual: Iterable<number>,
  distance: number,
): Float64Array {
  const first = Math.max(0, last - minutes);
  const width = model.features.length;
  const before = emptyMeasurement((last - first) * width);
  measurer.measurePod(pod, first, last, before, 0);
  if (distance !== 1) for (let row = 0; row < last - first; row++) rescale(model, before, row, distance);
  for (const column of usual)
    for (let cell = column; cell < before.inputs.length; cell += width) before.inputs[cell] = 0;
  before.inputs.forEach((input, cell) => {
    if (Number.isNaN(input)) before.inputs[cell] = 0;
  });
  return marginsOf(model, before.inputs);
}

/** How far away the boundaries of a pod are, in terms of those without tuning. */
const distanceOf = ({ sensitivity }: Model, tuning: PodTuning): number =>
  (tuning.sensitivity ?? sensitivity) / sensitivity;

/** Measures a row again as if a usual spread were larger by a factor. */
function rescale({ features, baseline }: Model, measured: Measurement, row: number, factor: number): void {
  const end = (row + 1) * features.length;
  for (let cell = end - features.length; cell < end; cell++) {
    const input = measured.inputs[cell] as number;
    measured.deviations[cell] = (measured.deviations[cell] as number) / factor;
    measured.inputs[cell] = baseline.kind === 'cluster' ? input / factor : shrink(input, factor);
  }
}

/** Whether what is unusual for the last hours has just begun. @param before the scores of the minutes before. */
function hasJustBegun(before: Float64Array): boolean {
  let [unusual, usualInARow] = [0, 0];
  for (const margin of before.reverse()) {
    if (margin > 0) {
      unusual++;
      usualInARow = 0;
    } else if (++usualInARow === USUAL_MINUTES) break;
  }
  return unusual < BRIEF_MINUTES;
}

/**
 * The columns that count as usual once they have read 0 for every pod for some minutes: an optional gauge that does has
 * most likely lost its source, and would seem to have fallen everywhere. Where 0 is usual, nothing changes.
 */
function silentColumns({ features, baseline }: Model): Set<number> {
  return new Set(
    features.flatMap(({ required, type }, column) =>
      required || type === 'counter' || baseline.kind === 'cluster' ? [] : [column],
    ),
  );
}

/** What is lost is silent before it lasts, so that it raises no alert. */
const SILENT_MINUTES = LASTING_MINUTES - 1;

function isSilent(table: FeatureTable, pod: number, column: number): boolean {
  const instants = table.timestampsSeconds.length;
  for (let instant = Math.max(0, instants - SILENT_MINUTES); instant < instants; instant++) {
    if (table.isPresent(pod, instant) && table.at(pod, instant, column) !== 0) return false;
  }
  return true;
}

/**
 * Lets a row count by the counters that it has: all else counts as usual, and reads 0 where it is absent.
 *
 * @returns whether a counter rose; otherwise the row says nothing.
 */
function keepCountersAlone({ features, baseline }: Model, measured: Measurement, row: number): boolean {
  const start = row * features.length;
  const isCounter = (column: number) =>
    features[column]?.type === 'counter' && !Number.isNaN(measured.actual[start + column]);
  // With `cluster`, counters are judged by their height.
  const rose = (column: number) =>
    isCounter(column) && (measured.actual[start + column] as number) > (measured.expected[start + column] as number);
  const columns = [...features.keys()];
  if (baseline.kind === 'cluster' || !columns.some(rose)) return false;
  for (const column of columns) {
    if (isCounter(column)) continue;
    const cell = start + column;
    const actual = measured.actual[cell] as number;
    measured.actual[cell] = Number.isNaN(actual) ? 0 : actual;
    measured.expected[cell] = measured.actual[cell] as number;
    measured.deviations[cell] = 0;
    measured.inputs[cell] = 0;
  }
  return true;
}

/** With `cluster`, no pod warms up. */
function isWarmingUp({ baseline }: Model, table: FeatureTable, pod: number, row: number): boolean {
  if (baseline.kind === 'cluster') return false;
  let samples = 0;
  for (
    let instant = Math.max(0, table.timestampsSeconds.length - GAUGE_INSTANTS);
    instant < table.timestampsSeconds.length;
    instant++
  ) {
    if (table.isPresent(pod, instant)) samples++;
  }
  if (samples * RECENT_STEP_SECONDS >= WARM_UP_SECONDS) return false;
  if (row < 0 || ((baseline.pods.flags[row] as number) & ABSENT) !== 0) return true;
  return (baseline.pods.seenSeconds[row] as number) < WARM_UP_SECONDS;
}

/** The pods of a table, by the keys of their workloads: of those that have a flagged pod. */
function podsOfWorkloads({ pods }: FeatureTable, scored: readonly PodIdentity[], flags: Uint8Array) {
  const workloads = new Map<string, number[]>();
  for (const [row, { namespace, workload }] of scored.entries()) {
    if (flags[row] === 1) workloads.set(podKey(namespace, workload), []);
  }
  if (workloads.size === 0) return workloads;
  let last: PodIdentity | undefined;
  let podsOfLast: number[] | undefined;
  for (const [pod, identity] of pods.entries()) {
    const { namespace, workload } = identity;
    // Pods of a workload mostly follow one another.
    if (last?.workload !== workload || last.namespace !== namespace) {
      podsOfLast = workloads.get(podKey(namespace, workload));
      last = identity;
    }
    podsOfLast?.push(pod);
  }
  return workloads;
}
