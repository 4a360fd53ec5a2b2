import { expect } from 'chai';
import type { Detection } from '../../../../src/exporter/detection/detection.js';
import { DetectionPass } from '../../../../src/exporter/detection/pass.js';
import { buildCatalog } from '../../../../src/exporter/features/catalog.js';
import { FeatureTable } from '../../../../src/exporter/features/table.js';
import { HistoryReader, MAXIMUM_HISTORIES } from '../../../../src/exporter/http/status-page/history-reader.js';
import type { PrometheusApi, RangeQuery } from '../../../../src/exporter/prometheus/api.js';
import { PrometheusError } from '../../../../src/exporter/prometheus/errors.js';
import { train } from '../../../../src/exporter/training/job.js';
import { type FakeApi, fakeApi } from '../../../support/fake-api.js';
import { FEATURES, namedPods, OWNER_QUERIES, PHASE_QUERIES, SmallCluster } from '../../../support/small-cluster.js';
import { hourRequest } from '../../../support/training-request.js';

const NOW = 1_767_225_600;

const request = hourRequest(NOW - 7200);

describe('HistoryReader', () => {
  let api: FakeApi;
  let cluster: SmallCluster;
  let detection: Detection;

  beforeEach(async () => {
    cluster = new SmallCluster(namedPods(25));
    cluster.misbehave('cart-3', NOW - 20 * 60);
    api = fakeApi(cluster.answer);
    const { model } = await train(api, request, new AbortController().signal);
    const pass = new DetectionPass({
      api,
      ownerQueries: OWNER_QUERIES,
      phaseQueries: PHASE_QUERIES,
      model: () => model,
      timeoutSeconds: 5,
      now: () => NOW * 1000,
      whyNoModel: () => '',
      onOutcome: () => {},
    });
    const outcome = await pass.run(undefined);
    if (outcome.kind !== 'detection') throw new Error(outcome.kind);
    ({ detection } = outcome);
    api.asked.length = 0;
  });

  const rowOf = (pod: string) => detection.table.pods.findIndex((identity) => identity.pod === pod);

  it('says since when a pod is flagged, by the data alone', async () => {
    const outcome = await new HistoryReader(api).read(detection, [rowOf('cart-3')]);
    if (outcome.kind !== 'histories') throw new Error(outcome.message);
    const history = outcome.histories.get('shop/cart-3');
    expect(history?.scores.findIndex((score) => score > 0)).to.equal(40);
    expect(history?.timestampsSeconds[40]).to.equal(NOW - 20 * 60);
    expect([...outcome.histories.keys()]).to.deep.equal(['shop/cart-3']);
  });

  it('asks one question a feature, for these pods only, about the last hour', async () => {
    await new HistoryReader(api).read(detection, [rowOf('cart-3'), rowOf('cart-4')]);
    expect(api.asked).to.have.length(FEATURES.length);
    for (const { query, startSeconds, endSeconds } of api.asked) {
      expect(query).to.contain('{namespace=~"shop",pod=~"cart-3|cart-4",');
      expect(endSeconds - startSeconds).to.equal(query.includes('restarts') ? 79 * 60 : 70 * 60);
      expect(endSeconds).to.equal(NOW);
    }
  });

  it('asks for pods by their name alone where series have another label for the namespace', async () => {
    const options = { namespaceRegex: '.*', podLabel: 'exported_pod', cpuRateWindow: '1m' };
    const features = buildCatalog({ ...options, namespaceLabel: 'exported_namespace' });
    const model = { ...detection.model, features };
    await new HistoryReader(api).read({ ...detection, model }, [rowOf('cart-3')]);
    const [cpu = '', , restarts = ''] = api.asked.map(({ query }) => query);
    expect(cpu).to.contain('{exported_pod=~"cart-3",exported_container!=""');
    expect(cpu).to.not.contain('namespace=~"shop"');
    expect(restarts).to.contain('{namespace=~"shop",pod=~"cart-3",');
  });

  it('asks for their siblings as well where the model compares with them, up to a hundred', async () => {
    const model = { ...detection.model, remembers: true };
    await new HistoryReader(api).read({ ...detection, model }, [rowOf('cart-3')]);
    for (const pod of namedPods(25)) expect(api.asked[0]?.query).to.match(new RegExp(`[|"]${pod.pod}[|"]`));
    api.asked.length = 0;
    const pods = namedPods(102).map(({ namespace, pod }) => ({ namespace, pod, workload: 'cart' }));
    const values = new Float64Array(pods.length * FEATURES.length);
    const table = new FeatureTable({ ...detection.table, pods, values });
    await new HistoryReader(api).read({ ...detection, model, table }, [3]);
    expect(api.asked[0]?.query).to.contain('pod=~"cart-3",');
  });

  it('escapes names in the expressions', async () => {
    const pods = detection.table.pods.map((identity) => ({ ...identity, pod: 'a.b"c\\d|.*' }));
    await new HistoryReader(api).read({ ...detection, table: new FeatureTable({ ...detection.table, pods }) }, [0]);
    expect(api.asked[0]?.query).to.contain(String.raw`pod=~"a\\.b\"c\\\\d\\|\\.\\*"`);
  });

  it('shares an answer among those who ask at the same time, and after', async () => {
    const reader = new HistoryReader(api);
    const [first, second] = await Promise.all([reader.read(detection, [0, 1]), reader.read(detection, [0, 1])]);
    expect(await reader.read(detection, [0, 1]))
      .to.equal(first)
      .and.to.equal(second);
    expect(api.asked).to.have.length(FEATURES.length);
    await reader.read({ ...detection, timeSeconds: NOW + 60 }, [0, 1]);
    expect(api.asked).to.have.length(2 * FEATURES.length);
  });

  it('bounds the pods and the questions at the same time', async () => {
    const reader = new HistoryReader(api);
    const all = detection.table.pods.map((_, row) => row);
    const outcomes = await Promise.all([
      reader.read(detection, all),
      reader.read(detection, [0]),
      reader.read(detection, [1]),
    ]);
    expect(outcomes.map(({ kind }) => kind)).to.deep.equal(['histories', 'histories', 'failed']);
    expect(outcomes[0]).to.have.property('histories').with.property('size', MAXIMUM_HISTORIES);
    expect((await reader.read(detection, [1])).kind).to.equal('histories');
  });

  it('gives up after its time and says why', async () => {
    api.before = () => new Promise(() => {});
    const outcome = await new HistoryReader(api, 0.02).read(detection, [0]);
    expect(outcome).to.deep.equal({ kind: 'failed', message: 'The fake gave up on its signal.' });
  });

  it('asks again after a failure', async () => {
    const reader = new HistoryReader(api);
    api.before = () => {
      throw new PrometheusError('unavailable', 'The disk is full.');
    };
    const failed = await Promise.all([reader.read(detection, [0]), reader.read(detection, [0])]);
    expect(failed.map(({ kind }) => kind)).to.deep.equal(['failed', 'failed']);
    expect(api.asked, 'shared while it lasts').to.have.length(FEATURES.length);
    api.before = () => {};
    expect((await reader.read(detection, [0])).kind).to.equal('histories');
  });

  it('marks its questions, so that their series are not remembered', async () => {
    const requests: RangeQuery[] = [];
    const noting: FakeApi = {
      ...api,
      queryRange: (request) => {
        requests.push(request);
        return api.queryRange(request);
      },
    };
    await new HistoryReader(noting).read(detection, [0]);
    expect(requests.map(({ isOneOff }) => isOneOff)).to.deep.equal(FEATURES.map(() => true));
  });

  it('keeps a pod whose replay is of other seconds, as long as the flags agree', async () => {
    const shiftedApi = (seconds: number): PrometheusApi => ({
      query: (request) => api.query(request),
      queryRange: async (request) => {
        const answer = await api.queryRange({
          ...request,
          startSeconds: request.startSeconds - seconds,
          endSeconds: request.endSeconds - seconds,
        });
        const timestampsSeconds = answer.timestampsSeconds.map((time) => time + seconds);
        return { ...answer, timestampsSeconds, shiftSeconds: seconds };
      },
    });
    const kept = async (seconds: number) => {
      const outcome = await new HistoryReader(shiftedApi(seconds)).read(detection, [rowOf('cart-3'), rowOf('cart-4')]);
      if (outcome.kind !== 'histories') throw new Error(outcome.message);
      return [...outcome.histories.keys()];
    };
    expect(await kept(30)).to.deep.equal(['shop/cart-3', 'shop/cart-4']);
    // Half an hour earlier, the culprit was not flagged.
    expect(await kept(1800)).to.deep.equal(['shop/cart-4']);
  });

  it('leaves out a pod whose replay contradicts the detection', async () => {
    const scores = detection.scores.map((score, row) => (row === 1 ? score + 0.1 : score));
    const outcome = await new HistoryReader(api).read({ ...detection, scores }, [0, 1, 2]);
    expect(outcome)
      .to.have.property('histories')
      .with.keys(`shop/${detection.table.pods[0]?.pod}`, `shop/${detection.table.pods[2]?.pod}`);
  });

  it('asks nothing for no pods', async () => {
    const outcome = await new HistoryReader(api).read(detection, []);
    expect(outcome.kind).to.equal('histories');
    expect(api.asked).to.have.length(0);
  });
});
