/** Reads the answer to a query while it arrives: the text as a whole is never in memory. */

import type { Labels, QueryResult } from '../api.js';
import type { Asked, PrometheusError } from '../errors.js';
import { readDecimal } from './decimal.js';
import { decodeAnswer, isObject, parseJson, parseValue, type ResultType } from './decode.js';
import { type KnownSeries, mismatch, NO_KNOWN_SERIES, SeriesLabels } from './label-cache.js';

/** What a series looks like in an answer of one type. */
interface Form {
  /** Between the labels and the samples. */
  readonly opening: Uint8Array;
  /** Behind the last sample. */
  readonly closing: Uint8Array;
  /** Stands for the series that were read, where what follows them is parsed. */
  readonly placeholder: string;
}

const FORMS: Readonly<Record<ResultType, Form>> = {
  matrix: {
    opening: Buffer.from(',"values":['),
    closing: Buffer.from(']}'),
    placeholder: '{"metric":{},"values":[]}',
  },
  vector: {
    opening: Buffer.from(',"value":'),
    closing: Buffer.from('}'),
    placeholder: '{"metric":{},"value":[0,"0"]}',
  },
};

/** The end of what stands before the first series. */
const RESULT = Buffer.from('"result":[');
const BETWEEN_TIME_AND_VALUE = Buffer.from(',"');
const END_OF_SAMPLE = Buffer.from('"]');

/** A longer start is not examined: a body with one is parsed at the end. */
const LONGEST_START_BYTES = 64 * 1024;

/** Messages quote the start of a body that is not an answer. */
const EXCERPT_BYTES = 10_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const DIGIT_ONE = 0x31;
const DIGIT_NINE = 0x39;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;

/**
 * Decodes an answer chunk by chunk.
 *
 * It knows the one form in which servers write series: without spaces, the labels first, then the samples. What follows
 * the last series, or begins with the first that is written otherwise, is kept, parsed as JSON at the end, and judged by
 * `decodeAnswer`. So the result, and the message about a wrong one, is the same as if the whole had been parsed.
 */
export class AnswerReader {
  readonly #form: Form;
  readonly #series: SeriesLabels;
  /** Whether the start, a series, or anything else is read. */
  #expected: 'start' | 'series' | 'rest' = 'start';
  /** Bytes that are not read yet: from `#position` to `#end`, where a zero stops everything. */
  #buffer: Buffer = Buffer.allocUnsafe(192 * 1024);
  #position = 0;
  #end = 0;
  /** With fewer bytes than this, the series is most likely not whole yet. */
  #enough = 0;
  #start = '';
  readonly #rest: Buffer[] = [];
  #excerpt: Buffer = Buffer.alloc(0);
  #bytes = 0;
  #offsets: Uint32Array;
  #timestampsSeconds: Float64Array;
  #values: Float64Array;
  #samples = 0;

  /** @param known the series of an earlier answer to the same query. */
  constructor(
    private readonly asked: Asked,
    private readonly resultType: ResultType,
    known: KnownSeries = NO_KNOWN_SERIES,
  ) {
    this.#form = FORMS[resultType];
    this.#series = new SeriesLabels(known, this.#form.opening, asked.texts);
    this.#offsets = new Uint32Array(known.labels.length + 2);
    this.#timestampsSeconds = new Float64Array(known.samples + 1);
    this.#values = new Float64Array(known.samples + 1);
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#excerpt.length < EXCERPT_BYTES) {
      this.#excerpt = Buffer.concat([this.#excerpt, chunk]).subarray(0, EXCERPT_BYTES);
    }
    if (this.#expected === 'rest') {
      this.#rest.push(chunk);
      return;
    }
    this.#append(chunk);
    if (this.#expected === 'start') this.#readStart();
    if (this.#expected === 'series' && this.#end - this.#position >= this.#enough) this.#readSeries();
  }

  /**
   * The result, once the body has come to its end.
   *
   * @param notJson makes the error about a body that is not JSON, from its length and its start.
   * @throws {PrometheusError} what `notJson` made, or of the kind `bad_answer`.
   */
  finish(notJson: (bytes: number, start: string) => PrometheusError): QueryResult {
    if (this.#expected === 'series') this.#readSeries();
    if (this.#expected !== 'rest') this.#keepRest();
    const before = this.#series.count;
    const rest = Buffer.concat(this.#rest).toString('utf8');
    const placeholder = before > 0 ? this.#form.placeholder : '';
    const answer = parseJson(this.#start + placeholder + rest.replace(BYTE_ORDER_MARK, ''));
    if (answer === undefined) throw notJson(this.#bytes, this.#excerpt.toString('utf8'));
    const remainder = decodeAnswer(this.asked, this.resultType, answer, Math.max(0, before - 1));
    return before === 0 ? remainder : this.#joined(remainder);
  }

  /** What to give to the reader of the next answer to the query, after `finish`. */
  known(): KnownSeries {
    return this.#series.toKnown(this.#samples);
  }

  #append(chunk: Buffer): void {
    const kept = this.#end - this.#position;
    const buffer =
      kept + chunk.length < this.#buffer.length ? this.#buffer : Buffer.allocUnsafe(2 * (kept + chunk.length + 1));
    this.#buffer.copy(buffer, 0, this.#position, this.#end);
    chunk.copy(buffer, kept);
    this.#buffer = buffer;
    this.#position = 0;
    this.#end = kept + chunk.length;
    buffer[this.#end] = 0;
  }

  #readStart(): void {
    const found = this.#buffer.subarray(0, this.#end).indexOf(RESULT);
    if (found < 0) {
      if (this.#end > LONGEST_START_BYTES) this.#keepRest();
      return;
    }
    const start = this.#buffer.toString('utf8', 0, found + RESULT.length);
    if (!isStart(start, this.resultType)) {
      this.#keepRest();
      return;
    }
    this.#start = start;
    this.#position = found + RESULT.length;
    this.#expected = 'series';
  }

  /** Reads all series that are there as a whole. */
  #readSeries(): void {
    for (;;) {
      const position = this.#seriesAt(this.#position);
      if (position >= 0) {
        this.#position = position;
        this.#offsets[this.#series.count] = this.#samples;
      } else {
        if (-1 - position < this.#end) this.#keepRest();
        else this.#enough = 2 * (this.#end - this.#position);
        return;
      }
    }
  }

  /**
   * Reads one series, and the comma before it.
   *
   * @returns the position behind it; where it has another form, minus one minus the position up to which it was right.
   */
  #seriesAt(start: number): number {
    const buffer = this.#buffer;
    const before = this.#series.count;
    if (before > 0 && buffer[start] !== COMMA) return -1 - start;
    let position = this.#series.read(buffer, before > 0 ? start + 1 : start, this.#end);
    if (position < 0) return position;
    this.#makeRoom();
    const samples = this.#samples;
    position = this.#samplesFrom(position);
    if (position >= 0) {
      const closed = mismatch(this.#form.closing, buffer, position);
      position = closed === position + this.#form.closing.length ? closed : -1 - closed;
    }
    if (position < 0) {
      this.#series.takeBack();
      this.#samples = samples;
    }
    return position;
  }

  #samplesFrom(start: number): number {
    const buffer = this.#buffer;
    let position = start;
    if (this.resultType === 'matrix' && buffer[position] === CLOSING_BRACKET) return position;
    for (;;) {
      if (this.#samples === this.#values.length) this.#enlarge();
      if (buffer[position] !== OPENING_BRACKET) return -1 - position;
      const time = this.#timeAt(position + 1);
      if (time < 0) return time;
      const between = mismatch(BETWEEN_TIME_AND_VALUE, buffer, time);
      if (between < time + BETWEEN_TIME_AND_VALUE.length) return -1 - between;
      const value = this.#valueAt(between);
      if (value < 0) return value;
      position = mismatch(END_OF_SAMPLE, buffer, value);
      if (position < value + END_OF_SAMPLE.length) return -1 - position;
      this.#samples++;
      if (this.resultType === 'vector' || buffer[position] !== COMMA) return position;
      position++;
    }
  }

  #timeAt(start: number): number {
    const buffer = this.#buffer;
    const end = readDecimal(buffer, start, this.#timestampsSeconds, this.#samples);
    const first = buffer[start] as number;
    const isPlain = first >= DIGIT_ONE && first <= DIGIT_NINE && buffer[end] === COMMA;
    if (isPlain && !Number.isNaN(this.#timestampsSeconds[this.#samples])) return end;
    let comma = start;
    while (comma < this.#end && buffer[comma] !== COMMA) comma++;
    if (comma === this.#end) return -1 - comma;
    const text = buffer.toString('latin1', start, comma);
    const seconds = JSON_NUMBER.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(seconds)) return -1 - start;
    this.#timestampsSeconds[this.#samples] = seconds;
    return comma;
  }

  #valueAt(start: number): number {
    const buffer = this.#buffer;
    const end = readDecimal(buffer, start, this.#values, this.#samples);
    if (buffer[end] === QUOTE && !Number.isNaN(this.#values[this.#samples])) return end;
    let quote = start;
    for (; quote < this.#end && buffer[quote] !== QUOTE; quote++) {
      const byte = buffer[quote] as number;
      // What is escaped, or not ASCII, is left to others.
      if (byte < 0x20 || byte > 0x7e || byte === BACKSLASH) return -1 - quote;
    }
    if (quote === this.#end) return -1 - quote;
    this.#values[this.#samples] = parseValue(buffer.toString('latin1', start, quote));
    return quote;
  }

  #makeRoom(): void {
    if (this.#series.count < this.#offsets.length) return;
    const larger = new Uint32Array(2 * this.#offsets.length);
    larger.set(this.#offsets);
    this.#offsets = larger;
  }

  #enlarge(): void {
    this.#timestampsSeconds = enlarged(this.#timestampsSeconds);
    this.#values = enlarged(this.#values);
  }

  #keepRest(): void {
    this.#rest.push(Buffer.from(this.#buffer.subarray(this.#position, this.#end)));
    this.#expected = 'rest';
  }

  /** What was read, and behind it what was parsed, the first series of which is the placeholder. */
  #joined(remainder: QueryResult): QueryResult {
    const before = this.#series.count;
    const labels: readonly Labels[] = this.#series.labels();
    const { warnings, infos } = remainder;
    const offsets = this.#offsets.subarray(0, before + 1);
    const timestampsSeconds = this.#timestampsSeconds.subarray(0, this.#samples);
    const values = this.#values.subarray(0, this.#samples);
    if (remainder.labels.length <= 1) {
      return { labels, offsets, timestampsSeconds, values, warnings, infos };
    }
    const first = remainder.offsets[1] as number;
    const allOffsets = new Uint32Array(before + remainder.labels.length);
    allOffsets.set(offsets);
    allOffsets.set(
      remainder.offsets.subarray(2).map((offset) => offset - first + this.#samples),
      before + 1,
    );
    return {
      labels: labels.concat(remainder.labels.slice(1)),
      offsets: allOffsets,
      timestampsSeconds: concatenated(timestampsSeconds, remainder.timestampsSeconds.subarray(first)),
      values: concatenated(values, remainder.values.subarray(first)),
      warnings,
      infos,
    };
  }
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Some servers write it before JSON. */
const BYTE_ORDER_MARK = /^\uFEFF/;

/** Whether the text, with nothing but the ends of its parts added, is an answer of the type without series. */
function isStart(text: string, resultType: ResultType): boolean {
  const answer = parseJson(`${text}]}}`);
  if (!isObject(answer) || answer.status !== 'success' || !isObject(answer.data)) return false;
  const { data } = answer;
  return data.resultType === resultType && Array.isArray(data.result) && data.result.length === 0;
}

function enlarged(old: Float64Array): Float64Array {
  const larger = new Float64Array(2 * old.length + 1024);
  larger.set(old);
  return larger;
}

function concatenated(first: Float64Array, second: Float64Array): Float64Array {
  const whole = new Float64Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
