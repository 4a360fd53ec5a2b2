/** Proxies, meshes and services that answer in place of a Prometheus, known by their own words. */

import type { Diagnosis } from './misdirection.js';

const SIGNATURE =
  "Amazon's service takes only requests that are signed (SigV4), which the exporter cannot do: set PROMETHEUS_URL to a " +
  'proxy that signs them, such as aws-sigv4-proxy, and renew its credentials.';

const NAMESPACE_PARAMETER =
  'A proxy before Prometheus answers about one namespace, and was not told which: set PROMETHEUS_QUERY_PARAMETERS to ' +
  'namespace=name. For all namespaces, set PROMETHEUS_URL to a port that needs none (of OpenShift: 9091, not 9092).';

const NO_TENANT =
  'The server keeps tenants apart, as Mimir and Cortex do, and was not told which: set PROMETHEUS_HEADERS to ' +
  'X-Scope-OrgID=name, with the name of yours.';

const POST_IS_A_CHANGE =
  'To a proxy that asks Kubernetes for permission, POST is a change (the verb create): set PROMETHEUS_HTTP_METHOD to GET.';

const NO_UPSTREAM =
  'A proxy of a mesh or an ingress (Envoy) gets no connection to Prometheus: is its pod ready, is the port right, and does ' +
  'it take mutual TLS, or no TLS, as that proxy sends it?';

const NO_RULE =
  'An ingress answers, and has no rule for this host and path: correct PROMETHEUS_URL, or set it to the Service of ' +
  'Prometheus.';

const LONG_QUERY =
  'The query is longer than the server allows: raise that limit, or shorten NAMESPACE_REGEX and PROMETHEUS_MATCHERS; more ' +
  'shards have shorter queries.';

const EXPIRED =
  'Send a new token. One that expires belongs into a file that is renewed: name it in PROMETHEUS_BEARER_TOKEN_FILE, which ' +
  'is read again.';

const STORE_DOWN =
  'A store behind the server is down, and the server may not leave it out (partial_response=false), as its pods would look ' +
  'deleted: start it again, or let the server know that it is gone.';

/** Of a VictoriaMetrics cluster, where an answer without that node would be wrong. */
export const STORAGE_NODE_DOWN =
  'A vmstorage is down, or vmselect does not reach it. The others have the series of other containers, so that the sums of a ' +
  'pod would lack some: start it again, or let vminsert and vmselect keep copies (replicationFactor).';

const STARTING =
  'Is Prometheus starting? It answers once it has read its write-ahead log. Else look at the log of Prometheus, or of the ' +
  'proxy before it.';

/** The first that matches. */
const KNOWN: readonly [status: readonly number[], words: RegExp, ...Diagnosis][] = [
  [
    [400, 403],
    /Missing Authentication Token|requires 'Credential'|request signature we calc|security token included in the request/,
    'unauthorized',
    SIGNATURE,
  ],
  // kube-rbac-proxy, prom-label-proxy.
  [[400], /request or configuration is malformed|query parameter must be provided/, 'forbidden', NAMESPACE_PARAMETER],
  [[400, 401, 403, 422, 500], /no org id/i, 'unauthorized', NO_TENANT],
  [[403], /\bverb=create\b|cannot create resource "\w+\/proxy"/, 'forbidden', POST_IS_A_CHANGE],
  [[403], /^RBAC: access denied/, 'forbidden', 'Allow this pod in the AuthorizationPolicy of the mesh (Istio).'],
  [[502, 503], /upstream connect error|no healthy upstream/, 'unavailable', NO_UPSTREAM],
  [[404], /default backend - 404|backend NotFound/, 'not_found', NO_RULE],
  [
    [400, 404],
    /missing route for/,
    'not_found',
    'vmauth has no route for this path: add it to url_map of this user, or correct the path in PROMETHEUS_URL.',
  ],
  [[410], /Alertmanager v1 API/, 'not_found', 'That is an Alertmanager: set PROMETHEUS_URL to Prometheus itself.'],
  [[400, 422], /maxQueryLen|query size in bytes exceeds/, 'bad_query', LONG_QUERY],
  [
    [503],
    /maxConcurrentRequests/,
    'rate_limited',
    'The server has too much to do at once: query less often, or raise that limit.',
  ],
  // Thanos, which says 422 also where nothing is wrong with the query.
  [[422], /\bfetch series for .*\bcode = Unavailable\b/, 'unavailable', STORE_DOWN],
  [[503], /cannot fetch query results from vmstorage/, 'unavailable', STORAGE_NODE_DOWN],
  [[401], /\btoken\b.*\bexpired\b|\bexpired\b.*\btoken\b|invalid_token/i, 'unauthorized', EXPIRED],
  [[503], /^Service Unavailable$|TSDB not ready/, 'unavailable', STARTING],
];

/**
 * What a refusal means and what to do about it; `undefined` where the words are not known.
 *
 * @param words what the answer says, without its form.
 */
export function gatekeeperDiagnosis(status: number, words: string): Diagnosis | undefined {
  const [, , ...diagnosis] = KNOWN.find(([statuses, known]) => statuses.includes(status) && known.test(words)) ?? [];
  return diagnosis.length === 2 ? diagnosis : undefined;
}
