import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { prometheusConnection } from '../../src/exporter/connect.js';
import { DetectResponse } from '../../src/exporter/http/schemas.js';
import { PrometheusClient } from '../../src/exporter/prometheus/client.js';
import { PrometheusError } from '../../src/exporter/prometheus/errors.js';
import { openMetricsHistory } from '../../src/tools/demo/exposition.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { createWorld, type World } from '../../src/tools/simulation/cluster.js';
import { createCertificates, type TestCertificates } from '../support/certificates.js';
import { connectionRecipes } from '../support/connection-recipes.js';
import { exposedValue, samplesOf } from '../support/exposition.js';
import { startForwardProxy } from '../support/forward-proxy.js';
import { get } from '../support/http-client.js';
import { closeServers } from '../support/http-server.js';
import { endPrograms, type Program, startProgram } from '../support/program.js';
import { startPrometheus, startVictoriaMetrics, writeHistory } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { rejection } from '../support/rejection.js';
import { eventually } from '../support/waiting.js';

const PASSWORD = 'hunter2';
/** bcrypt of the password, as `htpasswd -nB` makes it. */
const PASSWORD_HASH = '$2b$10$abcdefghijklmnopqrstuu7gIUFBKrYXdzQy8HrouzMJyZ4cijAb2';

const STEP_SECONDS = 15;
const nowSeconds = () => Date.now() / 1000;

/** From before the training window to after the test. */
function historyOf(world: World, start: number, targetLabels: Readonly<Record<string, string>>) {
  return openMetricsHistory(world, {
    startSeconds: Math.floor(start) - 70 * 60,
    endSeconds: Math.floor(start) + 8 * 60,
    stepSeconds: STEP_SECONDS,
    targetLabels,
  });
}

const quietWorld = (seed: number, startSeconds: number) =>
  createWorld({ seed, startSeconds, rollouts: [], incidents: [] });

/** The settings of a recipe, with our values in place of its examples. */
function recipe(title: string, ours: Readonly<Record<string, string>>): Record<string, string> {
  const given = connectionRecipes().get(title) ?? expect.fail(`The page has no recipe "${title}".`);
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      Object.entries(ours).reduce((text, [theirs, own]) => text.replace(theirs, own), value),
    ]),
  );
}

/** Memory of a pod at a time, as the world has it. */
function memoryOf(world: World, pod: string, timeSeconds: number): number {
  const state = world.pods(timeSeconds).find((candidate) => candidate.pod === pod);
  return (state?.containers ?? []).reduce((sum, { cgroups }) => sum + (cgroups[0]?.memoryBytes ?? 0), 0);
}

async function startExporter(environment: Record<string, string>): Promise<{ program: Program; url: string }> {
  const program = startProgram(['serve'], { HOST: '127.0.0.1', PORT: '0', ...environment });
  return { program, url: await program.listening() };
}

/** Waits for the model, then asks once. */
async function detections(url: string) {
  const response = await eventually(async () => {
    const answer = await get(`${url}/detect`);
    if (answer.status !== 200) throw new Error(answer.text);
    return answer;
  }, 60_000);
  return DetectResponse.parse(JSON.parse(response.text)).pods;
}

describe('a real connection', function () {
  this.timeout(180_000);

  afterEach(async () => {
    await endPrograms();
    await closeServers();
  });

  describe('to a Prometheus with TLS, client certificates, passwords, a route prefix and two clusters', () => {
    let directory: string;
    let certificates: TestCertificates;
    let prometheus: RunningServer;
    let worlds: { readonly berlin: World; readonly paris: World };
    let environment: Record<string, string>;
    const path = (name: string) => join(directory, name);

    before(async function () {
      requireTool(this, 'prometheus');
      requireTool(this, 'promtool');
      directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-connection-'));
      certificates = await createCertificates();
      const { authority, valid, selfSigned } = certificates;
      const files: Record<string, string> = {
        'ca.crt': authority.cert,
        'tls.crt': valid.cert,
        'tls.key': valid.key,
        'other.crt': selfSigned.cert,
        'other.key': selfSigned.key,
        password: `${PASSWORD}\n`,
        'prometheus.yml': 'global: {}\n',
        'web.yml': `tls_server_config:
  cert_file: ${path('tls.crt')}
  key_file: ${path('tls.key')}
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ${path('ca.crt')}
basic_auth_users: { watcher: '${PASSWORD_HASH}' }
`,
      };
      for (const [name, text] of Object.entries(files)) await writeFile(path(name), text);
      const start = nowSeconds();
      worlds = { berlin: quietWorld(1, start), paris: quietWorld(2, start) };
      for (const [cluster, world] of Object.entries(worlds)) {
        await writeHistory(directory, historyOf(world, start, { job: 'kubelet', cluster }));
      }
      const port = await freePort();
      environment = {
        ...recipe('Several clusters in one backend', {}),
        ...recipe('TLS and basic authentication', {
          'https://prometheus.example.org': `https://127.0.0.1:${port}`,
          '/etc/detector': directory,
        }),
      };
      prometheus = await startPrometheus({
        directory,
        port,
        configuration: path('prometheus.yml'),
        parameters: [`--web.config.file=${path('web.yml')}`, '--web.route-prefix=/prometheus'],
        isReady: () =>
          ask().then(
            () => true,
            () => false,
          ),
      });
    });

    after(async () => {
      await prometheus?.close();
      if (directory !== undefined) await rm(directory, { recursive: true, force: true });
    });

    const ask = (changes: Record<string, string> = {}) =>
      new PrometheusClient(prometheusConnection(parseSettings({ ...environment, ...changes }).settings)).query({
        query: 'vector(1)',
        timeSeconds: nowSeconds(),
        signal: AbortSignal.timeout(5_000),
      });

    it('scores the pods of the cluster that is meant, and of no other', async () => {
      const { url, program } = await startExporter(environment);
      const pods = await detections(url);
      const expected = new Set(worlds.berlin.pods(nowSeconds()).map(({ pod }) => pod));
      expect(pods.length).to.be.within(0.9 * expected.size, expected.size);
      expect(pods.filter(({ pod }) => !expected.has(pod))).to.deep.equal([]);
      const { text } = await get(`${url}/metrics`);
      expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(1);
      expect(
        samplesOf(text, 'k8s_anomaly_detector_series_dropped').reduce((sum, { value }) => sum + value, 0),
      ).to.equal(0);
      expect(program.stderr()).not.to.include(PASSWORD);
    });

    it('goes through a proxy only where it is asked to', async () => {
      const proxy = await startForwardProxy();
      const { url } = await startExporter({
        ...environment,
        HTTP_PROXY: proxy.url,
        HTTPS_PROXY: proxy.url,
        ALL_PROXY: proxy.url,
      });
      await detections(url);
      expect(proxy.requests).to.deep.equal([]);
      const { url: throughProxy } = await startExporter({ ...environment, PROMETHEUS_PROXY_URL: proxy.url });
      await detections(throughProxy);
      expect(new Set(proxy.requests)).to.deep.equal(
        new Set([`CONNECT ${new URL(environment.PROMETHEUS_URL ?? '').host}`]),
      );
    });

    it('sends queries with GET as well', async () => {
      expect([...(await ask({ PROMETHEUS_HTTP_METHOD: 'GET' })).values]).to.deep.equal([1]);
    });

    const failures: readonly (readonly [
      title: string,
      changes: Record<string, string>,
      kind: string,
      advice: RegExp,
    ])[] = [
      ['no authority', { PROMETHEUS_CA_FILE: '' }, 'tls', /PROMETHEUS_CA_FILE/],
      ['no client certificate', { PROMETHEUS_CERT_FILE: '', PROMETHEUS_KEY_FILE: '' }, 'tls', /PROMETHEUS_CERT_FILE/],
      ['another name', { PROMETHEUS_SERVER_NAME: 'h.example.org' }, 'tls', /PROMETHEUS_SERVER_NAME/],
      ['a wrong password', { PROMETHEUS_PASSWORD_FILE: '', PROMETHEUS_PASSWORD: 'wrong' }, 'unauthorized', /PASSWORD/],
      ['no user', { PROMETHEUS_PASSWORD_FILE: '', PROMETHEUS_USERNAME: '' }, 'unauthorized', /PROMETHEUS_USERNAME/],
    ];
    for (const [title, changes, kind, advice] of failures) {
      it(`says what to do about ${title}`, async () => {
        const error = await rejection(ask(changes), PrometheusError);
        expect(error.kind, error.message).to.equal(kind);
        expect(error.message).to.match(advice);
      });
    }

    it('says what to do about a client certificate of another authority', async () => {
      const error = await rejection(
        ask({ PROMETHEUS_CERT_FILE: path('other.crt'), PROMETHEUS_KEY_FILE: path('other.key') }),
        PrometheusError,
      );
      expect(error.kind, error.message).to.equal('tls');
      expect(error.message).to.include('PROMETHEUS_CERT_FILE');
    });

    it('says what to do about http:// and about a missing prefix', async () => {
      const url = environment.PROMETHEUS_URL ?? '';
      const plain = await rejection(ask({ PROMETHEUS_URL: url.replace('https:', 'http:') }), PrometheusError);
      expect(plain.message).to.include('PROMETHEUS_URL must begin with https://');
      const root = await rejection(ask({ PROMETHEUS_URL: url.replace('/prometheus', '') }), PrometheusError);
      expect(root.kind).to.equal('not_found');
      expect(root.message).to.include('path prefix');
    });
  });

  describe('to a VictoriaMetrics', () => {
    let directory: string;
    let victoria: RunningServer;
    let world: World;

    before(async function () {
      requireTool(this, 'victoria-metrics');
      directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-victoria-'));
      victoria = await startVictoriaMetrics({ directory, port: await freePort() });
      const start = nowSeconds();
      world = createWorld({
        seed: 3,
        startSeconds: start,
        rollouts: [],
        incidents: [],
      });
      for (const text of batches(historyOf(world, start, { job: 'kubelet' }))) {
        const response = await fetch(`${victoria.url}/api/v1/import/prometheus`, {
          method: 'POST',
          body: text.replaceAll(
            / (\d+(?:\.\d+)?)$/gm,
            (_, seconds: string) => ` ${Math.round(Number(seconds) * 1000)}`,
          ),
        });
        expect(response.status).to.equal(204);
      }
      await fetch(`${victoria.url}/internal/force_flush`);
    });

    after(async () => {
      await victoria?.close();
      if (directory !== undefined) await rm(directory, { recursive: true, force: true });
    });

    it('says what to do about paths of a cluster, of pages and of the API in the URL', async () => {
      for (const [path, advice] of [
        ['/select/0/prometheus', `If it has one node, set PROMETHEUS_URL to ${victoria.url}.`],
        ['/api/v1', `set it to ${victoria.url}.`],
        ['/prometheus/api/v1/query', `set it to ${victoria.url}/prometheus.`],
        ['/vmui', `set it to ${victoria.url}.`],
        ['/nonsense', `${victoria.url}/nonsense/select/0/prometheus`],
      ] as const) {
        const { settings } = parseSettings({ PROMETHEUS_URL: victoria.url + path });
        const api = new PrometheusClient(prometheusConnection(settings));
        const asking = api.query({ query: 'vector(1)', timeSeconds: nowSeconds(), signal: AbortSignal.timeout(5_000) });
        const error = await rejection(asking, PrometheusError);
        expect(error.kind, path).to.equal('not_found');
        expect(error.message).to.include(advice);
      }
    });

    const variants: readonly (readonly [title: string, environment: Record<string, string>, ageSeconds: number])[] = [
      ['the settings of the recipe', recipe('VictoriaMetrics', {}), 0],
      ['an offset', { PROMETHEUS_QUERY_OFFSET_SECONDS: '60' }, 60],
      ['no settings of its own', {}, 0],
    ];
    for (const [title, environment, ageSeconds] of variants) {
      it(`scores every pod, with the values of its time, with ${title}`, async () => {
        const { url } = await startExporter({ ...environment, PROMETHEUS_URL: victoria.url });
        const pods = await detections(url);
        const askedSeconds = nowSeconds();
        expect(pods.length).to.be.greaterThan(30);
        const { text } = await get(`${url}/metrics`);
        expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(1);
        const far = pods.filter(({ pod, memory }) => {
          if (memory === null) return true;
          const times = [-45, -30, -15, 0, 15].map((shift) => askedSeconds - ageSeconds + shift);
          const values = times.map((time) => memoryOf(world, pod, time));
          return memory < 0.97 * Math.min(...values) || memory > 1.03 * Math.max(...values);
        });
        expect(far.length, JSON.stringify(far.slice(0, 3))).to.be.lessThan(0.1 * pods.length);
        // From 50 instants on, it aligns ranges as long as it may cache them.
        const [{ namespace, pod } = expect.fail('no pod')] = pods;
        const page = (await get(`${url}/?namespace=${namespace}&pod=${pod}`)).text;
        expect(page)
          .to.match(/in the last hour: between/)
          .and.not.to.include('not shown');
      });
    }
  });
});

/** Whole lines, some megabytes at a time, without the comments. */
function* batches(pieces: Iterable<string>): Generator<string> {
  let batch = '';
  for (const piece of pieces) {
    batch += piece;
    if (batch.length < 4 * 2 ** 20) continue;
    const end = batch.lastIndexOf('\n') + 1;
    yield batch.slice(0, end).replaceAll(/^#.*\n/gm, '');
    batch = batch.slice(end);
  }
  yield batch.replaceAll(/^#.*\n/gm, '');
}
