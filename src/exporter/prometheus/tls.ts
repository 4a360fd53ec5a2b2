/** Certificates and keys: what is wrong with them, and the agent that uses them. */

import { X509Certificate } from 'node:crypto';
import * as https from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext } from 'node:tls';
import { messageOf } from '../../lib/logging/message-of.js';

/** PEM texts. */
export interface TlsMaterial {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** Why a text is no list of certificates, as the end of a sentence; `undefined` if it is one. */
export function certificateMistake(pem: string): string | undefined {
  const blocks = pem.match(/-----BEGIN [^-]+-----[^-]*-----END [^-]+-----/g) ?? [];
  if (blocks.length === 0) return 'expected certificates in PEM (`-----BEGIN CERTIFICATE-----`), got none';
  // A file that is half written.
  if (pem.split('-----BEGIN ').length - 1 !== blocks.length)
    return 'expected certificates in PEM, got one without its end';
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (error) {
      return `expected certificates in PEM, got one that cannot be read (${messageOf(error)})`;
    }
  }
  return undefined;
}

/** Why a client certificate and a key do not go together, as the end of a sentence; `undefined` if they do. */
export function keyPairMistake({ cert, key }: Pick<TlsMaterial, 'cert' | 'key'>): string | undefined {
  try {
    createSecureContext({ cert, key });
    return undefined;
  } catch (error) {
    return (
      'expected an unencrypted private key in PEM that belongs to the certificate, got another text ' +
      `(${messageOf(error)})`
    );
  }
}

/**
 * What is sent as the name of a server that has none. The package that tunnels through a proxy sends a name in any case, the
 * address if there is nothing else, which Node.js 26 rejects. `.invalid` belongs to nobody (RFC 2606).
 */
const NO_NAME = 'address.invalid';

/**
 * @param tunneledHost host of the URL of a server behind a proxy; `undefined` without a proxy.
 */
export function createHttpsAgent(
  { ca, cert, key }: TlsMaterial,
  options: { readonly serverName: string | undefined; readonly insecureSkipVerify: boolean },
  tunneledHost: string | undefined,
): https.Agent {
  const address = tunneledHost?.replace(/^\[|\]$/g, '') ?? '';
  const isNameless = options.serverName === undefined && isIP(address) !== 0;
  return new https.Agent({
    keepAlive: true,
    rejectUnauthorized: !options.insecureSkipVerify,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(options.serverName !== undefined && { servername: options.serverName }),
    ...(isNameless && {
      servername: NO_NAME,
      checkServerIdentity: (_name, certificate) => checkServerIdentity(address, certificate),
    }),
  });
}
