/** From the JSON of an answer to columns of numbers. */

import type { Labels, QueryResult } from '../api.js';
import { type Asked, failure, type PrometheusError } from '../errors.js';
import { STORAGE_NODE_DOWN } from '../gatekeepers.js';

/** `vector` has one sample for each series, `matrix` any number. */
export type ResultType = 'vector' | 'matrix';

/**
 * Checks the answer to a query and lays it out in columns. A sample's text that is no number reads as `NaN`.
 *
 * @param answer A parsed response body.
 * @param firstSeries Position in the whole answer of the first series in this one, for messages.
 * @throws {PrometheusError} of the kind `bad_answer`, saying where the answer has another shape; of the kind `unavailable`
 *   where a VictoriaMetrics cluster says that it is partial: each series is on another node, and sums of a part of them
 *   look like a pod that uses less.
 */
export function decodeAnswer(asked: Asked, resultType: ResultType, answer: unknown, firstSeries = 0): QueryResult {
  const malformed = (where: string, expected: string, got: unknown): PrometheusError =>
    failure('bad_answer', asked, `${describe(asked, got)} instead of ${expected} at ${where}`, {
      advice: ADVICE,
    });

  if (!isObject(answer)) throw malformed('the top of the answer', 'an object', answer);
  if (answer.status !== 'success') {
    const reason = typeof answer.error === 'string' ? ` (${asked.texts.quote(answer.error, REASON_LENGTH)})` : '';
    throw malformed(`status${reason}`, '"success"', answer.status);
  }
  if (answer.isPartial === true) {
    throw failure('unavailable', asked, 'a partial answer (`isPartial`)', { advice: STORAGE_NODE_DOWN });
  }
  const { data } = answer;
  if (!isObject(data)) throw malformed('data', 'an object', data);
  // Go writes a list that is nothing as null: the frontend of Google's service does, and older Cortex, which left the
  // type empty then.
  const result: unknown = data.result === null ? [] : data.result;
  const isNothing = data.resultType === '' && Array.isArray(result) && result.length === 0;
  if (data.resultType !== resultType && !isNothing) {
    throw malformed('data.resultType', `"${resultType}"`, data.resultType);
  }
  if (!isList(result)) throw malformed('data.result', 'a list', result);

  const labels: Labels[] = [];
  const samples: (readonly unknown[])[] = [];
  const offsets = new Uint32Array(result.length + 1);
  let count = 0;
  for (const [index, series] of result.entries()) {
    const where = `data.result[${firstSeries + index}]`;
    if (!isObject(series)) throw malformed(where, 'an object', series);
    const metric = readLabels(series.metric);
    if (metric === undefined) throw malformed(`${where}.metric`, 'an object of texts', series.metric);
    if (isHistogram(series)) {
      throw failure('bad_answer', asked, `a native histogram instead of numbers at ${where}`, {
        advice: HISTOGRAM_ADVICE,
      });
    }
    const list = resultType === 'vector' ? [series.value] : series.values;
    if (!Array.isArray(list)) throw malformed(`${where}.values`, 'a list of samples', list);
    labels.push(asked.texts.labels(metric));
    samples.push(list);
    count += list.length;
    offsets[index + 1] = count;
  }

  const timestampsSeconds = new Float64Array(count);
  const values = new Float64Array(count);
  let row = 0;
  for (const [index, list] of samples.entries()) {
    for (const [position, sample] of list.entries()) {
      if (!isSample(sample)) {
        const where = resultType === 'vector' ? 'value' : `values[${position}]`;
        throw malformed(`data.result[${firstSeries + index}].${where}`, 'a pair of a time and a text', sample);
      }
      timestampsSeconds[row] = sample[0];
      values[row] = parseValue(sample[1]);
      row++;
    }
  }
  return {
    labels,
    offsets,
    timestampsSeconds,
    values,
    warnings: asked.texts.remarks(answer.warnings),
    infos: asked.texts.remarks(answer.infos),
  };
}

const ADVICE = 'Does PROMETHEUS_URL lead to a Prometheus API, and does the query give plain numbers for each series?';

const HISTOGRAM_ADVICE =
  'Let the query of the feature make a number of it: histogram_quantile, histogram_count, histogram_sum or histogram_avg.';

/** Whether a series has nothing but native histograms. Where it has numbers as well, these count. */
function isHistogram({ value, values, histogram, histograms }: Readonly<Record<string, unknown>>): boolean {
  return value === undefined && values === undefined && (histogram ?? histograms) !== undefined;
}

/** Enough of the server's reason to act on it. */
const REASON_LENGTH = 500;

/** Infinities are spelled as in Go, which `Number` does not read. */
const INFINITIES: ReadonlyMap<string, number> = new Map([
  ['+Inf', Infinity],
  ['Inf', Infinity],
  ['-Inf', -Infinity],
]);

/** The value of a sample as Prometheus writes it; what is no number reads as `NaN`. */
export function parseValue(text: string): number {
  const value = Number(text);
  if (Number.isNaN(value)) return INFINITIES.get(text) ?? NaN;
  return value === 0 && text.trim() === '' ? NaN : value;
}

function isSample(value: unknown): value is readonly [number, string] {
  return Array.isArray(value) && value.length === 2 && Number.isFinite(value[0]) && typeof value[1] === 'string';
}

/** An object that inherits nothing, and takes a fraction of the memory of those of `Object.create(null)`. */
class BareObject {
  [name: string]: string;
}
Reflect.deleteProperty(BareObject.prototype, 'constructor');
Object.setPrototypeOf(BareObject.prototype, null);

/**
 * The labels of a series; `undefined` where they are not all texts. To Prometheus an empty label is an absent one.
 * Nothing is inherited, so a label `constructor` is absent too.
 */
export function readLabels(metric: unknown): Labels | undefined {
  if (!isObject(metric)) return undefined;
  const labels = new BareObject();
  for (const [name, value] of Object.entries(metric)) {
    if (typeof value !== 'string') return undefined;
    if (value !== '') labels[name] = value;
  }
  return labels;
}

/** The value of a JSON text; `undefined` where it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(asked: Asked, value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'an object';
  return typeof value === 'string' ? `"${asked.texts.quote(value, 80)}"` : String(value);
}
