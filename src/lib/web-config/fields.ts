/**
 * The keys of the web configuration, as Prometheus' exporter-toolkit defines them
 * (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md): for each, what is accepted.
 */

import { validateHeaderValue } from 'node:http';
import { z } from 'zod';
import { quoted } from '../yaml/yaml-file.js';
import { CLIENT_AUTH_TYPES } from './config.js';
import { CIPHER_SUITES, CURVES, TLS_VERSIONS } from './tls-names.js';

/** The value that a key takes. */
export interface Field<Value> {
  /** To read after "expected". */
  readonly expected: string;
  /** Messages do not quote the value: it may be a key or a password. */
  readonly secret?: true;
  readonly schema: z.ZodType<Value>;
}

const field = <Value>(expected: string, schema: z.ZodType<Value>): Field<Value> => ({ expected, schema });

const names = <Name extends string>(table: Readonly<Record<Name, unknown>>) => Object.keys(table) as [Name, ...Name[]];
const oneOf = <Name extends string>(values: readonly Name[]) => field(`one of ${quoted(values)}`, z.enum(values));
const listOf = <Name extends string>(values: readonly Name[]) =>
  field(`a list of ${quoted(values)}`, z.array(z.enum(values)));

const text = z.string().min(1);
const pem = { ...field('text in PEM, after `|` on lines of its own', text), secret: true } as const;
const file = field('the path of a file, as text', text);

export const TLS_FIELDS = {
  cert: pem,
  key: pem,
  client_ca: pem,
  cert_file: file,
  key_file: file,
  client_ca_file: file,
  client_auth_type: field(
    `one of ${quoted(CLIENT_AUTH_TYPES)}`,
    // The toolkit still accepts this older name.
    z.preprocess(
      (value) => (value === 'RequireClientCert' ? 'RequireAnyClientCert' : value),
      z.enum(CLIENT_AUTH_TYPES),
    ),
  ),
  client_allowed_sans: field('a list of names, at least one, as text', z.array(text).min(1)),
  min_version: oneOf(names(TLS_VERSIONS)),
  max_version: oneOf(names(TLS_VERSIONS)),
  cipher_suites: listOf(names(CIPHER_SUITES)),
  prefer_server_cipher_suites: field('`true` or `false`', z.boolean()),
  curve_preferences: listOf(names(CURVES)),
};

const headerText = field(
  'a valid header value, or an empty text to remove the header',
  z.string().refine((value) => {
    try {
      validateHeaderValue('X', value);
      return true;
    } catch {
      return false;
    }
  }),
);

/** The response headers that may be set, the same as in the toolkit. */
export const HEADER_FIELDS = {
  'Content-Security-Policy': headerText,
  'X-Frame-Options': oneOf(['deny', 'sameorigin']),
  'X-Content-Type-Options': oneOf(['nosniff']),
  'X-XSS-Protection': headerText,
  'Strict-Transport-Security': headerText,
};

export const HTTP_FIELDS = {
  http2: field('`http2: false` or no `http2` key, since this server uses HTTP/1.1', z.literal(false)),
  headers: field(`a mapping with the keys ${quoted(Object.keys(HEADER_FIELDS))}`, z.unknown()),
};

/** Units of Go's `time.ParseDuration`, in milliseconds. */
const UNITS = new Map(Object.entries({ ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1e3, m: 60e3, h: 3600e3 }));

const DURATION = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/** Milliseconds of a duration in Go's notation: `1m30s`; `NaN` if it is invalid. */
function parseDuration(duration: string): number {
  if (duration === '0') return 0;
  if (duration === '' || duration.replaceAll(DURATION, '') !== '') return Number.NaN;
  return [...duration.matchAll(DURATION)].reduce(
    (sum, [, number, unit = '']) => sum + Number(number) * (UNITS.get(unit) ?? Number.NaN),
    0,
  );
}

/** A day: a slower bucket is certainly a mistake. */
const LONGEST_INTERVAL_MILLISECONDS = 24 * 3600e3;

export const RATE_LIMIT_FIELDS = {
  interval: field(
    'a duration with its unit, at most 24h, such as `100ms` or `1s`, or 0 for no limit',
    z
      .union([z.string(), z.literal(0)])
      .transform((value) => parseDuration(String(value)))
      .pipe(z.number().max(LONGEST_INTERVAL_MILLISECONDS)),
  ),
  burst: field('a whole number of requests from 1 to 1000000', z.int().min(1).max(1_000_000)),
};

/** Each step of the cost doubles the time of a comparison; this one takes about as long as a scrape may. */
const HIGHEST_COST = 16;

export const PASSWORD_FIELD = {
  ...field(
    `a bcrypt hash (\`$2y$\`, \`$2b$\` or \`$2a$\`, 60 characters) of a cost from 4 to ${HIGHEST_COST}. ` +
      'Create one with: htpasswd -nBC 10 ""',
    z
      .string()
      .regex(/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/)
      .refine((hash) => Number(hash.slice(4, 6)) >= 4 && Number(hash.slice(4, 6)) <= HIGHEST_COST),
  ),
  secret: true,
} as const;

/** The keys at the top of the file. */
export const SECTIONS = ['tls_server_config', 'http_server_config', 'basic_auth_users', 'rate_limit'] as const;
