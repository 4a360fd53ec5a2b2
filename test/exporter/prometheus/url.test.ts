import { expect } from 'chai';
import { endpointUrl, parseBaseUrl, withoutSecrets } from '../../../src/exporter/prometheus/url.js';

describe('parseBaseUrl', () => {
  const rows: [base: string, endpoint: string][] = [
    ['http://h:9090', 'http://h:9090/api/v1/query'],
    ['http://h:9090/', 'http://h:9090/api/v1/query'],
    ['https://h/prometheus', 'https://h/prometheus/api/v1/query'],
    ['https://h/prometheus/', 'https://h/prometheus/api/v1/query'],
    ['https://h/select/0/prometheus//', 'https://h/select/0/prometheus/api/v1/query'],
    ['https://user:secret@h/prometheus', 'https://h/prometheus/api/v1/query'],
    ['HTTP://[::1]:9090', 'http://[::1]:9090/api/v1/query'],
  ];
  for (const [base, endpoint] of rows) {
    it(`keeps the path of ${base}`, () => {
      expect(endpointUrl(parseBaseUrl(base), 'query')).to.equal(endpoint);
    });
  }

  const credentials: [base: string, username: string, password: string][] = [
    ['http://user:secret@h', 'user', 'secret'],
    ['http://user@h', 'user', ''],
    ['http://us%40er:p%2Fa%3As@h', 'us@er', 'p/a:s'],
    ['http://user:100%@h', 'user', '100%'],
  ];
  for (const [base, username, password] of credentials) {
    it(`takes user and password from ${base}`, () => {
      expect(parseBaseUrl(base).credentials).to.deep.equal({ username, password });
    });
  }

  it('gives no credentials of an address without them', () => {
    expect(parseBaseUrl('http://h').credentials).to.equal(undefined);
  });

  for (const text of ['user:secret@h', 'http://user:secret@', 'ftp://user:secret@h', '']) {
    it(`refuses "${text}" without repeating it`, () => {
      expect(() => parseBaseUrl(text))
        .to.throw('an http:// or https:// URL')
        .with.property('message')
        .that.does.not.include('secret');
    });
  }
});

describe('withoutSecrets', () => {
  it('shows origin and path only', () => {
    const url = new URL('https://user:secret@h:8443/login?token=secret#secret');
    expect(withoutSecrets(url)).to.equal('https://h:8443/login');
  });
});
