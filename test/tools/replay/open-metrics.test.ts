import { expect } from 'chai';
import { FAMILIES } from '../../../src/exporter/metrics/registry.js';
import { OpenMetricsText } from '../../../src/tools/replay/open-metrics.js';
import type { MinuteState } from '../../../src/tools/replay/replay.js';
import { detectionOf, MODEL, ORDINARY_PODS } from '../../support/metric-sources.js';
import { scoredAs } from '../../support/scored.js';

const START = 1_767_268_800;
const OPTIONS = {
  targetLabels: { job: 'j"ob', instance: 'backtest' },
  explain: 'flagged',
  version: '1.2.3',
} as const;
const TARGET = 'job="j\\"ob",instance="backtest"';

/** As a replay reports a pass, whose durations it does not know. */
const REPORT = {
  timeSeconds: START,
  durationSeconds: Number.NaN,
  queries: MODEL.features.map(({ name }) => ({ query: name, success: true, durationSeconds: Number.NaN })),
  warnings: [],
  isPartial: false,
};

const BEFORE_TRAINING: MinuteState = {
  outcome: { ...REPORT, queries: [], kind: 'no_model', message: '' },
  model: undefined,
  training: {
    runs: 0,
    failures: 0,
    lastSucceeded: undefined,
    lastDurationSeconds: undefined,
    model: undefined,
  },
};

/** The first pod of the two, whose name is short below, has this score; the other has a negative one. */
const scored = (score: number): MinuteState => ({
  outcome: {
    ...REPORT,
    kind: 'detection',
    detection: { ...detectionOf(ORDINARY_PODS), ...scoredAs(score, -0.25) },
  },
  model: MODEL,
  training: {
    ...BEFORE_TRAINING.training,
    runs: 1,
    lastSucceeded: true,
    model: { origin: 'training', trainedSeconds: START },
  },
});

async function textOf(minutes: readonly MinuteState[]): Promise<string> {
  const text = new OpenMetricsText({ startSeconds: START, endSeconds: START + minutes.length * 60 }, OPTIONS);
  for (const [minute, state] of minutes.entries()) await text.add(minute, state);
  return [...text.pieces()].join('');
}

/** Values and Unix times of a series, which is given by its name and its own labels. */
const samplesIn = (text: string, name: string, labels = '') =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{${labels === '' ? '' : `${labels},`}${TARGET}} `))
    .map((line) => line.split(' ').slice(-2).map(Number));

const CART = 'namespace="shop",pod="cart-6c9f7d8b5-x2x8p"';

describe('the metrics of then as OpenMetrics text', () => {
  let text: string;

  before(async () => {
    text = await textOf([BEFORE_TRAINING, scored(-0.5), scored(0.5)]);
  });

  it('has each sample at its minute, and none where a scrape would have had none', () => {
    expect(samplesIn(text, 'anomaly_flag', CART)).to.deep.equal([
      [0, START + 60],
      [1, START + 120],
    ]);
    expect(samplesIn(text, 'anomaly_score', CART)).to.deep.equal([
      [-0.5, START + 60],
      [0.5, START + 120],
    ]);
    expect(samplesIn(text, 'k8s_anomaly_detector_up')).to.deep.equal([
      [0, START],
      [1, START + 60],
      [1, START + 120],
    ]);
    expect(samplesIn(text, 'anomaly_lasting', `${CART},workload="cart-6c9f7d8b5-x2x8p"`)).to.deep.equal([
      [1, START + 120],
    ]);
    // Only while it is flagged.
    expect(samplesIn(text, 'anomaly_feature_value', `${CART},feature="memory"`)).to.deep.equal([[0.125, START + 120]]);
    const workload = 'namespace="shop",workload="cart-6c9f7d8b5-x2x8p"';
    expect(samplesIn(text, 'anomaly_workload_pods_flagged', workload)).to.deep.equal([
      [0, START + 60],
      [1, START + 120],
    ]);
    expect(samplesIn(text, 'k8s_anomaly_detector_pods_unscored', 'reason="completed"')).to.have.lengthOf(2);
    expect(samplesIn(text, 'k8s_anomaly_detector_query_success', 'query="cpu"')).to.have.lengthOf(2);
    expect(samplesIn(text, 'k8s_anomaly_detector_model_trained_timestamp_seconds')).to.have.lengthOf(2);
  });

  it('names and explains every family as the exporter does', () => {
    const own = [...text.matchAll(/^# HELP ((?:k8s_anomaly_detector|anomaly)_\S+) (.*)\n# TYPE \S+ (.*)$/gm)].map(
      ([, name = '', help, type]) => ({ name: type === 'counter' ? `${name}_total` : name, help, type }),
    );
    expect(own).to.have.lengthOf.above(15);
    const exporters = FAMILIES.map(({ name, help, type }) => ({ name, help, type }));
    expect(exporters).to.deep.include.members(own);
  });

  it('leaves out what a replay cannot know', () => {
    for (const name of ['scrape_duration', 'query_duration', 'training_duration', 'snapshot', 'findings']) {
      expect(text).to.not.include(name);
    }
    expect(text).to.not.include('NaN');
  });

  it('has the form of OpenMetrics: names of counters without their ending, each family once, an end', () => {
    expect(text).to.include('# TYPE k8s_anomaly_detector_training_runs counter\n');
    expect(samplesIn(text, 'k8s_anomaly_detector_training_runs_total')).to.deep.equal([
      [0, START],
      [1, START + 60],
      [1, START + 120],
    ]);
    const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect([...new Set(types)]).to.deep.equal(types);
    expect(text.endsWith('\n# EOF\n')).to.equal(true);
  });

  it('keeps the samples of a series together', () => {
    const series = text
      .split('\n')
      .filter((line) => line.startsWith('anomaly_score'))
      .map((line) => line.replace(/ \S+ \S+$/, ''));
    expect(series).to.deep.equal([...series].sort());
    expect(series).to.have.lengthOf(4);
  });
});
