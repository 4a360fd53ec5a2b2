import { expect } from 'chai';
import { detect, instantsUpTo, RECENT_STEP_SECONDS, recentSecondsOf } from '../../../src/exporter/detection/detect.js';
import { FeatureTableBuilder } from '../../../src/exporter/features/table-builder.js';
import { WARM_UP_SECONDS } from '../../../src/exporter/model/measure.js';
import { countKept, type Model } from '../../../src/exporter/model/model.js';
import { decodeModel, encodeModel } from '../../../src/exporter/model/snapshot/codec.js';
import {
  modelLifeSeconds,
  TrainingDataError,
  type TrainingRequest,
  train,
} from '../../../src/exporter/training/job.js';
import { fakeApi } from '../../support/fake-api.js';
import { TRAINING_FAULTS, type TrainingFaultName } from '../../support/faults.js';
import { countOwnBaselines, workloadsOf } from '../../support/models.js';
import { rejection } from '../../support/rejection.js';
import { type Answer, SmallCluster, topicOf } from '../../support/small-cluster.js';
import { hourRequest } from '../../support/training-request.js';

const caseOf = (name: TrainingFaultName) => `${name}: ${TRAINING_FAULTS[name]}`;

const NOON = 1_767_268_800;
const MINUTE = 60;
const INTERVAL = 15 * MINUTE;
const LIFE = modelLifeSeconds(INTERVAL);

const NAMES = ['cart', 'till', 'search', 'mail', 'login', 'stock', 'price', 'image', 'queue', 'report'];
const PODS = [
  ...[...NAMES, 'database'].map((name) => ({ namespace: 'shop', pod: `${name}-0`, owner: name })),
  ...[0, 1, 2].map((broker) => ({ namespace: 'shop', pod: `queues-${broker}`, owner: 'queues' })),
];
/** One pod is hundreds of times larger than the others, and one many times larger than its siblings; they always were. */
const cluster = new SmallCluster(PODS);
cluster.misbehave('database-0', Number.NEGATIVE_INFINITY, 300);
cluster.misbehave('queues-0', Number.NEGATIVE_INFINITY, 50);

/** Which samples a server has: by topic of the query, time and pod. */
type Has = (timeSeconds: number, pod: string, topic: string) => boolean;
const ALL: Has = () => true;

const answerOf =
  (has: Has): Answer =>
  (query, timeSeconds) =>
    cluster.answer(query, timeSeconds).filter(({ labels }) => has(timeSeconds, labels.pod ?? '', topicOf(query)));

async function trainAt(minute: number, has: Has, previous?: Model, changes: Partial<TrainingRequest> = {}) {
  const request = hourRequest(NOON + minute * MINUTE, { untilNextTrainingSeconds: INTERVAL, ...changes });
  return train(fakeApi(answerOf(has)), request, undefined, previous);
}

/** The pods that a pass scores with a model. */
async function scoresAt(minute: number, model: Model, has: Has) {
  const nowSeconds = NOON + minute * MINUTE;
  const api = fakeApi(answerOf(has));
  const builder = new FeatureTableBuilder(model.features, instantsUpTo(nowSeconds));
  for (const feature of model.features) {
    const startSeconds = nowSeconds - recentSecondsOf(feature);
    const range = { startSeconds, endSeconds: nowSeconds, stepSeconds: RECENT_STEP_SECONDS };
    builder.add(feature, await api.queryRange({ query: feature.query, ...range }));
  }
  const workloadOf = (_: string, pod: string) => pod.replace(/-\d$/, '');
  const built = builder.build(workloadOf, { idleReasonOf: () => undefined, warmUpSeconds: WARM_UP_SECONDS });
  return detect(model, built);
}

async function scoredAt(minute: number, model: Model, has: Has = ALL): Promise<string[]> {
  return (await scoresAt(minute, model, has)).table.pods.map(({ pod }) => pod);
}

async function flaggedAt(minute: number, model: Model, has: Has = ALL): Promise<string[]> {
  const { table, scores } = await scoresAt(minute, model, has);
  return table.pods.filter((_, row) => (scores[row] as number) > 0).map(({ pod }) => pod);
}

const NOTHING = { pods: 0, absent_pods: 0, workloads: 0 };

describe('a training that finds less than the one before', () => {
  let good: Model;

  before(async () => {
    ({ model: good } = await trainAt(0, ALL));
    expect(countOwnBaselines(good)).to.equal(PODS.length);
    expect(countKept(good)).to.deep.equal(NOTHING);
    expect(await flaggedAt(2, good)).to.deep.equal([]);
  });

  const since =
    (minute: number): Has =>
    (time) =>
      time >= NOON + minute * MINUTE;
  const CASES: readonly { readonly what: TrainingFaultName; readonly minute: number; readonly has: Has }[] = [
    {
      what: 'Prometheus was down for 45 minutes',
      minute: 60,
      has: (time) => time <= NOON || time >= NOON + 45 * MINUTE,
    },
    {
      what: 'Prometheus was down for 55 minutes',
      minute: 65,
      has: (time) => time <= NOON || time >= NOON + 55 * MINUTE,
    },
    { what: 'the database of Prometheus has lost its past', minute: 30, has: since(22) },
    { what: 'a replica of Prometheus answers that has no past', minute: 15, has: since(12) },
    {
      what: 'one kubelet was out of reach for 48 minutes',
      minute: 60,
      has: (time, pod) => pod !== 'database-0' || time >= NOON + 48 * MINUTE,
    },
  ];
  for (const { what, minute, has } of CASES) {
    it(caseOf(what), async () => {
      const alone = await trainAt(minute, has);
      expect(await flaggedAt(minute + 2, alone.model), 'without the model of before').to.include('database-0');
      const { model, warnings } = await trainAt(minute, has, good);
      expect(await flaggedAt(minute + 2, model)).to.deep.equal([]);
      expect(countKept(model).pods).to.be.above(0);
      expect(warnings.join()).to.match(/keeps? the usual values of an earlier training.*They count for 3/);
    });
  }

  it(caseOf('a store with half of the pods does not answer'), async () => {
    const half: Has = (_, pod) => /^(database|cart|till|mail|login|queue-|queues-0)/.test(pod) === false;
    const alone = await trainAt(15, half);
    expect(await flaggedAt(25, alone.model), 'without the model of before').to.include('database-0');
    const { model, warnings } = await trainAt(15, half, good);
    expect(countKept(model)).to.deep.equal({ pods: 0, absent_pods: 7, workloads: 6 });
    expect(model.pods).to.equal(PODS.length - 7);
    expect(warnings.join()).to.match(
      /^7 of 14 pods of the training before are not found any more.*should they come back/,
    );
    expect(await flaggedAt(25, model)).to.deep.equal([]);
    // The next answers are whole again, but have no past.
    const { model: next } = await trainAt(30, since(22), decodeModel(encodeModel(model)));
    expect(countKept(next)).to.deep.equal({ ...NOTHING, pods: PODS.length, workloads: 12 });
    expect(await flaggedAt(32, next)).to.deep.equal([]);
  });

  it('keeps the usual values of a pod that is out of reach and then comes back, also when it is unlike its siblings', async () => {
    const has: Has = (time, pod) => pod !== 'queues-0' || time <= NOON || time >= NOON + 100 * MINUTE;
    let model = good;
    for (const minute of [15, 30, 45, 60, 75, 90]) ({ model } = await trainAt(minute, has, model));
    expect(countKept(model)).to.deep.equal({ ...NOTHING, absent_pods: 1 });
    // It was not there before, so it is not judged by its first minutes.
    expect(await scoredAt(103, model, has)).not.to.include('queues-0');
    expect(await scoredAt(110, model, has)).to.include('queues-0');
    expect(await flaggedAt(110, model, has)).to.deep.equal([]);
  });

  it('keeps what a training knew of half an hour when there are minutes left', async () => {
    const { model: short } = await trainAt(60, since(27), good);
    expect(countKept(short)).to.deep.equal(NOTHING);
    // More than half of what was known, and too little for statistics.
    const { model } = await trainAt(75, since(57), short);
    expect(countKept(model)).to.deep.equal({ ...NOTHING, pods: PODS.length, workloads: 12 });
    expect(await flaggedAt(77, model)).to.deep.equal([]);
  });

  it('goes on keeping it from training to training, and learns anew when enough has come', async () => {
    const has = since(10);
    const kept: number[] = [];
    let model = good;
    for (let minute = 15; minute <= 75; minute += 15) {
      ({ model } = await trainAt(minute, has, model));
      kept.push(countKept(model).pods);
      expect(await flaggedAt(minute + 2, model), `minute ${minute}`).to.deep.equal([]);
    }
    // Half of an hour is there 30 minutes after the loss.
    expect(kept).to.deep.equal([PODS.length, PODS.length, 0, 0, 0]);
  });

  it('keeps more than half of what was known while kubelets are out of reach for longer than a window', async () => {
    const has: Has = (time) => time <= NOON || time >= NOON + 70 * MINUTE;
    let model = good;
    for (const minute of [15, 30, 45]) ({ model } = await trainAt(minute, has, model));
    // No sample for an hour: these fail, and the model stays.
    await rejection(trainAt(61, has, model), TrainingDataError);
    ({ model } = await trainAt(80, has, model));
    expect(await flaggedAt(82, model)).to.deep.equal([]);
  });

  it('forgets what is older than three hours', async () => {
    const minute = LIFE / MINUTE + 10;
    const has = since(minute - 8);
    const { model } = await trainAt(minute, has, good);
    expect(countKept(model)).to.deep.equal(NOTHING);
    const { model: earlier } = await trainAt(minute - 10, since(minute - 18), good);
    expect(countKept(earlier).pods).to.equal(PODS.length);
    // What was kept does not become younger by it.
    expect(countKept((await trainAt(minute, has, earlier)).model)).to.deep.equal(NOTHING);
  });

  it('does not warn of pods that have ended, and forgets them', async () => {
    const ended: Has = (time, pod) => pod !== 'mail-0' || time < NOON + 20 * MINUTE;
    let model = good;
    const said: string[] = [];
    const counts: number[] = [];
    for (let minute = 15; minute <= LIFE / MINUTE + 75; minute += 15) {
      const trained = await trainAt(minute, ended, model);
      model = trained.model;
      said.push(...trained.warnings);
      counts.push(countKept(model).absent_pods);
    }
    expect(said).to.deep.equal([]);
    // While the window has enough of it, the pod is one of those that the workload was.
    expect(counts.join('')).to.match(/^0+1+0$/);
    expect(countKept(model)).to.deep.equal(NOTHING);
  });

  it('keeps nothing in a cluster without gaps', async () => {
    const { model: steady } = await trainAt(60, ALL, good);
    expect(encodeModel(steady)).to.deep.equal(encodeModel((await trainAt(60, ALL)).model));
  });

  it(caseOf('kube-state-metrics has no owners'), async () => {
    const owned = new SmallCluster([{ namespace: 'shop', pod: 'cart-abcde', owner: 'cart-of-the-shop' }, ...PODS]);
    const requestAt = (nowSeconds: number) => hourRequest(nowSeconds, { untilNextTrainingSeconds: INTERVAL });
    const { model } = await train(fakeApi(owned.answer), requestAt(NOON));
    for (const topic of ['kube_pod_owner', 'kube_replicaset_owner', 'kube_job_owner'] as const) owned.silent.add(topic);
    const { model: next } = await train(fakeApi(owned.answer), requestAt(NOON + INTERVAL), undefined, model);
    expect(workloadsOf(next)).to.include({ 'shop/cart-abcde': 'cart-of-the-shop' });
  });

  it(caseOf('kube-state-metrics has no restarts'), async () => {
    const has: Has = (_, __, topic) => topic !== 'restarts';
    const { message } = await rejection(trainAt(15, has, good), TrainingDataError);
    expect(message).to.match(/restarts\. Check .*kube-state-metrics.*From 2026-01-01T15:00:00\.000Z on/);
    const { model, warnings } = await trainAt(LIFE / MINUTE + 1, has, good);
    expect(model.features.map(({ name }) => name)).to.deep.equal(['cpu', 'memory']);
    expect(warnings.join()).to.include('training without it');
  });
});
