/** The checked web configuration in the terms of Node.js. */

/** How client certificates are requested; the names are from Go's `crypto/tls`. */
export const CLIENT_AUTH_TYPES = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;

export type ClientAuthType = (typeof CLIENT_AUTH_TYPES)[number];

/** Everything for TLS, read from its files. */
export interface TlsSettings {
  /** For `tls.createSecureContext`: may change while the server runs. */
  readonly context: {
    readonly cert: string;
    readonly key: string;
    readonly ca?: string;
    readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
    readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
    readonly honorCipherOrder: boolean;
    readonly ciphers?: string;
    readonly ecdhCurve?: string;
  };
  /** Cannot change while the server runs. */
  readonly clientAuthType: ClientAuthType;
  /** A client's certificate must carry one of these names; `undefined` for any. */
  readonly clientAllowedSans: readonly string[] | undefined;
}

/** At most `burst` requests at once, and one more after each interval. */
export interface RateLimit {
  /** Above 0. */
  readonly intervalMilliseconds: number;
  /** A whole number, at least 1. */
  readonly burst: number;
}

/** A web configuration file as a value. */
export interface WebConfig {
  /** `undefined`: plain HTTP. */
  readonly tls: TlsSettings | undefined;
  /** Response headers by name; an empty value removes the header. */
  readonly headers: ReadonlyMap<string, string>;
  /** bcrypt hashes by user; empty: no authentication. */
  readonly users: ReadonlyMap<string, string>;
  readonly rateLimit: RateLimit | undefined;
}

/** Without a file: plain HTTP without authentication. */
export const OPEN: WebConfig = {
  tls: undefined,
  headers: new Map(),
  users: new Map(),
  rateLimit: undefined,
};
