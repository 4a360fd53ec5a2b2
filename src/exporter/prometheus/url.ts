/** The base URL of a Prometheus API: where to send, whom to log in as, and what may be shown. */

/** User and password, as they are sent (not percent-encoded). */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface BaseUrl {
  /** Origin and path prefix, without a trailing slash and without user and password: safe to show. */
  readonly display: string;
  /** From `user:password@`, if the URL has it. */
  readonly credentials: Credentials | undefined;
}

/**
 * @throws {Error} if the text is not an `http:` or `https:` URL. The message does not repeat it, since it may hold a
 *   password.
 */
export function parseBaseUrl(text: string): BaseUrl {
  if (!/^https?:/i.test(text) || !URL.canParse(text)) {
    throw new Error('Expected the base URL of Prometheus to be an http:// or https:// URL, got another text.');
  }
  const url = new URL(text);
  const credentials = { username: decode(url.username), password: decode(url.password) };
  return {
    display: withoutSecrets(url).replace(/\/+$/, ''),
    credentials: url.username || url.password ? credentials : undefined,
  };
}

/** Where to send a request to: the path is appended, so a prefix in the base URL stays. */
export function endpointUrl(base: Pick<BaseUrl, 'display'>, endpoint: string): string {
  return `${base.display}/api/v1/${endpoint}`;
}

/** Origin and path only: user, password, query and fragment may be secret. */
export function withoutSecrets({ origin, pathname }: URL): string {
  return origin + pathname;
}

/** A password with a bare `%` is taken as it stands. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
