/** The answers about labels and about the server. */

import { formatBytes } from '../../lib/text/format.js';
import { isObject, parseJson } from './answer/decode.js';
import type { BuildInfo, LabelValues } from './api.js';
import { type Asked, failure, type PrometheusError } from './errors.js';

/** VictoriaMetrics has a field for that, and no warnings. The values that it has are right. */
const PARTIAL = 'The list is partial (`isPartial`): a storage node did not answer.';

/** Enough of a name or a version. */
const LONGEST = 100;

/**
 * Reads the body of an answer of `/api/v1/status/buildinfo`; `undefined` where it is that of another program (a login
 * page, for example).
 */
export function decodeBuildInfo({ texts }: Pick<Asked, 'texts'>, body: string): BuildInfo | undefined {
  const answer = parseJson(body);
  if (!isObject(answer) || answer.status !== 'success' || !isObject(answer.data)) return undefined;
  const { application, version, revision } = answer.data;
  const text = (value: unknown) => (typeof value === 'string' ? texts.quote(value, LONGEST) || undefined : undefined);
  return { application: text(application), version: text(version), revision: text(revision) };
}

/** About ten times what the namespaces of the largest clusters take. A longer list would hold up everything else. */
export const LONGEST_LIST_BYTES = 2 * 1024 * 1024;

/**
 * Reads the body of a successful answer of `/api/v1/label/<name>/values`.
 *
 * @param body at least one byte more than is accepted of a longer one.
 * @param notJson makes the error about a body that is not JSON.
 * @throws {PrometheusError} what `notJson` made, or of the kinds `bad_answer` and `too_large`.
 */
export function decodeLabelValues(
  asked: Asked,
  body: string,
  notJson: (bytes: number, start: string) => PrometheusError,
): LabelValues {
  const bytes = Buffer.byteLength(body);
  if (bytes > LONGEST_LIST_BYTES) {
    throw failure('too_large', asked, `a list of more than ${formatBytes(LONGEST_LIST_BYTES)}`, {
      advice: 'Make NAMESPACE_REGEX or PROMETHEUS_MATCHERS select less.',
    });
  }
  const answer = parseJson(body);
  if (answer === undefined) throw notJson(bytes, body);
  if (isObject(answer) && answer.status === 'success') {
    // Go writes an empty list of some kinds as null.
    const data: unknown = answer.data === null ? [] : answer.data;
    if (Array.isArray(data) && data.every((value) => typeof value === 'string')) {
      const { warnings, isPartial } = answer;
      return { values: data, warnings: [...asked.texts.remarks(warnings), ...(isPartial === true ? [PARTIAL] : [])] };
    }
  }
  throw failure('bad_answer', asked, `an answer of another form ("${asked.texts.quote(body, 80)}")`, {
    advice: 'Does PROMETHEUS_URL lead to a Prometheus API with label values, from version 2.24 on?',
  });
}
