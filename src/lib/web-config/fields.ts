/**
 * The keys of the web configuration, as Prometheus' exporter-toolkit defines them
 * (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md): for each, what is accepted.
 */

import { validateHeaderValue } from 'node:http';
import { z } from 'zod';
import { quoted } from '../yaml/report.js';
import { CLIENT_AUTH_TYPES } from './config.js';
import {
  CIPHER_SUITES,
  type CipherSuiteName,
  CURVES,
  type CurveName,
  TLS_VERSIONS,
  type TlsVersionName,
} from './tls-names.js';

/** The value that a key takes. */
export interface Field<Value> {
  /** To read after "expected". */
  readonly expected: string;
  /** Messages do not quote the value: it may be a key or a password. */
  readonly secret?: true;
  readonly schema: z.ZodType<Value>;
}

const field = <Value>(definition: Field<Value>): Field<Value> => definition;

/** `names` are the keys of a table. */
const oneOf = <Name extends string>(names: readonly Name[]) =>
  field({ expected: `one of ${quoted(names)}`, schema: z.enum(names as [Name, ...Name[]]) });
const listOf = <Name extends string>(names: readonly Name[]) =>
  field({
    expected: `a list of ${quoted(names)}`,
    schema: z.array(z.enum(names as [Name, ...Name[]])),
  });

const keysOf = <Name extends string>(table: Readonly<Record<Name, unknown>>) => Object.keys(table) as Name[];

const pem = field({
  expected: 'text in PEM, after `|` on lines of its own',
  secret: true,
  schema: z.string().min(1),
});
const file = field({ expected: 'the path of a file, as text', schema: z.string().min(1) });
const truth = field({ expected: '`true` or `false`', schema: z.boolean() });

export const TLS_FIELDS = {
  cert: pem,
  key: pem,
  client_ca: pem,
  cert_file: file,
  key_file: file,
  client_ca_file: file,
  client_auth_type: field({
    expected: `one of ${quoted(CLIENT_AUTH_TYPES)}`,
    // The toolkit still accepts this older name.
    schema: z.preprocess(
      (value) => (value === 'RequireClientCert' ? 'RequireAnyClientCert' : value),
      z.enum(CLIENT_AUTH_TYPES),
    ),
  }),
  client_allowed_sans: field({
    expected: 'a list of names, at least one, as text',
    schema: z.array(z.string().min(1)).min(1),
  }),
  min_version: oneOf<TlsVersionName>(keysOf(TLS_VERSIONS)),
  max_version: oneOf<TlsVersionName>(keysOf(TLS_VERSIONS)),
  cipher_suites: listOf<CipherSuiteName>(keysOf(CIPHER_SUITES)),
  prefer_server_cipher_suites: truth,
  curve_preferences: listOf<CurveName>(keysOf(CURVES)),
};

const headerText = field({
  expected: 'a valid header value, or an empty text to remove the header',
  schema: z.string().refine((value) => {
    try {
      validateHeaderValue('X', value);
      return true;
    } catch {
      return false;
    }
  }),
});

/** The response headers that may be set, the same as in the toolkit. */
export const HEADER_FIELDS = {
  'Content-Security-Policy': headerText,
  'X-Frame-Options': oneOf(['deny', 'sameorigin']),
  'X-Content-Type-Options': oneOf(['nosniff']),
  'X-XSS-Protection': headerText,
  'Strict-Transport-Security': headerText,
};

export const HTTP_FIELDS = {
  http2: field({
    expected: '`http2: false` or no `http2` key, since this server uses HTTP/1.1',
    schema: z.literal(false),
  }),
  headers: field({
    expected: `a mapping with the keys ${quoted(Object.keys(HEADER_FIELDS))}`,
    schema: z.unknown(),
  }),
};

/** Units of Go's `time.ParseDuration`, in milliseconds. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 60e3,
  h: 3600e3,
};

const DURATION = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/** Milliseconds of a duration in Go's notation: `1m30s`; `undefined` if it is invalid. */
function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (text === '' || text.replaceAll(DURATION, '') !== '') return undefined;
  return [...text.matchAll(DURATION)].reduce(
    (sum, [, number = '', unit = '']) => sum + Number(number) * (UNITS[unit] ?? Number.NaN),
    0,
  );
}

/** A day: a slower bucket is certainly a mistake. */
const LONGEST_INTERVAL_MILLISECONDS = 24 * 3600e3;

export const RATE_LIMIT_FIELDS = {
  interval: field({
    expected: 'a duration with its unit, at most 24h, such as `100ms` or `1s`, or 0 for no limit',
    schema: z.union([z.string(), z.literal(0)]).transform((value, context) => {
      const milliseconds = parseDuration(String(value));
      if (milliseconds !== undefined && milliseconds <= LONGEST_INTERVAL_MILLISECONDS) return milliseconds;
      context.addIssue({ code: 'custom' });
      return z.NEVER;
    }),
  }),
  burst: field({
    expected: 'a whole number of requests from 1 to 1000000',
    schema: z.int().min(1).max(1_000_000),
  }),
};

/** Each step of the cost doubles the time of a comparison; this one takes about as long as a scrape may. */
const HIGHEST_COST = 16;

export const PASSWORD_FIELD = field({
  expected:
    `a bcrypt hash (\`$2y$\`, \`$2b$\` or \`$2a$\`, 60 characters) of a cost from 4 to ${HIGHEST_COST}. ` +
    'Create one with: htpasswd -nBC 10 ""',
  secret: true,
  schema: z
    .string()
    .regex(/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/)
    .refine((hash) => Number(hash.slice(4, 6)) >= 4 && Number(hash.slice(4, 6)) <= HIGHEST_COST),
});

/** The keys at the top of the file. */
export const SECTIONS = [
  'tls_server_config',
  'http_server_config',
  'basic_auth_users',
  'rate_limit',
] as const;
