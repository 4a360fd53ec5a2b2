/** From the answers of queries to a table of features. */

import { finish } from '../../lib/steps.js';
import { SAME_INSTANT_SECONDS } from '../prometheus/answer/asked-instants.js';
import type { Labels, SeriesSet } from '../prometheus/api.js';
import type { FeatureDefinition } from './catalog.js';
import { ContainerSeries } from './container-series.js';
import { heightAfter } from './counter-height.js';
import { PodLimit } from './pod-limit.js';
import type { IdleReason } from './pod-phase.js';
import { comparePods, FeatureTable, isEndOfStep, isObjectName, type NamedPod, type PodIdentity } from './table.js';
import { ENDED, lingerSecondsOf, whyUnscored } from './unscored-reason.js';

/** A table, and what did not make it into it. */
export interface BuiltTable {
  /**
   * Only pods that have every required feature at one instant or more. For scoring, also those of which a counter rose;
   * where a required feature is absent, they have the values of their counters alone.
   */
  readonly table: FeatureTable;
  /** Pods that were seen at the last instant without every required feature, by reason; without those in `incomplete`. */
  readonly unscored: ReadonlyMap<string, number>;
  /** Why pods of the table lack a required feature at the last instant, by position: their counters may tell enough. */
  readonly incomplete: ReadonlyMap<number, string>;
  /** Series that were left out whole or in part, by reason. */
  readonly droppedSeries: ReadonlyMap<string, number>;
}

/** What a table for scoring needs to know of pods without every required feature. */
export interface ScoringContext {
  /** Why nothing runs in a pod, as Kubernetes reports it. */
  readonly idleReasonOf: (pod: NamedPod) => IdleReason | undefined;
  /** A pod that was first seen less than this ago, in seconds, is counted as `warmup`: its usage is still to come. */
  readonly warmUpSeconds: number;
}

/**
 * Larger numbers count as not finite: nothing that can be measured is as large (a cluster has some 1e17 bytes of memory),
 * and with it the sums and squares of all values that the model takes stay finite, also in four bytes.
 */
export const LARGEST_VALUE = 1e30;

/** Why a value that came for the last instant is not in a cell. */
type Loss = 'not_finite' | 'misaligned';

/** Rows of cells that are made room for at once. */
const ROWS_PER_BLOCK = 1024;

/** Gathers the answers of queries into a table. Samples find their place by time, never by position. */
export class FeatureTableBuilder {
  /** Columns that a complete instant must have. */
  readonly #required: readonly number[];
  /** Cells of one pod: instants × features. */
  readonly #size: number;
  /** One for each pod, in the order in which they came; the cells of `ROWS_PER_BLOCK` pods a block. */
  readonly #pods: NamedPod[] = [];
  readonly #blocks: Float64Array[] = [];
  readonly #losses = new Map<number, Loss>();
  /** Row of a pod, by namespace and name. */
  readonly #rows = new Map<string, Map<string, number>>();
  readonly #droppedSeries = new Map<string, number>();
  readonly #limit: PodLimit;
  readonly #containers: ContainerSeries;
  /** Room to work in: at which instants a pod was seen. */
  readonly #seen: Uint8Array;

  /**
   * @param features the columns.
   * @param timestampsSeconds the instants, ascending, at equal distances.
   * @param maximumPods of more pods, some are unscored as `max_pods` (`PodLimit`).
   */
  constructor(
    private readonly features: readonly FeatureDefinition[],
    private readonly timestampsSeconds: Float64Array,
    maximumPods = Number.POSITIVE_INFINITY,
  ) {
    this.#required = features.flatMap(({ required }, column) => (required ? [column] : []));
    this.#size = timestampsSeconds.length * features.length;
    this.#limit = new PodLimit(maximumPods);
    this.#containers = new ContainerSeries(timestampsSeconds.length);
    this.#seen = new Uint8Array(timestampsSeconds.length);
  }

  /**
   * Adds the answer to one feature's query, or a part of it. Of two values for one cell the larger stays, as in
   * the built-in queries. Of a counter, a pod may have several series (`countEvents`).
   */
  add(feature: FeatureDefinition, series: SeriesSet): void {
    const column = this.features.indexOf(feature);
    if (column < 0) throw new Error(`Feature ${feature.name} is not a column of this table.`);
    // Most answers have the same pods in the same order.
    let expected = 0;
    for (let index = 0; index < series.labels.length; index++) {
      const labels = series.labels[index];
      const namespace = labels?.namespace;
      const pod = labels?.[feature.podLabel];
      if (!namespace || !pod) {
        count(this.#droppedSeries, 'unlabelled');
        continue;
      }
      const next = this.#pods[expected];
      const row = next?.pod === pod && next.namespace === namespace ? expected : this.#rowOf(namespace, pod);
      if (row === 'bad_name') count(this.#droppedSeries, row);
      else if (row !== undefined) {
        this.#addSamples(row, column, series, index);
        expected = row + 1;
      }
    }
  }

  #addSamples(row: number, column: number, series: SeriesSet, index: number): void {
    const { timestampsSeconds, values } = series;
    const { type, podLabel } = this.features[column] as FeatureDefinition;
    const own =
      type === 'counter'
        ? this.#containers.roomFor(this.#firstCell(row, column), series.labels[index] as Labels, podLabel)
        : undefined;
    const cells = own ?? this.#cellsOf(row).subarray(column);
    const width = own === undefined ? this.features.length : 1;
    const end = series.offsets[index + 1] ?? 0;
    let duplicate = false;
    let misaligned = false;
    let notFinite = false;
    let instant = -1;
    for (let sample = series.offsets[index] ?? end; sample < end; sample++) {
      const seconds = timestampsSeconds[sample] as number;
      const value = values[sample] as number;
      instant = this.#isAt(instant + 1, seconds) ? instant + 1 : this.#instantAt(seconds);
      if (instant < 0) {
        misaligned = true;
        if (this.#isOfLastInstant(seconds) && !this.#losses.has(row)) this.#losses.set(row, 'misaligned');
      } else if (!(Math.abs(value) <= LARGEST_VALUE)) {
        notFinite = true;
        if (this.#isOfLastInstant(seconds)) this.#losses.set(row, 'not_finite');
      } else {
        const cell = instant * width;
        const present = cells[cell] as number;
        if (Number.isNaN(present)) cells[cell] = value;
        else {
          cells[cell] = Math.max(present, value);
          duplicate = true;
        }
      }
    }
    if (duplicate) count(this.#droppedSeries, 'duplicate');
    if (misaligned) count(this.#droppedSeries, 'misaligned');
    if (notFinite) count(this.#droppedSeries, 'not_finite');
  }

  /** Whether a sample came after the instant before the last: a pod may be gone since. */
  #isOfLastInstant(timestampSeconds: number): boolean {
    const before = this.timestampsSeconds[this.timestampsSeconds.length - 2];
    return before === undefined || timestampSeconds > before + SAME_INSTANT_SECONDS;
  }

  /** Position of an instant on the grid, -1 off it. */
  #instantAt(timestampSeconds: number): number {
    const grid = this.timestampsSeconds;
    const first = grid[0] ?? Number.NaN;
    const step = (grid[1] ?? first + 1) - first;
    const instant = Math.round((timestampSeconds - first) / step);
    return this.#isAt(instant, timestampSeconds) ? instant : -1;
  }

  #isAt(instant: number, timestampSeconds: number): boolean {
    const grid = this.timestampsSeconds;
    return (
      instant >= 0 &&
      instant < grid.length &&
      Math.abs((grid[instant] as number) - timestampSeconds) < SAME_INSTANT_SECONDS
    );
  }

  /** The row of a pod, which is added if it is missing; `undefined` if there are too many pods. */
  #rowOf(namespace: string, pod: string): number | 'bad_name' | undefined {
    const existing = this.#rows.get(namespace)?.get(pod);
    if (existing !== undefined) return existing;
    if (!isObjectName(pod) || (!this.#rows.has(namespace) && !isObjectName(namespace))) return 'bad_name';
    const row = this.#limit.rowFor({ namespace, pod }, this.#pods);
    if (row === undefined) return undefined;
    if (row < this.#pods.length) this.#clear(row);
    else if (row % ROWS_PER_BLOCK === 0) {
      this.#blocks.push(new Float64Array(ROWS_PER_BLOCK * this.#size).fill(Number.NaN));
    }
    this.#pods[row] = { namespace, pod };
    const rows = this.#rows.get(namespace) ?? new Map<string, number>();
    this.#rows.set(namespace, rows.set(pod, row));
    return row;
  }

  /** Makes room for another pod in a row. */
  #clear(row: number): void {
    const { namespace, pod } = this.#pods[row] as NamedPod;
    this.#rows.get(namespace)?.delete(pod);
    this.#cellsOf(row).fill(Number.NaN);
    for (const column of this.features.keys()) this.#containers.forget(this.#firstCell(row, column));
    this.#losses.delete(row);
  }

  /** A number for each column of each pod. */
  #firstCell(row: number, column: number): number {
    return row * this.#size + column;
  }

  /** Lets each pod have one value a cell. */
  #combineContainers(): void {
    const width = this.features.length;
    const [start = 0, second = start + 1] = this.timestampsSeconds;
    const cellsAt = (cell: number) => this.#cellsOf(Math.floor(cell / this.#size)).subarray(cell % this.#size);
    this.#containers.combine(
      second - start,
      (cell) => cellsAt(cell).filter((_, index) => index % width === 0),
      (cell, counts) => {
        const cells = cellsAt(cell);
        for (const [instant, value] of counts.entries()) cells[instant * width] = value;
      },
    );
  }

  /** All pods that any series named, in the order in which they came. */
  podsSeen(): readonly NamedPod[] {
    return this.#pods;
  }

  /** The pods that were seen at the last instant without every required feature. */
  incompletePods(): readonly NamedPod[] {
    this.#combineContainers();
    return this.#pods.filter((_, row) => {
      const cells = this.#cellsOf(row);
      return this.#isSeen(cells, this.#last) && !this.#isComplete(cells, this.#last);
    });
  }

  /**
   * The table of all that was added. A feature that is not required reads as 0 in the rows that have the required
   * ones: call this only when its query succeeded.
   *
   * @param workloadOf the workload of a pod, by namespace and name, and its position in `podsSeen`.
   * @param scoring for a table to score, which has pods that have counters only; without it, a table to learn
   *   from.
   * @returns also where in `podsSeen` each pod of the table is.
   */
  build(
    workloadOf: (namespace: string, pod: string, position: number) => string,
    scoring?: ScoringContext,
  ): BuiltTable & { readonly positions: Int32Array } {
    return finish(this.buildInSteps(workloadOf, scoring));
  }

  /** Does the same in steps of a few milliseconds. Nothing may be added meanwhile. */
  *buildInSteps(
    workloadOf: (namespace: string, pod: string, position: number) => string,
    scoring?: ScoringContext,
  ): Generator<undefined, BuiltTable & { readonly positions: Int32Array }> {
    this.#combineContainers();
    yield;
    const usable: number[] = [];
    const unscored = new Map<string, number>();
    const reasons = new Map<number, string>();
    const context = scoring && { ...scoring, lingerSeconds: lingerSecondsOf(this.features) };
    if (this.#limit.shed > 0) unscored.set('max_pods', this.#limit.shed);
    for (let row = 0; row < this.#pods.length; row++) {
      if (isEndOfStep(row)) yield;
      const cells = this.#cellsOf(row);
      const reason = this.#whyUnscored(cells, row, context);
      const tells = scoring !== undefined && reason !== undefined && this.#hasRise(cells);
      // Whatever a pod did before it ended.
      const isUsable = reason !== ENDED && (this.#hasCompleteInstant(cells) || tells);
      if (isUsable) usable.push(row);
      if (reason === undefined) continue;
      if (isUsable && scoring !== undefined) reasons.set(row, reason);
      else count(unscored, reason);
    }
    const podOf = (row: number) => this.#pods[row] as NamedPod;
    // Servers send series in this order, so that there is hardly anything to sort.
    usable.sort((a, b) => comparePods(podOf(a), podOf(b)));
    yield;
    const incomplete = new Map<number, string>();
    const pods: PodIdentity[] = [];
    for (const [position, row] of usable.entries()) {
      if (isEndOfStep(position)) yield;
      const reason = reasons.get(row);
      if (reason !== undefined) incomplete.set(position, reason);
      const { namespace, pod } = podOf(row);
      pods.push({ namespace, pod, workload: workloadOf(namespace, pod, row) });
    }
    const { timestampsSeconds } = this;
    const axes = { features: this.features.map(({ name }) => name), pods, timestampsSeconds };
    const table = yield* FeatureTable.fillInSteps(axes, (pod, cells) => {
      cells.set(this.#cellsOf(usable[pod] as number));
      this.#complete(cells, scoring !== undefined);
    });
    return { table, positions: Int32Array.from(usable), unscored, incomplete, droppedSeries: this.#droppedSeries };
  }

  #cellsOf(row: number): Float64Array {
    const start = (row % ROWS_PER_BLOCK) * this.#size;
    const block = this.#blocks[Math.floor(row / ROWS_PER_BLOCK)] as Float64Array;
    return block.subarray(start, start + this.#size);
  }

  /**
   * Fills what may be absent, and blanks the instants that lack a required feature.
   *
   * @param keepsCounters whether counters stay there, as far as the pod was seen.
   */
  #complete(cells: Float64Array, keepsCounters: boolean): void {
    const width = this.features.length;
    const seen = this.#seen;
    for (let instant = 0; keepsCounters && instant < seen.length; instant++) {
      seen[instant] = Number(this.#isSeen(cells, instant * width));
    }
    for (let column = 0; column < width; column++) {
      if (!this.#required.includes(column)) fillGaps(cells, column, width);
    }
    for (let start = 0; start < cells.length; start += width) {
      if (this.#isComplete(cells, start)) continue;
      const keeps = keepsCounters && seen[start / width] === 1;
      for (let column = 0; column < width; column++) {
        if (!keeps || this.features[column]?.type !== 'counter') cells[start + column] = Number.NaN;
      }
    }
  }

  #hasCompleteInstant(cells: Float64Array): boolean {
    let start = 0;
    while (start < cells.length && !this.#isComplete(cells, start)) start += this.features.length;
    return start < cells.length;
  }

  /** Whether any counter rises. */
  #hasRise(cells: Float64Array): boolean {
    return this.features.some(({ type }, column) => {
      if (type !== 'counter') return false;
      let height = Number.NaN;
      for (let cell = column; cell < cells.length; cell += this.features.length) {
        const value = cells[cell] as number;
        if (value > height) return true;
        height = heightAfter(height, value);
      }
      return false;
    });
  }

  /** Whether there is any value at an instant. */
  #isSeen(cells: Float64Array, start: number): boolean {
    for (let cell = start; cell < start + this.features.length; cell++) if (!Number.isNaN(cells[cell])) return true;
    return false;
  }

  /** Where the cells of the last instant begin. */
  get #last(): number {
    return this.#size - this.features.length;
  }

  #isComplete(cells: Float64Array, start: number): boolean {
    for (const column of this.#required) if (Number.isNaN(cells[start + column])) return false;
    return true;
  }

  /** Why a pod that is there at the last instant has no score then; `undefined` where it has one, or is gone. */
  #whyUnscored(
    cells: Float64Array,
    row: number,
    context: (ScoringContext & { readonly lingerSeconds: number }) | undefined,
  ): string | undefined {
    if (this.#isComplete(cells, this.#last)) return undefined;
    const lost = this.#losses.get(row);
    if (lost !== undefined) return lost;
    if (!this.#isSeen(cells, this.#last)) return undefined;
    const { features, timestampsSeconds } = this;
    const state = context && { ...context, idle: context.idleReasonOf(this.#pods[row] as NamedPod) };
    return whyUnscored({ features, timestampsSeconds, cells }, state);
  }
}

/**
 * Fills a column's gaps with the value before, at the beginning with the first one, and with 0 without any value. A
 * counter that read 0 in a gap would seem to rise by all it has at its end.
 *
 * @param cells rows × `width`.
 */
function fillGaps(cells: Float64Array, column: number, width: number): void {
  let first = column;
  while (Number.isNaN(cells[first])) first += width;
  let known = cells[first] ?? 0;
  for (let cell = column; cell < cells.length; cell += width) {
    if (Number.isNaN(cells[cell])) cells[cell] = known;
    else known = cells[cell] as number;
  }
}

/** Says that pods were left out for `MAX_PODS`, where any were. */
export function podLimitWarning({ unscored }: BuiltTable): string | undefined {
  const shed = unscored.get('max_pods');
  if (shed === undefined) return undefined;
  return (
    `${shed} ${shed === 1 ? 'pod is' : 'pods are'} left out, always the same, as there are more than MAX_PODS. Raise ` +
    'it, if the process has the memory, or narrow NAMESPACE_REGEX and run several exporters.'
  );
}

function count(counts: Map<string, number>, reason: string): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}
