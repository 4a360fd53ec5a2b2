import type { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import {
  type ClientConnection,
  isAllowedClient,
  subjectAltNames,
} from '../../../src/lib/web-config/client-certificate.js';
import { CLIENT_AUTH_TYPES } from '../../../src/lib/web-config/config.js';

const connection = (certificate: 'none' | 'unverified' | 'verified', names = 'DNS:prometheus'): ClientConnection => ({
  authorized: certificate === 'verified',
  getPeerX509Certificate: () => (certificate === 'none' ? undefined : ({ subjectAltName: names } as X509Certificate)),
});

describe('client certificates', () => {
  const allowed = {
    NoClientCert: ['none', 'unverified', 'verified'],
    RequestClientCert: ['none', 'unverified', 'verified'],
    RequireAnyClientCert: ['unverified', 'verified'],
    VerifyClientCertIfGiven: ['none', 'verified'],
    RequireAndVerifyClientCert: ['verified'],
  };
  for (const clientAuthType of CLIENT_AUTH_TYPES) {
    it(`${clientAuthType} lets in ${allowed[clientAuthType].join(', ')}`, () => {
      const kinds = (['none', 'unverified', 'verified'] as const).filter((kind) =>
        isAllowedClient(connection(kind), { clientAuthType, clientAllowedSans: undefined }),
      );
      expect(kinds).to.deep.equal(allowed[clientAuthType]);
    });
  }

  it('are held against the names that are allowed, exactly', () => {
    const isAllowed = (names: string, ...clientAllowedSans: string[]) =>
      isAllowedClient(connection('verified', names), {
        clientAuthType: 'RequireAndVerifyClientCert',
        clientAllowedSans,
      });
    expect(isAllowed('DNS:a, DNS:prometheus', 'prometheus')).to.equal(true);
    expect(isAllowed('DNS:prometheus', 'alice', 'prometheus')).to.equal(true);
    expect(isAllowed('DNS:prometheus.evil.example', 'prometheus')).to.equal(false);
    expect(isAllowed('DNS:*', 'prometheus')).to.equal(false);
    expect(isAllowed('', 'prometheus')).to.equal(false);
    expect(isAllowed('IP Address:0:0:0:0:0:0:0:1', '::1')).to.equal(true);
    expect(isAllowed('DirName:prometheus', 'prometheus')).to.equal(false);
  });

  it('cannot smuggle a name into another one', () => {
    expect(subjectAltNames('DNS:a.example, URI:spiffe://x/y, email:a@b, IP Address:10.0.0.1')).to.deep.equal([
      'a.example',
      'spiffe://x/y',
      'a@b',
      '10.0.0.1',
    ]);
    expect(subjectAltNames('DNS:"evil, DNS:prometheus"')).to.deep.equal(['evil, DNS:prometheus']);
    expect(subjectAltNames('URI:"http://x/\\", DNS:prometheus"')).to.deep.equal(['http://x/", DNS:prometheus']);
    expect(subjectAltNames('DNS:ok, what is this, DNS:prometheus')).to.deep.equal(['ok']);
  });
});
