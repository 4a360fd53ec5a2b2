import { expect } from 'chai';
import fc from 'fast-check';
import { quotePromql } from '../../src/exporter/features/queries/promql.js';
import { anyText } from '../support/fuzz.js';
import { requireTool } from '../support/real-tools.js';
import { SmallCluster } from '../support/small-cluster.js';
import { type SmallPrometheus, startSmallPrometheus } from '../support/small-prometheus.js';

describe('the escaping of PromQL, read by a real Prometheus', function () {
  this.timeout(180_000);

  let prometheus: SmallPrometheus | undefined;

  before(async function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
    prometheus = await startSmallPrometheus(new SmallCluster());
  });

  after(() => prometheus?.close());

  it('gives back every text', async () => {
    for (const text of fc.sample(anyText, { seed: 42, numRuns: 300 })) {
      const response = await fetch(`${prometheus?.url}/api/v1/query`, {
        method: 'POST',
        body: new URLSearchParams({ query: quotePromql(text) }),
      });
      const { data, error } = (await response.json()) as { data?: { result: unknown[] }; error?: string };
      expect(data?.result[1], `${JSON.stringify(text)}: ${error}`).to.equal(text);
    }
  });
});
