import { expect } from 'chai';
import { misdirectionOf, protocolAdvice, surplusAdvice } from '../../../src/exporter/prometheus/misdirection.js';

const HOST = 'http://h:9090';

describe('a URL that says more than the base URL', () => {
  for (const [surplus, bases] of [
    ['/api/v1', ['', '/prometheus', '/api/prom', '/select/0/prometheus']],
    ['/api/v1/query', ['', '/prometheus']],
    ['/api/v1/query_range', ['']],
    ['/api/v1/status/buildinfo', ['']],
    ['/api/v1/write', ['']],
    ['/api/v1/push', ['']],
    ['/api/v1/remote_write', ['/workspaces/ws-1']],
    ['/api/v1/import/prometheus', ['']],
    ['/graph', ['', '/prometheus']],
    ['/classic/graph', ['']],
    ['/query', ['', '/thanos']],
    ['/vmui', ['']],
    ['/targets', ['']],
    ['/metrics', ['']],
    ['/-/ready', ['/prometheus']],
    ['/push', ['/api/prom']],
  ] as const) {
    for (const base of bases) {
      it(`is named for ${base}${surplus}`, () => {
        for (const endpoint of ['query', 'query_range', 'label/namespace/values', 'status/buildinfo']) {
          expect(surplusAdvice(`${HOST}${base}${surplus}/api/v1/${endpoint}`)).to.equal(
            `PROMETHEUS_URL needs only what is before ${surplus}: set it to ${HOST}${base}.`,
          );
        }
      });
    }
  }

  it('is named for a page of a tenant, whose API is below it', () => {
    expect(surplusAdvice(`${HOST}/select/0/vmui/api/v1/query`)).to.equal(
      `PROMETHEUS_URL needs another end than /vmui: set it to ${HOST}/select/0/prometheus.`,
    );
  });

  for (const base of [
    '',
    '/prometheus',
    '/my-graph',
    '/api/prom',
    '/select/0/prometheus',
    '/workspaces/ws-1',
    '/v1/projects/p/location/global/prometheus',
    '/api/v1/namespaces/monitoring/services/prometheus/proxy',
    '/api/v1/namespaces/monitoring/services/http:prometheus:9090/proxy',
    '/api/datasources/proxy/uid/abc',
  ]) {
    it(`is not seen in ${base === '' ? 'a host alone' : base}`, () => {
      expect(surplusAdvice(`${HOST}${base}/api/v1/query`)).to.equal(undefined);
    });
  }
});

/** As vmselect 1.150 answered each of these. */
describe('a path that vmselect does not know', () => {
  const noTenant = (path: string) =>
    `unsupported URL format for path "${path}/api/v1/query". Make sure you're using cluster URL format https://docs.x/#url-format.`;
  const unknown = (path: string) => `unsupported path requested: "${path}/api/v1/query"`;
  const another = /^A VictoriaMetrics cluster answers at another path: set PROMETHEUS_URL to (\S+prometheus)[.,]/;
  for (const [path, words, advice, url] of [
    ['', noTenant, another, '/select/0/prometheus'],
    ['/prometheus', noTenant, another, '/select/0/prometheus'],
    ['/vmui', noTenant, another, '/select/0/prometheus'],
    ['/insert/0/prometheus', noTenant, another, '/select/0/prometheus'],
    ['/select/7', unknown, another, '/select/7/prometheus'],
    ['/select/7/prometheus/api/v1', unknown, /set it to (\S+)\.$/, '/select/7/prometheus'],
    [
      '/select/shop/prometheus',
      unknown,
      /^A tenant .* is a number: set PROMETHEUS_URL to (\S+),/,
      '/select/0/prometheus',
    ],
    ['/select/shop', unknown, /^A tenant .* is a number: set PROMETHEUS_URL to (\S+),/, '/select/0/prometheus'],
  ] as const) {
    it(`is corrected: ${path === '' ? 'a host alone' : path}`, () => {
      const [kind, text = ''] = misdirectionOf(`${HOST}${path}/api/v1/query`, 400, words(path)) ?? [];
      expect(kind).to.equal('not_found');
      expect(advice.exec(text)?.[1], text).to.equal(HOST + url);
    });
  }
});

describe('an answer that comes from the wrong place', () => {
  const unsupported = (path: string) => `remoteAddr: "1.2.3.4:5"; unsupported path requested: "${path}"`;
  for (const [what, url, status, body, kind, advice] of [
    ['a page', `${HOST}/graph/api/v1/query`, 404, '404 page not found', 'not_found', /only what is before \/graph/],
    ['a page by POST', `${HOST}/graph/api/v1/query`, 405, '', 'not_found', /only what is before \/graph/],
    [
      'VictoriaMetrics and a page',
      `${HOST}/api/v1/api/v1/query`,
      400,
      unsupported('/api/v1/api/v1/query'),
      'not_found',
      /only what is before \/api\/v1: set it to http:\/\/h:9090\./,
    ],
    [
      'vmselect without a tenant',
      `${HOST}/api/v1/query`,
      400,
      unsupported('/api/v1/query'),
      'not_found',
      /set PROMETHEUS_URL to http:\/\/h:9090\/select\/0\/prometheus, with your tenant/,
    ],
    [
      'one node of VictoriaMetrics with a tenant',
      `${HOST}/select/7/prometheus/api/v1/query_range`,
      400,
      unsupported('/select/7/prometheus/api/v1/query_range'),
      'not_found',
      /Only vmselect .* at \/select\/7\/prometheus\. .* set PROMETHEUS_URL to http:\/\/h:9090\./,
    ],
    ['Prometheus as an agent', HOST, 422, '{"error":"unavailable with Prometheus Agent"}', 'http', /agent mode/],
    ['a load balancer for HTTP/2', HOST, 464, '', 'http', /HTTP\/2/],
    ['Envoy', HOST, 426, '', 'http', /HTTP\/1\.1/],
    ['a server that knows no HTTP/1.1', HOST, 505, '', 'http', /HTTP\/2/],
    ['Node.js', HOST, 403, 'Unknown ALPN Protocol, expected `h2` to be available.', 'http', /HTTP\/2/],
  ] as const) {
    it(`is told: ${what}`, () => {
      const [own, text] = misdirectionOf(url, status, body) ?? [];
      expect(own).to.equal(kind);
      expect(text).to.match(advice);
    });
  }

  it('is not seen where an answer is of another kind', () => {
    for (const [url, status, body] of [
      [`${HOST}/api/v1/query`, 404, '404 page not found'],
      [`${HOST}/graph/api/v1/query`, 500, ''],
      [`${HOST}/api/v1/query`, 400, '{"error":"parse error"}'],
      [`${HOST}/api/v1/query`, 401, 'Unauthorized'],
      [`${HOST}/api/v1/query`, 422, '{"error":"too many samples"}'],
    ] as const) {
      expect(misdirectionOf(url, status, body), body).to.equal(undefined);
    }
  });

  it('is told by a frame of HTTP/2, and by no other bytes', () => {
    const settings = Uint8Array.of(0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0x40, 0);
    const goAway = Uint8Array.of(0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
    expect(protocolAdvice(settings)).to.match(/HTTP\/2/);
    expect(protocolAdvice(goAway)).to.match(/HTTP\/2/);
    for (const bytes of [
      Buffer.from('SSH-2.0-OpenSSH\r\n'),
      Uint8Array.of(0x15, 3, 3, 0, 2, 2, 70),
      new Uint8Array(0),
    ]) {
      expect(protocolAdvice(bytes)).to.equal(undefined);
    }
  });
});
