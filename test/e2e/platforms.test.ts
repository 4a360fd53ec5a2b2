import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Finding } from '../../src/exporter/check/finding.js';
import { openMetricsHistory } from '../../src/tools/demo/exposition.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { createWorld, type World } from '../../src/tools/simulation/cluster.js';
import { createCertificates, type TestCertificates } from '../support/certificates.js';
import { connectionRecipes } from '../support/connection-recipes.js';
import { exposedValue } from '../support/exposition.js';
import { type Guarded, type Refusal, startGatekeeper } from '../support/gatekeeper.js';
import { get } from '../support/http-client.js';
import { closeServers, startServer } from '../support/http-server.js';
import { kustomize, objectOfKind, objectsOfKind } from '../support/kustomize.js';
import { overlayOf, PLATFORMS } from '../support/platforms.js';
import { endPrograms, startProgram } from '../support/program.js';
import { startPrometheus, startPromLabelProxy, writeHistory } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { checkOf } from '../support/run-check.js';
import { podsIn, scrape, untilTrained } from '../support/scraping.js';
import { startServiceProcess } from '../support/service-process.js';
import { eventually } from '../support/waiting.js';

const CLUSTER = 'my-cluster';
/** A small model, which is soon there. */
const OWN_SETTINGS = { IFOREST_N_ESTIMATORS: '25', HISTORY_DAYS: '0' };
/** The paths that the tenancy port of OpenShift lets through, without `/api/v1/`. */
const TENANCY_PATHS = /^\/api\/v1\/(?:query|query_range|labels|label\/[^/]+\/values|series)$/;

/** Settings of an overlay, as the container of the exporter gets them. */
function settingsOf(name: string): Readonly<Record<string, string>> {
  const platform =
    PLATFORMS.find((candidate) => candidate.name === name) ?? expect.fail(`Expected the overlay ${name}.`);
  const maps = objectsOfKind(overlayOf(platform), 'ConfigMap');
  const { data = {} } = maps.find(({ data: own }) => own?.PROMETHEUS_URL !== undefined) ?? {};
  const { MODEL_PATH: _, WEB_CONFIG_FILE: __, ...settings } = data;
  return settings;
}

/** The same settings with other texts in place of theirs. */
function replaced(settings: Readonly<Record<string, string>>, texts: Readonly<Record<string, string>>) {
  const change = (value: string) =>
    Object.entries(texts).reduce((text, [theirs, ours]) => text.replace(theirs, () => ours), value);
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, change(value)]));
}

/** As Google's backend, which answers only where each selector has a name that is not an expression. */
function needsNames({ form }: Guarded): Refusal | undefined {
  const query = form.get('query') ?? form.get('match[]') ?? '';
  const isNameless = query.includes('__name__') || /(?:^|[\s(,])\{/.test(query);
  return isNameless ? { status: 400, text: `Expected a metric name in ${query}` } : undefined;
}

describe('the settings for each platform, before a real Prometheus', function () {
  this.timeout(240_000);

  let folder: string;
  let certificates: TestCertificates;
  let world: World;
  const prometheus = new Map<string, RunningServer>();
  const upstreamOf = (memory: string) => prometheus.get(memory)?.url ?? expect.fail(`Expected ${memory}.`);

  before(async function () {
    for (const tool of ['kubectl', 'prometheus', 'promtool']) requireTool(this, tool);
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-platforms-'));
    certificates = await createCertificates();
    const start = Math.floor(Date.now() / 1000);
    world = createWorld({ seed: 5, startSeconds: start, rollouts: [], incidents: [] });
    writeFileSync(join(folder, 'prometheus.yml'), '{}');
    for (const memory of ['usage', 'working_set']) {
      const directory = join(folder, memory);
      mkdirSync(directory);
      await writeHistory(directory, historyWith(memory, start));
      const configuration = join(folder, 'prometheus.yml');
      prometheus.set(memory, await startPrometheus({ directory, port: await freePort(), configuration }));
    }
  });

  after(async () => {
    for (const server of prometheus.values()) await server.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  afterEach(async () => {
    await endPrograms();
    await closeServers();
  });

  function* historyWith(memory: string, start: number): Generator<string> {
    const targetLabels = { job: 'kubelet', cluster: CLUSTER };
    const range = { startSeconds: start - 75 * 60, endSeconds: start + 15 * 60, stepSeconds: 30 };
    for (const piece of openMetricsHistory(world, { ...range, targetLabels })) {
      yield piece.replaceAll('container_memory_usage_bytes', `container_memory_${memory}_bytes`);
    }
  }

  const podsOf = (namespace?: string) =>
    world
      .pods(Date.now() / 1000)
      .filter((pod) => namespace === undefined || pod.namespace === namespace)
      .map((pod) => `${pod.namespace}/${pod.pod}`);

  /** Starts the exporter and waits for scores. @returns its URL. */
  async function startExporter(settings: Readonly<Record<string, string>>): Promise<string> {
    const own = { HOST: '127.0.0.1', PORT: '0', ...OWN_SETTINGS };
    const url = await startProgram(['serve'], { ...own, ...settings }).listening();
    await untilTrained(url);
    return url;
  }

  async function expectScores(url: string, namespace?: string): Promise<void> {
    const text = await scrape(url);
    expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(1);
    const expected = podsOf(namespace);
    const scored = podsIn(text);
    expect(scored.length).to.be.within(0.9 * expected.length, expected.length);
    expect(expected).to.include.members(scored);
  }

  /** Names of the findings that are errors. */
  async function errorsOf(settings: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const { text } = await checkOf({ ...OWN_SETTINGS, ...settings }, { json: true });
    const { findings } = JSON.parse(text) as { readonly findings: readonly Finding[] };
    return findings.filter(({ severity }) => severity === 'error').map(({ check, summary }) => `${check}: ${summary}`);
  }

  it('of OpenShift: TLS, and a token that is replaced while it runs', async () => {
    const mounted = join(folder, 'cluster-monitoring');
    mkdirSync(mounted);
    /** In one step, as the kubelet does it. */
    const write = (name: string, text: string) => {
      writeFileSync(join(mounted, `${name}.new`), text);
      renameSync(join(mounted, `${name}.new`), join(mounted, name));
    };
    write('service-ca.crt', certificates.authority.cert);
    write('token', 'first');
    let valid = 'first';
    const url = await startGatekeeper(upstreamOf('usage'), {
      tls: certificates.valid,
      refusal: ({ headers }) =>
        headers.authorization === `Bearer ${valid}` ? undefined : { status: 401, text: 'Unauthorized' },
    });
    const settings = replaced(settingsOf('openshift'), {
      'https://thanos-querier.openshift-monitoring.svc:9091': url,
      '/etc/cluster-monitoring': mounted,
    });
    expect(await errorsOf(settings)).to.deep.equal([]);
    const service = await startServiceProcess({ ...OWN_SETTINGS, ...settings });
    try {
      await untilTrained(service.url);
      await expectScores(service.url);
      valid = 'second';
      // Another minute, for which it asks anew.
      await service.turnMinute();
      expect(exposedValue(await scrape(service.url), 'k8s_anomaly_detector_up')).to.equal(0);
      write('token', 'second');
      await service.turnMinute();
      await expectScores(service.url);
    } finally {
      await service.kill();
    }
  });

  it('of the tenancy port of OpenShift, through its real prom-label-proxy', async function () {
    requireTool(this, 'prom-label-proxy');
    const namespace = 'shop';
    const proxy = await startPromLabelProxy({ upstream: upstreamOf('usage'), port: await freePort() });
    try {
      const url = await startGatekeeper(proxy.url, {
        refusal: ({ path, form }) => {
          if (!TENANCY_PATHS.test(path)) return { status: 404, text: 'Not Found' };
          return form.get('namespace') === namespace ? undefined : { status: 403, text: 'Forbidden' };
        },
      });
      const recipe = connectionRecipes().get('OpenShift') ?? expect.fail('The page has no recipe for OpenShift.');
      const { PROMETHEUS_BEARER_TOKEN_FILE: _, PROMETHEUS_CA_FILE: __, ...settings } = recipe;
      const ours = { ...settings, PROMETHEUS_URL: url };
      expect(await errorsOf(ours)).to.deep.equal([]);
      await expectScores(await startExporter(ours), namespace);
      // Without the matcher of our own, every pod that the proxy shows is of this namespace.
      await expectScores(await startExporter({ ...ours, NAMESPACE_REGEX: '.*' }), namespace);
    } finally {
      await proxy.close();
    }
  });

  it('of EKS: the path of the workspace, and requests whose length is known', async () => {
    const { pathname } = new URL(settingsOf('eks').PROMETHEUS_URL ?? '');
    const url = await startGatekeeper(upstreamOf('usage'), {
      refusal: ({ path, headers }) => {
        if (!path.startsWith(`${pathname}/api/v1/`)) return { status: 404, text: 'No such workspace' };
        // The proxy signs what it has read, and passes other requests on in chunks, which are not signed.
        return headers['transfer-encoding'] === undefined ? undefined : { status: 411, text: 'Length Required' };
      },
      pathBehind: (path) => path.slice(pathname.length),
    });
    const settings = replaced(settingsOf('eks'), { 'http://127.0.0.1:8005': url });
    expect(await errorsOf(settings)).to.deep.equal([]);
    await expectScores(await startExporter(settings));
  });

  it('of GKE: no query without the name of a metric, and no memory but the working set', async () => {
    const url = await startGatekeeper(upstreamOf('working_set'), { refusal: needsNames });
    const settings = replaced(settingsOf('gke'), { 'http://127.0.0.1:19090': url });
    expect(settings.PROMETHEUS_MATCHERS).to.equal(`cluster="${CLUSTER}"`);
    expect(await errorsOf(settings)).to.deep.equal([]);
    await expectScores(await startExporter(settings));
  });

  it('of GKE would not do with annotations that count', async () => {
    const refused: string[] = [];
    const url = await startGatekeeper(upstreamOf('working_set'), {
      refusal: (request) => {
        const refusal = needsNames(request);
        if (refusal !== undefined) refused.push(refusal.text);
        return refusal;
      },
    });
    const settings = replaced(settingsOf('gke'), { 'http://127.0.0.1:19090': url });
    await startExporter({ ...settings, TUNING_ANNOTATIONS: 'on' });
    await eventually(() => expect(refused.join('\n')).to.include('annotation'));
  });

  it('of AKS: the labels of the cluster, and no memory but the working set', async () => {
    const url = await startGatekeeper(upstreamOf('working_set'), { refusal: () => undefined });
    const settings = replaced(settingsOf('aks'), { 'http://127.0.0.1:8082': url });
    expect(await errorsOf(settings)).to.deep.equal([]);
    await expectScores(await startExporter(settings));
    // With another name of the cluster, there is nothing to score: the matcher is really sent.
    const other = { ...settings, PROMETHEUS_MATCHERS: 'cluster="other"' };
    expect(await errorsOf(other)).to.not.deep.equal([]);
  });
});

/** A job for the exporter with pod `exporter-0` in namespace `monitoring`, as what collects on a platform scrapes it. */
const scrapeJob = (name: string, target: string, lines: string) => `
  - job_name: ${name}
    scrape_interval: 1s
    static_configs:
      - targets: ["${target}"]
${lines}`;

const OWN_LABELS = '        labels: { namespace: monitoring, pod: exporter-0 }';

/** The lines of a job for the endpoint of our ServiceMonitor, with the labels that the Prometheus Operator gives a target. */
function operatorLines(): string {
  const [endpoint] =
    objectOfKind(kustomize('deploy/kubernetes/overlays/openshift'), 'ServiceMonitor').spec?.endpoints ?? [];
  const { honorLabels, relabelings = [], metricRelabelings = [] } = endpoint ?? {};
  // The configuration of Prometheus has the same fields in another spelling.
  const spelled = (rules: readonly object[]) =>
    JSON.stringify(rules).replaceAll(/"[a-z]+[A-Z]\w*":/g, (name) => name.replaceAll(/[A-Z]/g, '_$&').toLowerCase());
  return `${OWN_LABELS.replace(' }', ', container: exporter, service: exporter, endpoint: http }')}
    honor_labels: ${honorLabels}
    relabel_configs: ${spelled(relabelings)}
    metric_relabel_configs: ${spelled(metricRelabelings)}`;
}

describe('the labels of a scored pod, after a real scrape', function () {
  this.timeout(120_000);

  const SCRAPES: readonly (readonly [title: string, lines: string, labels: Readonly<Record<string, string>>])[] = [
    [
      'by the Prometheus of OpenShift, which honors our labels',
      `${OWN_LABELS}\n    honor_labels: true`,
      { namespace: 'shop', pod: 'cart-0' },
    ],
    [
      'by that of user workloads, which enforces its namespace after all else, are those of the exporter',
      `${OWN_LABELS}\n    metric_relabel_configs: [{ target_label: namespace, replacement: monitoring }]`,
      { namespace: 'monitoring', pod: 'exporter-0', exported_namespace: 'shop', exported_pod: 'cart-0' },
    ],
    ['by a ClusterPodMonitoring of Google without target labels', '', { namespace: 'shop', pod: 'cart-0' }],
    [
      'by a PodMonitoring of Google have another namespace',
      '        labels: { namespace: monitoring }',
      { namespace: 'monitoring', pod: 'cart-0', exported_namespace: 'shop' },
    ],
  ];
  const EXPOSED = `anomaly_flag{namespace="shop",pod="cart-0"} 1
anomaly_pod_waiting_info{namespace="shop",pod="cart-0",container="app",reason="CrashLoopBackOff"} 1
anomaly_workload_pods_flagged{namespace="shop",workload="cart"} 1
k8s_anomaly_detector_up 1
`;
  let folder: string;
  let prometheus: RunningServer;

  /** The labels of the series of a metric, without those that all series of a job have. */
  async function labelsOf(metric: string, job: string): Promise<readonly Readonly<Record<string, string>>[]> {
    const { text } = await get(`${prometheus.url}/api/v1/query?query=${metric}{job="${job}"}`);
    const { data } = JSON.parse(text) as { data: { result: { metric: Record<string, string> }[] } };
    return data.result.map(({ metric: { __name__, job: _, instance, ...own } }) => own);
  }

  before(async function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'kubectl');
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-labels-'));
    const exporter = await startServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
      response.end(EXPOSED);
    });
    const { host } = new URL(exporter);
    const jobs = SCRAPES.map(([, lines], index) => scrapeJob(`job-${index}`, host, lines));
    jobs.push(scrapeJob('operator', host, operatorLines()));
    const configuration = join(folder, 'prometheus.yml');
    writeFileSync(configuration, `scrape_configs:${jobs.join('')}\n`);
    prometheus = await startPrometheus({ directory: folder, port: await freePort(), configuration });
  });

  after(async () => {
    await prometheus?.close();
    await closeServers();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  for (const [index, [title, , labels]] of SCRAPES.entries()) {
    it(title, async () => {
      await eventually(async () => {
        expect(await labelsOf('anomaly_flag', `job-${index}`)).to.deep.equal([labels]);
      });
    });
  }

  it('by our ServiceMonitor stay as they are, and no series is said to be of the pod or container of the exporter', async () => {
    const expected = {
      anomaly_flag: { namespace: 'shop', pod: 'cart-0' },
      anomaly_pod_waiting_info: { namespace: 'shop', pod: 'cart-0', container: 'app', reason: 'CrashLoopBackOff' },
      anomaly_workload_pods_flagged: { namespace: 'shop', workload: 'cart' },
      k8s_anomaly_detector_up: { namespace: 'monitoring' },
      up: { namespace: 'monitoring' },
    };
    const ofTarget = { service: 'exporter', endpoint: 'http' };
    for (const [metric, labels] of Object.entries(expected)) {
      await eventually(async () => {
        expect(await labelsOf(metric, 'operator')).to.deep.equal([{ ...labels, ...ofTarget }]);
      });
    }
  });
});
