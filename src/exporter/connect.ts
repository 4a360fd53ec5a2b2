/** From the settings to the connection, for every command that asks Prometheus. */

import { readBoundedTextSync, UnreadableFileError } from '../lib/files/bounded-file.js';
import type { SettingName, Settings } from './config/settings.js';
import type { Authentication, PrometheusConnection, RenewableText } from './prometheus/connection.js';
import { isSecretParameter } from './prometheus/redaction.js';
import { parseBaseUrl } from './prometheus/url.js';

/**
 * Reads the certificates that the settings name.
 *
 * @throws {Error} when a file has gone since the settings were read.
 */
export function prometheusConnection(settings: Settings): PrometheusConnection {
  return {
    baseUrl: settings.prometheusUrl,
    method: settings.prometheusHttpMethod,
    headers: Object.fromEntries(settings.prometheusHeaders),
    queryParameters: settings.prometheusQueryParameters,
    authentication: authentication(settings),
    tls: {
      ca: textOf(settings.prometheusCaFile),
      cert: textOf(settings.prometheusCertFile),
      key: textOf(settings.prometheusKeyFile),
      serverName: settings.prometheusServerName || undefined,
      insecureSkipVerify: settings.insecureSkipVerify,
    },
    proxyUrl: settings.prometheusProxyUrl || undefined,
    maxResponseBytes: settings.prometheusMaxResponseBytes,
  };
}

/** Headers that choose a tenant. They are no secrets. */
const TENANT_HEADER = /^(?:x-scope-orgid|accountid|projectid)$/i;

/** What tells the data behind a connection from other data, without secrets: the address, tenant and parameters. */
export function sourceOf({ baseUrl, headers, queryParameters }: PrometheusConnection): readonly string[] {
  const pairs = [
    ...Object.entries(headers).filter(([name]) => TENANT_HEADER.test(name)),
    ...queryParameters.filter(([name]) => !isSecretParameter(name)),
  ];
  return [parseBaseUrl(baseUrl).display, ...pairs.map(([name, value]) => `${name}=${value}`)];
}

function authentication(settings: Settings): Authentication | undefined {
  const secret = (name: SettingName, text: string): RenewableText => ({
    text,
    file: settings.secretFiles[name],
  });
  const {
    prometheusBearerToken: token,
    prometheusUsername: username,
    prometheusPassword: password,
  } = settings;
  if (token !== '') return { kind: 'bearer', token: secret('prometheusBearerToken', token) };
  if (username === '') return undefined;
  return { kind: 'basic', username, password: secret('prometheusPassword', password) };
}

function textOf(file: string): RenewableText | undefined {
  if (file === '') return undefined;
  try {
    return { text: readBoundedTextSync(file), file };
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) throw error;
    throw new Error(`Expected ${error.expected} at ${file}, got ${error.got}.`);
  }
}
