import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { RECENT_INSTANTS } from '../../../src/exporter/detection/detect.js';
import type { Detection, PassOutcome } from '../../../src/exporter/detection/detection.js';
import { DetectionPass, type DetectionPassOptions } from '../../../src/exporter/detection/pass.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { train } from '../../../src/exporter/training/job.js';
import { buildAnnotationQuery } from '../../../src/exporter/tuning/annotation-query.js';
import type { LayersOf } from '../../../src/exporter/tuning/rules.js';
import { type FakeApi, fakeApi, instantsOf } from '../../support/fake-api.js';
import { rejection } from '../../support/rejection.js';
import {
  type FakePod,
  FEATURES,
  OWNER_QUERIES,
  PHASE_QUERIES,
  SmallCluster,
  topicOf,
} from '../../support/small-cluster.js';
import { hourRequest } from '../../support/training-request.js';
import { eventually, gate, within } from '../../support/waiting.js';

const NOON = 1_767_268_800;

const REQUEST = hourRequest(NOON);

/** The pods with a score above 0, and what their scores are. */
const flaggedIn = ({ table, scores }: Detection): [pod: string, score: number][] =>
  table.pods.map(({ pod }, row): [string, number] => [pod, scores[row] as number]).filter(([, score]) => score > 0);

/** Fails where a pass came to something else; so the compiler knows as well. */
function expectDetection(outcome: PassOutcome): Extract<PassOutcome, { kind: 'detection' }> {
  if (outcome.kind !== 'detection') throw new Error(`Expected a detection, got ${JSON.stringify(outcome)}`);
  return outcome;
}

function expectFailure(outcome: PassOutcome): Exclude<PassOutcome, { kind: 'detection' }> {
  if (outcome.kind === 'detection') throw new Error('Expected a failure, got a detection.');
  return outcome;
}

describe('detection pass', () => {
  let cluster: SmallCluster;
  let api: FakeApi;
  let model: Model;
  let current: Model | undefined;
  let now: number;
  let told: PassOutcome[];

  const passWith = (options: Partial<DetectionPassOptions> = {}) =>
    new DetectionPass({
      api,
      ownerQueries: OWNER_QUERIES,
      phaseQueries: PHASE_QUERIES,
      model: () => current,
      timeoutSeconds: 5,
      now: () => now,
      whyNoModel: () => 'The first training has not finished yet.',
      onOutcome: (outcome) => void told.push(outcome),
      ...options,
    });
  const run = (pass: DetectionPass, scrapeTimeoutSeconds?: number) =>
    within(60_000, 'a pass', pass.run(scrapeTimeoutSeconds));
  const asked = (topic: string) => api.asked.filter(({ query }) => topicOf(query) === topic);

  before(async () => {
    const { signal } = new AbortController();
    ({ model } = await train(fakeApi(new SmallCluster().answer), REQUEST, signal));
  });

  beforeEach(() => {
    cluster = new SmallCluster();
    api = fakeApi(cluster.answer);
    current = model;
    now = (NOON + 77) * 1000;
    told = [];
  });

  it('asks for the last whole minutes of all features, in parallel', async () => {
    const all = gate();
    api.before = () => {
      if (api.asked.length === FEATURES.length) all.open();
      // Would wait for ever if one query waited for another.
      return all.opened;
    };
    const outcome = expectDetection(await run(passWith()));
    expect(api.asked.map(({ query }) => query)).to.deep.equal(FEATURES.map(({ query }) => query));
    for (const { kind, endSeconds, stepSeconds } of api.asked) {
      expect({ kind, endSeconds, stepSeconds }).to.deep.equal({
        kind: 'range',
        endSeconds: NOON + 60,
        stepSeconds: 60,
      });
    }
    expect(api.asked.map((asked) => instantsOf(asked).length)).to.deep.equal([11, 11, RECENT_INSTANTS]);
    expect(outcome.timeSeconds).to.equal(NOON + 77);
    expect(outcome.detection.timeSeconds).to.equal(NOON + 60);
    expect(outcome.detection.table.pods).to.have.lengthOf(6);
    expect(outcome.queries.map(({ query, success }) => [query, success])).to.have.deep.members([
      ['cpu', true],
      ['memory', true],
      ['restarts', true],
    ]);
  });

  it('asks for the minutes up to an offset before now, of the owners as well', async () => {
    cluster.pods.push({ namespace: 'shop', pod: 'till-0', owner: 'checkout' });
    const outcome = expectDetection(await run(passWith({ queryOffsetSeconds: 30 })));
    expect(new Set(api.asked.map(({ endSeconds }) => endSeconds))).to.deep.equal(new Set([NOON]));
    expect(outcome.detection.timeSeconds).to.equal(NOON);
    expect(outcome.timeSeconds, 'the pass itself is now').to.equal(NOON + 77);
  });

  it('asks for the features that the model has, and no others', async () => {
    cluster.silent.add('restarts');
    ({ model: current } = await train(api, REQUEST, new AbortController().signal));
    api.asked.length = 0;
    expectDetection(await run(passWith()));
    expect(api.asked.map(({ query }) => topicOf(query))).to.deep.equal(['cpu', 'memory']);
  });

  it('is one for all who ask at the same time', async () => {
    const held = gate();
    api.before = () => held.opened;
    const pass = passWith();
    const waiting = Array.from({ length: 50 }, () => run(pass));
    held.open();
    const outcomes = await Promise.all(waiting);
    expect(api.asked).to.have.lengthOf(FEATURES.length);
    expectDetection(outcomes[0] as PassOutcome);
    for (const outcome of outcomes) expect(outcome).to.equal(outcomes[0]);
    expect(told).to.have.lengthOf(1);
    expect(told[0]).to.equal(outcomes[0]);
  });

  it('is one for all who ask within a minute, and asks for two minutes once the next has begun', async () => {
    const pass = passWith();
    const first = await run(pass);
    for (const seconds of [78, 92, 107, 119.999]) {
      now = (NOON + seconds) * 1000;
      expect(await run(pass)).to.equal(first);
    }
    expect(api.asked).to.have.lengthOf(FEATURES.length);
    now = (NOON + 120) * 1000;
    const { detection } = expectDetection(await run(pass));
    expect(detection.timeSeconds).to.equal(NOON + 120);
    expect(api.asked.slice(FEATURES.length).map(instantsOf)).to.deep.equal(FEATURES.map(() => [NOON + 60, NOON + 120]));
    expect(told).to.have.lengthOf(2);
  });

  it('scores again within the minute, and asks for nothing, for other rules or when a mute time may begin', async () => {
    let rules: LayersOf = () => [];
    const pass = passWith({ tuningRules: () => rules, queryOffsetSeconds: 30 });
    const first = await run(pass);
    expect(await run(pass)).to.equal(first);
    rules = () => [{ ignore: { by: 'rule shop', value: true } }];
    const ignored = expectDetection(await run(pass));
    expect(ignored.detection.optedOut.size).to.equal(6);
    expect(ignored.queries).to.deep.equal(first.queries);
    now = (NOON + 80) * 1000;
    expect(await run(pass)).to.equal(ignored);
    // The minute of the scores began at 90 s, that of mute times at 120 s.
    now = (NOON + 119) * 1000;
    const later = expectDetection(await run(pass));
    expect(later.detection.timeSeconds).to.equal(NOON + 60);
    const asked = api.asked.length;
    now = (NOON + 121) * 1000;
    expect(await run(pass)).not.to.equal(later);
    expect(api.asked).to.have.lengthOf(asked);
  });

  it('lets mute times count by the minute, whenever somebody asks first within it', async () => {
    const window = { fromSeconds: NOON + 30, untilSeconds: NOON + 90, location: 'UTC' };
    const tuningRules = (): LayersOf => () => [{ mutes: [{ window, by: 'rule shop' }] }];
    for (const second of [10, 50]) {
      const pass = passWith({ tuningRules });
      const muted: number[] = [];
      for (const minute of [0, 1, 2]) {
        now = (NOON + 60 * minute + second) * 1000;
        muted.push(expectDetection(await run(pass)).detection.muted[0] as number);
      }
      expect(muted, `at second ${second}`).to.deep.equal([0, 1, 0]);
    }
  });

  it('is not shared where its answer was partial, or the owners of new pods could not be asked for', async () => {
    const pass = passWith();
    api.warnings = ['a store is down'];
    expect(expectDetection(await run(pass)).isPartial).to.equal(true);
    api.warnings = [];
    cluster.pods.push({ namespace: 'shop', pod: 'till-0', owner: 'checkout' });
    api.before = ({ query }) => {
      if (topicOf(query) === 'kube_replicaset_owner') throw new PrometheusError('forbidden', 'Owners are secret.');
    };
    const whole = expectDetection(await run(pass));
    expect(whole.isPartial).to.equal(false);
    expect(api.asked.filter(({ kind }) => kind === 'range').map((asked) => instantsOf(asked).length)).to.deep.equal([
      ...[11, 11, RECENT_INSTANTS],
      ...[11, 11, RECENT_INSTANTS],
    ]);
    const again = await run(pass);
    expect(again).not.to.equal(whole);
    expect(asked('cpu')).to.have.lengthOf(2);
  });

  it('lets one who has little time go, while another gets the answer', async () => {
    const held = gate();
    api.before = () => held.opened;
    const pass = passWith();
    const patient = run(pass);
    const hurried = expectFailure(await run(pass, 0.2));
    expect(hurried.kind).to.equal('timeout');
    expect(hurried.message).to.include('within 0.1 s').and.to.include('REQUEST_TIMEOUT_SECONDS');
    expect(hurried.queries.map(({ query, success }) => [query, success])).to.deep.equal([
      ['cpu', false],
      ['memory', false],
      ['restarts', false],
    ]);
    for (const { signal } of api.asked) expect(signal?.aborted).to.equal(false);
    held.open();
    expectDetection(await patient);
    expect(api.asked).to.have.lengthOf(FEATURES.length);
  });

  for (const [scrapeTimeout, seconds] of [
    [1.5, '1.0'],
    [1, '0.5'],
    [0.6, '0.3'],
    [0.2, '0.1'],
  ] as const) {
    it(`gives up after ${seconds} s when the caller does so after ${scrapeTimeout} s`, async () => {
      api.before = () => new Promise(() => {});
      const outcome = expectFailure(await run(passWith(), scrapeTimeout));
      expect(outcome.kind).to.equal('timeout');
      expect(outcome.message).to.include(`within ${seconds} s`);
    });
  }

  for (const scrapeTimeout of [undefined, 3600]) {
    it(`gives up at its own limit when the caller waits ${scrapeTimeout ?? 'without one'}`, async () => {
      api.before = () => new Promise(() => {});
      const outcome = expectFailure(await run(passWith({ timeoutSeconds: 0.3 }), scrapeTimeout));
      expect(outcome.kind).to.equal('timeout');
      expect(outcome.message).to.include('within 0.3 s');
    });
  }

  it('takes a limit that is no whole number of milliseconds', async () => {
    expectDetection(await run(passWith({ timeoutSeconds: 0.1234 + 2 }), 2.0123));
  });

  it('ends at once when it is closed', async () => {
    const never = gate();
    api.before = () => never.opened;
    const pass = passWith();
    const outcome = run(pass);
    pass.close();
    expectFailure(await outcome);
    pass.close();
  });

  it('ends the requests when the last one who waits has gone', async () => {
    api.before = () => new Promise(() => {});
    const pass = passWith();
    const outcomes = await Promise.all([run(pass, 0.2), run(pass, 0.4)]);
    expect(outcomes.map(({ kind }) => kind)).to.deep.equal(['timeout', 'timeout']);
    for (const { signal } of api.asked) {
      expect(signal?.aborted).to.equal(true);
      expect(signal?.reason).to.include({ name: 'TimeoutError' });
    }
    expect(told, 'what was given is what is told').to.deep.equal(outcomes);
    api.before = () => {};
    expectDetection(await run(pass));
  });

  it('reports a timeout in scoring as it was given, says where the time went, and computes no further', async () => {
    let forestUses = 0;
    let isSlow = true;
    const counted: Model = {
      ...model,
      get forest() {
        forestUses++;
        return model.forest;
      },
      /** Its pods are looked up when the answers have been read. The first time, the thread is blocked. */
      get baseline() {
        if (!isSlow) return model.baseline;
        isSlow = false;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
        now += 500;
        return model.baseline;
      },
    };
    const pass = passWith({ model: () => counted, timeoutSeconds: 100 });
    const late = expectFailure(await pass.run(0.4));
    expect(late.kind).to.equal('timeout');
    expect(late.message).to.match(
      /^No result within 0\.2 s: queries took 0\.0 s, reading the answers 0\.5 s\. .* give the exporter more CPU/,
    );
    expect(late.queries.map(({ success }) => success)).to.deep.equal([true, true, true]);
    expect(told).to.deep.equal([late]);
    const whole = expectDetection(await pass.run(undefined));
    expect(whole.detection.table.pods).to.have.lengthOf(6);
    expect(told).to.deep.equal([late, whole]);
    const usesOfBoth = forestUses;
    forestUses = 0;
    now += 60_000;
    expectDetection(await pass.run(undefined));
    expect(forestUses).to.be.above(0);
    expect(usesOfBoth, 'the pass that timed out did not reach the forest').to.equal(forestUses);
  });

  it('says which queries Prometheus has not answered', async () => {
    api.before = ({ query }) => {
      if (topicOf(query) !== 'memory') return undefined;
      now += 340;
      return new Promise(() => {});
    };
    const outcome = expectFailure(await run(passWith(), 0.6));
    expect(outcome.message).to.match(
      /^No result within 0\.3 s: queries took 0\.3 s \(no answer for memory\)\. .*find out why Prometheus is slow\.$/,
    );
    expect(Object.fromEntries(outcome.queries.map(({ query, success }) => [query, success]))).to.deep.equal({
      cpu: true,
      memory: false,
      restarts: true,
    });
    expect(told).to.deep.equal([outcome]);
  });

  it('throws what its listener throws at those who wait, and does not call it again', async () => {
    const broken = new Error('The listener is broken.');
    let calls = 0;
    const pass = passWith({
      onOutcome: () => {
        calls++;
        throw broken;
      },
    });
    expect(await rejection(run(pass), Error)).to.equal(broken);
    expect(calls).to.equal(1);
    api.before = () => new Promise(() => {});
    expect(await rejection(run(pass, 0.2), Error)).to.equal(broken);
    expect(calls).to.equal(2);
  });

  it('is left alone when all have gone, even if it takes its time to end', async () => {
    const stubborn: FakeApi = { ...api, queryRange: () => new Promise(() => {}) };
    const pass = passWith({ api: stubborn });
    expect((await run(pass, 0.2)).kind).to.equal('timeout');
    stubborn.queryRange = api.queryRange;
    expectDetection(await run(pass));
  });

  it('does not outlive its limit, even when someone is always waiting', async () => {
    api.before = () => new Promise(() => {});
    const pass = passWith({ timeoutSeconds: 0.5 });
    const outcomes = [run(pass)];
    const first = api.asked.map(({ signal }) => signal);
    await eventually(() => {
      outcomes.push(run(pass));
      for (const signal of first) expect(signal?.aborted).to.equal(true);
    });
    expect(outcomes.length, 'some have joined').to.be.greaterThan(2);
    for (const outcome of await Promise.all(outcomes)) expect(outcome.kind).to.equal('timeout');
    api.before = () => {};
    expectDetection(await run(pass));
  });

  it('recovers at once after a pass that failed', async () => {
    const pass = passWith();
    api.before = () => {
      throw new PrometheusError('refused', 'Nothing listens there.');
    };
    const failed = expectFailure(await run(pass));
    expect(failed).to.include({ kind: 'upstream_error', message: 'Nothing listens there.' });
    api.before = () => {};
    expect(expectDetection(await run(pass)).detection.table.pods).to.have.lengthOf(6);
  });

  for (const failing of ['cpu', 'memory', 'restarts'] as const) {
    it(`fails as a whole when only the query for ${failing} fails, and tells which`, async () => {
      const broken = new PrometheusError('unavailable', 'The disk is full.');
      api.before = ({ query }) => {
        if (topicOf(query) === failing) throw broken;
        // The others are answered later, and still count as answered.
        return sleep(20);
      };
      const outcome = expectFailure(await run(passWith()));
      expect(outcome).to.include({ kind: 'upstream_error', message: 'The disk is full.' });
      expect(Object.fromEntries(outcome.queries.map(({ query, success }) => [query, success]))).to.deep.equal({
        cpu: failing !== 'cpu',
        memory: failing !== 'memory',
        restarts: failing !== 'restarts',
      });
      expect(told).to.deep.equal([outcome]);
    });
  }

  it('tells a timeout of Prometheus from other failures', async () => {
    api.before = () => {
      throw new PrometheusError('timeout', 'No whole answer in time.');
    };
    expect(expectFailure(await run(passWith()))).to.include({
      kind: 'timeout',
      message: 'No whole answer in time.',
    });
  });

  it('measures each query and the whole', async () => {
    api.before = () => {
      now += 250;
    };
    const { durationSeconds, queries } = expectDetection(await run(passWith()));
    expect(durationSeconds).to.equal(0.75);
    for (const query of queries) expect(query.durationSeconds).to.be.within(0.25, 0.75);
  });

  it('asks nothing as long as there is no model', async () => {
    current = undefined;
    const outcome = expectFailure(await run(passWith()));
    expect(outcome).to.deep.include({
      kind: 'no_model',
      message: 'The first training has not finished yet.',
      queries: [],
    });
    expect(api.asked).to.deep.equal([]);
    expect(told).to.deep.equal([outcome]);
  });

  it('scores with the model that was there when it began', async () => {
    const held = gate();
    api.before = () => held.opened;
    const pass = passWith();
    const waiting = run(pass);
    const newer = { ...model, threshold: -1, features: model.features.slice(0, 1) };
    current = newer;
    held.open();
    expect(expectDetection(await waiting).detection.model).to.equal(model);
    api.before = () => {};
    current = { ...model, threshold: 2 };
    const { detection } = expectDetection(await run(pass));
    expect(detection.model.threshold).to.equal(2);
  });

  it('says what the model before would still flag and the new one accepts, once', async () => {
    for (const pod of ['cart-3', 'cart-4']) cluster.misbehave(pod, NOON + 100);
    const pass = passWith();
    const lastingAndAccepted = async (seconds: number) => {
      now = (NOON + seconds) * 1000;
      const { lasting, table, accepted } = expectDetection(await run(pass)).detection;
      return {
        lasting: table.pods.flatMap(({ pod }, row) => (lasting[row] === 1 ? pod : [])),
        accepted: [...accepted],
      };
    };
    expect(await lastingAndAccepted(100)).to.deep.equal({ lasting: [], accepted: [] });
    expect(await lastingAndAccepted(3600)).to.deep.equal({ lasting: ['cart-3', 'cart-4'], accepted: [] });
    // It is trained on hours in which the pods misbehaved; one of them is itself again.
    const later = { ...REQUEST, nowSeconds: NOON + 18_000 };
    ({ model: current } = await train(api, later, new AbortController().signal));
    expect((await lastingAndAccepted(3630)).accepted, 'nothing new within a minute').to.deep.equal([]);
    cluster.behave('cart-4');
    expect(await lastingAndAccepted(18_030)).to.deep.equal({ lasting: [], accepted: ['shop/cart-3'] });
    expect(await lastingAndAccepted(18_060)).to.deep.equal({ lasting: [], accepted: [] });
  });

  it('tries the model before only once if that takes too long, so that the next pass has scores', async () => {
    let isSlow = false;
    const before: Model = {
      ...model,
      get forest() {
        if (isSlow) throw new Error('too slow');
        return model.forest;
      },
    };
    current = before;
    for (const pod of ['cart-3', 'cart-4']) cluster.misbehave(pod, NOON + 100);
    const pass = passWith();
    now = (NOON + 3600) * 1000;
    expect([...expectDetection(await run(pass)).detection.lasting]).to.include(1);
    current = { ...model };
    isSlow = true;
    now += 60_000;
    expect(expectFailure(await run(pass)).kind).to.equal('internal');
    expectDetection(await run(pass));
  });

  it('does not reject for a fault of the program, and tells what it was', async () => {
    current = { ...model, forest: { ...model.forest, features: 7 } };
    const outcome = expectFailure(await run(passWith()));
    expect(outcome.kind).to.equal('internal');
    expect(outcome.queries.map(({ success }) => success)).to.deep.equal([true, true, true]);
    expect(told).to.deep.equal([outcome]);
    if (outcome.kind !== 'internal' || !(outcome.error instanceof Error)) return expect.fail('no error');
    expect(outcome.error).not.to.be.an.instanceOf(PrometheusError);
    expect(outcome.message).to.include('bug in the exporter').and.not.to.include(outcome.error.message);
  });

  it('scores as many pods as it may, always the same, and says how many it left out', async () => {
    const { detection, warnings } = expectDetection(await run(passWith({ maximumPods: 4 })));
    expect(detection.table.pods).to.have.lengthOf(4);
    expect(detection.unscored.get('max_pods')).to.equal(2);
    expect(warnings).to.have.lengthOf(1);
    expect(warnings[0]).to.include('2 pods are left out').and.to.include('MAX_PODS');
    now += 60_000;
    const later = expectDetection(await run(passWith({ maximumPods: 4 })));
    expect(later.detection.table.pods).to.deep.equal(detection.table.pods);
    const all = expectDetection(await run(passWith({ maximumPods: 6 })));
    expect(all.detection.unscored.has('max_pods')).to.equal(false);
    expect(all.warnings).to.deep.equal([]);
  });

  it('passes on what Prometheus warns of', async () => {
    api.warnings = ['a store is down'];
    const { warnings, isPartial } = expectDetection(await run(passWith()));
    expect(isPartial).to.equal(true);
    expect(warnings).to.deep.equal(['cpu: a store is down', 'memory: a store is down', 'restarts: a store is down']);
  });

  it('asks for the owners of a new pod once', async () => {
    cluster.pods.push({ namespace: 'shop', pod: 'till-0', owner: 'checkout' });
    const pass = passWith();
    for (let round = 0; round < 3; round++) {
      const { detection, warnings } = expectDetection(await run(pass));
      const workloads = new Map(detection.table.pods.map(({ pod, workload }) => [pod, workload]));
      expect(workloads.get('till-0')).to.equal('checkout');
      expect(warnings).to.deep.equal([]);
      now += 60_000;
    }
    expect(asked('kube_pod_owner')).to.have.lengthOf(1);
    expect(asked('cpu')).to.have.lengthOf(3);
  });

  it('goes on with the names when the owners of new pods cannot be asked for, and says so', async () => {
    cluster.pods.push({ namespace: 'shop', pod: 'till-0', owner: 'checkout' });
    api.before = ({ query }) => {
      if (topicOf(query) === 'kube_replicaset_owner') throw new PrometheusError('forbidden', 'Owners are secret.');
    };
    const { detection, warnings } = expectDetection(await run(passWith()));
    expect(detection.table.pods.at(-1)).to.deep.equal({ namespace: 'shop', pod: 'till-0', workload: 'till' });
    expect(warnings).to.deep.equal(['Workloads of new pods are taken from their names: Owners are secret.']);
  });

  it('does without owners that do not come in a quarter of its time', async () => {
    cluster.pods.push({ namespace: 'shop', pod: 'till-0', owner: 'checkout' });
    api.before = ({ query }) => (topicOf(query) === 'kube_job_owner' ? new Promise(() => {}) : undefined);
    const { detection, warnings } = expectDetection(await run(passWith({ timeoutSeconds: 2 })));
    expect(detection.table.pods.at(-1)).to.include({ pod: 'till-0', workload: 'till' });
    expect(warnings).to.have.lengthOf(1);
    expect(warnings[0]).to.include('Workloads of new pods are taken from their names');
  });

  describe('annotations', () => {
    const annotationQuery = buildAnnotationQuery({ namespaceRegex: '.*' });
    const ofCart = (key: string, value: string) => ({
      __name__: 'kube_pod_annotations',
      namespace: 'shop',
      pod: 'cart-0',
      [`annotation_k8s_anomaly_detector_${key}`]: value,
    });

    it('are asked for beside owners and phases, and count in the same pass', async () => {
      cluster.misbehave('cart-0', NOON);
      cluster.annotations.push(ofCart('mute_until', String(NOON + 3600)));
      const pass = passWith({ annotationQuery });
      const { detection, warnings } = expectDetection(await pass.run(undefined));
      expect(warnings).to.deep.equal([]);
      const row = detection.table.pods.findIndex(({ pod }) => pod === 'cart-0');
      expect(detection.tunings.get(row)).to.include({ mutedBy: 'pod shop/cart-0', mutedUntilSeconds: NOON + 3600 });
      expect(asked('annotations')).to.have.lengthOf(1);
      now = (NOON + 3600) * 1000;
      expect(expectDetection(await pass.run(undefined)).detection.muted.every((muted) => muted === 0)).to.equal(true);
    });

    it('count as they were last known when they cannot be asked for, which is a warning', async () => {
      cluster.annotations.push(ofCart('ignore', 'true'));
      const pass = passWith({ annotationQuery });
      await pass.run(undefined);
      api.before = ({ query }) => {
        if (query === annotationQuery) throw new PrometheusError('forbidden', 'Annotations are secret.');
      };
      now += 60_000;
      const { detection, warnings } = expectDetection(await pass.run(undefined));
      expect(warnings).to.deep.equal(['Annotations count as they were last known: Annotations are secret.']);
      expect(detection.unscored.get('opted_out')).to.equal(1);
    });

    it('are not asked for where they do not count', async () => {
      await passWith().run(undefined);
      expect(asked('annotations')).to.deep.equal([]);
    });
  });

  describe('pods without usage', () => {
    const unmeasuredSeconds = NOON - 1200;
    const job = { namespace: 'shop', pod: 'job-0', unmeasuredSeconds, endedSeconds: unmeasuredSeconds };
    const lost = { namespace: 'shop', pod: 'lost-0', unmeasuredSeconds };
    const reasonsOf = ({ unscored }: Detection) => Object.fromEntries(unscored);

    it('have completed only if Kubernetes says so', async () => {
      cluster.pods.push(job, lost);
      const { detection, warnings } = expectDetection(await run(passWith()));
      expect(reasonsOf(detection)).to.deep.equal({ completed: 1, no_usage: 1 });
      expect(warnings).to.deep.equal([]);
      expect(asked('kube_pod_status_phase')).to.have.lengthOf(1);
    });

    it('have completed also while memory lingers', async () => {
      cluster.pods.push({ ...job, unmeasuredSeconds: Infinity });
      const { answer } = cluster;
      api = fakeApi((query, timeSeconds) =>
        answer(query, timeSeconds).filter(({ labels }) => labels.pod !== 'job-0' || !query.includes('cpu_usage')),
      );
      expect(reasonsOf(expectDetection(await run(passWith())).detection)).to.deep.equal({ completed: 1 });
    });

    it('are not asked for where there are none', async () => {
      expectDetection(await run(passWith()));
      expect(asked('kube_pod_status_phase')).to.have.lengthOf(0);
    });

    it('may have completed when the question fails, which is a warning', async () => {
      cluster.pods.push(job);
      api.before = ({ query }) => {
        if (topicOf(query) === 'kube_pod_status_phase') throw new PrometheusError('forbidden', 'Phases are secret.');
      };
      const { detection, warnings } = expectDetection(await run(passWith()));
      expect(reasonsOf(detection)).to.deep.equal({ no_usage: 1 });
      expect(warnings).to.deep.equal([
        'Pods that have ended, or wait, may count as pods without usage: Phases are secret.',
      ]);
    });

    it('are flagged by their restarts', async () => {
      cluster.pods.push({ ...lost, restartsAt: [NOON - 500, NOON - 130] });
      const { detection } = expectDetection(await run(passWith()));
      expect(flaggedIn(detection).map(([pod]) => pod)).to.deep.equal(['lost-0']);
      expect(reasonsOf(detection)).to.deep.equal({});
    });
  });

  it('has no negative duration when the clock is set back meanwhile', async () => {
    api.before = () => {
      now -= 3_600_000;
    };
    const { durationSeconds, queries } = expectDetection(await run(passWith()));
    expect([durationSeconds, ...queries.map((query) => query.durationSeconds)]).to.deep.equal([0, 0, 0, 0]);
  });

  it('finds its samples whatever the milliseconds of its instant are', async () => {
    const pass = passWith();
    for (const milliseconds of [0, 1, 333, 500, 667, 999]) {
      now = (NOON + 77) * 1000 + milliseconds;
      const { detection } = expectDetection(await run(pass));
      expect(detection.table.pods).to.have.lengthOf(6);
      expect([...detection.droppedSeries]).to.deep.equal([]);
    }
  });

  it('counts a pod that just came as warming up, and scores it some minutes later', async () => {
    cluster.pods.push({ namespace: 'shop', pod: 'cart-8', sinceSeconds: NOON + 60 });
    const pass = passWith();
    const lookAt = async (minutes: number) => {
      now = (NOON + 77 + 60 * minutes) * 1000;
      const { table, unscored } = expectDetection(await run(pass)).detection;
      return { pods: table.pods.length, unscored: Object.fromEntries(unscored) };
    };
    for (const minutes of [0, 1, 2, 3, 4]) {
      expect(await lookAt(minutes), `${minutes}`).to.deep.equal({ pods: 6, unscored: { warmup: 1 } });
    }
    expect(await lookAt(5)).to.deep.equal({ pods: 7, unscored: {} });
  });

  it('gives the same flags after a restart of the exporter as if it had run on', async () => {
    cluster.pods[1] = {
      ...(cluster.pods[1] as FakePod),
      restartsAt: [NOON + 300, NOON + 500],
    };
    cluster.pods.push({ namespace: 'shop', pod: 'cart-8', sinceSeconds: NOON + 400 });
    cluster.misbehave('cart-4', NOON + 520);
    const ranOn = passWith();
    const flags: string[][] = [];
    for (let seconds = 100; seconds <= 700; seconds += 30) {
      now = (NOON + seconds) * 1000;
      const { model: _, ...old } = expectDetection(await run(ranOn)).detection;
      const { model: __, ...young } = expectDetection(await run(passWith())).detection;
      expect(young, `at ${seconds} s`).to.deep.equal(old);
      flags.push(flaggedIn(expectDetection(await run(ranOn)).detection).map(([pod]) => pod));
    }
    // Else the test would not have tested anything.
    expect(flags[0]).to.deep.equal([]);
    expect(flags.at(-1)).to.have.members(['cart-1', 'cart-4']);
  });

  it('no longer lists a pod that has vanished', async () => {
    const pass = passWith();
    expectDetection(await run(pass));
    const [gone] = cluster.pods.splice(2, 1);
    now += 60_000;
    const { detection } = expectDetection(await run(pass));
    expect(detection.table.pods.map(({ pod }) => pod))
      .to.have.lengthOf(5)
      .and.not.to.include(gone?.pod);
  });
});
