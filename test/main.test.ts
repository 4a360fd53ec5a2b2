import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get as httpGet, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { SETTINGS } from '../src/exporter/config/settings.js';
import { VERSION } from '../src/exporter/version.js';
import { exposedValue } from './support/exposition.js';
import { type FakePrometheus, startFakePrometheus } from './support/fake-prometheus.js';
import { get } from './support/http-client.js';
import { endPrograms, type Program, startProgram } from './support/program.js';
import { SmallCluster } from './support/small-cluster.js';
import { eventually } from './support/waiting.js';

const NAMES = Object.values(SETTINGS).map(({ env }) => env);

describe('main', () => {
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
      expect(exposedValue((await get(`${url}/metrics`)).text, 'k8s_anomaly_detector_up')).to.equal(1);
    });

  describe('help', () => {
    for (const parameters of [['--help'], ['serve', '--help'], ['help']]) {
      it(`explains every setting on ${parameters.join(' ')}`, async () => {
        const program = startProgram(parameters);
        expect(await program.ended()).to.deep.equal({ code: 0, signal: null });
        expect(program.stderr()).to.equal('');
        for (const { env, default: fallback } of Object.values(SETTINGS)) {
          expect(program.stdout()).to.include(`${env} (default: ${fallback || '(empty)'})`);
        }
      });
    }

    it('lists the commands, each with a sentence', async () => {
      const program = startProgram(['--help']);
      await program.ended();
      const [, list = ''] = /^Commands:\n((?: .*\n)+)/m.exec(program.stdout()) ?? [];
      const commands = [...list.matchAll(/^ {2}(\w+)(?: \[\S+\])* +([A-Z].*)$/gm)].map(([, name]) => name);
      expect(commands).to.deep.equal(['serve', 'healthcheck', 'check', 'demo', 'evaluate', 'simulate', 'backtest']);
    });

    for (const [command, options] of [
      ['serve', ['shard', 'total-shards']],
      ['check', ['json', 'shard', 'total-shards']],
      ['evaluate', ['data', 'scores', 'json', 'html', 'budget', 'baseline', 'sensitivity', 'seed', 'learn', 'columns']],
      ['simulate', ['output', 'seed', 'days', 'pods', 'incident', 'lasting', 'outage', 'jobs', 'start']],
      ['backtest', ['start', 'end', 'sensitivity', 'for', 'budget', 'output', 'no-metrics', 'shard', 'total-shards']],
    ] as const) {
      it(`explains the options of ${command}`, async () => {
        const program = startProgram([command, '--help']);
        expect(await program.ended()).to.deep.equal({ code: 0, signal: null });
        const listed = [...program.stdout().matchAll(/^ {2}--(\S+)/gm)].map(([, name]) => name);
        expect(listed).to.deep.equal(options);
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
    for (const command of [[], ['serve'], ['check'], ['backtest']]) {
      it(`takes the flags of shards for their settings: ${command.join('') || 'no command'}`, async () => {
        const program = startProgram([...command, '--shard', '3', '--total-shards=3'], {
          SHARD: '0',
          TOTAL_SHARDS: '9',
        });
        expect(await program.ended()).to.deep.equal({ code: 2, signal: null });
        expect(program.stdout() + program.stderr()).to.match(
          /SHARD: expected a number from\s+0 to TOTAL_SHARDS - 1, got 3\s+with\s+TOTAL_SHARDS="3"/,
        );
      });
    }

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
      expect(lines[0]).to.equal('7 mistakes in the settings:');
      expect(lines.slice(1)).to.have.lengthOf(7);
      for (const [name, value] of Object.entries(wrong)) {
        const line = lines.find((candidate) => candidate.trimStart().startsWith(`${name}: `));
        expect(line, name).to.include(`got "${value}"`).and.to.include('expected').and.to.include('Example: ');
      }
      expect(program.stdout()).to.equal('');
    });

    it('ends with status 2 and shows every mistake of the feature file', async () => {
      const program = serveWith({ FEATURES_FILE: 'test/fixtures/features/syntax.bad.yaml' });
      expect(await program.ended()).to.deep.equal({ code: 2, signal: null });
      expect(program.stderr()).to.match(
        /^6 mistakes in the feature file test\/fixtures\/features\/syntax\.bad\.yaml:\n/,
      );
      expect(program.stderr()).to.include('syntax.bad.yaml:16:12: plain: query: expected PromQL, got `pod`');
    });

    it('ends with status 2 when there is no feature file', async () => {
      const program = serveWith({ FEATURES_FILE: 'no-such-file.yaml' });
      expect(await program.ended()).to.deep.equal({ code: 2, signal: null });
      expect(program.stderr()).to.include('cannot read no-such-file.yaml: no such file');
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

  describe('recordings', () => {
    let directory: string;
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-main-'));
    });
    afterEach(() => rmSync(directory, { recursive: true }));

    /** An hour and a half of one pod, a row a minute. */
    const recording = () => {
      const rows = Array.from({ length: 90 }, (_, minute) => {
        const cpu = minute >= 80 ? 3 : 0.5 + 0.01 * (minute % 7);
        return `${1_700_000_040 + 60 * minute},shop,cart-0,${cpu},${500_000_000 + 1e6 * (minute % 5)}`;
      });
      return ['timestamp,namespace,pod,cpu_cores,memory_bytes', ...rows, ''].join('\n');
    };
    const FAULT = {
      case: 'small',
      namespace: 'shop',
      pod: 'cart-0',
      fault_type: 'cpu_load',
      visible: { cpu: true },
      start: 1_700_000_040 + 80 * 60,
      end: 1_700_000_040 + 89 * 60,
    };
    const writeCase = () => {
      writeFileSync(join(directory, 'small.csv'), recording());
      writeFileSync(join(directory, 'labels.json'), JSON.stringify([FAULT]));
    };

    it('are evaluated: the report on standard output, the progress beside it', async () => {
      writeCase();
      const json = join(directory, 'report.json');
      const program = startProgram(['evaluate', '--data', directory, '--json', json]);
      expect(await program.ended()).to.deep.equal({ code: 0, signal: null });
      expect(program.stdout()).to.match(/^small .* 1\/1 /m);
      expect(program.stderr()).to.match(/^small: 90 rows, 1 pods, 90 minutes, /);
      expect(JSON.parse(readFileSync(json, 'utf8')).faults).to.have.lengthOf(1);
    });

    it('are simulated as a fleet over days, and evaluated then', async () => {
      const simulation = startProgram(['simulate', '--output', directory, '--days', '3', '--pods', '60']);
      expect(await simulation.ended()).to.deep.equal({ code: 0, signal: null });
      expect(simulation.stderr()).to.equal('');
      expect(simulation.stdout()).to.match(/fleet-1\.csv\.gz: \d+ workloads, \d+ rows, \d+ faults/);
      expect(readdirSync(directory)).to.include.members(['fleet-1.csv.gz', 'fleet.json']);
      const evaluation = startProgram(['evaluate', '--data', directory, '--learn', '48']);
      expect(await evaluation.ended(110_000)).to.deep.equal({ code: 0, signal: null });
      expect(evaluation.stdout()).to.include('fleet-1');
    });

    for (const [parameters, complaint] of [
      [['evaluate'], /--data/],
      [['evaluate', '--data', 'no-such-directory'], /no-such-directory/],
      [['evaluate', '--data', '.', '--baseline', 'planet'], /BASELINE: expected one of .* got "planet"/],
      [['evaluate', '--data', '.', '--sensitivity', 'high'], /ANOMALY_SENSITIVITY: expected .* got "high"/],
      [['evaluate', '--data', '.', '--seed', '1.5'], /IFOREST_RANDOM_STATE: expected .* got "1.5"/],
      [['simulate'], /--output/],
      [['simulate', '--output', 'never-made', '--days', '2'], /Expected a number from 3 to 60\./],
      [['simulate', '--output', 'never-made', '--days', '9', '--start', 'monday'], /--start, got "monday"/],
      [['simulate', '--output', 'never-made', '--seed', '-1'], /Expected a number from 0 to 4294967295\./],
      [['simulate', '--output', 'never-made', '--seed', '1.5'], /Expected a whole number from 0 to 4294967295\./],
      [['demo', '--port', '80.5'], /Expected a whole number from 0 to 65535\./],
    ] as const) {
      it(`end with status 2 on ${parameters.join(' ')}`, async () => {
        const program = startProgram(parameters);
        expect(await program.ended()).to.deep.equal({ code: 2, signal: null });
        expect(program.stderr()).to.match(complaint);
        expect(program.stdout()).to.equal('');
      });
    }

    it('end with status 1 when the data is nothing to evaluate', async () => {
      writeCase();
      writeFileSync(join(directory, 'small.csv'), 'timestamp,namespace,pod,cpu_cores\n2023-01-01,shop,cart-0,1\n');
      const program = startProgram(['evaluate', '--data', directory]);
      expect(await program.ended()).to.deep.equal({ code: 1, signal: null });
      expect(program.stderr()).to.include('small');
      expect(program.stdout()).to.equal('');
    });

    it('end with status 1 rather than mixing a simulation with other data', async () => {
      writeCase();
      const program = startProgram(['simulate', '--output', directory]);
      expect(await program.ended()).to.deep.equal({ code: 1, signal: null });
      expect(program.stderr()).to.include('small.csv').and.to.include('Choose another one.');
      expect(readdirSync(directory).sort()).to.deep.equal(['labels.json', 'small.csv']);
    });

    for (const command of ['evaluate', 'simulate'] as const) {
      it(`end with status 1 when ${command} is stopped, and say so`, async () => {
        writeCase();
        // Long enough to be caught at work.
        const target = command === 'evaluate' ? directory : join(directory, 'new');
        if (command === 'evaluate') {
          for (let copy = 0; copy < 400; copy++) writeFileSync(join(directory, `copy-${copy}.csv`), recording());
        }
        const program = startProgram(
          command === 'evaluate' ? ['evaluate', '--data', target] : ['simulate', '--output', target, '--days', '60'],
        );
        await eventually(() => {
          if (command === 'evaluate') expect(program.stderr()).to.match(/rows/);
          else expect(readdirSync(target)).to.have.lengthOf(1);
        });
        program.kill('SIGINT');
        expect(await program.ended()).to.deep.equal({ code: 1, signal: null });
        expect(program.stderr()).not.to.equal('');
        if (command === 'simulate') expect(readdirSync(target)).to.deep.equal([]);
      });
    }
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
        `Port ${port} on 127.0.0.1 is already in use. Stop the other program or set PORT.\n`,
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

  it('ends in order on a SIGTERM that comes while it is being loaded', async () => {
    const hook = `export async function load(url, context, next) {
      if (url.endsWith('/exporter/serve.js')) {
        process.kill(process.pid, 'SIGTERM');
        // Another thread than the one that hears the signal: time for that one to hear it while it still loads.
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      return next(url, context);
    }`;
    const dataUrl = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
    const register = `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(hook))});`;
    const program = serveWith({ NODE_OPTIONS: `--import ${dataUrl(register)}` });
    expect(await program.ended()).to.deep.equal({ code: 0, signal: null });
    expect(program.stderr()).to.include('Stopping on SIGTERM.').and.to.include('Stopped.');
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends orderly on ${signal}, with an open connection and a training that hangs`, async () => {
      prometheus.fault = { kind: 'hang' };
      const program = serveWith();
      const url = await program.listening();
      await eventually(() => expect(prometheus.open).to.be.above(0));
      const agent = new Agent({ keepAlive: true });
      try {
        const [response] = (await once(httpGet(`${url}/-/healthy`, { agent }), 'response')) as [IncomingMessage];
        response.resume();
        await once(response, 'end');
        program.kill(signal);
        expect(await program.ended()).to.deep.equal({ code: 0, signal: null });
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
    // The check that follows the training is over, so that the scrape alone asks; it is the first, which others would share.
    await eventually(async () =>
      expect(JSON.parse((await get(`${url}/healthz`)).text).check.last_success).to.be.a('string'),
    );
    prometheus.fault = { kind: 'hang' };
    // A scrape that is under way holds up the orderly end.
    const scrape = get(`${url}/metrics`).catch(() => undefined);
    await eventually(() => expect(prometheus.open).to.be.at.least(3));
    program.kill('SIGTERM');
    await eventually(() => expect(program.stderr()).to.include('Stopping on SIGTERM.'));
    program.kill('SIGTERM');
    expect(await program.ended()).to.deep.equal({ code: null, signal: 'SIGTERM' });
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
        // By the trainings: scrapes of a minute share what was answered before.
        await eventually(() => expect(program.stderr().length, 'the failure is logged').to.be.above(linesBefore));
        await expectNoSecretAnywhere(program, url);
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

  it('tells all mistakes of the connection at once, and shows no secret', async () => {
    const program = startProgram([], {
      PORT: 'x',
      PROMETHEUS_PASSWORD: 'hunter2',
      PROMETHEUS_BEARER_TOKEN_FILE: '/does/not/exist',
      PROMETHEUS_CERT_FILE: '/does/not/exist',
    });
    expect((await program.ended()).code).to.equal(2);
    for (const mistake of [
      'PORT: expected',
      'PROMETHEUS_PASSWORD: expected',
      'PROMETHEUS_BEARER_TOKEN_FILE: cannot read',
      'PROMETHEUS_CERT_FILE: cannot read',
    ]) {
      expect(program.stderr()).to.include(`\n  ${mistake}`);
    }
    expect(program.stderr()).not.to.include('hunter2');
  });

  it('warns at start that certificates are not checked', async () => {
    const program = serveWith({ INSECURE_SKIP_VERIFY: 'true' });
    await program.listening();
    expect(program.stderr()).to.include('INSECURE_SKIP_VERIFY: every certificate is accepted');
  });

  it('lists in its help what the settings have, and nothing else', async () => {
    const program = startProgram(['--help']);
    await program.ended();
    const listed = [...program.stdout().matchAll(/^ {2}([A-Z][A-Z0-9_]+) \(default/gm)].map(([, name]) => name);
    expect(listed).to.deep.equal(NAMES);
  });
});
