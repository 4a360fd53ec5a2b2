/** Parses the text of a web configuration file and reports all mistakes at once. Files that it names are not read. */

import { offsetAt, offsetOfKey, type YamlPath } from '../yaml/offsets.js';
import {
  describeValue,
  parseYaml,
  quoted,
  reportUnknownKeys,
  valueAt,
  type YamlDocument,
  type YamlReport,
  yamlToJs,
} from '../yaml/report.js';
import type { ClientAuthType, RateLimit, TlsSettings } from './config.js';
import {
  type Field,
  HEADER_FIELDS,
  HTTP_FIELDS,
  PASSWORD_FIELD,
  RATE_LIMIT_FIELDS,
  SECTIONS,
  TLS_FIELDS,
} from './fields.js';
import { CURVES, TLS_VERSIONS, toOpenSslCiphers } from './tls-names.js';

/** PEM text, or the path of a file with it. `offset` is its place in the configuration. */
export type PemSource =
  | { readonly text: string; readonly offset: number }
  | { readonly path: string; readonly offset: number };

/** The TLS section of the file. */
export interface TlsSection {
  readonly cert: PemSource;
  readonly key: PemSource;
  readonly clientCa: PemSource | undefined;
  readonly clientAuthType: ClientAuthType;
  readonly clientAllowedSans: readonly string[] | undefined;
  /** The rest, without the texts in PEM. */
  readonly context: Omit<TlsSettings['context'], 'cert' | 'key' | 'ca'>;
}

/** The file, without the files that it names. */
export interface WebConfigText {
  /** `undefined` if there is no TLS section, or if it has a mistake, which is reported. */
  readonly tls: TlsSection | undefined;
  readonly headers: ReadonlyMap<string, string>;
  readonly users: ReadonlyMap<string, string>;
  readonly rateLimit: RateLimit | undefined;
}

type Fields = Readonly<Record<string, Field<unknown>>>;

/** The values of the keys that a mapping has. */
type ValuesOf<Table extends Fields> = {
  readonly [Key in keyof Table]?: Table[Key] extends Field<infer Value> ? Value : never;
};

/**
 * Reads the sections.
 *
 * @param report gets the mistakes.
 * @throws the error of the report if the text is not valid YAML.
 */
export function parseWebConfig(report: YamlReport): WebConfigText {
  const document = parseYaml(report);
  const reader = new SectionReader(document, yamlToJs(document, report), report);
  const sections = reader.mapping([], SECTIONS, 'a mapping');
  return {
    tls: sections?.includes('tls_server_config') ? readTls(reader) : undefined,
    headers: readHeaders(reader),
    users: readUsers(reader),
    rateLimit: readRateLimit(reader),
  };
}

/** Reads mappings by tables of fields, and reports mistakes at their places. */
class SectionReader {
  readonly report: YamlReport;
  readonly #document: YamlDocument;
  readonly #root: unknown;

  constructor(document: YamlDocument, root: unknown, report: YamlReport) {
    this.#document = document;
    this.#root = root;
    this.report = report;
  }

  offset(path: YamlPath): number {
    return offsetAt(this.#document, path);
  }

  mistake(path: YamlPath, sentence: string): void {
    this.report.add(this.offset(path), sentence);
  }

  /** Whether there is a value, valid or not. A key without a value counts as absent. */
  has(path: YamlPath): boolean {
    return (valueAt(this.#root, path) ?? null) !== null;
  }

  /** Reports a mistake at the key of a section, for something that is missing in it. */
  mistakeOf(section: (typeof SECTIONS)[number], sentence: string): void {
    const offset = offsetOfKey(this.#document, [], section);
    this.report.add(offset, `${section}: ${sentence}`);
  }

  /**
   * The keys of a mapping; `undefined` if it is absent, or not a mapping, which is reported.
   *
   * @param known the keys that may be there; `undefined` for any.
   */
  mapping(
    path: YamlPath,
    known: readonly string[] | undefined,
    expected: string,
  ): readonly string[] | undefined {
    const value = valueAt(this.#root, path);
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) {
      // The value is not shown: it may be a hash after a colon without a space.
      const got = Array.isArray(value) ? 'a list' : 'no mapping';
      this.mistake(path, `${prefixOf(path)}expected ${expected}, got ${got}.`);
      return undefined;
    }
    const keys = Object.keys(value);
    if (known !== undefined) {
      const unknown = keys.filter((key) => !known.includes(key));
      reportUnknownKeys(
        unknown,
        path,
        known,
        { document: this.#document, report: this.report },
        prefixOf(path),
      );
    }
    return keys.filter((key) => known?.includes(key) ?? true);
  }

  /** The values of a mapping without the invalid ones; `undefined` if there is no mapping. */
  values<Table extends Fields>(path: YamlPath, table: Table): ValuesOf<Table> | undefined {
    const names = Object.keys(table);
    const keys = this.mapping(path, names, `a mapping with the keys ${quoted(names)}`);
    if (keys === undefined) return undefined;
    const entries = keys.flatMap((key) => {
      if (!this.has([...path, key])) return [];
      const value = this.value([...path, key], table[key] as Field<unknown>);
      return value === undefined ? [] : [[key, value]];
    });
    return Object.fromEntries(entries) as ValuesOf<Table>;
  }

  /** One value; `undefined` if it is invalid, which is reported. */
  value<Value>(path: YamlPath, { schema, expected, secret }: Field<Value>): Value | undefined {
    const value = valueAt(this.#root, path);
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    // The invalid entry of a list, or the value itself.
    const [issue] = parsed.error.issues;
    const place = [...path, ...(issue?.path ?? [])];
    const got = secret ? 'something else' : describeValue(valueAt(this.#root, place));
    this.mistake(place, `${prefixOf(path)}expected ${expected}, got ${got}.`);
    return undefined;
  }
}

const prefixOf = (path: YamlPath) => (path.length === 0 ? '' : `${path.map(String).join('.')}: `);

function readTls(reader: SectionReader): TlsSection | undefined {
  const section = 'tls_server_config';
  const values = reader.values([section], TLS_FIELDS);
  if (values === undefined) return undefined;
  const pem = (inline: 'cert' | 'key' | 'client_ca', isNeeded: boolean): PemSource | undefined => {
    const path = values[`${inline}_file`];
    const text = values[inline];
    const offset = (key: string) => reader.offset([section, key]);
    if (path !== undefined && text !== undefined) {
      reader.mistake(
        [section, inline],
        `${section}: expected \`${inline}\` or \`${inline}_file\`, got both.`,
      );
    }
    if (path !== undefined) return { path, offset: offset(`${inline}_file`) };
    if (text !== undefined) return { text, offset: offset(inline) };
    if (isNeeded && !reader.has([section, inline]) && !reader.has([section, `${inline}_file`])) {
      reader.mistakeOf(section, `expected \`${inline}_file\` (or \`${inline}\`), got none.`);
    }
    return undefined;
  };
  const cert = pem('cert', true);
  const key = pem('key', true);
  const clientCa = pem('client_ca', false);
  const clientAuthType = values.client_auth_type ?? 'NoClientCert';
  // If the type is invalid, nothing follows from it.
  if (values.client_auth_type !== undefined || !reader.has([section, 'client_auth_type'])) {
    checkClientAuth(reader, values, clientAuthType);
  }
  const { min_version: minimum = 'TLS12', max_version: maximum = 'TLS13' } = values;
  if (minimum > maximum) {
    reader.mistake(
      [section, 'max_version'],
      `${section}: expected at least \`${minimum}\`, got \`${maximum}\`.`,
    );
  }
  if (cert === undefined || key === undefined) return undefined;
  return {
    cert,
    key,
    clientCa,
    clientAuthType,
    clientAllowedSans: values.client_allowed_sans,
    context: {
      minVersion: TLS_VERSIONS[minimum],
      maxVersion: TLS_VERSIONS[maximum],
      honorCipherOrder: values.prefer_server_cipher_suites ?? true,
      ...(values.cipher_suites?.length && { ciphers: toOpenSslCiphers(values.cipher_suites) }),
      ...(values.curve_preferences?.length && {
        ecdhCurve: values.curve_preferences.map((name) => CURVES[name]).join(':'),
      }),
    },
  };
}

/** Reports settings that would accept unintended clients, or none at all. */
function checkClientAuth(
  reader: SectionReader,
  values: ValuesOf<typeof TLS_FIELDS>,
  clientAuthType: ClientAuthType,
): void {
  const section = 'tls_server_config';
  const isVerified = clientAuthType.includes('Verify');
  const hasAuthority = reader.has([section, 'client_ca']) || reader.has([section, 'client_ca_file']);
  if (isVerified && !hasAuthority) {
    reader.mistakeOf(
      section,
      `expected \`client_ca_file\` beside \`client_auth_type: ${clientAuthType}\`, got none: ` +
        'anyone with a certificate of a public authority would be accepted.',
    );
  }
  if (hasAuthority && clientAuthType === 'NoClientCert') {
    reader.mistakeOf(
      section,
      'expected `client_auth_type: RequireAndVerifyClientCert` beside the authority of clients, got ' +
        `\`${clientAuthType}\`: clients would not be asked for a certificate.`,
    );
  }
  if (values.client_allowed_sans !== undefined && !isVerified) {
    reader.mistake(
      [section, 'client_allowed_sans'],
      `${section}: expected \`client_auth_type: RequireAndVerifyClientCert\` beside \`client_allowed_sans\`, ` +
        `got \`${clientAuthType}\`: names in an unverified certificate prove nothing.`,
    );
  }
}

function readHeaders(reader: SectionReader): ReadonlyMap<string, string> {
  reader.values(['http_server_config'], HTTP_FIELDS);
  return new Map(Object.entries(reader.values(['http_server_config', 'headers'], HEADER_FIELDS) ?? {}));
}

function readUsers(reader: SectionReader): ReadonlyMap<string, string> {
  const section = 'basic_auth_users';
  const users = reader.mapping([section], undefined, 'a mapping from user names to bcrypt hashes') ?? [];
  const found = new Map<string, string>();
  for (const user of users) {
    if (user.includes(':')) {
      reader.mistake(
        [section, user],
        `${section}: expected user names without a colon, got ${JSON.stringify(user)}.`,
      );
    }
    const hash = reader.value([section, user], PASSWORD_FIELD);
    if (hash !== undefined) found.set(user, hash);
  }
  return found;
}

function readRateLimit(reader: SectionReader): RateLimit | undefined {
  const values = reader.values(['rate_limit'], RATE_LIMIT_FIELDS);
  if (values?.interval === undefined || values.interval === 0) return undefined;
  if (!reader.has(['rate_limit', 'burst'])) {
    reader.mistakeOf(
      'rate_limit',
      'expected `burst` beside `interval`, got none: no request would be allowed.',
    );
  }
  if (values.burst === undefined) return undefined;
  return { intervalMilliseconds: values.interval, burst: values.burst };
}
