import { expect } from 'chai';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { type RunningService, startService } from '../../src/exporter/serve.js';
import { shardOf } from '../../src/exporter/sharding/shard.js';
import { buildAnnotationQuery } from '../../src/exporter/tuning/annotation-query.js';
import type { RunningServer } from '../../src/tools/demo/listen.js';
import { startRealPrometheus } from '../../src/tools/demo/real-prometheus.js';
import { exposedValue, samplesOf } from '../support/exposition.js';
import { get } from '../support/http-client.js';
import { closeServers, readBody, startServer } from '../support/http-server.js';
import { requireTool } from '../support/real-tools.js';
import { recordingLogger } from '../support/recording-logger.js';
import { namedPods, SmallCluster } from '../support/small-cluster.js';
import { smallClusterHistory } from '../support/small-cluster-history.js';
import { eventually } from '../support/waiting.js';

const TOTAL = 3;
const NAMESPACES = Array.from({ length: 14 }, (_, index) => `team-${index}`);
const CULPRITS = ['team-0-app-1', 'team-3-app-0', 'team-4-app-4', 'team-9-app-2', 'team-13-app-3'];
const NEWCOMER = 'newcomer';

/** One question to Prometheus, and the namespaces that it answered with. */
interface Question {
  readonly query: string;
  readonly namespaces: readonly string[];
}

describe('three shards on a real Prometheus', function () {
  this.timeout(240_000);

  let prometheus: RunningServer;
  let whole: RunningService;
  const shards: RunningService[] = [];
  const asked: Question[][] = [];
  let newcomerIsThere = false;

  /** A way to Prometheus that remembers what was asked on it. */
  const listenedWay = (questions: Question[]) =>
    startServer((request, response) => {
      void (async () => {
        const body = await readBody(request);
        const answer = await fetch(`${prometheus.url}${request.url}`, {
          method: request.method ?? 'GET',
          ...(request.method === 'POST' && { body: new URLSearchParams(body) }),
        });
        // The labels of a block on disk are known from its beginning: here the newcomer comes when the test says.
        const isHidden = !newcomerIsThere && request.url?.includes('/label/');
        const text = (await answer.text()).replace(isHidden ? `"${NEWCOMER}",` : '', '');
        const query = new URLSearchParams(body).get('query');
        if (query !== null) {
          const found = [...text.matchAll(/"namespace":"([^"]*)"/g)].map(([, name = '']) => name);
          questions.push({ query, namespaces: [...new Set(found)] });
        }
        response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(text);
      })().catch(() => response.destroy());
    });
  const start = async (environment: Record<string, string>, questions: Question[] = []) => {
    const { settings } = parseSettings({
      PROMETHEUS_URL: await listenedWay(questions),
      HOST: '127.0.0.1',
      PORT: '0',
      HISTORY_DAYS: '0',
      ...environment,
    });
    return startService(settings, recordingLogger());
  };
  const scrape = async ({ url }: RunningService) => (await get(`${url}/metrics`)).text;
  const flagsIn = (text: string) =>
    samplesOf(text, 'anomaly_flag').map(({ labels, value }) => [`${labels.namespace}/${labels.pod}`, value] as const);
  const ownOf = (ordinal: number) => NAMESPACES.filter((name) => shardOf(name, TOTAL) === ordinal);

  before(async function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
    const now = Math.floor(Date.now() / 1000);
    const cluster = new SmallCluster([...NAMESPACES, NEWCOMER].flatMap((name) => namedPods(5, `${name}-app`, name)));
    for (const pod of CULPRITS) cluster.misbehave(pod, now - 150);
    prometheus = await startRealPrometheus({
      path: process.env.PATH ?? '',
      configuration: 'global: { scrape_interval: 1m }\n',
      // It reaches into the future, so that a slow machine does not make the data old.
      history: smallClusterHistory(cluster, {
        startSeconds: now - 75 * 60,
        endSeconds: now + 600,
        stepSeconds: 15,
      }),
    });
    whole = await start({});
    for (let ordinal = 0; ordinal < TOTAL; ordinal++) {
      const questions: Question[] = [];
      asked.push(questions);
      shards.push(await start({ SHARD: String(ordinal), TOTAL_SHARDS: String(TOTAL) }, questions));
    }
    await eventually(async () => {
      for (const service of [whole, ...shards]) {
        const text = await scrape(service);
        expect(exposedValue(text, 'k8s_anomaly_detector_model_trained')).to.equal(1);
        expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(1);
      }
    }, 90_000);
  });

  after(async () => {
    for (const service of [whole, ...shards]) await service?.close();
    await prometheus?.close();
    await closeServers();
  });

  it('watch together every pod exactly once', async () => {
    const pods = (await Promise.all(shards.map(scrape))).flatMap(flagsIn).map(([pod]) => pod);
    const all = NAMESPACES.flatMap((name) => namedPods(5, `${name}-app`, name));
    expect(pods.sort()).to.deep.equal(all.map(({ namespace, pod }) => `${namespace}/${pod}`).sort());
    for (let ordinal = 0; ordinal < TOTAL; ordinal++) expect(ownOf(ordinal)).not.to.have.lengthOf(0);
  });

  it('ask for their own namespaces, and get nothing else', () => {
    asked.forEach((questions, ordinal) => {
      const own = ownOf(ordinal);
      // Few objects have annotations; those of other shards are discarded.
      const aboutAll = buildAnnotationQuery({ namespaceRegex: '.*' });
      const narrowed = questions.filter(({ query }) => query !== aboutAll);
      const ofPods = narrowed.filter(({ query }) => query.includes('namespace'));
      expect(ofPods.length).to.be.above(10);
      for (const { query } of ofPods) {
        // Those about flagged pods name these, and their namespaces.
        const namesPods = query.startsWith('label_replace(') || query.includes('pod=~"');
        const named = [...query.matchAll(/namespace=~"([^"]*)"/g)].flatMap(([, text = '']) => text.split('|'));
        expect(named, query).not.to.have.lengthOf(0);
        if (namesPods) expect([...own], query).to.include.members(named.filter((text) => text !== '.*'));
        else expect(query).to.include(`namespace=~"${[...own].sort().join('|')}"`);
      }
      const got = new Set(questions.flatMap(({ namespaces }) => namespaces));
      expect([...got].sort()).to.deep.equal([...own].sort());
      // What does not select namespaces selects no pods.
      const others = narrowed.filter(({ query }) => !query.includes('namespace'));
      for (const { query } of others) expect(query).not.to.match(/container_|kube_/);
    });
  });

  it('flag the pods that one process for all flags', async () => {
    const expected = new Map(flagsIn(await scrape(whole)).filter(([pod]) => !pod.startsWith(NEWCOMER)));
    const found = (await Promise.all(shards.map(scrape))).flatMap(flagsIn);
    const agreeing = found.filter(([pod, flag]) => expected.get(pod) === flag);
    expect(found).to.have.lengthOf(expected.size);
    expect(agreeing.length / found.length).to.be.at.least(0.99);
    const flagged = found.filter(([, flag]) => flag === 1).map(([pod]) => pod.split('/')[1]);
    expect(flagged).to.include.members(CULPRITS);
  });

  it('take up a new namespace, in exactly one of them', async function () {
    this.timeout(330_000);
    const count = async (service: RunningService) =>
      exposedValue(await scrape(service), 'k8s_anomaly_detector_shard_namespaces');
    const before = await Promise.all(shards.map(count));
    newcomerIsThere = true;
    const owner = shardOf(NEWCOMER, TOTAL);
    const wanted = before.map((namespaces, ordinal) => Number(namespaces) + (ordinal === owner ? 1 : 0));
    await eventually(async () => expect(await Promise.all(shards.map(count))).to.deep.equal(wanted), 150_000);
    const asksForNewcomer = (questions: readonly Question[] = []) =>
      questions.some(({ namespaces }) => namespaces.includes(NEWCOMER));
    // All scrapes of a minute share one pass: the newcomer is asked for in the next one.
    await eventually(async () => {
      await Promise.all(shards.map(scrape));
      expect(asksForNewcomer(asked[owner])).to.equal(true);
    }, 150_000);
    // By now that minute has begun for the others as well.
    await Promise.all(shards.map(scrape));
    const asking = asked.map(asksForNewcomer);
    expect(asking).to.deep.equal([0, 1, 2].map((ordinal) => ordinal === owner));
  });
});
