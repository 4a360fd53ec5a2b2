import { expect } from 'chai';
import { detect, RECENT_INSTANTS } from '../../../../src/exporter/detection/detect.js';
import { FeatureTable } from '../../../../src/exporter/features/table.js';
import {
  type FeatureHistory,
  flaggedSince,
  type PodHistory,
  replay,
} from '../../../../src/exporter/http/status-page/replay.js';
import { fitModel } from '../../../../src/exporter/model/fit.js';
import { QUICK_PARAMETERS } from '../../../support/parameters.js';
import { type Course, steadyModel, steadyTable, TRAINED_AT } from '../../../support/steady-cluster.js';
import { asBuilt, CATALOG, featureTable, recentOf, sliceTable } from '../../../support/tables.js';

const MEBIBYTE = 2 ** 20;

/** Two hours: training in the first, and in the second one pod takes three times its memory from minute 100 on. */
const MINUTES = 121;
const rowsOf = (pod: number) =>
  Array.from({ length: MINUTES }, (_, minute) => {
    const wave = 1 + 0.05 * Math.sin(minute * (pod + 1));
    const leaks = pod === 0 && minute >= 100 ? 3 : 1;
    const restarts = 500 + (pod === 1 ? Math.max(0, Math.min(4, minute - 110)) : 0);
    return [0.2 * wave, 200 * MEBIBYTE * wave * leaks, restarts];
  });
const table = featureTable(
  CATALOG,
  [0, 1, 2, 3].map((pod) => ({ pod: `cart-${pod}`, workload: 'cart', rows: rowsOf(pod) })),
  { startSeconds: 1_767_225_600 },
);
const model = fitModel({ window: sliceTable(table, 0, 60), history: [] }, CATALOG, QUICK_PARAMETERS);

const from = 60 - (RECENT_INSTANTS - 1);
const replayed = () => replay(model, asBuilt(sliceTable(table, from, MINUTES)));
const historyOf = (histories: ReadonlyMap<string, PodHistory>, pod: string) => histories.get(`ns/${pod}`) as PodHistory;

describe('replay', () => {
  it('scores each instant as a detection at that time does', async () => {
    const histories = await replayed();
    for (const instant of [60, 99, 100, 101, 115, 120]) {
      const detection = detect(model, recentOf(table, instant));
      for (const [row, { pod }] of detection.table.pods.entries()) {
        expect(historyOf(histories, pod).scores[instant - 60], `${pod} at ${instant}`).to.equal(detection.scores[row]);
      }
    }
    expect(historyOf(histories, 'cart-0').timestampsSeconds).to.have.length(61);
  });

  it('has a band that the usual values keep to and the flagged ones leave', async () => {
    const histories = await replayed();
    for (const history of histories.values()) {
      for (const [instant, score] of history.scores.entries()) {
        const isOutside = history.features.some(
          ({ values, lower, upper }) =>
            (values[instant] as number) > (upper[instant] as number) ||
            (values[instant] as number) < (lower[instant] as number),
        );
        if (score > 0) expect(isOutside).to.equal(true);
      }
    }
    const { values, lower, upper } = historyOf(histories, 'cart-0').features[1] as PodHistory['features'][0];
    expect(values[30]).to.be.within(lower[30] as number, upper[30] as number);
    expect(values[50]).to.be.above(upper[50] as number);
  });

  it('puts the band of a counter on what it read before', async () => {
    const restarts = historyOf(await replayed(), 'cart-1').features[2];
    expect(restarts?.values[54]).to.equal(504);
    expect(restarts?.upper[54]).to.be.within(501, 503);
    expect(restarts?.lower[54]).to.equal(Number.NEGATIVE_INFINITY);
  });

  it('has the boundaries of the time of day as the band, where the model knows the workload', async () => {
    const remembering = steadyModel();
    const instants = 61 + RECENT_INSTANTS - 1;
    const course: Course = ([cpu, memory, restarts]) => [cpu, 3 * memory, restarts];
    const minutes = steadyTable(TRAINED_AT + 1800, instants, 60, { 'report-0': course });
    const { features, scores } = historyOf(await replay(remembering, asBuilt(minutes)), 'report-0');
    const [cpu, memory, restarts] = features as [FeatureHistory, FeatureHistory, FeatureHistory];
    // Half an hour before noon and half an hour after it.
    expect(cpu.upper[10]).to.be.within(0.21, 1);
    expect(cpu.lower[50]).to.be.within(1, 1.95);
    expect(cpu.upper[50]).to.be.within(2.05, 4);
    for (const instant of [10, 50]) {
      expect(cpu.values[instant]).to.be.within(cpu.lower[instant] as number, cpu.upper[instant] as number);
      expect(memory.values[instant]).to.be.above(memory.upper[instant] as number);
      expect(scores[instant]).to.be.above(0);
      expect([restarts.lower[instant], restarts.upper[instant]]).to.deep.equal([Number.NEGATIVE_INFINITY, 4]);
    }
  });

  it('knows nothing of a time at which the pod was not there', async () => {
    const young = sliceTable(table, from, MINUTES);
    const values = young.values.slice();
    values.fill(Number.NaN, 0, 40 * CATALOG.length);
    const histories = await replay(model, asBuilt(new FeatureTable({ ...young, values })));
    const { scores, features } = historyOf(histories, 'cart-0');
    expect(scores[10]).to.be.NaN;
    expect(features[0]?.values[10]).to.be.NaN;
    expect(scores[60]).to.be.above(0);
  });
});

describe('flaggedSince', () => {
  const since = (...scores: number[]) =>
    flaggedSince({
      scores: Float64Array.from(scores),
      timestampsSeconds: Float64Array.from(scores, (_, index) => 60 * index),
      features: [],
    });

  it('is the first instant of the flag that holds', () => {
    expect(since(1, -1, 0, 1, 1)).to.deep.equal({ timeSeconds: 180, orEarlier: false });
    expect(since(-1, Number.NaN, 1)).to.deep.equal({ timeSeconds: 120, orEarlier: false });
  });

  it('says when it goes back as far as is known', () => {
    expect(since(1, 1, 1)).to.deep.equal({ timeSeconds: 0, orEarlier: true });
  });

  it('is unknown without a flag', () => {
    expect(since(1, 1, 0)).to.equal(undefined);
    expect(since()).to.equal(undefined);
  });
});
