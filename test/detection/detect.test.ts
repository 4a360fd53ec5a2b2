import { expect } from 'chai';
import { detect } from '../../src/detection/detect.js';
import { type BuiltTable, FeatureTableBuilder } from '../../src/features/table.js';
import { workloadFromName } from '../../src/features/workload.js';
import type { Model } from '../../src/model/model.js';
import { train } from '../../src/training/job.js';
import { fakeApi } from '../support/fake-api.js';
import { type FakePod, FEATURES, namedPods, PARAMETERS, SmallCluster } from '../support/small-cluster.js';

const NOON = 1_767_268_800;
const NOW = NOON + 90;

/** The present of a cluster as a table, in the order in which the pods stand. */
async function tableOf(cluster: SmallCluster): Promise<BuiltTable> {
  const api = fakeApi(cluster.answer);
  const builder = new FeatureTableBuilder(FEATURES, Float64Array.of(NOW));
  for (const feature of FEATURES) {
    const { signal } = new AbortController();
    builder.add(feature, await api.query({ query: feature.query, timeSeconds: NOW, signal }));
  }
  return builder.build((_, pod) => workloadFromName(pod));
}

const podsInDisorder: readonly FakePod[] = [
  { namespace: 'shop', pod: 'till-1' },
  { namespace: 'bank', pod: 'vault-0' },
  { namespace: 'shop', pod: 'Cart-0' },
  { namespace: 'shop', pod: 'cart-10' },
  { namespace: 'shop', pod: 'cart-2' },
];

describe('detect', () => {
  let cluster: SmallCluster;
  let model: Model;

  beforeEach(async () => {
    cluster = new SmallCluster(podsInDisorder);
    const request = {
      features: FEATURES,
      parameters: PARAMETERS,
      lookbackSeconds: 3600,
      stepSeconds: 60,
      nowSeconds: NOON,
    };
    ({ model } = await train(fakeApi(cluster.answer), request, new AbortController().signal));
  });

  it('gives the pods sorted by namespace, then name, whatever the order of the answers', async () => {
    const { table, scores, expected, deviations, timeSeconds } = detect(model, await tableOf(cluster));
    expect(table.pods.map(({ namespace, pod }) => `${namespace}/${pod}`)).to.deep.equal([
      'bank/vault-0',
      'shop/Cart-0',
      'shop/cart-10',
      'shop/cart-2',
      'shop/till-1',
    ]);
    expect(timeSeconds).to.equal(NOW);
    expect(scores).to.have.lengthOf(5);
    expect(expected).to.have.lengthOf(15);
    expect(deviations).to.have.lengthOf(15);
    cluster.pods.reverse();
    expect(detect(model, await tableOf(cluster)).scores).to.deep.equal(scores);
  });

  it('scores the pod that misbehaves above 0, and the others below', async () => {
    cluster.misbehave('cart-2', NOW);
    const { table, scores, deviations, expected } = detect(model, await tableOf(cluster));
    const flagged = table.pods.filter((_, row) => (scores[row] as number) > 0).map(({ pod }) => pod);
    expect(flagged).to.deep.equal(['cart-2']);
    // Ten times the usual CPU, at a spread of a tenth of it.
    const cell = 3 * FEATURES.length;
    expect((table.values[cell] as number) / (expected[cell] as number)).to.be.closeTo(10, 1);
    expect(deviations[cell]).to.be.closeTo(90, 10);
    for (const score of scores) expect(score).to.be.within(-1, 1);
  });

  it('measures scores from the threshold of the model', async () => {
    const table = await tableOf(cluster);
    const { scores } = detect(model, table);
    const stricter = detect({ ...model, threshold: model.threshold - 0.25 }, table).scores;
    stricter.forEach((score, row) => {
      expect(score).to.be.closeTo((scores[row] as number) + 0.25, 1e-12);
    });
  });

  it('scores each pod as if it were alone', async () => {
    cluster.misbehave('till-1', NOW);
    const together = detect(model, await tableOf(cluster));
    for (const [row, { namespace, pod }] of together.table.pods.entries()) {
      const alone = new SmallCluster([{ namespace, pod }]);
      if (pod === 'till-1') alone.misbehave(pod, NOW);
      const { scores } = detect(model, await tableOf(alone));
      expect([...scores], pod).to.deep.equal([together.scores[row]]);
    }
  });

  it('leaves pods without a required feature out, and counts them', async () => {
    const answer = cluster.answer;
    const withoutCpu = new SmallCluster();
    Object.defineProperty(withoutCpu, 'answer', {
      value: ((query, timeSeconds) =>
        answer(query, timeSeconds).filter(
          ({ labels }) => labels.pod !== 'till-1' || !query.includes('cpu_usage'),
        )) satisfies typeof answer,
    });
    const { table, scores, unscored } = detect(model, await tableOf(withoutCpu));
    expect(table.pods.map(({ pod }) => pod)).not.to.include('till-1');
    expect(scores).to.have.lengthOf(4);
    expect([...unscored]).to.deep.equal([['missing_cpu', 1]]);
  });

  it('passes on what was left out of the table', async () => {
    const built = await tableOf(cluster);
    const unscored = new Map([['completed', 3]]);
    const droppedSeries = new Map([['unlabelled', 7]]);
    const detection = detect(model, { ...built, unscored, droppedSeries });
    expect(detection).to.include({ unscored, droppedSeries, model });
  });

  it('scores a pod that the model has not seen, by its workload or else by the fleet', async () => {
    cluster.pods.push({ namespace: 'shop', pod: 'cart-7' }, { namespace: 'new', pod: 'thing-0' });
    const { table, scores } = detect(model, await tableOf(cluster));
    expect(table.pods.map(({ pod }) => pod)).to.include.members(['cart-7', 'thing-0']);
    for (const score of scores) expect(score).to.be.within(-1, 1);
  });

  it('scores nothing when there is nothing', async () => {
    const { table, scores, timeSeconds } = detect(model, await tableOf(new SmallCluster([])));
    expect(table.pods).to.deep.equal([]);
    expect(scores).to.have.lengthOf(0);
    expect(timeSeconds).to.equal(NOW);
  });

  it('finds the same in a namespace of its own for two pods of the same name', async () => {
    const twins = new SmallCluster([...namedPods(1, 'vault', 'bank'), { namespace: 'shop', pod: 'vault-0' }]);
    const { table } = detect(model, await tableOf(twins));
    expect(table.pods.map(({ namespace }) => namespace)).to.deep.equal(['bank', 'shop']);
  });
});
