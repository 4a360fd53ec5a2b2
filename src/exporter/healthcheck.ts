/** Asks a service that runs beside it whether it is alive, for the health check of a container. */

import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIPv6 } from 'node:net';
import type { TlsSettings } from '../lib/web-config/config.js';
import { loadWebConfig } from '../lib/web-config/load.js';
import type { Settings } from './config/settings.js';

/** Less than the timeout of the Dockerfile, so that this command reports the reason. */
const TIMEOUT_MILLISECONDS = 2_500;

/** The settings that the service was started with. */
export type HealthcheckSettings = Pick<Settings, 'host' | 'port' | 'webConfigFile'>;

/**
 * Succeeds when the service answers.
 *
 * @throws {MistakesError} when the web configuration cannot be read or is wrong.
 * @throws {Error} when the service does not answer, or its port is unknown.
 */
export async function runHealthcheck({ host, port, webConfigFile }: HealthcheckSettings): Promise<void> {
  if (port === 0)
    throw new Error(
      'PORT=0 lets the system choose the port, which only the service knows. Set PORT to check its health.',
    );
  const tls = webConfigFile === '' ? undefined : (await loadWebConfig(webConfigFile)).config.tls;
  const url = `${tls === undefined ? 'http' : 'https'}://${hereFor(host)}:${port}/-/healthy`;
  try {
    const status = await statusOf(url);
    if (status !== 200) throw new Error(`Expected status 200 from ${url}, got ${status}.`);
  } catch (error) {
    if (!isRefusalOfClient(error, tls)) throw error;
  }
}

/** An address that a service listening on `host` can be reached at from here. */
function hereFor(host: string): string {
  const address = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  return isIPv6(address) ? `[${address}]` : address;
}

async function statusOf(url: string): Promise<number | undefined> {
  const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
  const request = url.startsWith('https:')
    ? // Its certificate is for the name that others know it by, and nothing secret is sent.
      https.get(url, { signal, rejectUnauthorized: false, agent: false })
    : http.get(url, { signal, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  return response.statusCode;
}

/** A service that rejects a connection without a client certificate is alive. */
function isRefusalOfClient(error: unknown, tls: TlsSettings | undefined): boolean {
  const { code = '' }: NodeJS.ErrnoException = error instanceof Error ? error : new Error();
  return tls?.clientAuthType.startsWith('Require') === true && (code.startsWith('ERR_SSL_') || code === 'ECONNRESET');
}
