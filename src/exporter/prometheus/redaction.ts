/** Finds secrets in what a server says: it may repeat what it was sent, in any of the usual encodings. */

import { type Traced, traced, unescaped, withoutCutEscape } from '../../lib/text/escapes.js';
import type { PrometheusConnection } from './connection.js';
import type { Credentials } from './url.js';

const REDACTED = '[redacted]';

/** Escapes within escapes are read this often: JSON in HTML in a URL, twice. */
const LAYERS = 4;

/**
 * Shorter secrets are hidden only where they stand as a word of their own: within other words they would be found by chance,
 * and the hole would give them away.
 */
const SHORTEST_PART = 4;

/** A single character protects nothing, and stands in every text. */
const SHORTEST_SECRET = 2;

/** Shorter pieces of Base64 are found by chance. */
const SHORTEST_PIECE = 6;

/**
 * Shorter ones that may be a part of a name stay in names: a password such as `monitoring` must not hide the pods of a
 * namespace.
 */
const SHORTEST_IN_NAMES = 16;

/** What names of objects, of labels and of metrics are made of. */
const NAME = /^[a-z\d_.-]*$/;

/** Replaces secrets in texts, whatever their escapes. The time is linear in the length of a text. */
export class Redactor {
  /** How secrets may stand in a text once its escapes are read. */
  readonly #forms: readonly string[];
  readonly #formsInNames: readonly string[];
  /** Those of which none contains another: where none of them is, no form is. */
  readonly #shortest: readonly string[];

  constructor(secrets: readonly string[]) {
    const long = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
    this.#forms = [...new Set(long.flatMap(formsOf))];
    this.#formsInNames = this.#forms.filter((form) => !NAME.test(form) || form.length >= SHORTEST_IN_NAMES);
    this.#shortest = this.#forms.filter((form) => !this.#forms.some((other) => other !== form && form.includes(other)));
  }

  /** @param isCut whether more follows, which may be the rest of a secret. */
  redact(text: string, isCut = false): string {
    const found = this.#forms.length === 0 ? [] : this.#findIn(text, isCut);
    if (found.length === 0) return text;
    let shown = '';
    let end = 0;
    for (const [from, to] of found.sort((a, b) => a[0] - b[0])) {
      if (from >= end) shown += text.slice(end, from) + REDACTED;
      end = Math.max(end, to);
    }
    return shown + text.slice(end);
  }

  /** The same for what may be a name. */
  redactName(text: string): string {
    if (!NAME.test(text)) return this.redact(text);
    return this.#formsInNames.some((form) => text.includes(form)) ? REDACTED : text;
  }

  /** Whether nothing is to be done about a text without escapes. */
  isFree(text: string): boolean {
    return !this.#shortest.some((form) => text.includes(form));
  }

  #findIn(text: string, isCut: boolean): [from: number, to: number][] {
    const found: [number, number][] = [];
    let layer: Traced | undefined = traced(text);
    for (let depth = 0; layer !== undefined && depth <= LAYERS; depth++) {
      const whole: Traced = isCut ? withoutCutEscape(layer) : layer;
      for (const form of this.#forms) {
        for (const [from, to] of placesOf(form, whole.text, isCut)) {
          found.push([
            whole.starts[from] as number,
            to === whole.text.length ? text.length : (whole.starts[to] as number),
          ]);
        }
      }
      layer = unescaped(whole);
    }
    return found;
  }
}

/** Where a form stands in a text, and where it begins to stand at a cut end. */
function* placesOf(form: string, text: string, isCut: boolean): Generator<readonly [from: number, to: number]> {
  let from = text.indexOf(form);
  for (; from >= 0; from = text.indexOf(form, from + 1)) {
    const to = from + form.length;
    if (form.length >= SHORTEST_PART || (!isWordAt(text, from - 1) && !isWordAt(text, to))) yield [from, to];
  }
  if (!isCut) return;
  for (let length = Math.min(form.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(form.slice(0, length))) return yield [text.length - length, text.length];
  }
}

const isWordAt = (text: string, index: number) => /\w/.test(text[index] ?? ' ');

/** A secret, and what programs make of it that is no escape. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const encoded = (['base64', 'base64url'] as const).flatMap((encoding) => [
    // Without padding this is a part of the text with it, too.
    bytes.toString(encoding).replace(/=+$/, ''),
    ...piecesOf(bytes, encoding).filter((piece) => piece.length >= SHORTEST_PIECE),
  ]);
  const hex = bytes.length >= SHORTEST_PART ? [bytes.toString('hex'), bytes.toString('hex').toUpperCase()] : [];
  // As forms write spaces.
  return [secret, secret.replaceAll(' ', '+'), ...encoded, ...hex];
}

/** What Base64 makes of bytes in the middle of others, wherever they begin: the characters that depend on nothing else. */
function piecesOf(bytes: Buffer, encoding: 'base64' | 'base64url'): string[] {
  return [0, 1, 2].map((before) => {
    const length = before + bytes.length;
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString(encoding);
    return text.slice(Math.ceil((before * 8) / 6), Math.floor((length * 8) / 6));
  });
}

/** Headers that choose a tenant. They are no secrets. */
export const TENANT_HEADER = /^(?:x-scope-orgid|accountid|projectid)$/i;

/** Whether the value of a parameter is a secret. That of others, such as `dedup=true`, is shown. */
export function isSecretParameter(name: string): boolean {
  return /auth|cred|jwt|key|pass|pwd|secret|session|sig|token/i.test(name);
}

/** The secrets of a connection that never change. */
export function fixedSecretsOf({ headers, queryParameters }: PrometheusConnection): string[] {
  return [
    ...Object.entries(headers).flatMap(([name, value]) => (TENANT_HEADER.test(name) ? [] : headerSecrets(value))),
    ...queryParameters.flatMap(([name, value]) => (isSecretParameter(name) ? [value] : [])),
  ];
}

/** The value, and what follows the scheme in `Bearer abc` and in `Basic dXNlcjpwYXNz`. */
function headerSecrets(value: string): string[] {
  const [, scheme, rest = ''] = /^(\w+) +(\S+)$/.exec(value) ?? [];
  const decoded = scheme?.toLowerCase() === 'basic' ? Buffer.from(rest, 'base64').toString() : '';
  const password = decoded.slice(decoded.indexOf(':') + 1);
  return [value, rest, decoded, password];
}

/** The password, and what basic authentication makes of it. */
export function credentialSecrets(credentials: Credentials | undefined): string[] {
  return credentials ? [credentials.password, `${credentials.username}:${credentials.password}`] : [];
}
