import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { hashSync } from 'bcryptjs';
import { expect } from 'chai';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { type FakePrometheus, startFakePrometheus } from '../support/fake-prometheus.js';
import { endPrograms, type Program, startProgram } from '../support/program.js';
import { startPrometheus } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { SmallCluster } from '../support/small-cluster.js';
import { eventually } from '../support/waiting.js';
import { createAuthority, createSigned } from '../support/web-certificates.js';

interface Target {
  readonly labels: { readonly job: string };
  readonly health: string;
  readonly lastError: string;
}

/** What Prometheus scrapes with; `allowed` is the only one that has everything. */
const JOBS = ['allowed', 'wrong-password', 'no-password', 'no-certificate', 'other-name', 'other-authority', 'plain'];

describe('a real Prometheus and an exporter with TLS, passwords and client certificates', function () {
  this.timeout(400_000);

  let folder: string;
  let upstream: FakePrometheus;
  let prometheus: RunningServer;
  let exporter: Program;
  let port: number;
  let settings: Readonly<Record<string, string>>;

  const at = (name: string) => join(folder, name);
  /** In one step, as Kubernetes does it. */
  const replace = (name: string, text: string) => {
    writeFileSync(at(`${name}.new`), text);
    renameSync(at(`${name}.new`), at(name));
  };
  const writeUsers = (password: string) =>
    replace(
      'web.yaml',
      `tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: authority.crt
  client_allowed_sans: [prometheus]
basic_auth_users:
  prometheus: ${hashSync(password, 8)}
`,
    );
  const sign = (name: string, subjectAltName: string, authority = 'authority') =>
    createSigned(folder, { name, authority, subjectAltName });

  async function ask(query: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
    const response = await fetch(`${prometheus.url}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query }),
      signal: AbortSignal.timeout(5_000),
    });
    const { data } = (await response.json()) as { data: { result: never[] } };
    return data.result;
  }
  const numberFrom = async (query: string): Promise<number> => {
    const [sample, ...others] = await ask(query);
    expect([query, others.length]).to.deep.equal([query, 0]);
    return Number(sample?.value[1]);
  };
  const reload = 'k8s_anomaly_detector_config_last_reload';

  before(async function () {
    for (const tool of ['prometheus', 'promtool', 'openssl']) requireTool(this, tool);
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-web-'));
    for (const name of ['authority', 'stranger']) createAuthority(folder, name);
    sign('server', 'IP:127.0.0.1');
    sign('prometheus', 'DNS:prometheus');
    sign('alice', 'DNS:alice');
    sign('mallory', 'DNS:prometheus', 'stranger');
    for (const [name, text] of [
      ['password', 'correct horse'],
      ['wrong-password', 'battery staple'],
    ] as const) {
      writeFileSync(at(name), text);
    }
    writeUsers('correct horse');
    upstream = await startFakePrometheus(new SmallCluster().answer);
    port = await freePort();
    settings = {
      PROMETHEUS_URL: upstream.url,
      HOST: '127.0.0.1',
      PORT: String(port),
      IFOREST_N_ESTIMATORS: '25',
      LOG_LEVEL: 'debug',
      WEB_CONFIG_FILE: at('web.yaml'),
    };
    exporter = startProgram(['serve'], settings);
    expect(await exporter.listening()).to.equal(`https://127.0.0.1:${port}`);
    writeFileSync(at('prometheus.yml'), configuration(port));
    prometheus = await startPrometheus({
      directory: folder,
      port: await freePort(),
      configuration: at('prometheus.yml'),
    });
  });

  after(async () => {
    await prometheus?.close();
    await upstream?.close();
    await endPrograms();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it('are configured as promtool wants it, on both sides', () => {
    // The promtool of Debian is older than this key.
    writeFileSync(at('known.yaml'), readFileSync(at('web.yaml'), 'utf8').replace(/^.*client_allowed_sans.*\n/m, ''));
    for (const parameters of [
      ['config', at('prometheus.yml')],
      ['web-config', at('known.yaml')],
    ]) {
      execFileSync('promtool', ['check', ...parameters], { stdio: 'pipe', timeout: 20_000 });
    }
  });

  it('lets in the scrape with all credentials, and every other one out', async () => {
    await eventually(async () => expect(await ask('anomaly_flag')).to.not.be.empty);
    await eventually(async () => {
      const response = await fetch(`${prometheus.url}/api/v1/targets`, {
        signal: AbortSignal.timeout(5_000),
      });
      const { data } = (await response.json()) as { data: { activeTargets: Target[] } };
      const errors = new Map(data.activeTargets.map(({ labels, lastError }) => [labels.job, lastError]));
      expect([...errors.keys()]).to.have.members(JOBS);
      expect(errors.get('allowed')).to.equal('');
      for (const job of ['wrong-password', 'no-password']) expect(errors.get(job)).to.include('401 Unauthorized');
      for (const job of ['no-certificate', 'other-authority']) expect(errors.get(job)).to.match(/tls: |EOF|reset/);
      for (const job of ['other-name', 'plain']) expect(errors.get(job)).to.match(/EOF|reset|broken pipe|400/);
    });
    expect(await numberFrom('count(up == 1)')).to.equal(1);
  });

  it('takes over a new certificate while it is scraped, without one scrape that fails', async () => {
    const serial = () =>
      new Promise<string>((resolve, reject) => {
        const socket = tls.connect({ port, host: '127.0.0.1', ca: readFileSync(at('authority.crt')) }, () => {
          resolve(socket.getPeerCertificate().serialNumber);
          socket.destroy();
        });
        socket.once('error', reject);
      });
    const [before, timestamp] = [await serial(), await numberFrom(`${reload}_success_timestamp_seconds`)];
    const began = Date.now() / 1000;
    sign('renewed', 'IP:127.0.0.1');
    // One after the other: for a moment they do not fit.
    replace('server.crt', readFileSync(at('renewed.crt'), 'utf8'));
    await eventually(async () => expect(await numberFrom(`${reload}_success`), 'is told').to.equal(0));
    expect(await serial(), 'the old one, while the key does not fit').to.equal(before);
    replace('server.key', readFileSync(at('renewed.key'), 'utf8'));
    await eventually(async () => expect(await serial()).not.to.equal(before));
    await eventually(async () => {
      expect(await numberFrom(`${reload}_success`)).to.equal(1);
      expect(await numberFrom(`${reload}_success_timestamp_seconds`)).to.be.above(timestamp);
    });
    const seconds = Math.ceil(Date.now() / 1000 - began);
    expect(await numberFrom(`min_over_time(up{job="allowed"}[${seconds}s])`)).to.equal(1);
  });

  it('keeps what it has beside a broken file, and tells of it once', async () => {
    const text = readFileSync(at('web.yaml'), 'utf8');
    replace('web.yaml', text.replace('basic_auth_users', 'basic_auth_user'));
    await eventually(async () => expect(await numberFrom(`${reload}_success`)).to.equal(0));
    const scrapes = () => numberFrom('count_over_time(up{job="allowed"}[1h])');
    const before = await scrapes();
    await eventually(async () => expect(await scrapes()).to.be.above(before + 2));
    expect(await numberFrom('up{job="allowed"}')).to.equal(1);
    expect(await numberFrom('up{job="no-password"}'), 'passwords are still asked for').to.equal(0);
    expect(exporter.stderr().match(/Did you mean `basic_auth_users`/g)).to.have.length(1);
    replace('web.yaml', text);
    await eventually(async () => expect(await numberFrom(`${reload}_success`)).to.equal(1));
  });

  it('takes over a new password', async () => {
    writeUsers('horse, correct');
    await eventually(async () => expect(await numberFrom('up{job="allowed"}')).to.equal(0));
    replace('password', 'horse, correct');
    await eventually(async () => expect(await numberFrom('up{job="allowed"}')).to.equal(1));
  });

  it('is healthy for the health check of the container, which has no certificate', async () => {
    expect(await startProgram(['healthcheck'], settings).ended()).to.deep.equal({ code: 0, signal: null });
    const elsewhere = startProgram(['healthcheck'], { ...settings, PORT: String(await freePort()) });
    expect((await elsewhere.ended()).code).to.equal(1);
    expect(elsewhere.stderr()).to.include('ECONNREFUSED');
  });

  it('has no credentials in its log', () => {
    const log = exporter.stdout() + exporter.stderr();
    expect(log).to.include('Listening on https://');
    for (const password of ['correct horse', 'battery staple', 'horse, correct']) {
      expect(log).not.to.include(password);
      expect(log).not.to.include(Buffer.from(`prometheus:${password}`).toString('base64'));
    }
    expect(log).not.to.match(/\$2[aby]\$|PRIVATE KEY|Authorization/i);
  });

  function configuration(exporterPort: number): string {
    const job = (name: string, more: string) =>
      `  - job_name: ${name}
    honor_labels: true
    static_configs: [{ targets: ['127.0.0.1:${exporterPort}'] }]
${more}`;
    const as = (identity: string | undefined, password: string | undefined) =>
      [
        '    scheme: https',
        '    tls_config:',
        '      ca_file: authority.crt',
        ...(identity ? [`      cert_file: ${identity}.crt`, `      key_file: ${identity}.key`] : []),
        ...(password ? [`    basic_auth: { username: prometheus, password_file: ${password} }`] : []),
      ].join('\n');
    return [
      // A scrape may take long on a busy machine.
      'global: { scrape_interval: 1s, scrape_timeout: 1s }',
      'scrape_configs:',
      job('allowed', `${as('prometheus', 'password')}\n    scrape_interval: 2s\n    scrape_timeout: 2s`),
      job('wrong-password', as('prometheus', 'wrong-password')),
      job('no-password', as('prometheus', undefined)),
      job('no-certificate', as(undefined, 'password')),
      job('other-name', as('alice', 'password')),
      job('other-authority', as('mallory', 'password')),
      job('plain', ''),
      '',
    ].join('\n');
  }
});
