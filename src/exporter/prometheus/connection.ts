/** How to reach a Prometheus API, as plain data: a thread of its own makes its own client from it. */

/** A text that may come from a file, which is then read again whenever it changes. */
export interface RenewableText {
  /** The text, as it was when the connection was described. */
  readonly text: string;
  /** Path of the file; `undefined` for a text that stays. */
  readonly file: string | undefined;
}

/** As whom to ask. */
export type Authentication =
  | { readonly kind: 'basic'; readonly username: string; readonly password: RenewableText }
  | { readonly kind: 'bearer'; readonly token: RenewableText };

/** What an `https:` connection is checked by, all PEM. */
export interface TlsOptions {
  /** Certificates of the authorities to trust, instead of those that Node trusts. */
  readonly ca: RenewableText | undefined;
  /** Client certificate, with the certificates between it and its authority. */
  readonly cert: RenewableText | undefined;
  /** Private key of `cert`. */
  readonly key: RenewableText | undefined;
  /** The name that the certificate of the server must be made for, and that is asked for; else the host of the URL. */
  readonly serverName: string | undefined;
  /** Accepts every certificate: a man in the middle can read and change everything. */
  readonly insecureSkipVerify: boolean;
}

/** Where to send queries, and how. Structured-clonable; `JSON.stringify` would show its secrets. */
export interface PrometheusConnection {
  /** An `http:` or `https:` URL. A path prefix is kept; `user:password@` means basic authentication. */
  readonly baseUrl: string;
  readonly method: 'GET' | 'POST';
  /** Sent with every request, besides those that the client sets. */
  readonly headers: Readonly<Record<string, string>>;
  /** Appended to the URL of every request, in this order, with `POST` as well. A name may come several times. */
  readonly queryParameters: readonly (readonly [name: string, value: string])[];
  /** `undefined`: by the user and password of `baseUrl`, or nobody. */
  readonly authentication: Authentication | undefined;
  readonly tls: TlsOptions;
  /** An `http:` URL, with `user:password@` if need be. `undefined`: no proxy, whatever the environment says. */
  readonly proxyUrl: string | undefined;
  /** Whether to ask for compressed answers. */
  readonly compression: boolean;
  /** Longer answers are refused; counted after decompression. */
  readonly maxResponseBytes: number;
}
