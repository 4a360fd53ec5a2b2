import type { PrometheusConnection, TlsOptions } from '../../src/exporter/prometheus/connection.js';

/** The connection to a Prometheus that asks for nothing special, but for `parts`. */
export function connectionTo(
  baseUrl: string,
  parts: Partial<Omit<PrometheusConnection, 'baseUrl' | 'tls'>> & { readonly tls?: Partial<TlsOptions> } = {},
): PrometheusConnection {
  return {
    method: 'POST',
    headers: {},
    queryParameters: [],
    authentication: undefined,
    proxyUrl: undefined,
    compression: true,
    maxResponseBytes: 64 * 1024 * 1024,
    ...parts,
    baseUrl,
    tls: {
      ca: undefined,
      cert: undefined,
      key: undefined,
      serverName: undefined,
      insecureSkipVerify: false,
      ...parts.tls,
    },
  };
}
