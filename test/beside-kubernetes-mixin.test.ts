import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse, stringify } from 'yaml';
import { detect } from '../src/exporter/detection/detect.js';
import { freePort, type RunningServer } from '../src/tools/demo/listen.js';
import { alertmanagerProgram, startAlertmanager } from './support/real-servers.js';
import { requireTool } from './support/real-tools.js';
import { type Course, STEADY_PODS, steadyMinutes, steadyModel, TRAINED_AT } from './support/steady-cluster.js';
import { asBuilt, CATALOG, featureTable } from './support/tables.js';
import { eventually } from './support/waiting.js';

const page = readFileSync('docs/beside-kubernetes-mixin.md', 'utf8');

interface Configuration {
  readonly inhibit_rules: readonly unknown[];
}

/** The rule that people paste. */
function pasted(): Configuration {
  const [, example] = /^<!-- tested: inhibition -->\n```yaml\n(.*?)^```$/ms.exec(page) ?? [];
  return parse(example ?? expect.fail('Expected an example of the inhibition.'));
}

/** What the rule is added to. */
const CONFIGURATIONS: readonly (readonly [where: string, read: () => Configuration])[] = [
  ['beside those of the example', () => parse(readFileSync('deploy/alertmanager/alertmanager.yaml', 'utf8'))],
  [
    'beside those of kube-prometheus-stack',
    () => parse(readFileSync('deploy/alertmanager/kube-prometheus-stack-values.yaml', 'utf8')).alertmanager.config,
  ],
];

type Labels = Readonly<Record<string, string>>;

describe('the page about kubernetes-mixin', () => {
  for (const [where, read] of CONFIGURATIONS)
    describe(`has a rule for Alertmanager, ${where}`, function () {
      this.timeout(60_000);

      let directory: string;
      let alertmanager: RunningServer | undefined;

      beforeEach(async function () {
        requireTool(this, alertmanagerProgram());
        directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-beside-'));
        const shipped = read();
        const configuration = join(directory, 'alertmanager.yaml');
        const rules = [...shipped.inhibit_rules, ...pasted().inhibit_rules];
        writeFileSync(configuration, stringify({ ...shipped, inhibit_rules: rules }));
        alertmanager = await startAlertmanager({ directory, port: await freePort(), configuration });
      });
      afterEach(async () => {
        await alertmanager?.close();
        alertmanager = undefined;
        if (directory) rmSync(directory, { recursive: true, force: true });
      });

      const send = async (alerts: readonly { readonly labels: Labels; readonly endsAt?: string }[]) => {
        const response = await fetch(`${alertmanager?.url}/api/v2/alerts`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(alerts),
        });
        expect(response.status, await response.text()).to.equal(200);
      };
      const expectHeard = (count: number, expected: readonly string[]) =>
        eventually(async () => {
          const answer = await fetch(`${alertmanager?.url}/api/v2/alerts`);
          const known = (await answer.json()) as { labels: Labels; status: { state: string } }[];
          expect(known).to.have.lengthOf(count);
          const heard = known.filter(({ status }) => status.state === 'active');
          expect(known.map(({ status }) => status.state)).to.not.include('unprocessed');
          expect(
            heard.map(({ labels }) => `${labels.alertname} ${labels.pod ?? labels.workload}`).sort(),
          ).to.deep.equal(expected);
        });

      const anomaly = (pod: string) => ({
        labels: { alertname: 'PodAnomalous', severity: 'warning', namespace: 'shop', workload: 'cart', pod },
      });
      /** As Prometheus sends those of kubernetes-mixin: with the labels of kube-state-metrics. */
      const ofMixin = (alertname: string, pod: string, namespace = 'shop') => ({
        labels: {
          alertname,
          severity: 'warning',
          namespace,
          pod,
          container: 'cart',
          job: 'kube-state-metrics',
          uid: '00000000-0000-4000-8000-000000000000',
        },
      });

      it('that makes one message of both about a pod, and leaves other pods alone', async () => {
        const alerts = [
          anomaly('cart-0'),
          ofMixin('KubePodCrashLooping', 'cart-0'),
          ofMixin('KubePodNotReady', 'cart-0'),
          ofMixin('CPUThrottlingHigh', 'cart-0'),
          ofMixin('KubePodCrashLooping', 'cart-1'),
          ofMixin('KubePodCrashLooping', 'cart-0', 'elsewhere'),
          ofMixin('KubeContainerWaiting', 'cart-0'),
        ];
        await send(alerts);
        await expectHeard(7, [
          'KubeContainerWaiting cart-0',
          'KubePodCrashLooping cart-0',
          'KubePodCrashLooping cart-1',
          'PodAnomalous cart-0',
        ]);
      });

      it('that also works while the workload holds back its pods', async () => {
        const labels = { alertname: 'WorkloadAnomalous', severity: 'warning', namespace: 'shop', workload: 'cart' };
        await send([{ labels }, anomaly('cart-0'), ofMixin('KubePodCrashLooping', 'cart-0')]);
        await expectHeard(3, ['WorkloadAnomalous cart']);
      });

      it('that lets them be heard when the anomaly has ended', async () => {
        await send([anomaly('cart-0'), ofMixin('KubePodCrashLooping', 'cart-0')]);
        await expectHeard(2, ['PodAnomalous cart-0']);
        await send([{ ...anomaly('cart-0'), endsAt: new Date(Date.now() - 1000).toISOString() }]);
        await expectHeard(1, ['KubePodCrashLooping cart-0']);
      });
    });

  describe('says what not to expect', () => {
    const model = steadyModel(6);
    const lastingOf = (built: Parameters<typeof detect>[1]) => {
      const { table, lasting } = detect(model, built);
      return table.pods.filter((_, row) => lasting[row] === 1).map(({ pod }) => pod);
    };
    const MINUTES = 11;
    const END = TRAINED_AT + 1200;
    /** Pods of a workload that the model does not know, beside those that it knows. */
    const withNew = (rowOf: (minute: number) => readonly [cpu: number, memory: number, restarts: number]) => {
      const known = steadyMinutes({}, 1200).table;
      const values = (index: number) =>
        Array.from({ length: MINUTES }, (_, minute) => CATALOG.map((__, column) => known.at(index, minute, column)));
      const pods = known.pods.map(({ pod, workload }, index) => ({ pod, workload, rows: values(index) }));
      const rows = Array.from({ length: MINUTES }, (_, minute) => [...rowOf(minute)]);
      const fresh = ['new-0', 'new-1'].map((pod) => ({ pod, workload: 'new', rows }));
      const times = { startSeconds: END - 60 * (MINUTES - 1), stepSeconds: 60 };
      return asBuilt(featureTable(CATALOG, [...pods, ...fresh], times));
    };

    it('of a workload that was never well: nothing, unless it restarts', () => {
      expect(lastingOf(withNew(() => [0.001, 1e8, 0]))).to.deep.equal([]);
      expect(lastingOf(withNew((minute) => [0.001, 1e8, Math.floor(minute / 2)]))).to.deep.equal(['new-0', 'new-1']);
    });

    it('of errors at the usual CPU and memory: nothing', () => {
      expect(lastingOf(steadyMinutes({}, 1200))).to.deep.equal([]);
    });

    it('of replicas that are missing, while the others do their work with a third more: nothing', () => {
      const left = STEADY_PODS.filter((pod) => pod !== 'web-2');
      const busier: Course = ([cpu, memory, restarts], ago) => [ago > 600 ? cpu : 1.33 * cpu, memory, restarts];
      const { table } = steadyMinutes(
        Object.fromEntries(['web-0', 'web-1', 'web-3'].map((pod) => [pod, busier])),
        1200,
      );
      const rows = left.map((name) => {
        const index = table.pods.findIndex(({ pod }) => pod === name);
        const of = Array.from({ length: MINUTES }, (_, minute) =>
          CATALOG.map((__, column) => table.at(index, minute, column)),
        );
        return { pod: name, workload: table.pods[index]?.workload ?? '', rows: of };
      });
      const times = { startSeconds: END - 60 * (MINUTES - 1), stepSeconds: 60 };
      expect(lastingOf(asBuilt(featureTable(CATALOG, rows, times)))).to.deep.equal([]);
    });

    it('of a load that comes at this time every day: nothing, and of the same load at another time an anomaly', () => {
      // `report` has ten times its usual load from 12:00 to 15:00.
      const report =
        (factor: number): Course =>
        ([cpu, ...rest]) => [factor * cpu, ...rest];
      expect(lastingOf(steadyMinutes({}, 1200))).to.not.include('report-0');
      expect(lastingOf(steadyMinutes({ 'report-0': report(10) }, 1200))).to.include('report-0');
    });
  });
});
