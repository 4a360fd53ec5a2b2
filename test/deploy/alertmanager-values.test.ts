import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse, stringify } from 'yaml';
import {
  ALERTMANAGER_FILE,
  ALERTMANAGER_VALUES_FILE,
  type AlertmanagerConfiguration,
  alertmanagerValues,
} from '../../scripts/alertmanager-values.js';
import { alertsOf, parseRules, RULES_FILE } from '../../scripts/prometheus-rules.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { alertmanagerProgram, startAlertmanager } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { eventually } from '../support/waiting.js';

interface Values {
  readonly alertmanager: { readonly config: AlertmanagerConfiguration };
}

describe('the values for kube-prometheus-stack', () => {
  const values = parse(readFileSync(ALERTMANAGER_VALUES_FILE, 'utf8')) as Values;
  const { config } = values.alertmanager;
  const own = parse(readFileSync(ALERTMANAGER_FILE, 'utf8')) as AlertmanagerConfiguration;
  let directory: string;
  let file: string;
  let alertmanager: RunningServer | undefined;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-values-'));
    file = join(directory, 'alertmanager.yaml');
    // As the chart makes the configuration of Alertmanager.
    writeFileSync(file, stringify(config));
  });
  after(async () => {
    await alertmanager?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const amtool = (...parameters: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync('amtool', parameters, { encoding: 'utf8', timeout: 60_000 });
    return { status, output: stdout + stderr };
  };
  const receivesOf = (labels: Readonly<Record<string, string>>) =>
    ['null', 'chat', 'pager'].filter((receiver) => {
      const set = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
      const parameters = [`--config.file=${file}`, `--verify.receivers=${receiver}`, ...set];
      return amtool('config', 'routes', 'test', ...parameters).status === 0;
    });

  it(`are made of ${ALERTMANAGER_FILE} (else: npm run rules)`, () => {
    const generated = alertmanagerValues(readFileSync(ALERTMANAGER_FILE, 'utf8'));
    expect(readFileSync(ALERTMANAGER_VALUES_FILE, 'utf8')).to.equal(generated);
    expect(config.route.routes).to.deep.include.members([...own.route.routes]);
    expect(config.inhibit_rules).to.deep.include.members([...own.inhibit_rules]);
  });

  it('hold a configuration that amtool accepts', function () {
    requireTool(this, 'amtool');
    const { status, output } = amtool('check-config', file);
    expect(status, output).to.equal(0);
  });

  it('send our alerts where the configuration itself does, and the alerts of the chart for itself nowhere', function () {
    requireTool(this, 'amtool');
    for (const { alert, labels } of alertsOf(parseRules(readFileSync(RULES_FILE, 'utf8')))) {
      const receiver = labels.severity === 'critical' ? 'pager' : 'chat';
      expect(receivesOf({ alertname: alert, ...labels }), alert).to.deep.equal([receiver]);
    }
    expect(receivesOf({ alertname: 'Watchdog', severity: 'none' })).to.deep.equal(['null']);
    expect(receivesOf({ alertname: 'InfoInhibitor', severity: 'none', namespace: 'shop' })).to.deep.equal(['null']);
    expect(receivesOf({ alertname: 'KubePodCrashLooping', severity: 'warning' })).to.deep.equal(['chat']);
  });

  it('let InfoInhibitor mute the informational alerts of others, and none of ours', async function () {
    requireTool(this, alertmanagerProgram());
    const port = await freePort();
    alertmanager = await startAlertmanager({ directory, port, configuration: file });
    const url = `${alertmanager.url}/api/v2/alerts`;
    const ours = new Set(alertsOf(parseRules(readFileSync(RULES_FILE, 'utf8'))).map(({ alert }) => alert));
    const info = [...ours, 'CPUThrottlingHigh'].map((alertname) => ({ alertname, severity: 'info', namespace: 'x' }));
    const alerts = [...info, { alertname: 'InfoInhibitor', severity: 'none', namespace: 'x' }];
    // No inhibition among ours: each is in a cluster of its own.
    const labelled = alerts.map((labels, index) =>
      labels.alertname.startsWith('Anomaly') ? { ...labels, cluster: `c${index}` } : labels,
    );
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(labelled.map((labels) => ({ labels }))),
    });
    expect(response.status, await response.text()).to.equal(200);
    await eventually(async () => {
      const known = (await (await fetch(url)).json()) as {
        readonly labels: Readonly<Record<string, string>>;
        readonly status: { readonly state: string; readonly inhibitedBy: readonly string[] };
      }[];
      expect(known).to.have.lengthOf(labelled.length);
      expect(known.map(({ status }) => status.state)).to.not.include('unprocessed');
      const inhibitor = known.find(({ labels }) => labels.alertname === 'InfoInhibitor') as { fingerprint?: string };
      const muted = known.filter(({ status }) => status.inhibitedBy.includes(inhibitor.fingerprint ?? ''));
      expect(muted.map(({ labels }) => labels.alertname)).to.deep.equal(['CPUThrottlingHigh']);
    });
  });
});
