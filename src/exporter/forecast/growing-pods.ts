/** Which pods are worth a question: those whose memory grows, by what the exporter has in memory anyway. */

import type { Detection } from '../detection/detection.js';
import { type PodIdentity, podKey } from '../features/table.js';

const HOUR_SECONDS = 3600;

/** Hours that are remembered. */
const HOURS = 24;

/** Growth since an hour ago that is worth a look, and over the day, as shares. */
const HOUR_GROWTH = 0.005;
const DAY_GROWTH = 0.02;

/** A pod that was away for longer is forgotten, in seconds. */
const FORGET_SECONDS = HOUR_SECONDS;

/** What is remembered of a pod. */
interface Known {
  /** Its row of the floors. */
  readonly row: number;
  /** When the pod was last seen, and last asked about, Unix times in seconds. */
  seenSeconds: number;
  askedSeconds: number;
}

/** Remembers the lowest memory of each pod in each hour of the last day. */
export class GrowingPods {
  readonly #known = new Map<string, Known>();
  /**
   * Rows × `HOURS`: the smallest value of each hour, by its number modulo `HOURS`; `NaN` where nothing is known. One array for
   * all, as one for each pod would take three times the memory.
   */
  #floors = new Float32Array(0);
  /** Rows of pods that were forgotten. */
  readonly #free: number[] = [];

  /** Takes a detection in. Call it every few minutes. */
  observe({ table, timeSeconds }: Detection, column: number): void {
    const hour = Math.floor(timeSeconds / HOUR_SECONDS);
    for (const [row, { namespace, pod }] of table.pods.entries()) {
      const key = podKey(namespace, pod);
      const known = this.#known.get(key) ?? { row: this.#newRow(), seenSeconds: timeSeconds, askedSeconds: 0 };
      this.#known.set(key, known);
      const first = known.row * HOURS;
      // Hours in which it was away.
      const seenHour = Math.floor(known.seenSeconds / HOUR_SECONDS);
      for (let past = Math.max(seenHour + 1, hour - HOURS + 1); past <= hour; past++) {
        this.#floors[first + (past % HOURS)] = Number.NaN;
      }
      const bytes = table.at(row, 0, column);
      const own = first + (hour % HOURS);
      if (!(bytes >= (this.#floors[own] as number))) this.#floors[own] = bytes;
      known.seenSeconds = timeSeconds;
    }
    for (const [key, { row, seenSeconds }] of this.#known) {
      if (Math.abs(timeSeconds - seenSeconds) <= FORGET_SECONDS) continue;
      this.#known.delete(key);
      this.#free.push(row);
    }
  }

  #newRow(): number {
    const row = this.#free.pop() ?? this.#known.size;
    if ((row + 1) * HOURS > this.#floors.length) {
      const larger = new Float32Array(Math.max(64, 2 * row) * HOURS);
      larger.set(this.#floors);
      this.#floors = larger;
    }
    this.#floors.fill(Number.NaN, row * HOURS, (row + 1) * HOURS);
    return row;
  }

  /**
   * The pods to ask about, at most `most`, which count as asked about then: those that are named always, and of those that
   * grow the ones that were not asked about for longest, the steepest first.
   *
   * @param always keys of pods (`podKey`).
   * @param hourAgo what a pod had an hour ago, by its row in the table; `NaN` where it is not known.
   */
  next(
    { table, muted, timeSeconds }: Detection,
    column: number,
    {
      always,
      hourAgo,
      most,
    }: {
      readonly always: ReadonlySet<string>;
      readonly hourAgo: (row: number) => number;
      readonly most: number;
    },
  ): PodIdentity[] {
    const hour = Math.floor(timeSeconds / HOUR_SECONDS);
    const growing: { readonly identity: PodIdentity; readonly known: Known; readonly growth: number }[] = [];
    for (const [row, identity] of table.pods.entries()) {
      const key = podKey(identity.namespace, identity.pod);
      const known = this.#known.get(key);
      if (known === undefined || muted[row] === 1) continue;
      const bytes = table.at(row, 0, column);
      const growth = always.has(key) ? Number.POSITIVE_INFINITY : this.#growthOf(known, bytes, hourAgo(row), hour);
      if (growth > 0) growing.push({ identity, known, growth });
    }
    const isAlways = ({ growth }: { readonly growth: number }) => Number(growth === Number.POSITIVE_INFINITY);
    growing.sort(
      (a, b) => isAlways(b) - isAlways(a) || a.known.askedSeconds - b.known.askedSeconds || b.growth - a.growth,
    );
    return growing.slice(0, most).map(({ identity, known }) => {
      known.askedSeconds = timeSeconds;
      return identity;
    });
  }

  /** Growth as a share, of the last hour or, if that is more, of an hour of the day before; 0 where it is not worth a look. */
  #growthOf({ row }: Known, bytes: number, hourAgo: number, hour: number): number {
    const ofHour = bytes / hourAgo - 1;
    let oldest = Number.NaN;
    let hours = 0;
    let isAtTop = true;
    for (let past = hour - HOURS + 1; past < hour; past++) {
      const floor = this.#floors[row * HOURS + (past % HOURS)] as number;
      if (floor > bytes) isAtTop = false;
      if (hours > 0 || Number.isNaN(floor)) continue;
      oldest = floor;
      hours = hour - past;
    }
    const ofDay = hours < 2 ? 0 : bytes / oldest - 1;
    return Math.max(ofHour >= HOUR_GROWTH ? ofHour : 0, isAtTop && ofDay >= DAY_GROWTH ? ofDay / hours : 0);
  }
}
