/** The answer of `/api/v1/status/buildinfo`. */

import { isObject } from './answer/decode.js';
import type { BuildInfo } from './api.js';

/** Reads the body of an answer; `undefined` where it is that of another program (a login page, for example). */
export function decodeBuildInfo(body: string): BuildInfo | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (!isObject(answer) || answer.status !== 'success' || !isObject(answer.data)) return undefined;
  const { application, version, revision } = answer.data;
  return { application: text(application), version: text(version), revision: text(revision) };
}

/** What a server says is shown to people: only short texts are taken. */
const LONGEST = 100;

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, LONGEST) : undefined;
}
