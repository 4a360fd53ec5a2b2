import { expect } from 'chai';
import { DetectionPass } from '../../../src/exporter/detection/pass.js';
import { fetchHours } from '../../../src/exporter/history/fetch-hours.js';
import { hourOf, lastSettledHour } from '../../../src/exporter/history/grid.js';
import { WorkloadHistory } from '../../../src/exporter/history/workload-history.js';
import { SETTLING_SECONDS, train } from '../../../src/exporter/training/job.js';
import type { TuningRule } from '../../../src/exporter/tuning/rules.js';
import { parseTuningFile } from '../../../src/exporter/tuning/tuning-file.js';
import { History } from '../../../src/tools/replay/history.js';
import { OpenMetricsText } from '../../../src/tools/replay/open-metrics.js';
import { PastHoursSupply } from '../../../src/tools/replay/past-hours.js';
import { gridBetween, type Slab, toSlab } from '../../../src/tools/replay/range-matrix.js';
import { type MinuteState, type ReplayParameters, replay } from '../../../src/tools/replay/replay.js';
import { readingSize } from '../../../src/tools/replay/tracks.js';
import { fakeApi } from '../../support/fake-api.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import {
  type Answer,
  FEATURES,
  namedPods,
  OWNER_QUERIES,
  PHASE_QUERIES,
  SmallCluster,
} from '../../support/small-cluster.js';
import { hourRequest } from '../../support/training-request.js';

const START = Date.parse('2026-05-01T00:00:00Z') / 1000;
const FIRST = START - 4 * 3600;
const MINUTES = 40;
const END = START + MINUTES * 60;
const TRAININGS = [START - 900, START, START + 900, START + 1800];
const never = new AbortController().signal;

const P: ReplayParameters = {
  features: FEATURES,
  ownerQueries: OWNER_QUERIES,
  model: QUICK_PARAMETERS,
  sensitivities: [3, 4],
  chosen: 1,
  lookbackSeconds: 3600,
  stepSeconds: 60,
  trainingIntervalSeconds: 900,
  historyDays: 7,
};

/** A pod misbehaves from the twentieth minute on, another is young. */
function cluster(): SmallCluster {
  const young = { namespace: 'shop', pod: 'cart-9', owner: 'cart', sinceSeconds: START - 120 };
  const made = new SmallCluster([...namedPods(4), ...namedPods(2, 'postgres', 'data'), young]);
  made.misbehave('cart-1', START + 20 * 60);
  return made;
}

async function historyOf(answer: Answer): Promise<History> {
  const api = fakeApi(answer);
  const slabs = new Map<string, readonly Slab[]>();
  for (const query of [...FEATURES.map((feature) => feature.query), ...Object.values(OWNER_QUERIES)]) {
    const range = { query, startSeconds: FIRST, endSeconds: END, stepSeconds: 60, signal: never };
    slabs.set(query, [toSlab(await api.queryRange(range), gridBetween(FIRST, END, 60))]);
  }
  return new History(slabs);
}

const CHUNK = { startSeconds: START, endSeconds: END };
const replayed = async (
  answer: Answer,
  trainings: readonly number[] = TRAININGS,
  remembers = false,
  tuningRules: readonly TuningRule[] = [],
) => {
  const minutes: MinuteState[] = [];
  const history = await historyOf(answer);
  const supply = new PastHoursSupply(1, FEATURES, hourOf(FIRST) + 1, (firstHour, lastHour) =>
    fetchHours(history, { features: FEATURES, ownerQueries: OWNER_QUERIES, firstHour, lastHour }),
  );
  const past = { history, hours: remembers ? await supply.of(trainings) : undefined };
  const onMinute = async (_: number, state: MinuteState) => void minutes.push(state);
  return { ...(await replay(past, CHUNK, trainings, { ...P, tuningRules }, () => undefined, onMinute)), minutes };
};

describe('a replay', () => {
  it('scores as the service did: the same memory, training and pass, at each minute', async () => {
    const { answer } = cluster();
    const { tracks, result } = await replayed(answer, TRAININGS, true);
    expect(result.rememberedHours).to.equal(3);
    const size = readingSize(FEATURES.length);
    for (const minute of [0, 1, 15, 16, 25, 39]) {
      const time = START + minute * 60;
      // The newest model is the one of the last training before this minute.
      const dueSeconds = TRAININGS.findLast((training) => training < time) ?? expect.fail();
      const memory = new WorkloadHistory({ days: 1, gauges: ['cpu', 'memory'], counters: ['restarts'] });
      const hours = { firstHour: hourOf(FIRST) + 1, lastHour: lastSettledHour(dueSeconds) };
      const features = { features: FEATURES, ownerQueries: OWNER_QUERIES };
      for (const summary of await fetchHours(fakeApi(answer), { ...features, ...hours })) memory.add(summary);
      const request = hourRequest(dueSeconds - SETTLING_SECONDS, {
        history: memory.state(),
        untilNextTrainingSeconds: 900 + SETTLING_SECONDS,
      });
      const { model } = await train(fakeApi(answer), request, never);
      const pass = new DetectionPass({
        api: fakeApi(answer),
        ownerQueries: OWNER_QUERIES,
        phaseQueries: PHASE_QUERIES,
        model: () => model,
        timeoutSeconds: 5,
        now: () => time * 1000,
        whyNoModel: () => '',
        onOutcome: () => undefined,
      });
      const outcome = await pass.run(undefined);
      if (outcome.kind !== 'detection') expect.fail(outcome.message);
      const scores = new Map(
        tracks
          .all()
          .filter(({ scored }) => scored[minute] === 1)
          .map(({ identity, readings }) => [identity.pod, readings[minute * size]]),
      );
      const { table, scores: own } = outcome.detection;
      expect([...scores], String(minute)).to.have.deep.members(table.pods.map(({ pod }, row) => [pod, own[row]]));
    }
  });

  it('keeps what was flagged, at each sensitivity, and who was not scored', async () => {
    const { result } = await replayed(cluster().answer);
    const bad = result.pods.find(({ pod }) => pod === 'cart-1');
    expect(bad).to.deep.include({
      namespace: 'shop',
      workload: 'cart',
      flagged: [
        [20, 40],
        [20, 40],
      ],
    });
    expect(bad?.readMinutes).to.deep.equal([0, ...Array.from({ length: 20 }, (_, index) => 20 + index)]);
    expect(bad?.readings).to.have.lengthOf(21 * readingSize(FEATURES.length));
    expect(result.unscored).to.deep.equal({ warmup: 3 });
    expect(result).to.include({ trainings: 3, failedTrainings: 0, minutesWithoutModel: 0, minutes: MINUTES });
  });

  it('applies the rules of the tuning file as they counted at each minute', async () => {
    const { rules } = parseTuningFile(
      [
        'rules:',
        '  - match: { pod: cart-1 }',
        `    mute: [{ from: ${START + 25 * 60}, until: ${START + 30 * 60} }]`,
        '  - match: { namespace: data }',
        '    ignore: true',
      ].join('\n'),
      'tuning.yaml',
    );
    const { result, minutes } = await replayed(cluster().answer, TRAININGS, false, rules);
    const stretches = [20, 25, 30, 40];
    expect(result.pods.find(({ pod }) => pod === 'cart-1')?.flagged).to.deep.equal([stretches, stretches]);
    expect(result.unscored).to.deep.equal({ warmup: 3, opted_out: 2 * MINUTES });
    const mutedAt = (minute: number) => {
      const { outcome } = minutes[minute] ?? expect.fail();
      if (outcome.kind !== 'detection') return expect.fail(outcome.kind);
      return [...outcome.detection.tunings.values()].map(({ mutedBy }) => mutedBy);
    };
    expect(mutedAt(24)).to.deep.equal([undefined]);
    expect(mutedAt(25)).to.deep.equal(['tuning.yaml:2:5']);
    expect(mutedAt(30)).to.deep.equal([undefined]);
  });

  it('has no scores before the first training, and goes on with the old model where one fails', async () => {
    const late = await replayed(cluster().answer, TRAININGS.slice(2));
    expect(late.result).to.include({ minutesWithoutModel: 16, trainings: 2 });
    const made = cluster();
    // From the second training on, the window of an hour is empty.
    const silent: Answer = (query, time) =>
      time > START - 3700 && time < START + 1800 ? [] : made.answer(query, time);
    const { result, minutes } = await replayed(silent, [START - 3700, START]);
    expect(result).to.include({ trainings: 1, failedTrainings: 1, minutesWithoutModel: 0 });
    expect(result.lastFailure).to.include('Expected at least 10 samples');
    const { outcome, training } = minutes[39] ?? expect.fail();
    expect(training).to.include({ lastSucceeded: false });
    expect(training.model?.trainedSeconds).to.equal(START - 3700);
    if (outcome.kind !== 'detection') expect.fail(outcome.kind);
    expect(outcome.detection.table.pods.length).to.be.above(0);
  });
});

describe('the metrics of then', () => {
  const options = {
    targetLabels: { job: 'j"ob', instance: 'backtest' },
    explain: 'flagged',
    version: '1.2.3',
  } as const;

  it('are those that scrapes would have found', async () => {
    const { tracks, minutes } = await replayed(cluster().answer);
    const metrics = new OpenMetricsText(CHUNK, options);
    for (const [minute, summary] of minutes.entries()) await metrics.add(minute, summary);
    const text = [...metrics.pieces()].join('');
    const target = 'job="j\\"ob",instance="backtest"';
    const samples = (series: string) =>
      text
        .split('\n')
        .filter((line) => line.startsWith(`${series.slice(0, -1)}${series.endsWith('{}') ? '' : ','}${target}} `));
    const flags = samples('anomaly_flag{namespace="shop",pod="cart-1"}');
    expect(flags).to.have.lengthOf(MINUTES);
    expect(flags[19]).to.match(new RegExp(` 0 ${START + 19 * 60}$`));
    expect(flags[20]).to.match(new RegExp(` 1 ${START + 20 * 60}$`));
    // Only while it is flagged.
    expect(samples('anomaly_feature_value{namespace="shop",pod="cart-1",feature="cpu"}')).to.have.lengthOf(20);
    const ofCart = tracks.all().filter(({ identity }) => identity.workload === 'cart');
    const flagged = ofCart.filter((track) => track.flagged[1]?.[30] === 1).length;
    expect(flagged).to.be.within(1, 4);
    expect(samples('anomaly_workload_pods_flagged{namespace="shop",workload="cart"}')[30]).to.include(`} ${flagged} `);
    expect(samples('anomaly_workload_pods_scored{namespace="shop",workload="cart"}')[30]).to.include('} 5 ');
    expect(samples('k8s_anomaly_detector_pods_unscored{reason="warmup"}')).to.have.lengthOf(3);
    expect(samples('k8s_anomaly_detector_training_runs_total{}')[39]).to.include('} 3 ');
    expect(text).to.include('# TYPE k8s_anomaly_detector_training_runs counter\n');
    expect(text.endsWith('# EOF\n')).to.equal(true);
    expect(text).to.not.include('NaN');
  });
});
