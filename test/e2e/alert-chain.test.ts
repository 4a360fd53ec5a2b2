import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { type RunningService, startService } from '../../src/exporter/serve.js';
import { openMetricsHistory } from '../../src/tools/demo/exposition.js';
import { freePort, listen, type RunningServer } from '../../src/tools/demo/listen.js';
import { startExposition } from '../../src/tools/demo/sources.js';
import { createWorld, type World } from '../../src/tools/simulation/cluster.js';
import { accelerate } from '../support/accelerate.js';
import { readBody } from '../support/http-server.js';
import {
  alertmanagerProgram,
  type ServerPlace,
  startAlertmanager,
  startPrometheus,
  writeHistory,
} from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { recordingLogger } from '../support/recording-logger.js';
import { eventually } from '../support/waiting.js';

/** What Alertmanager sends to a webhook. */
interface Notification {
  readonly status: 'firing' | 'resolved';
  readonly receiver: string;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly alerts: readonly {
    readonly status: 'firing' | 'resolved';
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

/** So many times faster than shipped: half a minute is two seconds. */
const SPEED = 15;

/**
 * Of the incident, from the start of the test, until the test ends it. The exporter keeps its own pace: five minutes later,
 * the anomaly lasts.
 */
const WRONG_SECONDS = -170;

/** When five of six minutes are flagged: not before. */
const LASTS_SECONDS = WRONG_SECONDS + 4 * 60;

/**
 * What the exporter says is of a whole minute, which it reads once: so much later at most, where it cannot read the first
 * one in time on a busy machine.
 */
const LATER_SECONDS = 3 * 60;

/** A busy machine is slow to answer scrapes; a scrape that has failed makes the rules count from the start. */
const SCRAPE_INTERVAL = '5s';

/** Of the second of the rollouts; the first one was before the test. */
const ROLLOUT_SECONDS = 40;

const MIB = 2 ** 20;

/** A text with one part of it exchanged, which must be there. */
function exchange(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`Expected \`${from}\` in a shipped file.`);
  return text.replaceAll(from, to);
}

describe('from a pod that goes wrong to a person', function () {
  this.timeout(400_000);

  const notifications: Notification[] = [];
  const closing: (() => Promise<void>)[] = [];
  const nowSeconds = () => Date.now() / 1000;
  let directory: string;
  let start: number;
  let world: World;
  let pod: string;
  let place: ServerPlace;
  let prometheus: RunningServer;
  let exporter: RunningService;

  const shipped = (path: string) => readFile(join('deploy', path), 'utf8').then((text) => accelerate(text, SPEED));
  const inDirectory = (name: string) => join(directory, name);
  const ask = async (
    query: string,
  ): Promise<readonly { metric: Record<string, string>; value: [number, string] }[]> => {
    const answer = await fetch(`${prometheus.url}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query }),
      signal: AbortSignal.timeout(10_000),
    });
    const { data } = (await answer.json()) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    return data.result;
  };
  /** What the running Prometheus itself holds for firing, not what is left of earlier ones. */
  const firingAlerts = async () => {
    const answer = await fetch(`${prometheus.url}/api/v1/alerts`, { signal: AbortSignal.timeout(10_000) });
    const { data } = (await answer.json()) as { data: { alerts: { state: string; activeAt: string }[] } };
    return data.alerts.filter(({ state }) => state === 'firing');
  };
  /** As `eventually`, and leaves the machine time for what is waited for. */
  const soon = (check: () => unknown, milliseconds: number) =>
    eventually(async () => {
      await sleep(250);
      await check();
    }, milliseconds);
  const restartPrometheus = async () => {
    await prometheus.close();
    prometheus = await startPrometheus(place);
  };

  before(async function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
    requireTool(this, alertmanagerProgram());
    directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-chain-'));
    start = nowSeconds();
    world = worldUntil(start + 3600);
    pod = world.incidents[0]?.pod ?? '';

    const { incidents } = world;
    const cluster = await startExposition({ incidents, pods: (seconds) => world.pods(seconds) }, nowSeconds);
    closing.push(cluster.close);
    const webhook = await listen(async (request, response) => {
      notifications.push(JSON.parse(await readBody(request)) as Notification);
      response.end();
    });
    closing.push(webhook.close);

    const alertmanagerFile = inDirectory('alertmanager.yaml');
    const alertmanagerText = await shipped('alertmanager/alertmanager.yaml');
    await writeFile(alertmanagerFile, exchange(alertmanagerText, 'http://localhost:5001', webhook.url));
    const alertmanagerPlace = { directory, port: await freePort(), configuration: alertmanagerFile };
    const alertmanager = await startAlertmanager(alertmanagerPlace);
    closing.push(alertmanager.close);

    const exporterPort = await freePort();
    const instance = new URL(cluster.url).host;
    let text = await shipped('prometheus/prometheus.yaml');
    text = exchange(text, 'localhost:9093', new URL(alertmanager.url).host);
    text = exchange(text, 'localhost:8000', `127.0.0.1:${exporterPort}`);
    text = exchange(text, 'scrape_timeout: 667ms', `scrape_timeout: ${SCRAPE_INTERVAL}`);
    text = exchange(text, 'scrape_interval: 2000ms', `scrape_interval: ${SCRAPE_INTERVAL}`);
    const kubelet = `  - { job_name: kubelet, honor_labels: true, scrape_timeout: ${SCRAPE_INTERVAL}, static_configs: [{ targets: ['${instance}'] }] }\n`;
    place = { directory, port: await freePort(), configuration: inDirectory('prometheus.yaml') };
    await writeFile(place.configuration, text + kubelet);
    await writeFile(inDirectory('rules.yaml'), await shipped('prometheus/rules.yaml'));
    await writeHistory(
      directory,
      openMetricsHistory(world, {
        startSeconds: Math.floor(start) - 65 * 60,
        endSeconds: Math.floor(start),
        stepSeconds: 15,
        targetLabels: { job: 'kubelet', instance },
      }),
    );
    prometheus = await startPrometheus(place);
    closing.push(() => prometheus.close());
    const { settings } = parseSettings({
      PROMETHEUS_URL: prometheus.url,
      HOST: '127.0.0.1',
      PORT: String(exporterPort),
      HISTORY_DAYS: '0',
    });
    exporter = await startService(settings, recordingLogger());
    closing.push(() => exporter.close());
    await soon(async () => {
      expect((await ask('anomaly_flag')).length).to.be.greaterThan(30);
    }, 60_000);
    expect(nowSeconds(), 'ready before the anomaly lasts').to.be.lessThan(start + LASTS_SECONDS);
  });

  after(async () => {
    for (const close of closing.reverse()) await close();
    if (directory) await rm(directory, { recursive: true, force: true });
  });

  it('tells nobody of a flag until the anomaly lasts', async () => {
    const flag = `anomaly_flag{namespace="shop",pod="${pod}"} == 1`;
    await soon(async () => expect(await ask(flag)).to.have.lengthOf(1), 60_000);
    expect(await ask('anomaly_lasting')).to.be.empty;
    expect(notifications).to.be.empty;
    const lasting = `anomaly_lasting{namespace="shop",pod="${pod}",workload="cart"}`;
    await soon(async () => expect(await ask(lasting)).to.have.lengthOf(1), 1000 * (LASTS_SECONDS + LATER_SECONDS));
    expect(nowSeconds(), 'not before five minutes').to.be.greaterThan(start + LASTS_SECONDS);
    // Where Prometheus fails to send an alert, it does so again after a minute.
    await soon(() => expect(notifications).to.have.lengthOf(1), 120_000);
  });

  it('tells one person once: which pod, which feature, its value and its usual value', () => {
    const [notification] = notifications;
    expect(notification?.status).to.equal('firing');
    expect(notification?.groupLabels).to.deep.equal({ namespace: 'shop', workload: 'cart' });
    expect(notification?.alerts).to.have.lengthOf(1);
    const { labels = {}, annotations = {} } = notification?.alerts[0] ?? {};
    expect(labels).to.deep.equal({
      alertname: 'PodAnomalous',
      severity: 'warning',
      namespace: 'shop',
      workload: 'cart',
      pod,
    });
    const [, named, inTitle, factor] =
      /^(\S+): memory ([\d.]+) MiB, ([\d.]+) x usual, \d+% of its limit; since \d\d:\d\d UTC$/.exec(
        annotations.summary ?? '',
      ) ?? [];
    expect(named, annotations.summary).to.equal(`shop/${pod}`);
    const [, actual, expected] =
      /^Since .+ UTC\. Furthest off: memory ([\d.]+) MiB, usually ([\d.]+) MiB in the last hours \(\+[\d.]+ usual spreads\)\./.exec(
        annotations.description ?? '',
      ) ?? [];
    expect(actual, annotations.description).to.equal(inTitle);
    expect(Number(factor)).to.be.closeTo(Number(actual) / Number(expected), 0.06);
    expect(Number(actual)).to.be.closeTo(memoryMib(nowSeconds()), 0.15 * memoryMib(nowSeconds()));
    const before = memoryMib(start + WRONG_SECONDS - 60);
    expect(Number(expected)).to.be.closeTo(before, 0.15 * before);
    expect(annotations.runbook_url).to.match(/\/docs\/runbooks\/PodAnomalous\.md$/);
  });

  it('goes on firing after a restart of Prometheus, and tells nobody again', async () => {
    await restartPrometheus();
    await soon(async () => expect(await firingAlerts()).to.have.lengthOf(1), 60_000);
    expect(await ask('anomaly_lasting'), 'still wrong').to.have.lengthOf(1);
    expect(notifications).to.have.lengthOf(1);
  });

  it('is held after a restart of Prometheus in which the pod has become well', async () => {
    world = worldUntil(nowSeconds());
    // Empty as well where a scrape has failed.
    const isUsual = `anomaly_flag{namespace="shop",pod="${pod}"} == 0 unless anomaly_lasting`;
    await soon(async () => expect(await ask(isUsual)).to.have.lengthOf(1), 1000 * LATER_SECONDS);
    await restartPrometheus();
    await soon(async () => expect(await firingAlerts()).to.have.lengthOf(1), 30_000);
    expect(notifications).to.have.lengthOf(1);
  });

  it('says that it is over some minutes after that, with the same reason', async () => {
    await soon(() => expect(notifications).to.have.lengthOf(2), 120_000);
    const [firing, resolved] = notifications;
    expect(resolved?.status).to.equal('resolved');
    expect(resolved?.alerts.map(({ labels }) => labels)).to.deep.equal(firing?.alerts.map(({ labels }) => labels));
    // The rules are faster than the exporter here: it has not yet told how the anomaly ended.
    expect(resolved?.alerts[0]?.annotations.summary).to.include(`shop/${pod}: memory`);
    expect(resolved?.alerts[0]?.annotations.description).to.include('Furthest off: memory');
    expect(await firingAlerts()).to.be.empty;
  });

  it('has told nobody of the rollouts of the same minutes, nor of anything else', async () => {
    expect(notifications).to.have.lengthOf(2);
    const fired = await ask('count by (alertname, pod) (last_over_time(ALERTS{alertstate="firing"}[5m]))');
    expect(fired.map(({ metric }) => metric)).to.deep.equal([{ alertname: 'PodAnomalous', pod }]);
    const during = newPods(start, nowSeconds());
    expect(during, 'new pods while the alert fired').to.have.lengthOf(4);
    const before = newPods(start - 3600, start);
    expect(before, 'new pods before').to.have.lengthOf(4);
    for (const young of before) {
      const readings = await ask(`count_over_time(anomaly_flag{pod="${young}"}[2m])`);
      expect(Number(readings[0]?.value[1]), `readings of ${young}`).to.be.greaterThan(12);
    }
  });

  /** The same cluster with an incident that ends then. */
  function worldUntil(endSeconds: number): World {
    return createWorld({
      seed: 11,
      startSeconds: start,
      speed: 4,
      incidents: [
        {
          kind: 'memory-stress',
          namespace: 'shop',
          workload: 'cart',
          replica: 1,
          startOffsetSeconds: 4 * WRONG_SECONDS,
          endOffsetSeconds: 4 * (endSeconds - start),
        },
      ],
      rollouts: [
        // Its new pods are past their warm-up: they are scored all the time.
        { namespace: 'shop', workload: 'frontend', startOffsetSeconds: 4 * -9 * 60 },
        { namespace: 'shop', workload: 'catalog', startOffsetSeconds: 4 * ROLLOUT_SECONDS },
      ],
    });
  }

  /** Names of the pods of Deployments that are there at the second instant and were not at the first. */
  function newPods(fromSeconds: number, toSeconds: number): string[] {
    const namesAt = (seconds: number) =>
      world
        .pods(seconds)
        .filter(({ ownersOwner }) => ownersOwner?.kind === 'Deployment')
        .map(({ pod: name }) => name);
    const earlier = new Set(namesAt(fromSeconds));
    return namesAt(toSeconds).filter((name) => !earlier.has(name));
  }

  /** Of all containers of the pod that goes wrong. */
  function memoryMib(seconds: number): number {
    const state = world.pods(seconds).find((candidate) => candidate.pod === pod);
    const bytes = state?.containers.map(({ cgroups }) => cgroups[0]?.memoryBytes ?? 0) ?? [];
    return bytes.reduce((sum, one) => sum + one, 0) / MIB;
  }
});
