/** Gets stretches of the past from Prometheus, in requests that it can answer. */

import type { PrometheusApi } from '../../exporter/prometheus/api.js';
import { RangeFetcher } from '../../exporter/prometheus/range.js';
import { Remarks } from '../../exporter/prometheus/remarks.js';
import { type Grid, type Slab, toSlab } from './range-matrix.js';

/** Points in one answer: about 10 MB of JSON. A guest asks for half of what a training of the service does. */
export const POINTS_PER_REQUEST = 300_000;

/** Characters of a point in JSON besides its value: `[1777593600,""],`. */
const CHARACTERS_BESIDE_VALUE = 16;

/** Fetches queries over grids, and keeps account of what that took. */
export class Fetcher {
  /** What Prometheus warned of. */
  readonly remarks = new Remarks();
  readonly #ranges: RangeFetcher;
  #points = 0;
  #bytes = 0;

  constructor(api: PrometheusApi) {
    this.#ranges = new RangeFetcher(api, { pointsPerRequest: POINTS_PER_REQUEST });
  }

  /** What was asked and answered so far; bytes of JSON are estimated from the points. */
  get traffic() {
    const { requests, splits } = this.#ranges;
    return { requests, points: this.#points, bytes: this.#bytes, splits };
  }

  /**
   * All samples of a query on a grid, in slabs in order of time.
   *
   * @throws {PrometheusError} when Prometheus does not answer even for a single instant.
   */
  async fetch(query: string, grid: Grid, signal: AbortSignal): Promise<Slab[]> {
    const slabs: Slab[] = [];
    for await (const { part, answer } of this.#ranges.fetch(query, grid, signal)) {
      for (const remark of [...answer.warnings, ...answer.infos]) this.remarks.add(remark);
      this.#points += answer.values.length;
      this.#bytes += answer.values.length * (CHARACTERS_BESIDE_VALUE + meanLength(answer.values));
      slabs.push(toSlab(answer, part));
    }
    return slabs;
  }
}

/** Mean length of values as text, from about a hundred of them. */
function meanLength(values: Float64Array): number {
  const stride = Math.max(1, Math.floor(values.length / 100));
  const some = values.filter((_, index) => index % stride === 0);
  return some.join('').length / Math.max(1, some.length);
}
