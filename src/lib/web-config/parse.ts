/** Parses the text of a web configuration file and reports all mistakes at once. Files that it names are not read. */

import { describeValue, quoted, type YamlFile, type YamlPath } from '../yaml/yaml-file.js';
import type { ClientAuthType, TlsSettings, WebConfig } from './config.js';
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

/** PEM text, or the path of a file with it. `at` is its place in the configuration. */
export type PemSource = ({ readonly text: string } | { readonly path: string }) & { readonly at: YamlPath };

/** The TLS section of the file. */
export interface TlsSection extends Pick<TlsSettings, 'clientAuthType' | 'clientAllowedSans'> {
  readonly cert: PemSource;
  readonly key: PemSource;
  readonly clientCa: PemSource | undefined;
  /** The rest, without the texts in PEM. */
  readonly context: Omit<TlsSettings['context'], 'cert' | 'key' | 'ca'>;
}

type Fields = Readonly<Record<string, Field<unknown>>>;

/** The values of the keys that a mapping has. */
type ValuesOf<Table extends Fields> = {
  readonly [Key in keyof Table]?: Table[Key] extends Field<infer Value> ? Value : never;
};

/** Reads the sections. What has a mistake, which is added to the file, is absent. */
export function parseWebConfig(yaml: YamlFile) {
  const reader = new SectionReader(yaml);
  reader.keys([], 'a mapping', SECTIONS);
  return {
    tls: readTls(reader),
    headers: readHeaders(reader),
    users: readUsers(reader),
    rateLimit: readRateLimit(reader),
  };
}

/**
 * The keys that have a value, by the name under which they may be changed: `tls_server_config.cert` for `cert_file` as well.
 * Users are one key.
 */
export function presentKeys(yaml: YamlFile): ReadonlySet<string> {
  const present = new Set<string>();
  const add = (path: YamlPath) => {
    const value = yaml.at(path);
    if (value === undefined || value === null) return;
    if (path.length > 0)
      present.add(
        path
          .map(String)
          .join('.')
          .replace(/_file$/, ''),
      );
    const isMapping = typeof value === 'object' && !Array.isArray(value);
    if (isMapping && path[0] !== 'basic_auth_users') for (const key of Object.keys(value)) add([...path, key]);
  };
  add([]);
  return present;
}

/** Reads mappings by tables of fields, and reports mistakes at their places. */
class SectionReader {
  constructor(private readonly yaml: YamlFile) {}

  /** Whether there is a value, valid or not. A key without a value counts as absent. */
  has(path: YamlPath): boolean {
    return (this.yaml.at(path) ?? null) !== null;
  }

  /** Reports what is wrong with a part of a mapping; `sentence` follows the name of the mapping. */
  mistake(mapping: YamlPath, part: YamlPath, sentence: string): void {
    this.yaml.add([...mapping, ...part], `${prefixOf(mapping)}${sentence}`);
  }

  /** Reports something that is missing in a section, at the key of the section. */
  missing(section: (typeof SECTIONS)[number], sentence: string): void {
    this.yaml.addAtKey([], section, `${section}: ${sentence}`);
  }

  /**
   * The keys of a mapping; `undefined` if it is absent, or not a mapping, which is reported.
   *
   * @param known the keys that may be there; `undefined` for any.
   */
  keys(path: YamlPath, expected: string, known?: readonly string[]): readonly string[] | undefined {
    if (!this.has(path)) return undefined;
    const value = this.yaml.at(path);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      // The value is not shown: it may be a hash after a colon without a space.
      this.mistake(path, [], `expected ${expected}, got ${Array.isArray(value) ? 'a list' : 'no mapping'}.`);
      return undefined;
    }
    const keys = Object.keys(value);
    if (known === undefined) return keys;
    const unknown = keys.filter((key) => !known.includes(key));
    this.yaml.addUnknownKeys(path, unknown, known, prefixOf(path));
    return keys.filter((key) => known.includes(key));
  }

  /** The values of a mapping without the invalid ones; `undefined` if there is no mapping. */
  values<Table extends Fields>(path: YamlPath, table: Table): ValuesOf<Table> | undefined {
    const names = Object.keys(table);
    const keys = this.keys(path, `a mapping with the keys ${quoted(names)}`, names);
    const given = keys?.filter((key) => this.has([...path, key]));
    const entries = given?.map((key) => [key, this.value([...path, key], table[key] as Field<unknown>)]);
    return entries && (Object.fromEntries(entries) as ValuesOf<Table>);
  }

  /** One value; `undefined` if it is invalid, which is reported. */
  value<Value>(path: YamlPath, { schema, expected, secret }: Field<Value>): Value | undefined {
    const parsed = schema.safeParse(this.yaml.at(path));
    if (parsed.success) return parsed.data;
    // The invalid entry of a list, or the value itself.
    const part = parsed.error.issues[0]?.path ?? [];
    const got = secret ? 'something else' : describeValue(this.yaml.at([...path, ...part]));
    this.mistake(path, part, `expected ${expected}, got ${got}.`);
    return undefined;
  }
}

const prefixOf = (path: YamlPath) => (path.length === 0 ? '' : `${path.map(String).join('.')}: `);

const TLS = 'tls_server_config';

function readTls(reader: SectionReader): TlsSection | undefined {
  const values = reader.values([TLS], TLS_FIELDS);
  if (values === undefined) return undefined;
  const pem = (inline: 'cert' | 'key' | 'client_ca'): PemSource | undefined => {
    const file = `${inline}_file` as const;
    const { [file]: path, [inline]: text } = values;
    if (path !== undefined && text !== undefined) {
      reader.mistake([TLS], [inline], `expected \`${inline}\` or \`${file}\`, got both.`);
    }
    if (path !== undefined) return { path, at: [TLS, file] };
    if (text !== undefined) return { text, at: [TLS, inline] };
    if (inline !== 'client_ca' && !reader.has([TLS, inline]) && !reader.has([TLS, file])) {
      reader.missing(TLS, `expected \`${file}\` (or \`${inline}\`), got none.`);
    }
    return undefined;
  };
  const [cert, key, clientCa] = [pem('cert'), pem('key'), pem('client_ca')];
  const clientAuthType = values.client_auth_type ?? 'NoClientCert';
  // If the type is invalid, nothing follows from it.
  if (values.client_auth_type !== undefined || !reader.has([TLS, 'client_auth_type'])) {
    checkClientAuth(reader, values, clientAuthType);
  }
  const { min_version: minimum = 'TLS12', max_version: maximum = 'TLS13' } = values;
  if (minimum > maximum) {
    reader.mistake([TLS], ['max_version'], `expected at least \`${minimum}\`, got \`${maximum}\`.`);
  }
  if (cert === undefined || key === undefined) return undefined;
  const { cipher_suites: suites = [], curve_preferences: curves = [] } = values;
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
      ...(suites.length > 0 && { ciphers: toOpenSslCiphers(suites) }),
      ...(curves.length > 0 && { ecdhCurve: curves.map((name) => CURVES[name]).join(':') }),
    },
  };
}

/** Reports settings that would accept unintended clients, or none at all. */
function checkClientAuth(reader: SectionReader, values: ValuesOf<typeof TLS_FIELDS>, type: ClientAuthType): void {
  const isVerified = type.includes('Verify');
  const hasAuthority = reader.has([TLS, 'client_ca']) || reader.has([TLS, 'client_ca_file']);
  const expected = 'expected `client_auth_type: RequireAndVerifyClientCert` beside';
  if (isVerified && !hasAuthority) {
    reader.missing(
      TLS,
      `expected \`client_ca_file\` beside \`client_auth_type: ${type}\`, got none: ` +
        'anyone with a certificate of a public authority would be accepted.',
    );
  }
  if (hasAuthority && type === 'NoClientCert') {
    const consequence = 'clients would not be asked for a certificate';
    reader.missing(TLS, `${expected} the authority of clients, got \`${type}\`: ${consequence}.`);
  }
  if (values.client_allowed_sans !== undefined && !isVerified) {
    const reason = 'names in an unverified certificate prove nothing';
    const sentence = `${expected} \`client_allowed_sans\`, got \`${type}\`: ${reason}.`;
    reader.mistake([TLS], ['client_allowed_sans'], sentence);
  }
}

function readHeaders(reader: SectionReader): ReadonlyMap<string, string> {
  reader.values(['http_server_config'], HTTP_FIELDS);
  const headers = reader.values(['http_server_config', 'headers'], HEADER_FIELDS) ?? {};
  return new Map(Object.entries(headers).filter(([, value]) => value !== undefined));
}

function readUsers(reader: SectionReader): ReadonlyMap<string, string> {
  const section = 'basic_auth_users';
  const found = new Map<string, string>();
  for (const user of reader.keys([section], 'a mapping from user names to bcrypt hashes') ?? []) {
    if (user.includes(':')) {
      const got = JSON.stringify(user);
      reader.mistake([section], [user], `expected user names without a colon, got ${got}.`);
    }
    const hash = reader.value([section, user], PASSWORD_FIELD);
    if (hash !== undefined) found.set(user, hash);
  }
  return found;
}

function readRateLimit(reader: SectionReader): WebConfig['rateLimit'] {
  const { interval = 0, burst } = reader.values(['rate_limit'], RATE_LIMIT_FIELDS) ?? {};
  if (interval === 0) return undefined;
  if (!reader.has(['rate_limit', 'burst'])) {
    reader.missing('rate_limit', 'expected `burst` beside `interval`, got none: no request would be allowed.');
  }
  return burst === undefined ? undefined : { intervalMilliseconds: interval, burst };
}
