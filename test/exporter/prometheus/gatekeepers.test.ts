import { expect } from 'chai';
import { gatekeeperDiagnosis } from '../../../src/exporter/prometheus/gatekeepers.js';

describe('what stands before a Prometheus', () => {
  for (const [what, status, words, kind, advice] of [
    ["Amazon's service", 403, 'Missing Authentication Token', 'unauthorized', /signs them/],
    [
      "Amazon's service, with a user",
      403,
      "Authorization header requires 'Credential' parameter.",
      'unauthorized',
      /SigV4/,
    ],
    ["Amazon's service, late", 403, 'The security token included in the request is expired', 'unauthorized', /SigV4/],
    ['kube-rbac-proxy', 400, 'Bad Request. The request or configuration is malformed.', 'forbidden', /namespace=name/],
    ['prom-label-proxy', 400, 'The "namespace" query parameter must be provided.', 'forbidden', /namespace=name/],
    [
      'kube-rbac-proxy, of POST',
      403,
      'Forbidden (user=system:serviceaccount:m:e, verb=create, resource=pods, subresource=)',
      'forbidden',
      /PROMETHEUS_HTTP_METHOD to GET/,
    ],
    [
      'the Kubernetes API, of POST',
      403,
      'User "x" cannot create resource "services/proxy" in API group ""',
      'forbidden',
      /PROMETHEUS_HTTP_METHOD to GET/,
    ],
    ['Mimir without a tenant', 401, 'no org id', 'unauthorized', /PROMETHEUS_HEADERS to X-Scope-OrgID=name/],
    ['Istio', 403, 'RBAC: access denied', 'forbidden', /AuthorizationPolicy/],
    [
      'Envoy',
      503,
      'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
      'unavailable',
      /mutual TLS/,
    ],
    ['Envoy without a pod', 503, 'no healthy upstream', 'unavailable', /is its pod ready/],
    ['an ingress', 404, 'default backend - 404', 'not_found', /no rule/],
    [
      'an ingress of Google',
      404,
      'response 404 (backend NotFound), service rules for the path non-existent',
      'not_found',
      /no rule/,
    ],
    [
      'vmauth',
      400,
      'remoteAddr: "1.2.3.4:5"; requestURI: /api/v1/query; missing route for /api/v1/query',
      'not_found',
      /url_map/,
    ],
    [
      'Alertmanager',
      410,
      'The Alertmanager v1 API was deprecated in version 0.16.0',
      'not_found',
      /That is an Alertmanager/,
    ],
    ['Prometheus while it starts', 503, 'Service Unavailable', 'unavailable', /write-ahead log/],
    ['a part of Mimir while it starts', 503, 'TSDB not ready', 'unavailable', /write-ahead log/],
    [
      'VictoriaMetrics, of a long query',
      422,
      'too long query; `-search.maxQueryLen=100` bytes',
      'bad_query',
      /longer than/,
    ],
    ['Mimir, of a long query', 422, 'the raw query size in bytes exceeds the limit', 'bad_query', /longer than/],
    [
      'Thanos without one of its stores',
      422,
      'expanding series: proxy Series(): fetch series for {replica="b"} Addr: x:10901: rpc error: code = Unavailable desc = y',
      'unavailable',
      /A store behind the server is down/,
    ],
    [
      'vmselect without one of its vmstorages',
      503,
      'error occured during search: cannot fetch query results from vmstorage nodes: cannot perform search on vmstorage x:8401',
      'unavailable',
      /A vmstorage is down/,
    ],
    ['an expired token', 401, 'token is expired by 3m', 'unauthorized', /PROMETHEUS_BEARER_TOKEN_FILE/],
    [
      'VictoriaMetrics, of many queries',
      503,
      "couldn't start executing the request, since -search.maxConcurrentRequests=8 concurrent requests are executed",
      'rate_limited',
      /raise that limit/,
    ],
  ] as const) {
    it(`is told by its words: ${what}`, () => {
      const [own, text] = gatekeeperDiagnosis(status, words) ?? [];
      expect(own).to.equal(kind);
      expect(text).to.match(advice);
    });
  }

  it('is not seen where the words or the status are others', () => {
    for (const [status, words] of [
      [403, 'Forbidden (user=u, verb=get, resource=pods, subresource=)'],
      [400, 'invalid parameter "query": 1:3: parse error'],
      [404, '404 page not found'],
      [500, 'default backend - 404'],
      [503, ''],
      [504, 'upstream request timeout'],
      [401, 'Unauthorized'],
    ] as const) {
      expect(gatekeeperDiagnosis(status, words), words).to.equal(undefined);
    }
  });
});
