/** The answers about labels and about the server. */

import { isObject, parseJson } from './answer/decode.js';
import type { BuildInfo } from './api.js';
import { type Asked, failure, type PrometheusError } from './errors.js';

/** What a server says is shown to people: only short texts are taken. */
const LONGEST = 100;

/**
 * Reads the body of an answer of `/api/v1/status/buildinfo`; `undefined` where it is that of another program (a login
 * page, for example).
 */
export function decodeBuildInfo(body: string): BuildInfo | undefined {
  const answer = parseJson(body);
  if (!isObject(answer) || answer.status !== 'success' || !isObject(answer.data)) return undefined;
  const { application, version, revision } = answer.data;
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value.slice(0, LONGEST) : undefined);
  return { application: text(application), version: text(version), revision: text(revision) };
}

/**
 * Reads the body of a successful answer of `/api/v1/label/<name>/values`.
 *
 * @param notJson makes the error about a body that is not JSON.
 * @throws {PrometheusError} what `notJson` made, or of the kind `bad_answer`.
 */
export function decodeLabelValues(
  asked: Asked,
  body: string,
  notJson: (bytes: number, start: string) => PrometheusError,
): readonly string[] {
  const answer = parseJson(body);
  if (answer === undefined) throw notJson(Buffer.byteLength(body), body);
  if (isObject(answer) && answer.status === 'success') {
    // Go writes an empty list of some kinds as null.
    const data: unknown = answer.data === null ? [] : answer.data;
    if (Array.isArray(data) && data.every((value) => typeof value === 'string')) return data;
  }
  throw failure('bad_answer', asked, `an answer of another form ("${asked.quote(body, 80)}")`, {
    advice: 'Does PROMETHEUS_URL lead to a Prometheus API with label values, from version 2.24 on?',
  });
}
