import { expect } from 'chai';
import { budget } from '../../../src/exporter/metrics/budget.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { FAILED_PASS, MODEL, stateWith } from '../../support/metric-sources.js';

/** The values of all families by their names; `undefined` where a family has no sample. */
const valuesOf = (model: Model | undefined) =>
  Object.fromEntries(
    budget.map(({ name, samples }) => {
      const answer = samples({ ...stateWith(), model, outcome: FAILED_PASS });
      if (answer instanceof Promise) throw new Error('A gauge of the model takes no time.');
      return [name.replace('k8s_anomaly_detector_', ''), answer.values[0]];
    }),
  );

describe('gauges of the budget', () => {
  it('are what the model expects, whether a pass succeeds or not', () => {
    expect(valuesOf(MODEL)).to.deep.equal({
      alert_budget_messages_per_day: 4,
      expected_messages_per_day: 3.5,
      recent_exceeding_workloads_per_day: 1.25,
      boundaries_workloads: 2,
      boundaries_known_seconds: 144 * 3600,
    });
  });

  it('are absent where they are not known, and not 0', () => {
    const unknown = { ...MODEL, expectedMessagesPerDay: Number.NaN, recentExceedingPerDay: Number.NaN, knownHours: 0 };
    expect(valuesOf(unknown)).to.deep.equal({
      alert_budget_messages_per_day: 4,
      expected_messages_per_day: undefined,
      recent_exceeding_workloads_per_day: undefined,
      boundaries_workloads: 2,
      boundaries_known_seconds: 0,
    });
    expect(new Set(Object.values(valuesOf(undefined)))).to.deep.equal(new Set([undefined]));
  });
});
