/** From what axios met to a `PrometheusError`. */

import { type AxiosResponse, isAxiosError, isCancel } from 'axios';
import { isObject, parseJson } from './answer/decode.js';
import { type Stage, stageOf } from './connecting.js';
import { type Asked, connectionError, failure, type PrometheusError, type PrometheusErrorKind } from './errors.js';
import { gatekeeperDiagnosis } from './gatekeepers.js';
import { type Diagnosis, misdirectionOf, protocolAdvice, surplusAdvice } from './misdirection.js';
import { withoutSecrets } from './url.js';

const CORRECT_URL = 'Are the host and the port in PROMETHEUS_URL right?';

const DROPPED =
  'Nothing accepts the connection, and nothing refuses it: most often, a firewall or a network policy drops its packets. ' +
  CORRECT_URL;

const CLIENT_CERTIFICATE =
  'The server wants a client certificate that it trusts: name it and its key in PROMETHEUS_CERT_FILE and ' +
  'PROMETHEUS_KEY_FILE.';

const NAME_OF_CERTIFICATE =
  'Use a host name in PROMETHEUS_URL that the certificate is made for, or name one in PROMETHEUS_SERVER_NAME.';

/** By the code of the system's, OpenSSL's or Node's error; the first that matches. */
const DIAGNOSES_BY_CODE: readonly [RegExp, ...Diagnosis][] = [
  [/^ECONNREFUSED$/, 'refused', `Is Prometheus running? ${CORRECT_URL}`],
  [/^(ENOTFOUND|EAI_\w+)$/, 'dns', `Does the host name resolve from here? ${CORRECT_URL}`],
  [/^ETIMEDOUT$/, 'unreachable', DROPPED],
  [/^E(HOST|NET)(UNREACH|DOWN)$/, 'unreachable', `Is there a route to the host from here? ${CORRECT_URL}`],
  [/^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/, 'tls', NAME_OF_CERTIFICATE],
  [
    /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    'tls',
    'Renew the certificate of the server, or correct the clock of this machine.',
  ],
  // The server rejects our certificate, or requires one. With TLS 1.2, only the text says so.
  [/^ERR_SSL_\w*ALERT_(CERTIFICATE_\w+|BAD_CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE)$/, 'tls', CLIENT_CERTIFICATE],
  // The server has no certificate for the name. Some call that an error of their own.
  [/^ERR_SSL_\w*ALERT_(UNRECOGNIZED_NAME|INTERNAL_ERROR)$/, 'tls', NAME_OF_CERTIFICATE],
  [
    /^ERR_SSL_\w*ALERT_PROTOCOL_VERSION$|^ERR_SSL_UNSUPPORTED_PROTOCOL$/,
    'tls',
    'The exporter speaks TLS 1.2 and 1.3: allow one of them at the server.',
  ],
  [
    /CERT|^UNABLE_TO_|^INVALID_(CA|PURPOSE)$/,
    'tls',
    'Put the certificate of the authority that signed it into a file and name it in PROMETHEUS_CA_FILE.',
  ],
  [
    /^(EPROTO|ERR_(TLS|SSL)_\w+)$/,
    'tls',
    'Does the port speak plain HTTP? Then PROMETHEUS_URL must begin with http://.',
  ],
  [/^HPE_/, 'connection', 'Does the port speak HTTPS? Then PROMETHEUS_URL must begin with https://.'],
  [
    /^(ECONNRESET|EPIPE)$/,
    'connection',
    'Does the port speak the protocol that PROMETHEUS_URL begins with, and does it want a client certificate ' +
      '(PROMETHEUS_CERT_FILE)? Else look at the log of the server.',
  ],
];

/** The request ended without a whole answer. */
export function connectionFailure(asked: Asked, error: unknown, signal: AbortSignal | undefined): PrometheusError {
  if (isCancel(error)) {
    const isLate = isObject(signal?.reason) && signal.reason.name === 'TimeoutError';
    if (!isLate) return connectionError('aborted', asked, 'The exporter cancelled its request to');
    const [kind, what, advice] = LATE[stageOf(isCancel(error) && (error as { request?: unknown }).request)];
    return connectionError(kind, asked, what, advice + proxyAdvice(asked));
  }
  const { code = 'unknown code', message }: NodeJS.ErrnoException =
    error instanceof Error ? error : new Error(String(error));
  const text = asked.texts.quote(message.includes(code) ? message : `${message} (${code})`, ERROR_LENGTH);
  if (message.startsWith('maxContentLength')) {
    return failure('too_large', asked, `too large an answer (${text})`, {
      advice: 'Make the query select fewer series, or raise PROMETHEUS_MAX_RESPONSE_BYTES.',
    });
  }
  if (isAxiosError(error) && error.response !== undefined) {
    const what = `Got HTTP ${error.response.status} and an incomplete answer (${text}) from`;
    const advice = 'Did the server stop, or does a proxy limit the size of answers?';
    return connectionError('connection', asked, what, advice);
  }
  const packet = rawPacketOf(error);
  const otherProtocol = packet && protocolAdvice(packet);
  if (otherProtocol !== undefined) {
    return connectionError('http', asked, `Got an answer in HTTP/2 (${text}) from`, otherProtocol);
  }
  const [, kind, advice] = DIAGNOSES_BY_CODE.find(([codes]) => codes.test(refusal(message) ?? code)) ?? UNKNOWN_CODE;
  // A connection that is reset may have carried a part of an answer: axios does not say.
  const got = code === 'ECONNRESET' ? 'no whole answer' : 'no answer';
  return connectionError(
    kind,
    asked,
    `Got ${got} (${text}) from`,
    advice + serviceAdvice(code, asked) + proxyAdvice(asked),
  );
}

/** A Service has a name without a dot within its own namespace only. */
function serviceAdvice(code: string, { url, proxyUrl }: Asked): string {
  const host = new URL(proxyUrl ?? url).hostname;
  return code === 'ENOTFOUND' && !host.includes('.')
    ? ` In another namespace of Kubernetes, its name is longer: ${host}.monitoring, for the namespace monitoring.`
    : '';
}

const proxyAdvice = ({ proxyUrl }: Asked) => (proxyUrl === undefined ? '' : ' Is PROMETHEUS_PROXY_URL right?');

/** What a request that came to its deadline was waiting for. */
const LATE: Readonly<Record<Stage, readonly [kind: PrometheusErrorKind, what: string, advice: string]>> = {
  lookup: ['dns', 'Timed out looking up the host of', `Does the host name resolve from here? ${CORRECT_URL}`],
  connection: ['unreachable', 'Timed out connecting to', DROPPED],
  handshake: [
    'timeout',
    'Timed out in the TLS handshake with',
    'Does the port speak HTTPS? Else something on the way may drop large packets (MTU).',
  ],
  answer: ['timeout', 'Timed out waiting for', 'Is Prometheus overloaded, or the timeout too short?'],
};

/** What came, where it is no HTTP/1.1. */
function rawPacketOf(error: unknown): Uint8Array | undefined {
  const { rawPacket } = ((error instanceof Error && error.cause) || {}) as { rawPacket?: unknown };
  return rawPacket instanceof Uint8Array ? rawPacket : undefined;
}

/** The alert of TLS within OpenSSL's text, in the form of its code. */
function refusal(message: string): string | undefined {
  const [, alert] =
    /\b(?:alert|tlsv1) (certificate \w+|bad certificate|unknown ca|handshake failure|unrecognized name|internal error|protocol version)/.exec(
      message,
    ) ?? [];
  return alert && `ERR_SSL_ALERT_${alert.replaceAll(' ', '_').toUpperCase()}`;
}

const UNKNOWN_CODE = [/./, 'connection', CORRECT_URL] as const;

const TOO_LONG =
  'The query is too long for a URL: set PROMETHEUS_HTTP_METHOD to POST. Where only GET is allowed, raise the limit of the ' +
  'proxy, or shorten NAMESPACE_REGEX and PROMETHEUS_MATCHERS.';

const DIAGNOSES_BY_STATUS: Readonly<Record<number, Diagnosis>> = {
  400: [
    'bad_query',
    'Correct the settings that make the query (NAMESPACE_REGEX, PROMETHEUS_MATCHERS, POD_LABEL, CPU_RATE_WINDOW and others).',
  ],
  401: [
    'unauthorized',
    'Put the right user and password into PROMETHEUS_USERNAME and PROMETHEUS_PASSWORD, or the right token into ' +
      'PROMETHEUS_BEARER_TOKEN.',
  ],
  403: [
    'forbidden',
    'Allow queries to this user, or to this address, at the server; some want a parameter or a header more ' +
      '(PROMETHEUS_QUERY_PARAMETERS, PROMETHEUS_HEADERS).',
  ],
  404: ['not_found', 'Is there a path prefix missing in PROMETHEUS_URL, such as /prometheus?'],
  405: [
    'method_not_allowed',
    'Does a proxy forbid POST? Then set PROMETHEUS_HTTP_METHOD to GET. Else it is another server.',
  ],
  413: [
    'http',
    'Raise the limit of the proxy for the size of requests, or shorten NAMESPACE_REGEX and PROMETHEUS_MATCHERS.',
  ],
  414: ['http', TOO_LONG],
  407: ['unauthorized', 'Put the right user and password into PROMETHEUS_PROXY_URL, as in http://user:password@proxy.'],
  431: ['http', TOO_LONG],
  422: ['unprocessable', 'Change the query, or make it select less (NAMESPACE_REGEX), as the message says.'],
  429: ['rate_limited', 'Query less often, or raise the limit at the server.'],
};

/** An answer came whole, and its status is not a success. */
export function statusFailure(asked: Asked, response: AxiosResponse<string>): PrometheusError {
  const { status, data: body } = response;
  if (status >= 300 && status < 400) return redirectFailure(asked, response);
  const said = wordsOf(response);
  const words = asked.texts.quote(said, /^\s*</.test(said) ? EXCERPT_LENGTH : ERROR_LENGTH);
  const got = words === '' ? `HTTP ${status}` : `HTTP ${status} ("${words}")`;
  const known =
    wrongTlsDiagnosis(status, body) ?? misdirectionOf(asked.url, status, body) ?? gatekeeperDiagnosis(status, said);
  const [kind, advice] = known ?? DIAGNOSES_BY_STATUS[status] ?? (status >= 500 ? UNAVAILABLE : OTHER_STATUS);
  return failure(kind, asked, got, {
    advice: advice + (MAY_BE_OF_PROXY.has(kind) ? answeringProxyAdvice(asked) : ''),
    retryAfterSeconds: retryAfterSeconds(response),
    ...(known === undefined && isLimit(status, body) && { tooMuch: true }),
  });
}

/** In the words of Go and nginx, of Apache, and of nginx. */
function wrongTlsDiagnosis(status: number, body: string): Diagnosis | undefined {
  if (status !== 400) return undefined;
  if (/HTTPS (server|port)|SSL-enabled server port/.test(body)) {
    return ['tls', 'The port speaks HTTPS: PROMETHEUS_URL must begin with https://.'];
  }
  return /SSL certificate/.test(body) ? ['tls', CLIENT_CERTIFICATE] : undefined;
}

/** What a proxy on the way says as well as a server. */
const MAY_BE_OF_PROXY: ReadonlySet<PrometheusErrorKind> = new Set(['forbidden', 'unavailable']);

const answeringProxyAdvice = ({ proxyUrl }: Asked) =>
  proxyUrl === undefined ? '' : ` Or did the proxy ${proxyUrl} answer? Then allow the host of Prometheus there.`;

/** Whether a query took too long, or asked for too many points, in the words of servers and proxies. */
function isLimit(status: number, body: string): boolean {
  if (status === 400) return /maximum resolution|too many (?:samples|points)|limit/.test(body);
  return status === 504 || (status >= 500 && /timed out/.test(body));
}

const UNAVAILABLE: Diagnosis = ['unavailable', 'Look at the log of Prometheus, or of the proxy before it.'];
const OTHER_STATUS: Diagnosis = ['http', 'Does PROMETHEUS_URL lead to a Prometheus API?'];

function redirectFailure(asked: Asked, { status, headers }: AxiosResponse<string>): PrometheusError {
  const location = String(headers.location ?? '');
  if (location === '' || !URL.canParse(location, asked.url)) {
    return failure('redirect', asked, `HTTP ${status} without a target`, { advice: OTHER_STATUS[1] });
  }
  const target = asked.texts.quote(withoutSecrets(new URL(location, asked.url)), ERROR_LENGTH);
  const base = baseOf(target);
  const advice =
    surplusAdvice(asked.url) ??
    (base === baseOf(asked.url) ? LOOP : undefined) ??
    (base === undefined
      ? 'Redirects are not followed. If that is a login page, set PROMETHEUS_URL to Prometheus itself.'
      : `PROMETHEUS_URL redirects to ${base}: set it to that.`);
  return failure('redirect', asked, `HTTP ${status} to ${target}`, { advice });
}

/** What is before the API's part of an address. */
const baseOf = (url: string) => /^(.*)\/api\/v1\/[\w/]+$/.exec(url)?.[1];

const LOOP =
  'PROMETHEUS_URL redirects to itself: most often, a proxy ends TLS, and one behind it wants HTTPS and does not know of that ' +
  '(X-Forwarded-Proto). Set PROMETHEUS_URL to Prometheus itself.';

/**
 * The body of a success is not JSON.
 *
 * @param bytes length of the whole body.
 * @param start the first characters of it.
 */
export function notJsonFailure(asked: Asked, status: number, bytes: number, start: string): PrometheusError {
  const got = `HTTP ${status} and ${bytes} bytes that are not JSON ("${asked.texts.quote(start, EXCERPT_LENGTH)}")`;
  const advice =
    surplusAdvice(asked.url) ??
    'Is that a login page or the page of another program? Set PROMETHEUS_URL to Prometheus itself.';
  return failure('not_json', asked, got, { advice });
}

/** Enough of an error's text to act on it. */
const ERROR_LENGTH = 500;

/** Enough of a page to recognise it. */
const EXCERPT_LENGTH = 80;

/**
 * The error text of Prometheus, of Kubernetes and Amazon, or of Google and Azure; of any other answer, its body, or why
 * it wants a login.
 */
function wordsOf({ data: body, headers }: AxiosResponse<string>): string {
  const answer = parseJson(body);
  const { error, message }: Record<string, unknown> = isObject(answer) ? answer : {};
  const texts = [error, isObject(error) ? error.message : undefined, message];
  const text = texts.find((candidate) => typeof candidate === 'string');
  return typeof text === 'string' ? text : body || String(headers['www-authenticate'] ?? '');
}

/** `Retry-After` is a number of seconds, or a time to compare with the server's own clock. */
function retryAfterSeconds({ headers }: AxiosResponse<string>): number | undefined {
  const text = String(headers['retry-after'] ?? '');
  if (/^\d+$/.test(text)) return Number(text);
  const seconds = (Date.parse(text) - Date.parse(String(headers.date))) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}
