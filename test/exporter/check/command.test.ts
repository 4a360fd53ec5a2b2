import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { CHECKS } from '../../../src/exporter/check/checks.js';
import { PRECONDITIONS } from '../../../src/exporter/check/command.js';
import { closeServers, freeAddress, readBody, startServer } from '../../support/http-server.js';
import { checkOf } from '../../support/run-check.js';

interface Report {
  readonly status: string;
  readonly findings: readonly {
    readonly check: string;
    readonly severity: string;
    readonly summary: string;
  }[];
  readonly not_checked: readonly { readonly check: string; readonly because: string }[];
}

describe('the command check', () => {
  afterEach(closeServers);

  const reportOf = async (environment: Record<string, string>) => {
    const { status, text } = await checkOf(environment, { json: true });
    return { status, report: JSON.parse(text) as Report };
  };
  const named = (report: Report) => [...report.findings, ...report.not_checked].map(({ check }) => check);
  const everyName = [...Object.keys(PRECONDITIONS), ...CHECKS.map(({ id }) => id)];

  it('tells all wrong settings at once, and that the rest was not checked', async () => {
    const { status, report } = await reportOf({ PROMETHEUS_URL: 'prometheus:9090', PORT: '70000' });
    expect(status).to.equal(2);
    const [settings] = report.findings;
    expect(settings?.summary)
      .to.match(/^2 mistakes:\n/)
      .and.to.include('PORT')
      .and.to.include('PROMETHEUS_URL');
    expect(named(report)).to.deep.equal(everyName);
    expect(report.not_checked).to.have.lengthOf(everyName.length - 1);
  });

  it('tells the mistakes of the feature file', async () => {
    const { status, report } = await reportOf({ FEATURES_FILE: 'test/fixtures/features/syntax.bad.yaml' });
    expect(status).to.equal(2);
    expect(report.findings.map(({ check, severity }) => [check, severity])).to.deep.equal([
      ['settings', 'ok'],
      ['features', 'error'],
    ]);
    expect(report.findings[1]?.summary).to.match(/^6 mistakes:\n[\s\S]*syntax\.bad\.yaml:16:12/);
    expect(named(report)).to.deep.equal(everyName);
  });

  it('warns of a setting with a misspelled name', async () => {
    const { report } = await reportOf({ PROMETHEUS_URL: `http://${await freeAddress()}`, POD_LABLE: 'x' });
    expect(report.findings[0]).to.deep.include({
      check: 'settings',
      severity: 'warning',
      summary: 'POD_LABLE is not a setting and is ignored. Did you mean POD_LABEL?',
    });
  });

  it('tells that Prometheus does not answer, with what to do apart', async () => {
    const { status, report } = await reportOf({ PROMETHEUS_URL: `http://${await freeAddress()}` });
    expect(status).to.equal(2);
    const [, , prometheus] = report.findings;
    expect(prometheus).to.include({ check: 'prometheus', severity: 'error', advice: CONNECTION_ADVICE });
    expect(prometheus?.summary).to.match(/ECONNREFUSED.*\.$/);
    expect(named(report)).to.deep.equal(everyName);
  });

  it('tells the mistakes of the tuning file where Prometheus does not answer as well', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-check-'));
    const file = join(folder, 'tuning.yaml');
    writeFileSync(file, 'rules:\n  - ignore: perhaps\n');
    const { status, report } = await reportOf({ PROMETHEUS_URL: `http://${await freeAddress()}`, TUNING_FILE: file });
    rmSync(folder, { recursive: true });
    expect(status).to.equal(2);
    expect(report.findings.slice(2).map(({ check, severity }) => [check, severity])).to.deep.equal([
      ['prometheus', 'error'],
      ['tuning_file', 'error'],
    ]);
    expect(report.findings[3]?.summary).to.include('tuning.yaml:2:');
    expect(named(report)).to.have.members(everyName).and.to.have.lengthOf(everyName.length);
  });

  for (const [code, kind] of [
    [401, /user and password|PROMETHEUS_/],
    [404, /path prefix/],
    [429, /[Qq]uery less often/],
  ] as const) {
    it(`tells what to do about HTTP ${code}`, async () => {
      const url = await startServer((_, response) => response.writeHead(code).end('no'));
      const { status, report } = await reportOf({ PROMETHEUS_URL: url });
      expect(status).to.equal(2);
      const [, , prometheus] = report.findings;
      expect(prometheus?.summary).to.include(`HTTP ${code}`);
      expect((prometheus as { advice?: string }).advice).to.match(kind);
    });
  }

  it('goes on where only some questions are refused, and never shows a password', async () => {
    const url = await startServer((request, response) => {
      void readBody(request).then((body) => {
        const query = new URLSearchParams(body).get('query');
        if (query !== 'vector(time())') {
          response.writeHead(422).end('{"status":"error","error":"too many samples"}');
          return;
        }
        const data = {
          resultType: 'vector',
          result: [{ metric: {}, value: [0, String(Date.now() / 1000)] }],
        };
        response.end(JSON.stringify({ status: 'success', data }));
      });
    });
    const { status, text } = await checkOf({ PROMETHEUS_URL: url.replace('://', '://me:sesame@') }, { json: true });
    const report = JSON.parse(text) as Report;
    expect(status).to.equal(2);
    expect(report.findings.find(({ check }) => check === 'queries')).to.include({ severity: 'error' });
    expect(report.findings.find(({ check }) => check === 'server')?.summary).to.include('does not report');
    expect(report.not_checked.map(({ because }) => because).join(' ')).to.include('too many samples');
    expect(named(report)).to.have.members(everyName);
    expect(text).to.not.include('sesame');
  });

  it('has colours on a terminal, unless NO_COLOR is set', async () => {
    const PROMETHEUS_URL = `http://${await freeAddress()}`;
    const control = '\x1b[';
    expect((await checkOf({ PROMETHEUS_URL }, { isTTY: true })).text).to.include(control);
    expect((await checkOf({ PROMETHEUS_URL })).text).to.not.include(control);
    const NO_COLOR = '1';
    expect((await checkOf({ PROMETHEUS_URL, NO_COLOR }, { isTTY: true })).text).to.not.include(control);
  });
});

const CONNECTION_ADVICE = 'Is Prometheus running? Are the host and the port in PROMETHEUS_URL right?';
