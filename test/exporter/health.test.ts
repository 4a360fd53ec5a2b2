import { expect } from 'chai';
import { NO_CONTEXT } from '../../src/exporter/context/pod-context.js';
import { NO_INCIDENTS } from '../../src/exporter/episodes/incidents.js';
import { type HealthSources, healthReport } from '../../src/exporter/health.js';
import type { Model } from '../../src/exporter/model/model.js';
import { NO_FINDINGS, UNTRAINED } from '../support/metric-sources.js';
import { steadyModel } from '../support/steady-cluster.js';

const budgetOf = (model: Model | undefined) => {
  const sources: HealthSources = {
    version: '1.2.3',
    prometheusUrl: 'http://prometheus:9090',
    baseline: 'pod',
    model,
    training: UNTRAINED,
    snapshot: undefined,
    history: undefined,
    context: NO_CONTEXT,
    findings: NO_FINDINGS,
    incidents: { ...NO_INCIDENTS, sinceSeconds: 1_767_225_600, beganSeconds: [1_767_229_200, 1_767_232_800] },
    passes: { last: undefined, lastUpstreamError: undefined },
    nowSeconds: 1_767_268_800,
  };
  return healthReport(sources).budget;
};

describe('the health report', () => {
  it('has the budget of messages, and what came of the boundaries', () => {
    const workloads = { per_day: 4, last_day: 2, counted_since: '2026-01-01T00:00:00.000Z', workloads: 2 };
    expect(budgetOf(steadyModel(7))).to.deep.equal({
      ...workloads,
      expected_per_day: 0,
      recent_workloads_per_day: 0,
      known_days: 6,
      accepted_levels: [],
    });
    expect(budgetOf(steadyModel(1))).to.include({
      ...workloads,
      expected_per_day: null,
      recent_workloads_per_day: null,
    });
    expect(budgetOf(undefined)).to.equal(null);
  });
});
