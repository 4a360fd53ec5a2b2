/** Answers that show a wrong PROMETHEUS_URL, or a server of another sort behind it. */

import type { PrometheusErrorKind } from './errors.js';

/** What a failure is, and what to do about it. */
export type Diagnosis = readonly [kind: PrometheusErrorKind, advice: string];

/** Paths of the API and of pages that people copy from a browser or from a `remote_write`, besides the base URL. */
const API_PATH =
  '/api/v1(?:/(?:query|query_range|query_exemplars|labels?|series|rules|alerts|targets|metadata|status(?:/\\w+)?' +
  '|read|write|push|remote_read|remote_write|import(?:/\\w+)?))?';
const PAGE =
  '(?:/classic|/new)?/(?:graph|query|alerts|rules|targets|status|config|flags|service-discovery|tsdb-status' +
  '|metrics|federate|vmui|push|-/(?:ready|healthy))';
const SURPLUS = new RegExp(`^(.*?)(${API_PATH}|${PAGE})/api/v1/(?:query|query_range|label/.+|status/buildinfo)$`);

/**
 * What to do about a URL that says more than the base URL of the API; `undefined` where it does not.
 *
 * @param url that of a request, without secrets.
 */
export function surplusAdvice(url: string): string | undefined {
  const [, base, surplus] = SURPLUS.exec(url) ?? [];
  if (!base) return undefined;
  return ofTenant(base) === undefined
    ? `PROMETHEUS_URL needs only what is before ${surplus}: set it to ${base}.`
    : `PROMETHEUS_URL needs another end than ${surplus}: set it to ${base}/prometheus.`;
}

/** What is before and behind `/select/` where a URL ends with that; its API is below. */
function ofTenant(base: string): { readonly host: string; readonly tenant: string } | undefined {
  const [, host, tenant] = /^(.*)\/select\/([^/]+)$/.exec(base) ?? [];
  return host === undefined || tenant === undefined ? undefined : { host, tenant };
}

/** In the words of VictoriaMetrics, also of its agent and its cluster. */
const UNSUPPORTED_PATH = /unsupported path requested/;

/** In the words of vmselect: the path names no tenant. */
const NO_TENANT = /unsupported URL format for path/;

/** An account, or an account and a project, or all of them. */
const TENANT = /^(?:\d+(?::\d+)?|multitenant)$/;

function victoriaMetricsAdvice(url: string): string {
  const base = SURPLUS.exec(url)?.[1] ?? url.replace(/\/api\/v1\/\w+$/, '');
  const whole = ofTenant(base.replace(/\/prometheus$/, ''));
  if (whole === undefined) {
    const host = base.replace(/(?:\/insert\/[^/]+)?\/prometheus$/, '');
    return (
      `A VictoriaMetrics cluster answers at another path: set PROMETHEUS_URL to ${host}/select/0/prometheus, with your ` +
      'tenant for the 0. If it is vmagent or vminsert, which answer no queries, set it to vmselect.'
    );
  }
  const { host, tenant } = whole;
  if (!TENANT.test(tenant)) {
    return `A tenant of VictoriaMetrics is a number: set PROMETHEUS_URL to ${host}/select/0/prometheus, with yours for the 0.`;
  }
  const path = `/select/${tenant}/prometheus`;
  return base.endsWith(path)
    ? `Only vmselect of a VictoriaMetrics cluster answers at ${path}. If it has one node, set PROMETHEUS_URL to ${host}.`
    : `A VictoriaMetrics cluster answers at another path: set PROMETHEUS_URL to ${base}/prometheus.`;
}

const AGENT =
  'That is a Prometheus in agent mode, which stores nothing: set PROMETHEUS_URL to the server that its remote_write ' +
  'sends to.';

const OTHER_PROTOCOL =
  'The port wants another version of HTTP, most often HTTP/2, and the exporter speaks HTTP/1.1. Is it a port for gRPC? ' +
  'Set PROMETHEUS_URL to the port for HTTP (of Thanos: 10902, not 10901), or let a proxy translate.';

/** Upgrade required, version not supported, and what load balancers of Amazon say of it. */
const OTHER_PROTOCOL_STATUS: readonly number[] = [426, 464, 505];

/** @param body the start of it at least. */
export function misdirectionOf(url: string, status: number, body: string): Diagnosis | undefined {
  if (/unavailable with Prometheus Agent/.test(body)) return ['http', AGENT];
  // In the words of Node.js: servers that insist on HTTP/2 answer so to HTTP/1.1 with TLS.
  if (OTHER_PROTOCOL_STATUS.includes(status) || /ALPN Protocol, expected/.test(body)) return ['http', OTHER_PROTOCOL];
  if (status === 400 && NO_TENANT.test(body)) return ['not_found', victoriaMetricsAdvice(url)];
  const isUnsupported = status === 400 && UNSUPPORTED_PATH.test(body);
  if (status !== 404 && status !== 405 && !isUnsupported) return undefined;
  const surplus = surplusAdvice(url);
  if (surplus !== undefined) return ['not_found', surplus];
  return isUnsupported ? ['not_found', victoriaMetricsAdvice(url)] : undefined;
}

/** A frame of settings or of farewell, for the connection as a whole (RFC 9113, section 4.1). */
const SETTINGS = 4;
const GOAWAY = 7;

/** What to do about bytes that are no answer in HTTP/1.1; `undefined` where they tell nothing. */
export function protocolAdvice(bytes: Uint8Array): string | undefined {
  const isFrame = bytes.length >= 9 && [SETTINGS, GOAWAY].includes(bytes[3] as number);
  return isFrame && bytes.subarray(5, 9).every((byte) => byte === 0) ? OTHER_PROTOCOL : undefined;
}
