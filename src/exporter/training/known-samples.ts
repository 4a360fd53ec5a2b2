/** The samples that trainings have read: the next training asks only for what is new. */

import type { Labels, SeriesSet } from '../prometheus/api.js';
import type { Instants } from '../prometheus/range.js';
import type { Grid } from './plan.js';
import {
  blockOf,
  buffersOf,
  bytesOf,
  countValues,
  type SampleBlock,
  selectInstants,
  seriesIn,
} from './sample-block.js';

/** What stays from one training to the next: plain data, which threads hand over without a copy. */
export interface KeptSamples {
  /** The namespaces that were read; `undefined` for all. Samples of others are no beginning. */
  readonly namespaces: readonly string[] | undefined;
  /** The labels of the series as JSON, in the order of their numbers, one a line. */
  readonly labels: Uint8Array<ArrayBuffer>;
  /** By query. No instant is in two blocks of a query. */
  readonly blocks: ReadonlyMap<string, readonly SampleBlock[]>;
}

/** The buffers of kept samples. */
export function buffersOfSamples({ labels, blocks }: KeptSamples): ArrayBuffer[] {
  return [labels.buffer, ...[...blocks.values()].flat().flatMap(buffersOf)];
}

/**
 * Where more than this share of the series is absent for a while and comes back, samples were more likely stored late: an
 * agent that could not send, a receiver that was down.
 */
const LARGE_SHARE_ABSENT = 1 / 3;

/** A block, and whether it is from an earlier training. */
interface Held {
  readonly block: SampleBlock;
  readonly isEarlier: boolean;
}

export class KnownSamples {
  readonly #held = new Map<string, Held[]>();
  /** By number. */
  readonly #texts: string[];
  readonly #labels: Labels[] = [];
  readonly #numbers: Map<string, number>;

  /** @param kept by an earlier training. */
  constructor(kept?: Pick<KeptSamples, 'labels' | 'blocks'>) {
    this.#texts =
      kept === undefined || kept.labels.length === 0 ? [] : new TextDecoder().decode(kept.labels).split('\n');
    this.#numbers = new Map(this.#texts.map((text, number) => [text, number]));
    for (const [query, blocks] of kept?.blocks ?? []) {
      this.#held.set(
        query,
        blocks.map((block) => ({ block, isEarlier: true })),
      );
    }
  }

  /**
   * The most series of an answer to a query; `undefined` where none is known. The newest answer may have few: those of an
   * outage, after which all come back.
   */
  seriesOf(query: string): number | undefined {
    const counts = this.#of(query).map(({ block }) => block.steadySeries.length + block.series.length);
    return counts.length === 0 ? undefined : Math.max(...counts);
  }

  /** The newest instant that is known of any query, Unix time in seconds; `-Infinity` without one. */
  get newestSeconds(): number {
    const all = [...this.#held.values()].flat();
    return all.reduce((newest, { block }) => Math.max(newest, lastOf(block)), Number.NEGATIVE_INFINITY);
  }

  /** The instants of a grid that have to be asked for, as few ranges. */
  missing(query: string, { grid, stepSeconds }: Grid): Instants[] {
    const known = new Set(this.#of(query).flatMap(({ block }) => Array.from(block.instants, milliseconds)));
    const ranges: { startSeconds: number; stepSeconds: number; instants: number }[] = [];
    let isOpen = false;
    for (const time of grid) {
      const isMissing = !known.has(milliseconds(time));
      const last = ranges.at(-1);
      if (isMissing && isOpen && last !== undefined) last.instants++;
      else if (isMissing) ranges.push({ startSeconds: time, stepSeconds, instants: 1 });
      isOpen = isMissing;
    }
    return ranges;
  }

  /** Takes an answer in. The instants must have been missing. */
  add(query: string, asked: Instants, answer: SeriesSet): void {
    const block = blockOf(answer, asked, (labels) => this.#numberOf(labels));
    this.#held.set(query, [...this.#of(query), { block, isEarlier: false }]);
  }

  /**
   * Forgets instants of a grid at which earlier trainings found far fewer series than there are before and after them.
   *
   * @returns whether there were any: they are missing now.
   */
  forgetGaps(query: string, { grid }: Grid): boolean {
    const counts = new Map<number, number>();
    const earlier = new Set<number>();
    for (const { block, isEarlier } of this.#of(query)) {
      const found = countValues(block);
      block.instants.forEach((time, position) => {
        counts.set(milliseconds(time), found[position] as number);
        if (isEarlier) earlier.add(milliseconds(time));
      });
    }
    const times = Array.from(grid, milliseconds);
    const [before, after] = [highest(times, counts), highest(times.toReversed(), counts).reverse()];
    const gaps = times.filter((time, index) => {
      const usual = Math.min(before[index] as number, after[index] as number);
      return earlier.has(time) && (counts.get(time) as number) < (1 - LARGE_SHARE_ABSENT) * usual;
    });
    const isGap = new Set(gaps);
    this.#select(query, (time) => !isGap.has(milliseconds(time)));
    return gaps.length > 0;
  }

  /** All that is known at the instants of a grid, in pieces. */
  *read(query: string, { grid }: Grid): Generator<SeriesSet> {
    const wanted = new Set(Array.from(grid, milliseconds));
    for (const { block } of this.#of(query)) {
      const positions = [...block.instants.keys()].filter((position) =>
        wanted.has(milliseconds(block.instants[position] as number)),
      );
      if (positions.length > 0) yield* seriesIn(block, positions, (number) => this.#labelsOf(number));
    }
  }

  /** Forgets what is outside of some time, both ends included, Unix times in seconds. */
  forgetOutside(fromSeconds: number, toSeconds: number): void {
    for (const query of this.#held.keys()) this.#select(query, (time) => time >= fromSeconds && time <= toSeconds);
  }

  forgetAll(): void {
    this.#held.clear();
  }

  /** Forgets the oldest blocks until the rest takes at most this number of bytes. */
  limit(mostBytes: number): void {
    const newestFirst = [...this.#held.values()].flat().sort((a, b) => lastOf(b.block) - lastOf(a.block));
    const within = new Set<Held>();
    let bytes = 0;
    for (const held of newestFirst) {
      bytes += bytesOf(held.block);
      if (bytes > mostBytes) break;
      within.add(held);
    }
    for (const [query, blocks] of this.#held)
      this.#held.set(
        query,
        blocks.filter((held) => within.has(held)),
      );
  }

  /** What the next training may begin with. Nothing may be asked of this object afterwards. */
  keep(namespaces: readonly string[] | undefined): KeptSamples {
    // The numbers of series that are gone go to others.
    const numbers = new Uint32Array(this.#texts.length);
    const texts: string[] = [];
    for (const { block } of [...this.#held.values()].flat()) {
      for (const series of [block.steadySeries, block.series]) {
        series.forEach((number, row) => {
          if (numbers[number] === 0) numbers[number] = texts.push(this.#texts[number] as string);
          series[row] = (numbers[number] as number) - 1;
        });
      }
    }
    const blocks = new Map([...this.#held].map(([query, held]) => [query, held.map(({ block }) => block)]));
    return { namespaces, labels: new TextEncoder().encode(texts.join('\n')), blocks };
  }

  #of(query: string): readonly Held[] {
    return this.#held.get(query) ?? [];
  }

  #select(query: string, keeps: (timeSeconds: number) => boolean): void {
    const selected = this.#of(query).flatMap((held) => {
      const positions = [...held.block.instants.keys()].filter((position) =>
        keeps(held.block.instants[position] as number),
      );
      return positions.length === 0 ? [] : [{ ...held, block: selectInstants(held.block, positions) }];
    });
    this.#held.set(query, selected);
  }

  #numberOf(labels: Labels): number {
    const text = JSON.stringify(labels);
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#texts.push(text) - 1;
    this.#numbers.set(text, number);
    this.#labels[number] = labels;
    return number;
  }

  #labelsOf(number: number): Labels {
    this.#labels[number] ??= JSON.parse(this.#texts[number] as string) as Labels;
    return this.#labels[number];
  }
}

const lastOf = ({ instants }: SampleBlock): number => instants.at(-1) as number;

/** A time that is the same however it was computed. */
const milliseconds = (seconds: number): number => Math.round(1000 * seconds);

/** The largest count of all times up to each. */
function highest(times: readonly number[], counts: ReadonlyMap<number, number>): number[] {
  let most = 0;
  return times.map((time) => {
    most = Math.max(most, counts.get(time) ?? 0);
    return most;
  });
}
