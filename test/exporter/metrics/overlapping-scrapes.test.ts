import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import request from 'supertest';
import type { Detection, PassOutcome } from '../../../src/exporter/detection/detection.js';
import { DetectionPass } from '../../../src/exporter/detection/pass.js';
import { createApp } from '../../../src/exporter/http/app.js';
import { createMetrics, type Metrics } from '../../../src/exporter/metrics/registry.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { createRandom } from '../../../src/exporter/model/random.js';
import { marginsOf } from '../../../src/exporter/model/score.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { train } from '../../../src/exporter/training/job.js';
import { exposedValue, parseExposition, samplesOf } from '../../support/exposition.js';
import { type FakeApi, fakeApi } from '../../support/fake-api.js';
import { fakeDependencies } from '../../support/http-fixtures.js';
import { detectionOf, FAILED_PASS, passTo, stateWith } from '../../support/metric-sources.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { type Answer, OWNER_QUERIES, PHASE_QUERIES, SmallCluster } from '../../support/small-cluster.js';
import { hourRequest } from '../../support/training-request.js';
import { within } from '../../support/waiting.js';

const NOON = 1_767_268_800;

/** Longer than what a pass asks for: no two passes have a minute in common. */
const SECONDS_BETWEEN_READINGS = 1800;

/** From an instant that a pass asks for to its number: the clock goes on each time that it is read. */
const passAt = (timeSeconds: number) => Math.ceil((timeSeconds - NOON) / SECONDS_BETWEEN_READINGS);

/** How many pods a pass finds beside those that are always there. */
const visitors = (pass: number) => 3 + (pass % 11);

/** In each pass other pods are there, which carry its number in their name. */
const answerFor =
  (cluster: SmallCluster): Answer =>
  (query, timeSeconds) => {
    const pass = passAt(timeSeconds);
    const guests = Array.from({ length: visitors(pass) }, (_, index) => ({
      namespace: 'guests',
      pod: `of-pass-${pass}-${index}`,
    }));
    return new SmallCluster([...cluster.pods, ...guests]).answer(query, timeSeconds);
  };

describe('scrapes that overlap', () => {
  let models: [Model, Model];

  before(async () => {
    const { signal } = new AbortController();
    const train1 = async (silent: boolean, baseline: 'pod' | 'workload') => {
      const cluster = new SmallCluster();
      if (silent) cluster.silent.add('restarts');
      const request = hourRequest(NOON, { parameters: { ...QUICK_PARAMETERS, baseline } });
      return (await train(fakeApi(cluster.answer), request, signal)).model;
    };
    models = [await train1(false, 'pod'), await train1(true, 'workload')];
  });

  let api: FakeApi;
  let current: Model | undefined;
  let metrics: Metrics;
  let pass: DetectionPass;
  let outcomes: Map<number, PassOutcome>;

  beforeEach(() => {
    let ticks = 0;
    api = fakeApi(answerFor(new SmallCluster()));
    current = models[0];
    outcomes = new Map();
    pass = new DetectionPass({
      api,
      ownerQueries: OWNER_QUERIES,
      phaseQueries: PHASE_QUERIES,
      model: () => current,
      timeoutSeconds: 8,
      now: () => (NOON + ++ticks * SECONDS_BETWEEN_READINGS) * 1000,
      whyNoModel: () => 'Not yet.',
      onOutcome: (outcome) => outcomes.set(passAt(outcome.timeSeconds), outcome),
    });
    metrics = createMetrics(() => stateWith({ model: current }));
  });

  /** One scrape; a short budget ends it early. */
  const scrape = async (scrapeTimeoutSeconds?: number) =>
    (
      await within(
        60_000,
        'a scrape',
        metrics.render(() => pass.run(scrapeTimeoutSeconds)),
      )
    ).body;

  /** Fails when anything in the text is not from one and the same pass. Gives the number of that pass. */
  function expectOnePass(text: string): number {
    const guests = samplesOf(text, 'anomaly_score').filter(({ labels }) => labels.namespace === 'guests');
    const numbers = new Set(guests.map(({ labels }) => Number(labels.pod?.split('-')[2])));
    expect([...numbers], 'passes in one text').to.have.lengthOf(1);
    const [number = Number.NaN] = numbers;
    expect(guests).to.have.lengthOf(visitors(number));
    const outcome = outcomes.get(number);
    if (outcome?.kind !== 'detection') return expect.fail(`Pass ${number} came to ${outcome?.kind}.`);
    expectScores(text, outcome.detection);
    expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(1);
    expect(exposedValue(text, 'k8s_anomaly_detector_scrape_duration_seconds')).to.equal(outcome.durationSeconds);
    for (const [name, value] of [
      ['k8s_anomaly_detector_query_success', () => 1],
      ['k8s_anomaly_detector_query_duration_seconds', (index: number) => outcome.queries[index]?.durationSeconds],
    ] as const) {
      expect(samplesOf(text, name).map((sample) => [sample.labels.query, sample.value])).to.deep.equal(
        outcome.queries.map(({ query }, index) => [query, value(index)]),
      );
    }
    return number;
  }

  function expectScores(text: string, { model, table, scores, inputs, unscored }: Detection): void {
    const exposed = (name: string) =>
      samplesOf(text, name).map(({ labels, value }) => [labels.namespace, labels.pod, value]);
    const wanted = (value: (score: number) => number) =>
      table.pods.map(({ namespace, pod }, row) => [namespace, pod, value(scores[row] as number)]);
    expect(exposed('anomaly_score')).to.deep.equal(wanted((score) => score));
    expect(exposed('anomaly_flag')).to.deep.equal(wanted((score) => Number(score > 0)));
    expect(exposedValue(text, 'k8s_anomaly_detector_pods_scored')).to.equal(table.pods.length);
    const countedIn = samplesOf(text, 'anomaly_workload_pods_scored').map(({ value }) => value);
    expect(countedIn.reduce((sum, value) => sum + value, 0)).to.equal(table.pods.length);
    // Nothing of the pass is of another model than the one that it says it is of.
    expect(marginsOf(model, inputs)).to.deep.equal(scores);
    expect(table.features).to.deep.equal(model.features.map(({ name }) => name));
    expect([...unscored]).to.deep.equal([]);
    expect(models).to.include(model);
  }

  it('lose no series and mix no passes, 400 of them, while the model is swapped', async () => {
    const random = createRandom(7);
    let swaps = 0;
    api.before = async () => {
      await sleep(random() * 6);
      // In the middle of a pass.
      if (random() < 0.3) current = models[++swaps % 2];
    };
    let open = 0;
    let mostOpen = 0;
    const texts: { readonly text: string; readonly hurried: boolean }[] = [];
    const scrapeInTurn = async () => {
      for (let turn = 0; turn < 20; turn++) {
        await sleep(random() * 10);
        mostOpen = Math.max(mostOpen, ++open);
        // Every tenth is in such a hurry that it goes without the answer, mostly.
        const hurried = random() < 0.1;
        const text = await scrape(hurried ? 0.004 : undefined);
        open--;
        texts.push({ text, hurried });
      }
    };
    await Promise.all(Array.from({ length: 20 }, scrapeInTurn));
    expect(texts).to.have.lengthOf(400);

    const passes: number[] = [];
    let withoutAnswer = 0;
    for (const { text, hurried } of texts) {
      if (hurried && exposedValue(text, 'k8s_anomaly_detector_up') === 0) {
        withoutAnswer++;
        expect(samplesOf(text, 'anomaly_score')).to.deep.equal([]);
        expect(samplesOf(text, 'anomaly_flag')).to.deep.equal([]);
        expect(exposedValue(text, 'k8s_anomaly_detector_pods_scored')).to.equal(0);
      } else passes.push(expectOnePass(text));
    }
    // Else the test would not have tested anything.
    const distinct = new Set(passes);
    expect(mostOpen, 'scrapes at once').to.be.greaterThan(3);
    expect(distinct.size, 'passes').to.be.greaterThan(10);
    expect(distinct.size, 'passes').to.be.lessThan(passes.length);
    expect(withoutAnswer, 'scrapes without an answer').to.be.greaterThan(0);
    const used = [...distinct].map((number) => outcomes.get(number));
    const usedModels = new Set(used.map((outcome) => outcome?.kind === 'detection' && outcome.detection.model));
    expect(usedModels.size, 'models').to.equal(2);
  });

  it('do not mix either when each has a pass of its own, in any order', async () => {
    const random = createRandom(11);
    await Promise.all(
      Array.from({ length: 400 }, async (_, number) => {
        await sleep(random() * 100);
        const pods = Array.from({ length: visitors(number) }, (_, index) => ['guests', `${number}-${index}`] as const);
        const fails = number % 5 === 0;
        const { body } = await metrics.render(async () => {
          await sleep(random() * 20);
          return fails ? FAILED_PASS : passTo(detectionOf(pods));
        });
        for (const name of ['anomaly_flag', 'anomaly_score']) {
          const shown = samplesOf(body, name).map(({ labels }) => [labels.namespace, labels.pod]);
          expect(shown, name).to.deep.equal(fails ? [] : pods);
        }
        const explained = new Set(samplesOf(body, 'anomaly_feature_deviation').map(({ labels }) => labels.pod));
        const flagged = samplesOf(body, 'anomaly_flag').filter(({ value }) => value === 1);
        expect([...explained]).to.deep.equal(flagged.map(({ labels }) => labels.pod));
        expect(samplesOf(body, 'anomaly_workload_pods_scored')).to.have.lengthOf(fails ? 0 : pods.length);
        expect(exposedValue(body, 'k8s_anomaly_detector_up')).to.equal(fails ? 0 : 1);
        expect(exposedValue(body, 'k8s_anomaly_detector_pods_scored')).to.equal(fails ? 0 : pods.length);
        expect(samplesOf(body, 'k8s_anomaly_detector_query_success')).to.have.lengthOf(fails ? 2 : 3);
      }),
    );
  });

  it('share one pass when they begin together', async () => {
    api.before = () => sleep(5);
    const texts = await Promise.all(Array.from({ length: 50 }, () => scrape()));
    expect(new Set(texts.map(expectOnePass)).size).to.equal(1);
    expect(outcomes.size).to.equal(1);
  });

  it('show other pods in the next scrape, and none of the last', async () => {
    const first = expectOnePass(await scrape());
    const second = expectOnePass(await scrape());
    expect(second).to.be.greaterThan(first);
  });

  it('are answered with status 200, up 0 and no pod while Prometheus fails, and recover at once', async () => {
    const app = createApp(
      fakeDependencies({
        renderMetrics: (scrapeTimeoutSeconds) => metrics.render(() => pass.run(scrapeTimeoutSeconds)),
      }),
    );
    const get = async () => {
      const response = await request(app).get('/metrics').timeout(8_000).expect(200);
      expect(response.headers['content-type']).to.equal('text/plain; version=0.0.4; charset=utf-8');
      return response.text;
    };
    expectOnePass(await get());
    api.before = () => {
      throw new PrometheusError('refused', 'Nothing listens there.');
    };
    const failed = await get();
    expect(exposedValue(failed, 'k8s_anomaly_detector_up')).to.equal(0);
    for (const name of ['anomaly_flag', 'anomaly_score']) {
      expect(parseExposition(failed).get(name)?.samples, name).to.deep.equal([]);
    }
    expect(exposedValue(failed, 'k8s_anomaly_detector_query_success', { query: 'cpu' })).to.equal(0);
    expect(exposedValue(failed, 'process_resident_memory_bytes')).to.be.above(0);
    api.before = () => {};
    expectOnePass(await get());
  });
});
