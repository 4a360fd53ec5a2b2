/** The labels of the series of an answer: where their text is the same as in the previous answer, its objects are reused. */

import type { Labels } from '../api.js';
import type { ServerTexts } from '../server-texts.js';
import { parseJson, readLabels } from './decode.js';

/** The series of an answer as the server wrote them, to recognise them in the next answer. Immutable. */
export interface KnownSeries {
  /** How each series begins, one after the other: `{"metric":{…},"values":[`. */
  readonly texts: Uint8Array;
  /** Where the text of each series ends in `texts`. */
  readonly ends: Uint32Array;
  readonly labels: readonly Labels[];
  /** Samples of all series together: the next answer most likely needs as much room. */
  readonly samples: number;
}

export const NO_KNOWN_SERIES: KnownSeries = {
  texts: new Uint8Array(0),
  ends: new Uint32Array(0),
  labels: [],
  samples: 0,
};

/** Most series that may have gone between two that are still there. */
const LOOK_AHEAD = 8;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CLOSING_BRACE = 0x7d;

const METRIC = Buffer.from('{"metric":');

/**
 * Reads the labels of one series after the other. Servers keep the order of the series from answer to answer, so most
 * are recognised byte by byte as the next known one, and no object is made for them.
 */
export class SeriesLabels {
  readonly #known: KnownSeries;
  /** What follows the labels: `,"values":[`. */
  readonly #opening: Uint8Array;
  /** The known series that is expected next, and the one that was before the last was read. */
  #cursor = 0;
  #lastCursor = 0;
  /** Series so far; as long as all were the first of the known ones, in order, nothing is copied. */
  #count = 0;
  #hasDiverged = false;
  #labels: Labels[] = [];
  #texts: Uint8Array;
  #ends: Uint32Array;

  /** @param safe makes new labels harmless. */
  constructor(
    known: KnownSeries,
    opening: Uint8Array,
    private readonly safe: ServerTexts,
  ) {
    this.#known = known;
    this.#opening = opening;
    this.#texts = known.texts;
    this.#ends = known.ends;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Reads the beginning of a series, up to its first sample.
   *
   * @param end of what is there in `bytes`; a zero byte follows.
   * @returns the position of the first sample. If it has another form, or `bytes` end before, minus one minus the
   *   position up to which it was as expected: `-1 - end` says that more bytes may help.
   */
  read(bytes: Buffer, start: number, end: number): number {
    this.#lastCursor = this.#cursor;
    if (this.#isKnown(this.#cursor, bytes, start)) {
      const position = start + this.#lengthOf(this.#cursor);
      this.#add(this.#known.labels[this.#cursor] as Labels, bytes, start, position);
      this.#cursor++;
      return position;
    }
    const brace = start + METRIC.length;
    const metric = mismatch(METRIC, bytes, start);
    if (metric < brace) return -1 - metric;
    const metricEnd = endOfObject(bytes, brace, end);
    if (metricEnd < 0) return -1 - end;
    const position = metricEnd + this.#opening.length;
    const opening = mismatch(this.#opening, bytes, metricEnd);
    if (opening < position) return -1 - opening;
    for (let ahead = this.#cursor + 1; ahead <= this.#cursor + LOOK_AHEAD; ahead++) {
      if (!this.#isKnown(ahead, bytes, start)) continue;
      this.#add(this.#known.labels[ahead] as Labels, bytes, start, position);
      this.#cursor = ahead + 1;
      return position;
    }
    const json = bytes.toString('utf8', brace, metricEnd);
    const labels = readLabels(parseJson(json));
    if (labels === undefined) return -1 - start;
    this.#add(this.safe.areSafe(json) ? labels : this.safe.labels(labels), bytes, start, position);
    return position;
  }

  /** Takes back the last series. */
  takeBack(): void {
    this.#count--;
    this.#cursor = this.#lastCursor;
    if (this.#hasDiverged) this.#labels.pop();
  }

  /** Labels of all series, in order. */
  labels(): readonly Labels[] {
    if (this.#hasDiverged) return this.#labels;
    const { labels } = this.#known;
    return this.#count === labels.length ? labels : labels.slice(0, this.#count);
  }

  /** What to recognise the next answer by. */
  toKnown(samples: number): KnownSeries {
    if (!this.#hasDiverged && this.#count === this.#known.labels.length) return { ...this.#known, samples };
    return {
      texts: this.#texts.slice(0, this.#ends[this.#count - 1] ?? 0),
      ends: this.#ends.slice(0, this.#count),
      labels: this.labels(),
      samples,
    };
  }

  #lengthOf(series: number): number {
    const { ends } = this.#known;
    return (ends[series] as number) - (ends[series - 1] ?? 0);
  }

  #isKnown(series: number, bytes: Uint8Array, start: number): boolean {
    const { ends, texts } = this.#known;
    if (series >= ends.length) return false;
    const end = ends[series] as number;
    const first = series === 0 ? 0 : (ends[series - 1] as number);
    if (start + end - first > bytes.length) return false;
    for (let position = first, other = start; position < end; position++, other++) {
      if (texts[position] !== bytes[other]) return false;
    }
    return true;
  }

  #add(labels: Labels, bytes: Uint8Array, start: number, end: number): void {
    if (!this.#hasDiverged && labels !== this.#known.labels[this.#count]) this.#diverge();
    if (this.#hasDiverged) {
      this.#labels[this.#count] = labels;
      const length = this.#ends[this.#count - 1] ?? 0;
      const newLength = length + end - start;
      if (newLength > this.#texts.length) this.#texts = enlarged(this.#texts, new Uint8Array(2 * newLength));
      if (this.#count >= this.#ends.length) {
        this.#ends = enlarged(this.#ends, new Uint32Array(2 * this.#count + 64));
      }
      this.#texts.set(bytes.subarray(start, end), length);
      this.#ends[this.#count] = newLength;
    }
    this.#count++;
  }

  /** From here on the answer differs. Others use the known series as well, so they are copied. */
  #diverge(): void {
    this.#hasDiverged = true;
    this.#labels = this.#known.labels.slice(0, this.#count);
    this.#texts = this.#known.texts.slice();
    this.#ends = this.#known.ends.slice();
  }
}

function enlarged<Elements extends Uint8Array | Uint32Array>(old: Elements, larger: Elements): Elements {
  larger.set(old);
  return larger;
}

/** The first position at which the bytes differ from the expected ones; the end of those if they do not differ. */
export function mismatch(expected: Uint8Array, bytes: Uint8Array, start: number): number {
  for (let index = 0; index < expected.length; index++) {
    if (bytes[start + index] !== expected[index]) return start + index;
  }
  return start + expected.length;
}

/** The position behind the first closing brace that is not in a string; -1 if there is no such brace before `end`. */
function endOfObject(bytes: Uint8Array, start: number, end: number): number {
  let isInString = false;
  for (let position = start; position < end; position++) {
    const byte = bytes[position];
    if (byte === QUOTE) isInString = !isInString;
    else if (byte === BACKSLASH) position++;
    else if (byte === CLOSING_BRACE && !isInString) return position + 1;
  }
  return -1;
}
