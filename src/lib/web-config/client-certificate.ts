/** Which clients are allowed after the TLS handshake. */

import { isIPv6 } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsSettings } from './config.js';

/** The part of a TLS connection that decides. */
export type ClientConnection = Pick<TLSSocket, 'authorized' | 'getPeerX509Certificate'>;

/** Whether a client is allowed, as far as the handshake itself does not check it. */
export function isAllowedClient(
  connection: ClientConnection,
  { clientAuthType, clientAllowedSans }: Pick<TlsSettings, 'clientAuthType' | 'clientAllowedSans'>,
): boolean {
  const certificate = connection.getPeerX509Certificate();
  switch (clientAuthType) {
    case 'NoClientCert':
    case 'RequestClientCert':
      return true;
    case 'RequireAnyClientCert':
      return certificate !== undefined;
    case 'VerifyClientCertIfGiven':
      if (certificate === undefined) return true;
      break;
    case 'RequireAndVerifyClientCert':
      if (certificate === undefined) return false;
  }
  if (!connection.authorized) return false;
  if (clientAllowedSans === undefined) return true;
  const names = subjectAltNames(certificate.subjectAltName ?? '');
  return clientAllowedSans.some((allowed) => names.includes(canonical(allowed)));
}

/** `DNS:a, IP Address:1.2.3.4`: Node.js puts a value with a comma or a quote into a JSON string. */
const NAME = /(?:, )?([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?=, |$)/y;
const KINDS = ['DNS', 'IP Address', 'email', 'URI'];

/**
 * The names of a certificate that can be allowed: DNS, IP, e-mail and URI.
 *
 * @param text the form of `X509Certificate.subjectAltName`; everything after an unexpected part is left out.
 */
export function subjectAltNames(text: string): string[] {
  const names: string[] = [];
  NAME.lastIndex = 0;
  for (let match = NAME.exec(text); match !== null && match[0] !== ''; match = NAME.exec(text)) {
    const [, kind = '', value = ''] = match;
    if (KINDS.includes(kind)) names.push(canonical(value.startsWith('"') ? JSON.parse(value) : value));
  }
  return names;
}

/** One spelling of each IPv6 address. */
function canonical(name: string): string {
  return isIPv6(name) ? new URL(`http://[${name}]`).hostname : name;
}
