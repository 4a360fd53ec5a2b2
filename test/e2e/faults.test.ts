import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { exposedValue } from '../support/exposition.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { UPSTREAM_FAULTS } from '../support/faults.js';
import type { Held } from '../support/measured-service.js';
import { requireTool } from '../support/real-tools.js';
import { expectNoPods, flaggedIn, healthOf, podsIn, scrape, untilTrained } from '../support/scraping.js';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.js';
import { namedPods, SmallCluster } from '../support/small-cluster.js';
import { type SmallPrometheus, startSmallPrometheus } from '../support/small-prometheus.js';
import { eventually } from '../support/waiting.js';

const CULPRIT = 'shop/cart-3';

const QUERIES_OF_A_PASS = 3;
const MEBIBYTE = 1024 * 1024;

/** More than an answer takes on a busy machine: only what never comes runs into it, and that is not waited for as long. */
const REQUEST_TIMEOUT_SECONDS = 5;
const SHORT_TIMEOUT_SECONDS = 1.5;

/** The memory limit of the container in deploy/kubernetes, and the heap that Node.js takes of it. */
const CONTAINER_BYTES = 512 * MEBIBYTE;
const CONTAINER_HEAP = '--max-old-space-size=256';

describe('faults between the exporter and a real Prometheus', function () {
  this.timeout(180_000);

  let prometheus: SmallPrometheus;
  let proxy: FaultProxy;
  let service: ServiceProcess;
  let usual: readonly string[];
  let held: Held;

  const expectUsual = (text: string) => {
    expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(1);
    expect(podsIn(text)).to.deep.equal(usual);
    expect(flaggedIn(text)).to.deep.equal([CULPRIT]);
  };

  /** All scrapes of a minute share what was answered for it. */
  const scrapeAnotherMinute = async (limit?: number) => {
    await service.turnMinute();
    return scrape(service.url, limit);
  };

  before(async function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
    const cluster = new SmallCluster([...namedPods(6), ...namedPods(4, 'till')]);
    cluster.misbehave('cart-3', Date.now() / 1000 - 240);
    usual = cluster.pods.map(({ namespace, pod }) => `${namespace}/${pod}`);
    prometheus = await startSmallPrometheus(cluster);
    proxy = await startFaultProxy(prometheus.url);
    const settings = {
      PROMETHEUS_URL: proxy.url,
      REQUEST_TIMEOUT_SECONDS: String(REQUEST_TIMEOUT_SECONDS),
      IFOREST_N_ESTIMATORS: '25',
      // Not while the tests run.
      RETRAIN_SCHEDULE: '0 4 29 2 *',
      HISTORY_DAYS: '0',
    };
    service = await startServiceProcess(settings, [CONTAINER_HEAP]);
    await untilTrained(service.url);
    for (let round = 0; round < 20; round++) expectUsual(await scrapeAnotherMinute());
    held = await service.measure();
  });

  afterEach(() => proxy.switchTo(undefined));

  after(async () => {
    await service?.kill();
    await proxy?.close();
    await prometheus?.close();
  });

  /** What a person can read of it. */
  const said = async (text: string) => {
    const { prometheus: upstream, last_pass: pass } = await healthOf(service.url);
    return [text, upstream.last_error?.message, ...(pass?.warnings ?? [])].join('\n');
  };

  for (const { name, fault, pods, says, sees, lasts } of UPSTREAM_FAULTS) {
    it(`survives a Prometheus that ${name}`, async () => {
      await proxy.switchTo(fault);
      const limit = lasts ? SHORT_TIMEOUT_SECONDS : undefined;
      await service.turnMinute();
      const texts = await Promise.all([scrape(service.url, limit), scrape(service.url, limit)]);
      const report = await said(texts[0]);
      expect(report).to.match(says);
      // The docs quote the message. On a slow machine it can be a timeout instead, where `says` allows that.
      const quotes = [...sees.matchAll(/“([^”]+)”/g)].map(([, quote = '']) => quote);
      if (!/No result within/.test(report)) for (const quote of quotes) expect(report).to.include(quote);
      texts.push(await scrape(service.url, limit));
      for (const text of texts) {
        if (pods === 'none') {
          expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(0);
          expectNoPods(text);
        } else {
          const expected = pods.of(usual);
          expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(1);
          expect(podsIn(text)).to.have.members(expected);
          // Whoever is flagged was flagged before, under this name or under the one that the fault gave it.
          expect(flaggedIn(text).filter((pod) => !pod.startsWith(CULPRIT))).to.deep.equal([]);
          if (expected.includes(CULPRIT)) expect(flaggedIn(text)).to.deep.equal([CULPRIT]);
        }
      }
      const check = spawnSync('promtool', ['check', 'metrics'], { input: texts[0] });
      expect(check.status, check.stderr.toString()).to.equal(0);

      await proxy.switchTo(undefined);
      // After a failure the same minute is asked for again.
      expectUsual(await (pods === 'none' ? scrape(service.url) : scrapeAnotherMinute()));
      await eventually(() => expect(proxy.open, 'requests that nobody waits for').to.equal(0));
    });
  }

  it('kept no memory and no handle of them, and never needed more than a container has', async () => {
    const { heapBytes, externalBytes, peakBytes } = await service.measure();
    expect(heapBytes - held.heapBytes, 'heap').to.be.below(3 * MEBIBYTE);
    expect(externalBytes - held.externalBytes, 'outside of the heap').to.be.below(2 * MEBIBYTE);
    expect(peakBytes, 'peak').to.be.below(CONTAINER_BYTES);
    // Each query of a pass may have left a connection that is kept for the next one, beside that of the last scrape.
    await eventually(async () => {
      const { TCPSocketWrap: sockets = 0, ...others } = (await service.measure()).handles;
      const { TCPSocketWrap: _socketsBefore, ...othersBefore } = held.handles;
      expect(others).to.deep.equal(othersBefore);
      expect(sockets, 'connections').to.be.at.most(QUERIES_OF_A_PASS + 1);
    });
  });

  it('left nothing that keeps the process alive', async () => {
    expect(await service.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
