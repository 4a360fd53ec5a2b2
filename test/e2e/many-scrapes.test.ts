import { expect } from 'chai';
import { createRandom } from '../../src/exporter/model/random.js';
import { exposedValue } from '../support/exposition.js';
import { upstreamOf } from '../support/fake-prometheus.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { UPSTREAM_FAULTS, type UpstreamFault } from '../support/faults.js';
import type { Held } from '../support/measured-service.js';
import { expectNoPods, flaggedIn, healthOf, podsIn, scrape, untilTrained } from '../support/scraping.js';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.js';
import { type Answer, namedPods, SmallCluster } from '../support/small-cluster.js';

const CULPRIT = 'shop/cart-3';

/** Another one, another order of faults. */
const SEED = Number(process.env.FAULTS_SEED ?? 1);

/** Fewer to try, more to be sure. */
const SCRAPES = Number(process.env.FAULTS_SCRAPES ?? 10_000);

/** So many come at once, as from several replicas of a Prometheus: they share a pass. */
const AT_ONCE = 4;

/** How long a fault lasts at most, in passes. */
const LONGEST_FAULT = 5;

/** These move tens of megabytes each time: a few of them are enough. */
const HEAVY = /never ends|bomb|million levels/;

/** Nobody shall wait long for what ends by a timeout; the others get their answer at once. */
const SHORT_TIMEOUT_SECONDS = 0.1;

/**
 * By so much the clock is set back, in turn. Three times: where scrapes give up early, one reading of a fault may be
 * remembered while the last outcome is of the minute before it. The next minute must be neither of the two.
 */
const CLOCK_SHIFTS_MILLISECONDS = [-120_000, -240_000, 0];

const MEBIBYTE = 1024 * 1024;

/** A leak of 400 bytes a scrape is found. */
const GROWTH_LIMIT_BYTES = 3 * MEBIBYTE;

/** @param what was done in between; written with the figures, as `docs/faults.md` quotes them. */
function expectSameHeld(what: string, first: Held, last: Held): void {
  const [before, after] = [first, last].map(({ heapBytes, externalBytes }) => heapBytes + externalBytes);
  const [from, to] = [before, after].map((bytes) => ((bytes ?? 0) / MEBIBYTE).toFixed(1));
  process.stdout.write(`      ${what}: from ${from} to ${to} MiB\n`);
  expect((after ?? 0) - (before ?? 0), 'growth in bytes').to.be.below(GROWTH_LIMIT_BYTES);
  for (const [name, count] of Object.entries(last.handles)) {
    // A kept connection more or less, or a training under way.
    expect(count, name).to.be.at.most((first.handles[name] ?? 0) + 3);
  }
}

describe('many scrapes', function () {
  this.timeout(600_000);

  let cluster: SmallCluster;
  let proxy: FaultProxy;
  let service: ServiceProcess;

  beforeEach(async () => {
    cluster = new SmallCluster([...namedPods(6), ...namedPods(4, 'till')]);
    cluster.misbehave('cart-3', Date.now() / 1000 - 180);
    proxy = await startFaultProxy(upstreamOf(answer));
  });

  /** The values of whole minutes, each made once: the exporter shall have the time of the machine, not this fake. */
  const answers = new WeakMap<SmallCluster, Map<string, ReturnType<Answer>>>();
  const answer: Answer = (query, timeSeconds) => {
    const known = answers.get(cluster) ?? new Map<string, ReturnType<Answer>>();
    answers.set(cluster, known);
    const minute = Math.floor(timeSeconds / 60) * 60;
    const key = `${minute} ${query}`;
    const samples = known.get(key) ?? cluster.answer(query, minute);
    known.set(key, samples);
    return samples;
  };

  afterEach(async () => {
    await service?.kill();
    await proxy.close();
  });

  const start = async (schedule: string) => {
    service = await startServiceProcess({
      PROMETHEUS_URL: proxy.url,
      REQUEST_TIMEOUT_SECONDS: '5',
      IFOREST_N_ESTIMATORS: '10',
      RETRAIN_SCHEDULE: schedule,
      HISTORY_DAYS: '0',
    });
    await untilTrained(service.url);
  };

  it(`keeps no memory and no handle over ${SCRAPES} of them, with faults at random (seed ${SEED})`, async () => {
    const random = createRandom(SEED);
    await start('*/20 * * * * *');
    const usual = cluster.pods.map(({ namespace, pod }) => `${namespace}/${pod}`);
    const heavy = UPSTREAM_FAULTS.filter(({ name }) => HEAVY.test(name));
    const light = UPSTREAM_FAULTS.filter(({ name }) => !HEAVY.test(name));
    const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;

    const expectAnswer = (text: string, fault: UpstreamFault | undefined) => {
      const up = exposedValue(text, 'k8s_anomaly_detector_up');
      if (up === 0) expectNoPods(text);
      const named = podsIn(text);
      const expected = fault === undefined ? usual : fault.pods === 'none' ? [] : fault.pods.of(usual);
      // A short timeout may end any pass, and must then name no pod.
      if (up === 1) expect(named).to.have.members(expected);
      if (fault === undefined) expect(up, 'after the fault').to.equal(1);
      for (const pod of flaggedIn(text)) expect(pod.startsWith(CULPRIT), pod).to.equal(true);
    };

    const scrapeAtOnce = (timeout?: number) =>
      Promise.all(Array.from({ length: AT_ONCE }, () => scrape(service.url, timeout)));

    let turns = 0;
    const turnMinute = () =>
      service.shiftClock(CLOCK_SHIFTS_MILLISECONDS[turns++ % CLOCK_SHIFTS_MILLISECONDS.length] ?? 0);

    let scrapes = 0;
    let faults = 0;
    const measured: Held[] = [];
    while (scrapes < SCRAPES) {
      // One heavy fault in fifty.
      const fault = faults % 50 === 49 ? pick(heavy) : pick(light);
      faults++;
      await proxy.switchTo(fault.fault);
      await turnMinute();
      const timeout = fault.lasts ? SHORT_TIMEOUT_SECONDS : undefined;
      const length = HEAVY.test(fault.name) ? 1 : 1 + Math.floor(random() * LONGEST_FAULT);
      for (let round = 0; round < length; round++, scrapes += AT_ONCE) {
        for (const text of await scrapeAtOnce(timeout)) expectAnswer(text, fault);
      }
      await proxy.switchTo(undefined);
      // After a failure the same minute is asked for again.
      if (fault.pods !== 'none') await turnMinute();
      for (let round = 0; round < length; round++, scrapes += AT_ONCE) {
        for (const text of await scrapeAtOnce()) expectAnswer(text, undefined);
      }
      if (scrapes > (SCRAPES / 5) * (measured.length + 1)) measured.push(await service.measure());
    }
    measured.push(await service.measure());
    const [first, last] = [measured[0] as Held, measured.at(-1) as Held];
    expectSameHeld(`${scrapes} scrapes, ${faults} faults`, first, last);
  });

  it('keeps nothing of pods that are gone, with other pods at each scrape and a training every two seconds', async () => {
    await start('*/2 * * * * *');
    let generation = 0;
    const churn = () => {
      generation++;
      cluster = new SmallCluster([
        ...namedPods(6),
        ...Array.from({ length: 10 }, (_, index) => ({
          namespace: `team-${generation % 7}`,
          pod: `worker-${generation}-${index}`,
          owner: `worker-${generation}`,
        })),
      ]);
    };
    const measured: Held[] = [];
    for (let round = 0; round < 5; round++) {
      for (let scrapes = 0; scrapes < 200; scrapes++) {
        churn();
        await service.turnMinute();
        const text = await scrape(service.url);
        expect(podsIn(text)).to.have.lengthOf(16);
      }
      measured.push(await service.measure());
    }
    const { runs, failures } = (await healthOf(service.url)).training;
    expect(runs, 'trainings').to.be.above(3);
    expect(failures).to.equal(0);
    const [first, last] = [measured[0] as Held, measured.at(-1) as Held];
    expectSameHeld(`${generation} scrapes, ${generation * 10} pods, ${runs} trainings`, first, last);
  });
});
