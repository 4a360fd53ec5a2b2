import { once } from 'node:events';
import { Agent, get as httpGet, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { SETTINGS } from '../../src/config/settings.js';
import { VERSION } from '../../src/version.js';
import { exposedValue } from '../support/exposition.js';
import { type FakePrometheus, startFakePrometheus } from '../support/fake-prometheus.js';
import { get } from '../support/http-client.js';
import { endPrograms, type Program, startProgram } from '../support/program.js';
import { SmallCluster } from '../support/small-cluster.js';
import { eventually } from '../support/waiting.js';

const NAMES = Object.values(SETTINGS).map(({ env }) => env);

describe('main', function () {
  this.timeout(30_000);

  let prometheus: FakePrometheus;

  beforeEach(async () => {
    prometheus = await startFakePrometheus(new SmallCluster().answer);
  });

  afterEach(async () => {
    await endPrograms();
    await prometheus.close();
  });

  const serveWith = (environment: Record<string, string> = {}): Program =>
    startProgram(['serve'], {
      PROMETHEUS_URL: prometheus.url,
      HOST: '127.0.0.1',
      PORT: '0',
      IFOREST_N_ESTIMATORS: '25',
      ...environment,
    });

  const trained = (url: string) =>
    eventually(async () => {
      expect(exposedValue((await get(`${url}/metrics`)).text, 'anomaly_exporter_up')).to.equal(1);
    });

  describe('help', () => {
    for (const parameters of [['--help'], ['serve', '--help'], ['help']]) {
      it(`explains every setting on ${parameters.join(' ')}`, async () => {
        const program = startProgram(parameters);
        expect(await program.ended()).to.deep.equal({ code: 0, signal: null });
        expect(program.stderr()).to.equal('');
        for (const { env, default: fallback } of Object.values(SETTINGS)) {
          expect(program.stdout()).to.include(`${env} (default: ${fallback})`);
        }
      });
    }

    it('tells the version', async () => {
      const program = startProgram(['--version']);
      expect(await program.ended()).to.deep.equal({ code: 0, signal: null });
      expect(program.stdout()).to.equal(`${VERSION}\n`);
      expect(VERSION).to.match(/^\d+\.\d+\.\d+/);
    });
  });

  describe('what is asked for wrongly', () => {
    it('ends with status 2 and names every wrong setting at once', async () => {
      const wrong: Record<string, string> = {
        PROMETHEUS_URL: 'prometheus:9090',
        QUERY_STEP_SECONDS: 'often',
        IFOREST_CONTAMINATION: '0.7',
        BASELINE: 'planet',
        RETRAIN_SCHEDULE: 'now and then',
        RETRAIN_TIMEZONE: 'Mars/Olympus',
        PORT: '70000',
      };
      const program = startProgram([], wrong);
      expect(await program.ended()).to.deep.equal({ code: 2, signal: null });
      const lines = program.stderr().trimEnd().split('\n');
      expect(lines[0]).to.equal('7 settings are wrong:');
      expect(lines.slice(1)).to.have.lengthOf(7);
      for (const [name, value] of Object.entries(wrong)) {
        const line = lines.find((candidate) => candidate.trimStart().startsWith(`${name}: `));
        expect(line, name)
          .to.include(`got "${value}"`)
          .and.to.include('expected')
          .and.to.include('Example: ');
      }
      expect(program.stdout()).to.equal('');
    });

    for (const parameters of [['--no-such-option'], ['serve', '--no-such-option'], ['no-such-command']]) {
      it(`ends with status 2 on ${parameters.join(' ')}`, async () => {
        const program = startProgram(parameters, { PROMETHEUS_URL: prometheus.url, PORT: '0' });
        expect(await program.ended()).to.deep.equal({ code: 2, signal: null });
        expect(program.stderr()).to.match(/^error: /);
      });
    }

    it('warns of a name that looks like a misspelled setting, and goes on', async () => {
      const program = serveWith({ IFOREST_CONTAMINATON: '0.1', UNRELATED: 'x' });
      await program.listening();
      const warnings = program
        .stderr()
        .trim()
        .split('\n')
        .map((line): { level: number; msg: string } => JSON.parse(line))
        .filter(({ level }) => level === 40);
      expect(warnings.map(({ msg }) => msg)).to.deep.equal([
        'IFOREST_CONTAMINATON is not a setting and is ignored. Did you mean IFOREST_CONTAMINATION?',
      ]);
    });
  });

  it('ends with status 1 and a clear error when the port is taken', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const address = other.address();
      const port = typeof address === 'object' ? String(address?.port) : '';
      const program = serveWith({ PORT: port });
      expect(await program.ended()).to.deep.equal({ code: 1, signal: null });
      expect(program.stderr()).to.equal(
        `Port ${port} on 127.0.0.1 is taken by another program. Stop it or set PORT.\n`,
      );
    } finally {
      other.close();
    }
  });

  it('serves by default, without a command', async () => {
    const program = startProgram([], { PROMETHEUS_URL: prometheus.url, HOST: '127.0.0.1', PORT: '0' });
    await trained(await program.listening());
  });

  it('logs one JSON object a line, or text for people', async () => {
    const json = serveWith();
    await trained(await json.listening());
    for (const line of json.stderr().trim().split('\n')) {
      expect(JSON.parse(line)).to.include.all.keys('level', 'time', 'msg');
    }
    expect(json.stderr()).to.include('Trained a model.');
    const text = serveWith({ LOG_FORMAT: 'text' });
    await text.listening();
    expect(text.stderr())
      .to.match(/^\S* ?INFO/m)
      .and.not.to.include('{"');
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends orderly on ${signal}, with an open connection and a training that hangs`, async () => {
      prometheus.fault = { kind: 'hang' };
      const program = serveWith();
      const url = await program.listening();
      await eventually(() => expect(prometheus.open).to.equal(1));
      const agent = new Agent({ keepAlive: true });
      try {
        const [response] = (await once(httpGet(`${url}/-/healthy`, { agent }), 'response')) as [
          IncomingMessage,
        ];
        response.resume();
        await once(response, 'end');
        program.kill(signal);
        expect(await program.ended(10_000)).to.deep.equal({ code: 0, signal: null });
      } finally {
        agent.destroy();
      }
      expect(program.stderr()).to.include(`Stopping on ${signal}.`).and.to.include('Stopped.');
      await eventually(() => expect(prometheus.open).to.equal(0));
    });
  }

  it('ends at once on a second signal', async () => {
    const program = serveWith({ REQUEST_TIMEOUT_SECONDS: '300' });
    const url = await program.listening();
    await trained(url);
    prometheus.fault = { kind: 'hang' };
    // A scrape that is under way holds up the orderly end.
    const scrape = get(`${url}/metrics`).catch(() => undefined);
    await eventually(() => expect(prometheus.open).to.equal(3));
    program.kill('SIGTERM');
    await eventually(() => expect(program.stderr()).to.include('Stopping on SIGTERM.'));
    program.kill('SIGTERM');
    expect(await program.ended(5_000)).to.deep.equal({ code: null, signal: 'SIGTERM' });
    await scrape;
  });

  describe('the password in PROMETHEUS_URL', () => {
    const USER = 'watcher';
    const PASSWORD = 's3cr3t/p@ss:w%rd';
    const BASIC = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
    const SECRETS = [PASSWORD, encodeURIComponent(PASSWORD), BASIC, 's3cr3t'];

    const PATHS = ['/', '/healthz', '/metrics', '/detect', '/docs', '/openapi.json', '/no-such-path'];

    const withPassword = (url: string) => url.replace('//', `//${USER}:${encodeURIComponent(PASSWORD)}@`);

    function expectNoSecret(text: string, where: string): void {
      for (const secret of SECRETS) expect(text, where).not.to.include(secret);
    }

    async function expectNoSecretAnywhere(program: Program, url: string): Promise<void> {
      for (const path of PATHS) {
        const { text } = await get(`${url}${path}`);
        expect(text, path).not.to.equal('');
        expectNoSecret(text, path);
      }
      expectNoSecret(program.stdout(), 'standard output');
      expectNoSecret(program.stderr(), 'standard error');
    }

    it('is sent to Prometheus and shown nowhere, whatever goes wrong', async () => {
      const program = serveWith({
        PROMETHEUS_URL: withPassword(prometheus.url),
        LOG_LEVEL: 'debug',
        RETRAIN_SCHEDULE: '* * * * * *',
        REQUEST_TIMEOUT_SECONDS: '0.5',
      });
      const url = await program.listening();
      await trained(url);
      for (const { authorization } of prometheus.requests) expect(authorization).to.equal(`Basic ${BASIC}`);
      await expectNoSecretAnywhere(program, url);
      expect((await get(`${url}/healthz`)).text).to.include(prometheus.url);
      for (const kind of ['error_500', 'html', 'hang', 'close_mid_body'] as const) {
        prometheus.fault = { kind };
        const linesBefore = program.stderr().length;
        await expectNoSecretAnywhere(program, url);
        expect(program.stderr().length, 'the failure is logged').to.be.above(linesBefore);
      }
      program.kill('SIGTERM');
      await program.ended();
      expectNoSecret(program.stderr(), 'standard error');
    });

    it('is shown nowhere before the first training either', async () => {
      prometheus.fault = { kind: 'error_500' };
      const program = serveWith({ PROMETHEUS_URL: withPassword(prometheus.url), LOG_LEVEL: 'debug' });
      const url = await program.listening();
      await eventually(() => expect(program.stderr()).to.include('Training failed.'));
      await expectNoSecretAnywhere(program, url);
    });

    it('is not repeated when the URL is wrong', async () => {
      const program = startProgram([], {
        PROMETHEUS_URL: `ftp://${USER}:${encodeURIComponent(PASSWORD)}@example.org`,
      });
      expect((await program.ended()).code).to.equal(2);
      expect(program.stderr()).to.include('PROMETHEUS_URL').and.to.include('example.org');
      expectNoSecret(program.stderr(), 'standard error');
    });
  });

  it('lists in its help what the settings have, and nothing else', async () => {
    const program = startProgram(['--help']);
    await program.ended();
    const listed = [...program.stdout().matchAll(/^ {2}([A-Z][A-Z0-9_]+) \(default/gm)].map(
      ([, name]) => name,
    );
    expect(listed).to.deep.equal(NAMES);
  });
});
