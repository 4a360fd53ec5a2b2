/** Keeps secrets out of what is shown: a server may repeat what it was sent, in any of the usual encodings. */

import { escapeControlCharacters } from '../../lib/text/control-characters.js';
import type { PrometheusConnection } from './connection.js';
import type { Credentials } from './url.js';

/** Shows the start of a text, at most `length` characters, on one line, harmless and without secrets. */
export type Quote = (text: string, length: number) => string;

/** Texts are looked at up to here: a body may be large. */
const QUOTED_WINDOW = 10_000;

const REDACTED = '[redacted]';

/** A quote that shows none of the secrets, nor their encodings. */
export function quoteWithout(secrets: readonly string[]): Quote {
  // The longest first, so that no secret within another leaves a rest of it.
  const hidden = [...new Set(secrets.filter((secret) => secret !== '').flatMap(encodingsOf))].sort(
    (a, b) => b.length - a.length,
  );
  const longest = hidden[0]?.length ?? 0;
  return (text, length) => {
    const window = QUOTED_WINDOW + longest;
    let safe = text.slice(0, window);
    for (const secret of hidden) safe = safe.replaceAll(secret, REDACTED);
    // The window may have cut a secret in two.
    if (text.length > window) safe = safe.slice(0, Math.max(0, safe.length - longest));
    // A server may send what moves the cursor of a terminal.
    return escapeControlCharacters(safe.replace(/\s+/g, ' ').trim().slice(0, length));
  };
}

function encodingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const percent = percentEncoded(secret);
  return [
    secret,
    percent,
    percent.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    new URLSearchParams({ '': secret }).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    // Without padding this is a part of the text with it, too.
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ].filter((text) => text !== '');
}

/** A lone surrogate has no encoding. */
function percentEncoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return '';
  }
}

/** Shorter header values, such as the tenant `1`, are no secrets, and would leave holes in every message. */
const SHORTEST_HEADER_SECRET = 4;

/** Whether the value of a parameter is a secret. That of others, such as `dedup=true`, is shown. */
export function isSecretParameter(name: string): boolean {
  return /auth|cred|key|pass|secret|sig|token/i.test(name);
}

/** The secrets of a connection that never change. */
export function fixedSecretsOf({ headers, queryParameters }: PrometheusConnection): string[] {
  return [
    ...Object.values(headers).flatMap(headerSecrets),
    ...queryParameters.flatMap(([name, value]) => (isSecretParameter(name) ? [value] : [])),
  ];
}

/** The value, and what follows the scheme in `Bearer abc` and in `Basic dXNlcjpwYXNz`. */
function headerSecrets(value: string): string[] {
  const [, scheme, rest = ''] = /^(\w+) +(\S+)$/.exec(value) ?? [];
  const decoded = scheme?.toLowerCase() === 'basic' ? Buffer.from(rest, 'base64').toString() : '';
  const password = decoded.slice(decoded.indexOf(':') + 1);
  return [value, rest, decoded, password].filter((secret) => secret.length >= SHORTEST_HEADER_SECRET);
}

/** The password, and what basic authentication makes of it. */
export function credentialSecrets(credentials: Credentials | undefined): string[] {
  return credentials ? [credentials.password, `${credentials.username}:${credentials.password}`] : [];
}
