import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { END_REASONS } from '../../src/exporter/episodes/episodes.js';
import { freePort, listen } from '../../src/tools/demo/listen.js';
import { accelerate } from '../support/accelerate.js';
import { readBody } from '../support/http-server.js';
import { alertmanagerProgram, startAlertmanager, startPrometheus } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { eventually } from '../support/waiting.js';

/** How many times faster than shipped: half a minute is a second. */
const SPEED = 30;
/** When all anomalies end, in seconds from the start. */
const END_SECONDS = 12;

/** One pod of a workload of its own for each way to end, and a workload of two pods that recovers. */
const PODS = [
  ...END_REASONS.map((reason) => ({ workload: reason, pod: `${reason}-0`, reason })),
  ...[0, 1].map((replica) => ({ workload: 'cart', pod: `cart-${replica}`, reason: 'recovered' as const })),
];

/** What the exporter exposes of them. */
function exposition(startSeconds: number, timeSeconds: number): string {
  const isOver = timeSeconds >= startSeconds + END_SECONDS;
  const labelsOf = (pod: string, workload: string) => `namespace="shop",pod="${pod}",workload="${workload}"`;
  const lines = PODS.flatMap(({ pod, workload, reason }) => {
    const labels = labelsOf(pod, workload);
    const flag = `anomaly_flag{namespace="shop",pod="${pod}"} ${isOver ? 0 : 1}`;
    const ended = `anomaly_ended_timestamp_seconds{${labels},reason="${reason}"} ${startSeconds + END_SECONDS}`;
    const lasting = [`anomaly_lasting{${labels}} 1`, `anomaly_since_timestamp_seconds{${labels}} ${startSeconds}`];
    return isOver ? [...(reason === 'gone' ? [] : [flag]), ended] : [flag, ...lasting];
  });
  const workloads = [...new Set(PODS.map(({ workload }) => workload))];
  const scored = workloads.map((workload) => {
    const count = PODS.filter((own) => own.workload === workload).length;
    return `anomaly_workload_pods_scored{namespace="shop",workload="${workload}"} ${count}`;
  });
  // Many other pods: it is no outage of the fleet.
  const others = 'anomaly_workload_pods_scored{namespace="shop",workload="other"} 100';
  const release = `anomaly_workload_release_timestamp_seconds{namespace="shop",workload="accepted"} ${startSeconds - 60}`;
  return `${[...lines, ...scored, others, ...(isOver ? [] : [release])].join('\n')}\n`;
}

interface Notification {
  readonly status: string;
  readonly alerts: readonly {
    readonly status: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

describe('the last message of an alert', function () {
  this.timeout(240_000);

  const notifications: Notification[] = [];
  const closing: (() => Promise<void>)[] = [];
  /** When the anomalies begin: not before all servers run. */
  let startSeconds = Number.POSITIVE_INFINITY;
  let directory: string;

  before(async function () {
    requireTool(this, 'prometheus');
    requireTool(this, alertmanagerProgram());
    directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-end-messages-'));
    const exporter = await listen((_, response) => {
      const now = Date.now() / 1000;
      // Prometheus 3 takes no text whose type it is not told.
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      response.end(now < startSeconds ? '' : exposition(startSeconds, now));
    });
    closing.push(exporter.close);
    const webhook = await listen(async (request, response) => {
      notifications.push(JSON.parse(await readBody(request)) as Notification);
      response.end();
    });
    closing.push(webhook.close);
    const file = async (name: string, text: string) => {
      await writeFile(join(directory, name), text);
      return join(directory, name);
    };
    const shipped = async (path: string) => accelerate(await readFile(resolve('deploy', path), 'utf8'), SPEED);
    const routes = (await shipped('alertmanager/alertmanager.yaml')).replaceAll('http://localhost:5001', webhook.url);
    const alertmanager = await startAlertmanager({
      directory,
      port: await freePort(),
      configuration: await file('alertmanager.yaml', routes),
    });
    closing.push(alertmanager.close);
    const configuration = {
      global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '1s' },
      rule_files: [await file('rules.yaml', await shipped('prometheus/rules.yaml'))],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager.url).host] }] }] },
      scrape_configs: [
        {
          job_name: 'k8s-anomaly-detector',
          honor_labels: true,
          static_configs: [{ targets: [new URL(exporter.url).host] }],
        },
      ],
    };
    const prometheus = await startPrometheus({
      directory,
      port: await freePort(),
      // JSON is YAML as well.
      configuration: await file('prometheus.yaml', JSON.stringify(configuration)),
      parameters: ['--rules.alert.resend-delay=1s'],
    });
    closing.push(prometheus.close);
    startSeconds = Math.floor(Date.now() / 1000);
  });
  after(async () => {
    for (const close of closing.reverse()) await close();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  /** Title and description of the last alert with a status. */
  const textOf = (status: string, labels: Readonly<Record<string, string>>) => {
    const { summary, description } =
      notifications
        .flatMap(({ alerts }) => alerts)
        .findLast((alert) => {
          const matches = Object.entries(labels).every(([name, value]) => alert.labels[name] === value);
          return alert.status === status && matches;
        })?.annotations ?? {};
    return `${summary} | ${description}`;
  };

  it('is preceded by one that says since when, and what was released', async () => {
    await eventually(async () => {
      await sleep(250);
      for (const { pod, workload } of PODS.filter((own) => own.workload !== 'cart')) {
        const text = textOf('firing', { alertname: 'PodAnomalous', pod });
        expect(text).to.match(
          /^shop\/\w+-0: anomalous; since \d\d:\d\d UTC \| Since \d+ \w+ \d\d:\d\d UTC\. The reason is not exported/,
        );
        if (workload === 'accepted') expect(text).to.match(/The workload was released at \d+ \w+ \d\d:\d\d UTC\./);
        else expect(text).to.not.contain('released');
      }
      expect(textOf('firing', { alertname: 'WorkloadAnomalous', workload: 'cart' })).to.match(
        /^shop\/cart: 2 of 2 pods; since/,
      );
    }, 40_000);
  });

  for (const reason of END_REASONS) {
    it(`says that the anomaly has ended: ${reason}`, async () => {
      await eventually(async () => {
        await sleep(250);
        const text = textOf('resolved', { alertname: 'PodAnomalous', pod: `${reason}-0` });
        expect(text).to.match(
          new RegExp(
            `^shop/${reason}-0: over, ${reason} at \\d\\d:\\d\\d UTC \\| Ended: ${reason} at \\d+ \\w+ \\d\\d:\\d\\d UTC\\.`,
          ),
        );
      }, 80_000);
    });
  }

  it('says the same of a workload', async () => {
    await eventually(async () => {
      await sleep(250);
      const text = textOf('resolved', { alertname: 'WorkloadAnomalous', workload: 'cart' });
      expect(text).to.match(/^shop\/cart: 2 of 2 pods: over, recovered at .* \| Ended: recovered at /);
    }, 80_000);
  });
});
