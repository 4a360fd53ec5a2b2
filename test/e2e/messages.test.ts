import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { freePort, listen, type RunningServer } from '../../src/tools/demo/listen.js';
import type { Alert } from '../../src/tools/replay/alerts.js';
import { notify } from '../../src/tools/replay/messages.js';
import { readBody } from '../support/http-server.js';
import { minuteAlert } from '../support/minute-alerts.js';
import { alertmanagerProgram, startAlertmanager } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';

/** So many times faster than shipped: a minute is two seconds. */
const SPEED = 30;

/** One pod after another, a workload that holds back its pod, and a fleet that holds back a pod, and the end of another. */
const ALERTS = [
  minuteAlert('PodAnomalous', 'cart-0', 1, 13.5),
  minuteAlert('PodAnomalous', 'cart-1', 3.5, 13.5),
  minuteAlert('WorkloadAnomalous', 'till', 2, 9.5),
  minuteAlert('PodAnomalous', 'till-0', 2, 20),
  minuteAlert('AnomalyMassFlagging', '', 15, 22),
  minuteAlert('PodAnomalous', 'queue-0', 16, 19.5),
  minuteAlert('PodAnomalous', 'cart-0', 25, 29),
];
const LENGTH_SECONDS = (32 * 60) / SPEED;

const labelsOf = ({ name, namespace, workload, pod }: Alert) => ({
  alertname: name,
  ...(namespace && { namespace }),
  ...(workload && { workload }),
  ...(pod && { pod }),
});
const subjectOf = (labels: Readonly<Record<string, string>>) => labels.pod ?? labels.workload ?? 'fleet';

interface Received {
  readonly groupKey: string;
  readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[];
}

describe('the simulated messages beside those of Alertmanager', function () {
  this.timeout(240_000);

  let directory: string;
  let alertmanager: RunningServer | undefined;
  let receiver: RunningServer | undefined;
  let started = 0;
  /** By group, what the last message reported as firing. */
  const firing = new Map<string, ReadonlySet<string>>();
  const received: (readonly [minute: number, subjects: readonly string[]])[] = [];

  before(async function () {
    requireTool(this, alertmanagerProgram());
    directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-messages-'));
    receiver = await listen(async (request, response) => {
      const { groupKey, alerts } = JSON.parse(await readBody(request)) as Received;
      response.end();
      const now = new Set(alerts.filter(({ status }) => status === 'firing').map(({ labels }) => subjectOf(labels)));
      const fresh = [...now].filter((subject) => !firing.get(groupKey)?.has(subject)).sort();
      firing.set(groupKey, now);
      if (fresh.length > 0) received.push([((Date.now() / 1000 - started) * SPEED) / 60, fresh]);
    }, 0);
    const shipped = await readFile('deploy/alertmanager/alertmanager.yaml', 'utf8');
    const port = await freePort();
    const configuration = join(directory, 'alertmanager.yaml');
    const fast = shipped.replace(/\b(\d+)([smh])\b/g, (_, count: string, unit: string) => {
      const seconds = Number(count) * ({ s: 1, m: 60, h: 3600 }[unit] ?? 1);
      return `${Math.round((1000 * seconds) / SPEED)}ms`;
    });
    // The route of the fleet has the default of Alertmanager, which is five minutes.
    const route = fast.replace('receiver: pager\n', `receiver: pager\n      group_interval: ${300_000 / SPEED}ms\n`);
    await writeFile(configuration, route.replaceAll('http://localhost:5001', receiver.url));
    alertmanager = await startAlertmanager({ directory, port, configuration });
  });
  after(async () => {
    await alertmanager?.close();
    await receiver?.close();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  it('come at the same moments, about the same', async () => {
    started = Date.now() / 1000;
    for (let tick = 0; tick < LENGTH_SECONDS * 2; tick++) {
      const second = tick / 2;
      // As Prometheus does: what fires and what has just ended, again and again.
      const known = ALERTS.filter(({ startSeconds, endSeconds }) => {
        return startSeconds / SPEED <= second && second < endSeconds / SPEED + 3;
      });
      const body = known.map((own) => ({
        labels: labelsOf(own),
        startsAt: new Date(1000 * (started + own.startSeconds / SPEED)).toISOString(),
        endsAt: new Date(1000 * Math.min(started + own.endSeconds / SPEED, Date.now() / 1000 + 10)).toISOString(),
      }));
      if (body.length > 0) {
        await fetch(`${alertmanager?.url}/api/v2/alerts`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
      }
      await sleep(Math.max(0, 1000 * (started + second + 0.5) - Date.now()));
    }
    const expected = notify(ALERTS).messages.map(({ sentSeconds, alerts }) => ({
      minute: sentSeconds / 60,
      subjects: alerts.map((own) => subjectOf(labelsOf(own))).sort(),
    }));
    expect(received.map(([, subjects]) => subjects)).to.deep.equal(expected.map(({ subjects }) => subjects));
    received.forEach(([minute], index) => {
      expect(minute, `message ${index + 1}`).to.be.closeTo(expected[index]?.minute ?? Number.NaN, 1.5);
    });
  });
});
