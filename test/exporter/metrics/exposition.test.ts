import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import type { PassOutcome } from '../../../src/exporter/detection/detection.js';
import { comparePods } from '../../../src/exporter/features/table.js';
import { createMetrics } from '../../../src/exporter/metrics/registry.js';
import { exposedValue, parseExposition, samplesOf } from '../../support/exposition.js';
import {
  detectionOf,
  FAILED_PASS,
  HOSTILE_PODS,
  NO_MODEL_PASS,
  ORDINARY_PODS,
  passTo,
  stateWith,
  TRAINED,
  UNTRAINED,
} from '../../support/metric-sources.js';
import { requireTool } from '../../support/real-tools.js';
import { scoredAs } from '../../support/scored.js';

/** Tests run in the root of the repository. */
const GOLDEN_FILE = 'test/golden/metrics.prom';

/** In the order of a table. */
const ALL_PODS = [...ORDINARY_PODS, ...HOSTILE_PODS].sort(([a, b], [c, d]) =>
  comparePods({ namespace: a, pod: b }, { namespace: c, pod: d }),
);

async function textOf(outcome: PassOutcome, state = stateWith()): Promise<string> {
  const { body } = await createMetrics(() => state).render(async () => outcome);
  return body;
}

/** Families in the order of their names, samples in order, and nothing that differs from machine to machine. */
function normalised(text: string): string {
  return text
    .split('\n\n')
    .filter((family) => !/^# HELP (process|nodejs)_/.test(family))
    .map((family) => {
      const lines = family
        .trim()
        .replace(/nodeversion="[^"]*"/, 'nodeversion="*"')
        .split('\n');
      return [...lines.slice(0, 2), ...lines.slice(2).sort()].join('\n');
    })
    .sort()
    .join('\n\n')
    .concat('\n');
}

describe('metrics text', () => {
  it(`is that of ${GOLDEN_FILE}`, async () => {
    const text = normalised(await textOf(passTo(detectionOf(ALL_PODS))));
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(GOLDEN_FILE, text);
    expect(text).to.equal(readFileSync(GOLDEN_FILE, 'utf8'), 'UPDATE_GOLDEN=1 rewrites the file');
  });

  it('has the exact content type of the format', async () => {
    const { contentType } = await createMetrics(stateWith).render(async () => FAILED_PASS);
    expect(contentType).to.equal('text/plain; version=0.0.4; charset=utf-8');
  });

  it('names HELP and TYPE of each family once, before its samples', async () => {
    // The parser refuses everything else.
    const text = await textOf(passTo(detectionOf(ALL_PODS)));
    expect([...parseExposition(text).keys()]).to.include.members(['anomaly_flag', 'process_cpu_seconds_total']);
  });

  it('gives back every label as it was, whatever it holds', async () => {
    const detection = detectionOf(ALL_PODS);
    const text = await textOf(passTo(detection));
    for (const [row, [namespace, pod]] of ALL_PODS.entries()) {
      const score = detection.scores[row] as number;
      expect(exposedValue(text, 'anomaly_score', { namespace, pod })).to.equal(score);
      expect(exposedValue(text, 'anomaly_flag', { namespace, pod })).to.equal(score > 0 ? 1 : 0);
    }
    expect(samplesOf(text, 'anomaly_score')).to.have.lengthOf(ALL_PODS.length);
    const flags = samplesOf(text, 'anomaly_flag').map(({ value }) => value);
    expect(flags).to.include.members([0, 1]);
  });

  it('flags a score above 0, and not one of 0', async () => {
    const detection = { ...detectionOf(ORDINARY_PODS), ...scoredAs(0, Number.MIN_VALUE) };
    const text = await textOf(passTo(detection));
    const [first, second] = samplesOf(text, 'anomaly_flag').map(({ value }) => value);
    expect([first, second]).to.deep.equal([0, 1]);
  });

  it('carries no pod and up 0 when the pass failed, and everything about the exporter', async () => {
    const text = await textOf(FAILED_PASS);
    expect(exposedValue(text, 'k8s_anomaly_detector_up')).to.equal(0);
    expect(samplesOf(text, 'anomaly_flag')).to.deep.equal([]);
    expect(samplesOf(text, 'anomaly_score')).to.deep.equal([]);
    for (const when of ['since', 'ended']) {
      expect(samplesOf(text, `anomaly_${when}_timestamp_seconds`)).to.deep.equal([]);
    }
    expect(exposedValue(text, 'k8s_anomaly_detector_pods_scored')).to.equal(0);
    expect(exposedValue(text, 'k8s_anomaly_detector_query_success', { query: 'cpu' })).to.equal(1);
    expect(exposedValue(text, 'k8s_anomaly_detector_query_success', { query: 'memory' })).to.equal(0);
    expect(exposedValue(text, 'k8s_anomaly_detector_query_duration_seconds', { query: 'memory' })).to.equal(0.5);
    expect(exposedValue(text, 'k8s_anomaly_detector_model_trained')).to.equal(1);
    expect(exposedValue(text, 'k8s_anomaly_detector_training_runs_total')).to.equal(12);
    expect(exposedValue(text, 'k8s_anomaly_detector_prometheus_requests_total', { code: 'error' })).to.equal(6);
    expect(exposedValue(text, 'process_resident_memory_bytes')).to.be.above(0);
  });

  it('leaves out what is not known without a model, instead of a 0 that would mean something', async () => {
    const state = stateWith({ model: undefined, training: UNTRAINED });
    const text = await textOf(NO_MODEL_PASS, state);
    expect(exposedValue(text, 'k8s_anomaly_detector_model_trained')).to.equal(0);
    expect(exposedValue(text, 'k8s_anomaly_detector_training_runs_total')).to.equal(0);
    for (const absent of [
      'k8s_anomaly_detector_model_trained_timestamp_seconds',
      'k8s_anomaly_detector_model_info',
      'k8s_anomaly_detector_training_duration_seconds',
      'k8s_anomaly_detector_training_samples',
      'k8s_anomaly_detector_last_training_success',
    ]) {
      expect(samplesOf(text, absent), absent).to.deep.equal([]);
    }
  });

  it('no longer names what has vanished between two scrapes', async () => {
    let training = { ...TRAINED, lastSucceeded: true };
    let requests = new Map([['200', 1]]);
    const metrics = createMetrics(() => stateWith({ training, prometheusRequests: requests }));
    const before = await metrics.render(async () => passTo(detectionOf(ALL_PODS)));
    expect(samplesOf(before.body, 'anomaly_flag')).to.have.lengthOf(ALL_PODS.length);
    training = { ...training, lastSucceeded: false, runs: 13 };
    requests = new Map([['200', 2]]);
    const after = await metrics.render(async () =>
      passTo({ ...detectionOf(ORDINARY_PODS.slice(0, 1)), unscored: new Map(), droppedSeries: new Map() }),
    );
    for (const name of ['anomaly_flag', 'anomaly_score']) {
      expect(samplesOf(after.body, name).map(({ labels }) => labels.pod)).to.deep.equal(['cart-6c9f7d8b5-x2x8p']);
    }
    expect(samplesOf(after.body, 'k8s_anomaly_detector_pods_unscored')).to.deep.equal([]);
    expect(samplesOf(after.body, 'k8s_anomaly_detector_series_dropped')).to.deep.equal([]);
    expect(exposedValue(after.body, 'k8s_anomaly_detector_last_training_success')).to.equal(0);
    expect(exposedValue(after.body, 'k8s_anomaly_detector_training_runs_total')).to.equal(13);
    expect(exposedValue(after.body, 'k8s_anomaly_detector_prometheus_requests_total')).to.equal(2);
    const failed = await metrics.render(async () => FAILED_PASS);
    expect(samplesOf(failed.body, 'anomaly_flag')).to.deep.equal([]);
  });

  it('has a plain number for everything, even when one scrape follows at once on another', async () => {
    const metrics = createMetrics(stateWith);
    await metrics.render(async () => FAILED_PASS);
    const { body } = await metrics.render(async () => FAILED_PASS);
    for (const { name, type, samples } of parseExposition(body).values()) {
      for (const { value } of samples) {
        expect(value, name).to.satisfy(Number.isFinite);
        // A time between two scrapes is no age of the universe.
        if (type === 'gauge' && name.includes('_lag_')) expect(value, name).to.be.within(0, 60);
      }
    }
  });

  it('asks for one pass in each scrape, for all metrics together', async () => {
    const metrics = createMetrics(stateWith);
    let passes = 0;
    for (let scrape = 1; scrape <= 3; scrape++) {
      await metrics.render(async () => {
        passes++;
        return passTo(detectionOf(ORDINARY_PODS));
      });
      expect(passes).to.equal(scrape);
    }
  });

  for (const [what, outcome, state] of [
    ['of a scrape with pods', passTo(detectionOf(ALL_PODS)), stateWith()],
    ['of a scrape without Prometheus', FAILED_PASS, stateWith()],
    ['before the first training', NO_MODEL_PASS, stateWith({ model: undefined, training: UNTRAINED })],
  ] as const) {
    it(`${what} is accepted by promtool`, async function () {
      requireTool(this, 'promtool');
      const input = await textOf(outcome, state);
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input,
        encoding: 'utf8',
        timeout: 10_000,
      });
      expect({ status, stdout, stderr }).to.deep.equal({ status: 0, stdout: '', stderr: '' });
    });
  }
});
