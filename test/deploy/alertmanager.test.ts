import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type AlertingRule, alertsOf, parseRules, RULES_FILE } from '../../scripts/prometheus-rules.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { alertmanagerProgram, startAlertmanager } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { eventually } from '../support/waiting.js';

const CONFIGURATION = 'deploy/alertmanager/alertmanager.yaml';

/** An alert as Alertmanager knows it. */
interface KnownAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly status: { readonly state: string };
}

function amtool(...parameters: string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('amtool', parameters, { encoding: 'utf8', timeout: 60_000 });
  return { status, output: stdout + stderr };
}

describe('deploy/alertmanager', () => {
  const text = readFileSync(CONFIGURATION, 'utf8');
  const alerts = alertsOf(parseRules(readFileSync(RULES_FILE, 'utf8')));

  it('is accepted by amtool', function () {
    requireTool(this, 'amtool');
    const { status, output } = amtool('check-config', CONFIGURATION);
    expect(status, output).to.equal(0);
    expect(output).to.include('SUCCESS');
  });

  it('speaks only of alerts that there are', () => {
    const patterns = [...text.matchAll(/alertname =~? "([^"]+)"/g)].map(([, pattern = '']) => pattern);
    expect(patterns).to.have.lengthOf.at.least(8);
    for (const alternative of patterns.flatMap((pattern) => pattern.split('|'))) {
      const matching = alerts.filter(({ alert }) => new RegExp(`^(?:${alternative})$`).test(alert));
      expect(matching, alternative).to.not.be.empty;
    }
  });

  describe('sends', () => {
    const isSent = ({ alert, labels }: AlertingRule, receiver: string) => {
      const set = Object.entries({ alertname: alert, ...labels }).map(([name, value]) => `${name}=${value}`);
      const verify = `--verify.receivers=${receiver}`;
      return amtool('config', 'routes', 'test', `--config.file=${CONFIGURATION}`, verify, ...set).status === 0;
    };
    for (const alert of alerts) {
      const receiver = alert.labels.severity === 'critical' ? 'pager' : 'chat';
      it(`${alert.alert} to ${receiver}`, function () {
        requireTool(this, 'amtool');
        const receivers = ['chat', 'pager'].filter((name) => isSent(alert, name));
        expect(receivers).to.deep.equal([receiver]);
      });
    }
  });

  describe('holds back', () => {
    let directory: string;
    let alertmanager: RunningServer | undefined;

    beforeEach(async function () {
      requireTool(this, alertmanagerProgram());
      directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-alertmanager-'));
      const port = await freePort();
      alertmanager = await startAlertmanager({ directory, port, configuration: CONFIGURATION });
    });
    afterEach(async () => {
      await alertmanager?.close();
      alertmanager = undefined;
      if (directory) rmSync(directory, { recursive: true, force: true });
    });

    /** Fires alerts, and expects these of them to reach somebody: by name, and pod or workload. */
    const expectHeard = async (fired: readonly Readonly<Record<string, string>>[], expected: readonly string[]) => {
      const url = `${alertmanager?.url}/api/v2/alerts`;
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(fired.map((labels) => ({ labels }))),
      });
      expect(response.status, await response.text()).to.equal(200);
      await eventually(async () => {
        const known = (await (await fetch(url)).json()) as KnownAlert[];
        expect(known).to.have.lengthOf(fired.length);
        expect(known.map(({ status }) => status.state)).to.not.include('unprocessed');
        const heard = known
          .filter(({ status }) => status.state === 'active')
          .map(({ labels }) =>
            [labels.alertname, labels.pod ?? labels.workload ?? labels.namespace ?? labels.node]
              .filter(Boolean)
              .join(' '),
          );
        expect(heard.sort()).to.deep.equal(expected);
      });
    };
    const pod = (workload: string, name: string, namespace = 'shop') => ({
      alertname: 'PodAnomalous',
      severity: 'warning',
      namespace,
      workload,
      pod: name,
    });
    const workload = (name: string, namespace = 'shop') => ({
      alertname: 'WorkloadAnomalous',
      severity: 'warning',
      namespace,
      workload: name,
    });
    const own = (alertname: string) => ({ alertname, severity: 'warning', job: 'k8s-anomaly-detector' });

    it('the pods of a workload that is anomalous as a whole, and no others', async () => {
      const all = [
        workload('cart'),
        pod('cart', 'cart-0'),
        pod('cart', 'cart-1'),
        pod('till', 'till-0'),
        pod('cart', 'elsewhere-0', 'elsewhere'),
      ];
      await expectHeard(all, ['PodAnomalous elsewhere-0', 'PodAnomalous till-0', 'WorkloadAnomalous cart']);
    });

    it('pods and workloads while a fifth of the fleet is flagged, and not what is wrong with the detector', async () => {
      const mass = { alertname: 'AnomalyMassFlagging', severity: 'critical' };
      const all = [mass, workload('cart'), pod('cart', 'cart-0'), pod('till', 'till-0'), own('AnomalyModelStale')];
      await expectHeard(all, ['AnomalyMassFlagging', 'AnomalyModelStale']);
    });

    it('the workloads and pods of a namespace that is anomalous as a whole, and no others', async () => {
      const all = [
        { alertname: 'NamespaceAnomalous', severity: 'critical', namespace: 'shop' },
        workload('cart'),
        pod('till', 'till-0'),
        pod('queue', 'queue-0', 'elsewhere'),
      ];
      await expectHeard(all, ['NamespaceAnomalous shop', 'PodAnomalous queue-0']);
    });

    it('nodes and namespaces while a fifth of the fleet is flagged', async () => {
      const all = [
        { alertname: 'AnomalyMassFlagging', severity: 'critical' },
        { alertname: 'NodeAnomalous', severity: 'critical', node: 'n7' },
        { alertname: 'NamespaceAnomalous', severity: 'critical', namespace: 'shop' },
      ];
      await expectHeard(all, ['AnomalyMassFlagging']);
    });

    it('the earlier alert of memory that runs full, where the pod is known to be anomalous, and never the last one', async () => {
      const full = (severity: string, name: string) => ({
        alertname: 'PodMemoryFull',
        severity,
        namespace: 'shop',
        workload: name,
      });
      const all = [
        pod('cart', 'cart-0'),
        full('warning', 'cart'),
        full('warning', 'till'),
        full('warning', 'queue'),
        full('critical', 'queue'),
        workload('catalog'),
        full('critical', 'catalog'),
      ];
      const heard = ['PodMemoryFull catalog', 'PodMemoryFull queue', 'PodMemoryFull till'];
      await expectHeard(all, ['PodAnomalous cart-0', ...heard, 'WorkloadAnomalous catalog']);
    });

    it('the pods of one cluster only, where there are several', async () => {
      const mass = { alertname: 'AnomalyMassFlagging', severity: 'critical', cluster: 'north' };
      const all = [mass, { ...pod('a', 'a-0'), cluster: 'north' }, { ...pod('b', 'b-0'), cluster: 'south' }];
      await expectHeard(all, ['AnomalyMassFlagging', 'PodAnomalous b-0']);
    });

    it('everything of a detector that is down, and leaves the alerts of pods', async () => {
      const others = alerts
        .map(({ alert }) => alert)
        .filter((name) => /^Anomaly(?!MassFlagging|ExporterDown)/.test(name));
      expect(others).to.have.lengthOf(8);
      const all = [own('AnomalyExporterDown'), ...others.map(own), pod('cart', 'cart-0')];
      await expectHeard(all, ['AnomalyExporterDown', 'PodAnomalous cart-0']);
    });

    it('what follows from a Prometheus that does not answer', async () => {
      const all = [own('AnomalyExporterUpstreamDown'), own('AnomalyModelStale'), own('AnomalyExporterSlowScrape')];
      await expectHeard(all, ['AnomalyExporterUpstreamDown']);
    });
  });
});
