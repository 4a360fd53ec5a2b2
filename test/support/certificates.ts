/** Certificates for the TLS servers of tests, made when they are needed. */

import { generate } from 'selfsigned';

/** PEM texts. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

const DAY = 24 * 60 * 60 * 1000;

/** An authority, and a certificate's own signature, last until tomorrow. */
async function create(
  commonName: string,
  { authority, expired = false }: { readonly authority?: Certificate; readonly expired?: boolean } = {},
): Promise<Certificate> {
  const isAuthority = authority === undefined;
  const now = Date.now();
  const { private: key, cert } = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(now - 2 * DAY),
    notAfterDate: new Date(now + (expired ? -DAY : DAY)),
    ...(authority && { ca: authority }),
    extensions: [
      { name: 'basicConstraints', cA: isAuthority, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: isAuthority, critical: true },
      {
        name: 'subjectAltName',
        altNames: [commonName === '127.0.0.1' ? { type: 7, ip: commonName } : { type: 2, value: commonName }],
      },
    ],
  });
  return { key, cert };
}

/** The cases of a TLS server at 127.0.0.1. */
export interface TestCertificates {
  /** The authority that signed `valid`, `expired` and `otherName`. */
  readonly authority: Certificate;
  readonly valid: Certificate;
  readonly expired: Certificate;
  /** Made for another host. */
  readonly otherName: Certificate;
  /** Signed by an authority that nobody knows. */
  readonly otherAuthority: Certificate;
  readonly selfSigned: Certificate;
}

export async function createCertificates(): Promise<TestCertificates> {
  const authority = await create('Test authority');
  return {
    authority,
    valid: await create('127.0.0.1', { authority }),
    expired: await create('127.0.0.1', { authority, expired: true }),
    otherName: await create('other.example.org', { authority }),
    otherAuthority: await create('127.0.0.1', { authority: await create('Unknown authority') }),
    selfSigned: await create('127.0.0.1'),
  };
}
