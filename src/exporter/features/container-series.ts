/** Room for the series of counters of which a pod has several: one for each container. */

import type { Labels } from '../prometheus/api.js';
import { countEvents } from './counter-events.js';

/** Keeps what has no room in a table, which has one cell for a pod, a feature and an instant. */
export class ContainerSeries {
  /** Which series stands in the table, by the position of its first cell. */
  readonly #inTable = new Map<number, string>();
  readonly #others = new Map<number, Map<string, Float64Array>>();

  constructor(private readonly instants: number) {}

  /**
   * Where the values of a series belong, one for each instant; `undefined` for the table, where the first series of a
   * counter has its place.
   *
   * @param cell where the counter has its first cell in the table.
   * @param podLabel the label with the name of the pod; what the other labels say tells its series apart.
   */
  roomFor(cell: number, labels: Labels, podLabel: string): Float64Array | undefined {
    let key = '';
    for (const name in labels) if (name !== 'namespace' && name !== podLabel) key += `${name}=${labels[name]}\n`;
    const first = this.#inTable.get(cell);
    if (first === undefined) this.#inTable.set(cell, key);
    if (first === undefined || first === key) return undefined;
    const others = this.#others.get(cell) ?? new Map<string, Float64Array>();
    this.#others.set(cell, others);
    const known = others.get(key) ?? new Float64Array(this.instants).fill(Number.NaN);
    others.set(key, known);
    return known;
  }

  /** Forgets the series of the counter that has its first cell there. */
  forget(cell: number): void {
    this.#inTable.delete(cell);
    this.#others.delete(cell);
  }

  /**
   * Makes one series of those of each counter that has several, and forgets them.
   *
   * @param read the values in the table of the counter that has its first cell there; `write` puts others in their place.
   */
  combine(
    stepSeconds: number,
    read: (cell: number) => Float64Array,
    write: (cell: number, counts: Float64Array) => void,
  ): void {
    for (const [cell, others] of this.#others) write(cell, countEvents([read(cell), ...others.values()], stepSeconds));
    this.#others.clear();
  }
}
