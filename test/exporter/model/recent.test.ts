import { expect } from 'chai';
import { levelOf } from '../../../src/exporter/history/level.js';
import { decodeLevel } from '../../../src/exporter/history/workload-history.js';
import { fitModel } from '../../../src/exporter/model/fit.js';
import { decodeRise, RECENT_SAMPLES } from '../../../src/exporter/model/recent.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { feature, featureTable, RESTARTS } from '../../support/tables.js';

const LOAD = feature('load', { spreadFloor: 0.5 });
const FEATURES = [LOAD, RESTARTS];
const MINUTES = 91;

type Course = (minute: number) => readonly [load: number, restarts: number];

/** The last hour of a pod, or of its workload, after a training on 90 minutes. */
function recentOf(pods: Readonly<Record<string, Course>>, of: 'pods' | 'workloads', key: string, column: number) {
  const window = featureTable(
    FEATURES,
    Object.entries(pods).map(([pod, course]) => ({
      pod,
      workload: pod.split('-')[0] ?? '',
      rows: Array.from({ length: MINUTES }, (_, minute) => [...course(minute)]),
    })),
  );
  const { baseline } = fitModel({ window, history: [] }, FEATURES, QUICK_PARAMETERS);
  const start = ((baseline[of].rows.get(key) ?? expect.fail()) * FEATURES.length + column) * RECENT_SAMPLES;
  return [...baseline[of].recent.slice(start, start + RECENT_SAMPLES)];
}

/** Minutes of the samples: five apart, the last one at the end. */
const SAMPLED = Array.from({ length: RECENT_SAMPLES }, (_, sample) => MINUTES - 1 - 5 * (RECENT_SAMPLES - 1 - sample));

describe('the last hour of a training window', () => {
  it('has the levels of gauges every five minutes, up to the end', () => {
    const levels = recentOf({ 'web-0': (minute) => [minute, 0] }, 'pods', 'ns/web-0', 0).map(decodeLevel);
    expect(SAMPLED[0]).to.equal(30);
    for (const [sample, minute] of SAMPLED.entries()) {
      expect(levels[sample]).to.be.closeTo(levelOf(LOAD, minute), 0.003);
    }
  });

  it('has gaps where a pod was not there', () => {
    const late: Course = (minute) => (minute < 62 ? [Number.NaN, Number.NaN] : [5, 0]);
    const levels = recentOf({ 'web-0': () => [1, 0], 'web-1': late }, 'pods', 'ns/web-1', 0).map(decodeLevel);
    expect(levels.map((level) => !Number.isNaN(level))).to.deep.equal(SAMPLED.map((minute) => minute >= 62));
  });

  it('has the rises of counters from one sample to the next, and none for a fall', () => {
    const restarts = (minute: number) => (minute < 42 ? 7 : minute < 57 ? 10 : minute < 72 ? 9 : 0);
    const rises = recentOf({ 'web-0': (minute) => [1, restarts(minute)] }, 'pods', 'ns/web-0', 1).map(decodeRise);
    expect(rises[0], 'before the window, nothing is known').to.be.NaN;
    expect(rises.slice(1)).to.deep.equal(SAMPLED.slice(1).map((minute) => (minute === 45 ? 3 : 0)));
  });

  it('has the medians of workloads with at least three pods', () => {
    const pods = Object.fromEntries(
      [1, 10, 100].map((load, index) => [`web-${index}`, (minute: number) => [load * minute, 0] as const]),
    );
    const levels = recentOf({ ...pods, 'job-0': () => [1, 0] }, 'workloads', 'ns/web', 0).map(decodeLevel);
    for (const [sample, minute] of SAMPLED.entries()) {
      expect(levels[sample]).to.be.closeTo(levelOf(LOAD, 10 * minute), 0.006);
    }
    const alone = recentOf({ ...pods, 'job-0': () => [1, 0] }, 'workloads', 'ns/job', 0).map(decodeLevel);
    expect(alone.every(Number.isNaN)).to.equal(true);
  });
});
