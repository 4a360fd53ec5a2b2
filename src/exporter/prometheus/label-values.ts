/** The answer of `/api/v1/label/<name>/values`. */

import { isObject } from './answer/decode.js';
import { type Asked, failure, type PrometheusError } from './errors.js';

/**
 * Reads the body of a successful answer.
 *
 * @param notJson makes the error about a body that is not JSON.
 * @throws {PrometheusError} what `notJson` made, or of the kind `bad_answer`.
 */
export function decodeLabelValues(
  asked: Asked,
  body: string,
  notJson: (bytes: number, start: string) => PrometheusError,
): readonly string[] {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    throw notJson(Buffer.byteLength(body), body);
  }
  const data: unknown = isObject(answer) && answer.status === 'success' ? answer.data : undefined;
  if (Array.isArray(data) && data.every((value) => typeof value === 'string')) return data;
  // Go writes an empty list of some kinds as null.
  if (isObject(answer) && answer.status === 'success' && data === null) return [];
  throw failure('bad_answer', asked, `an answer of another form ("${asked.quote(body, 80)}")`, {
    advice: 'Does PROMETHEUS_URL lead to a Prometheus API with label values, from version 2.24 on?',
  });
}
