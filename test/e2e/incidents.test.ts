/**
 * Ten things that happen at night, and the message of each, from the exporter through a real Prometheus and a real
 * Alertmanager with the shipped rules and configuration.
 *
 * What the exporter exposes is recorded first, in simulated time and against the simulated Prometheus: it is the exporter, its
 * model and four days of history, but no training after the start. Prometheus then scrapes the recording, and all times of
 * the rules and routes are shorter, as a real night would take too long. What happens at the end of an incident is tested
 * in `end-messages`, and scrapes of the running exporter in `alert-chain`.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { freePort, listen } from '../../src/tools/demo/listen.js';
import { accelerate } from '../support/accelerate.js';
import { readBody } from '../support/http-server.js';
import { type ExpectedMessage, incidentClusters, MINUTES, PAST, START_SECONDS } from '../support/incident-clusters.js';
import { incidentsPage, messageIn, PAGE, type SentMessage } from '../support/incidents-page.js';
import { alertmanagerProgram, startAlertmanager, startPrometheus } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { recordTapes, TAPE_STEP_SECONDS } from '../support/tape.js';

/** How many times faster than shipped: half a minute is one and a half seconds. */
const SPEED = 20;

/** Addresses of the exporter; that of the dashboard chooses something already. */
const LINKS = {
  page: 'https://anomalies.example.com',
  dashboard: 'https://grafana.example.com/d/k8s-anomaly-detector?var-cluster=eu',
};

interface Notification {
  readonly status: 'firing' | 'resolved';
  readonly alerts: readonly {
    readonly status: 'firing' | 'resolved';
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

describe('ten incidents', function () {
  this.timeout(900_000);

  const clusters = incidentClusters();
  const expected = clusters.flatMap((cluster) => cluster.expected);
  const notifications: Notification[] = [];
  const closing: (() => Promise<void>)[] = [];
  let directory: string;

  before(async function () {
    requireTool(this, 'prometheus');
    requireTool(this, alertmanagerProgram());
    directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-incidents-'));
    const tapes = await recordTapes(
      clusters.map(({ world }) => world),
      { past: PAST, startSeconds: START_SECONDS, minutes: MINUTES, directory, links: LINKS },
    );
    const file = async (name: string, text: string) => {
      await writeFile(join(directory, name), text);
      return join(directory, name);
    };
    const shipped = async (path: string) => accelerate(await readFile(join('deploy', path), 'utf8'), SPEED);
    const webhook = await listen(async (request, response) => {
      notifications.push(JSON.parse(await readBody(request)) as Notification);
      response.end();
    });
    closing.push(webhook.close);
    const routes = (await shipped('alertmanager/alertmanager.yaml')).replaceAll('http://localhost:5001', webhook.url);
    const alertmanager = await startAlertmanager({
      directory,
      port: await freePort(),
      configuration: await file('alertmanager.yaml', routes),
    });
    closing.push(alertmanager.close);
    const rules = await file('rules.yaml', await shipped('prometheus/rules.yaml'));
    let playedSince = Number.POSITIVE_INFINITY;
    for (const [index, { name }] of clusters.entries()) {
      const tape = tapes[index] ?? [];
      const exporter = await listen((_, response) => {
        const position = Math.floor(((Date.now() - playedSince) / 1000) * (SPEED / TAPE_STEP_SECONDS));
        response.end(position < 0 ? '' : tape[Math.min(position, tape.length - 1)]);
      });
      closing.push(exporter.close);
      const step = `${(1000 * TAPE_STEP_SECONDS) / SPEED}ms`;
      const configuration = {
        global: {
          scrape_interval: step,
          scrape_timeout: step,
          evaluation_interval: step,
          external_labels: { cluster: name },
        },
        rule_files: [rules],
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
        directory: join(directory, name),
        port: await freePort(),
        // JSON is YAML as well.
        configuration: await file(`${name}.yaml`, JSON.stringify(configuration)),
        parameters: ['--rules.alert.resend-delay=1s'],
      });
      closing.push(prometheus.close);
    }
    playedSince = Date.now();
    await sleep((1000 * 60 * MINUTES) / SPEED);
  });

  after(async () => {
    for (const close of closing.reverse()) await close();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  /** All alerts about pods that a message reported as firing: what somebody has read. */
  const sent = (): SentMessage[] =>
    notifications
      .filter(({ status }) => status === 'firing')
      .flatMap(({ alerts }) => alerts.filter(({ status }) => status === 'firing'))
      .map(({ labels: { alertname = '', severity = '', cluster = '', ...labels }, annotations }) => ({
        ...{ alertname, severity, cluster, labels, annotations },
      }));
  const isOf = (message: SentMessage, { cluster, alertname, labels }: ExpectedMessage) =>
    message.cluster === cluster &&
    message.alertname === alertname &&
    Object.entries({ ...message.labels, ...labels }).every(
      ([name, value]) => labels[name] === value && message.labels[name] === value,
    );

  for (const own of expected) {
    it(`one message, which says what it is: ${own.incident}`, () => {
      const messages = sent().filter((message) => isOf(message, own));
      expect(messages.map(({ annotations }) => annotations.summary)).to.have.lengthOf(1);
      expect(messages[0]?.annotations.summary).to.match(own.title);
    });
  }

  it('no other message, and none of the job that runs every night', () => {
    const others = sent().filter((message) => !expected.some((own) => isOf(message, own)));
    expect(
      others.map(({ cluster, alertname, annotations }) => [cluster, alertname, annotations.summary]),
    ).to.deep.equal([]);
    expect(notifications.filter(({ status }) => status === 'firing')).to.have.lengthOf(expected.length);
  });

  it('links to the page and to the dashboard, filtered', () => {
    for (const { annotations, labels } of sent()) {
      const { namespace, workload, pod } = labels;
      const [ofPage, ofDashboard] = [
        pod ? `&pod=${pod}` : workload ? `&workload=${workload}` : '',
        pod ? `&var-pod=${pod}` : '',
      ];
      const filtered = (parameter: string, further: string) => (namespace ? `${parameter}=${namespace}${further}` : '');
      expect(annotations.page_url).to.equal(`${LINKS.page}/${filtered('?namespace', ofPage)}`);
      expect(annotations.dashboard_url).to.equal(`${LINKS.dashboard}${filtered('&var-namespace', ofDashboard)}`);
    }
  });

  it(`are in ${PAGE} as they came (else: UPDATE_DOCS=1)`, async () => {
    const page = incidentsPage(
      expected.map((own) => ({ incident: own.incident, message: sent().find((message) => isOf(message, own)) })),
    );
    if (process.env.UPDATE_DOCS === '1') await writeFile(PAGE, page);
    const shown = await readFile(PAGE, 'utf8');
    for (const { incident, title } of expected) {
      const [name, summary] = messageIn(shown, incident);
      expect(name, incident).to.equal(messageIn(page, incident)[0]);
      expect(summary, incident).to.match(title);
    }
    const withoutMessages = (text: string) => text.replace(/```text\n[\s\S]*?```/g, '');
    expect(withoutMessages(shown)).to.equal(withoutMessages(page));
  });
});
