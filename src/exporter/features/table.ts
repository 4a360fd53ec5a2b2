/** Features of many pods at one or more instants: the one shape of data for training and for scoring. */

import { partitionPoint } from '../../lib/partition-point.js';
import { finish } from '../../lib/steps.js';

/** Pods that are put into a table, or looked up, in one step: a few milliseconds of work. */
const PODS_PER_STEP = 4096;

/** Whether a step ends before a pod, counted from 0. */
export const isEndOfStep = (pod: number) => pod > 0 && pod % PODS_PER_STEP === 0;

/** A pod, by the parts of its name. */
export interface NamedPod {
  readonly namespace: string;
  readonly pod: string;
}

/** The order of pods in a table, by code units: the same on every machine, unlike a locale's. */
export const comparePods = (a: NamedPod, b: NamedPod) =>
  compareText(a.namespace, b.namespace) || compareText(a.pod, b.pod);

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The row of a pod in the order of `comparePods`; `undefined` where it is not there. */
export function rowOfPod(pods: readonly NamedPod[], pod: NamedPod): number | undefined {
  const row = partitionPoint(pods.length, (position) => comparePods(pods[position] as NamedPod, pod) < 0);
  return row < pods.length && comparePods(pods[row] as NamedPod, pod) === 0 ? row : undefined;
}

/** A pod, and what it belongs to. */
export interface PodIdentity extends NamedPod {
  /** Name of the Deployment, StatefulSet, DaemonSet, Job, … that made the pod; the pod's own name without one. */
  readonly workload: string;
}

/** Identifies a pod, or anything else that has a name in a namespace. Neither part holds the separator (`isObjectName`). */
export function podKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** The parts of a pod's key. */
export function podOfKey(key: string): NamedPod {
  const end = key.indexOf('/');
  return { namespace: key.slice(0, end), pod: key.slice(end + 1) };
}

/**
 * Far more than Kubernetes allows, since the label that names a pod can be chosen; but nothing that would make two
 * pods one: the separators of `podKey` and of prom-client, half characters (UTF-8 has none, so that all look the
 * same), and lengths that no server takes as a label. 253 is the length of a DNS subdomain (RFC 1123).
 */
const OBJECT_NAME = /^[^,/\p{Cc}\p{Cs}]{1,253}$/u;

/** What names are made of nearly always; the other expression takes ten times as long. */
const ORDINARY_NAME = /^[a-zA-Z0-9._-]{1,253}$/;

/** Whether a text can name a namespace, a pod or an owner. */
export function isObjectName(text: string): boolean {
  return ORDINARY_NAME.test(text) || OBJECT_NAME.test(text);
}

export interface TableAxes {
  /** Names of the columns. */
  readonly features: readonly string[];
  /** In the order of `comparePods`. */
  readonly pods: readonly PodIdentity[];
  /** Unix time in seconds, ascending, at equal distances. */
  readonly timestampsSeconds: Float64Array;
}

/** Distance of the instants of a table that has only one. */
const LONE_INSTANT_SECONDS = 60;

/**
 * Pods × instants × features. Each instant of a pod is complete, or `NaN` in all its cells; in a table for scoring, an
 * incomplete instant may have the values of counters. Only this class knows where a cell is.
 */
export class FeatureTable implements TableAxes {
  readonly features: readonly string[];
  readonly pods: readonly PodIdentity[];
  readonly timestampsSeconds: Float64Array;
  /** All cells, for what does not ask whose they are: features change fastest, pods slowest. */
  readonly values: Float64Array;

  /** @throws {Error} when the number of values is not the number of cells. */
  constructor({ features, pods, timestampsSeconds, values }: TableAxes & { readonly values: Float64Array }) {
    const cells = pods.length * timestampsSeconds.length * features.length;
    if (values.length !== cells) throw new Error(`Expected ${cells} values, got ${values.length}.`);
    this.features = features;
    this.pods = pods;
    this.timestampsSeconds = timestampsSeconds;
    this.values = values;
  }

  /**
   * A table that is filled pod by pod.
   *
   * @param fill is called with the position of each pod, and its cells to write to: instants × features, all `NaN`.
   */
  static fill(axes: TableAxes, fill: (pod: number, cells: Float64Array) => void): FeatureTable {
    return finish(FeatureTable.fillInSteps(axes, fill));
  }

  /** Does the same in steps of a few milliseconds. */
  static *fillInSteps(
    axes: TableAxes,
    fill: (pod: number, cells: Float64Array) => void,
  ): Generator<undefined, FeatureTable> {
    const size = axes.timestampsSeconds.length * axes.features.length;
    const values = new Float64Array(axes.pods.length * size);
    const table = new FeatureTable({ ...axes, values });
    for (let pod = 0; pod < axes.pods.length; pod++) {
      if (isEndOfStep(pod)) yield;
      fill(pod, table.cellsOf(pod).fill(Number.NaN));
    }
    return table;
  }

  /** Distance of the instants, in seconds; a minute where there is only one. */
  get stepSeconds(): number {
    const [first, second] = this.timestampsSeconds;
    return first === undefined || second === undefined ? LONE_INSTANT_SECONDS : second - first;
  }

  at(pod: number, instant: number, column: number): number {
    return this.values[this.#cell(pod, instant) + column] as number;
  }

  /** Whether a pod has the values of all features at an instant. */
  isPresent(pod: number, instant: number): boolean {
    const start = this.#cell(pod, instant);
    for (let cell = start; cell < start + this.features.length; cell++) {
      if (Number.isNaN(this.values[cell])) return false;
    }
    return true;
  }

  /** How many instants with values all pods have together. */
  countPresent(): number {
    let count = 0;
    for (let cell = 0; cell < this.values.length; cell += this.features.length) {
      if (!Number.isNaN(this.values[cell])) count++;
    }
    return count;
  }

  /** The value at the instant nearest to a time, in Unix seconds; `NaN` where the table has none there. */
  valueAt(pod: number, timeSeconds: number, column: number): number {
    const instant = Math.round((timeSeconds - (this.timestampsSeconds[0] ?? Number.NaN)) / this.stepSeconds);
    if (!(instant >= 0 && instant < this.timestampsSeconds.length)) return Number.NaN;
    return this.at(pod, instant, column);
  }

  /** One feature of all pods at all instants: every value of `values` from `first` on, `stride` apart. */
  strideOf(column: number): { readonly first: number; readonly stride: number } {
    return { first: column, stride: this.features.length };
  }

  /** The cells of a pod, instants × features: a view, not a copy. */
  cellsOf(pod: number): Float64Array {
    return this.values.subarray(this.#cell(pod, 0), this.#cell(pod + 1, 0));
  }

  /** The cells of a pod at one instant, one for each feature: a view, not a copy. */
  row(pod: number, instant: number): Float64Array {
    return this.values.subarray(this.#cell(pod, instant), this.#cell(pod, instant + 1));
  }

  /** Writes one feature of a pod to an array with room for all instants. */
  copyColumn(pod: number, column: number, into: Float64Array): void {
    let cell = this.#cell(pod, 0) + column;
    for (let instant = 0; instant < this.timestampsSeconds.length; instant++) {
      into[instant] = this.values[cell] as number;
      cell += this.features.length;
    }
  }

  /** Writes the present values of one feature of a pod to an array like that, and returns their number. */
  copyPresent(pod: number, column: number, into: Float64Array): number {
    let count = 0;
    const end = this.#cell(pod + 1, 0);
    for (let cell = this.#cell(pod, 0) + column; cell < end; cell += this.features.length) {
      const value = this.values[cell] as number;
      if (!Number.isNaN(value)) into[count++] = value;
    }
    return count;
  }

  /** The instants from `from` to before `to`, as a copy. All pods stay, also those that have no values there. */
  selectInstants(from: number, to: number): FeatureTable {
    const axes = { ...this, timestampsSeconds: this.timestampsSeconds.slice(from, to) };
    return FeatureTable.fill(axes, (pod, cells) => {
      cells.set(this.values.subarray(this.#cell(pod, from), this.#cell(pod, to)));
    });
  }

  /** Some features by their names, as a copy; the table itself where these are all. */
  selectFeatures(names: readonly string[]): FeatureTable {
    if (names.length === this.features.length) return this;
    const columns = names.map((name) => this.features.indexOf(name));
    return FeatureTable.fill({ ...this, features: names }, (pod, cells) => {
      for (let cell = 0; cell < cells.length; cell++) {
        const instant = Math.floor(cell / columns.length);
        cells[cell] = this.at(pod, instant, columns[cell % columns.length] as number);
      }
    });
  }

  #cell(pod: number, instant: number): number {
    return (pod * this.timestampsSeconds.length + instant) * this.features.length;
  }
}
