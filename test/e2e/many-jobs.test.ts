import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { trainedPass } from '../support/detect-at.js';
import { type JobKnowledge, manyJobsHistory } from '../support/many-jobs-history.js';
import { startPrometheus, writeHistory } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';

/** The reasons that the alert AnomalyPodsUnscored does not count. */
const ON_PURPOSE = ['warmup', 'pending', 'ending', 'completed'];

const clusters: readonly (readonly [what: string, knowledge: JobKnowledge])[] = [
  ['without kube-state-metrics', { kubeStateMetrics: false, keptSeconds: 0 }],
  ['whose pods are deleted when they end', { kubeStateMetrics: true, keptSeconds: 0 }],
  ['whose pods are kept for an hour', { kubeStateMetrics: true, keptSeconds: 3600 }],
  ['whose pods are kept for two minutes', { kubeStateMetrics: true, keptSeconds: 120 }],
];

for (const [what, knowledge] of clusters) {
  describe(`a healthy cluster with many short jobs, ${what}`, function () {
    this.timeout(180_000);

    const nowSeconds = Math.floor(Date.now() / 1000);
    let directory: string;
    let server: RunningServer | undefined;

    before(async function () {
      for (const tool of ['prometheus', 'promtool']) requireTool(this, tool);
      directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-jobs-'));
      await writeHistory(directory, manyJobsHistory(nowSeconds, 4500, knowledge));
      const configuration = join(directory, 'prometheus.yml');
      writeFileSync(configuration, '{}');
      server = await startPrometheus({ directory, port: await freePort(), configuration });
    });

    after(async () => {
      await server?.close();
      if (directory !== undefined) rmSync(directory, { recursive: true });
    });

    it('has no pod without a score but on purpose', async () => {
      let time = nowSeconds - 900;
      const { pass, close } = await trainedPass({ PROMETHEUS_URL: server?.url ?? '' }, time, () => time);
      const reasons = new Map<string, number>();
      for (; time <= nowSeconds; time += 20) {
        const outcome = await pass.run(undefined);
        if (outcome.kind !== 'detection') throw new Error(outcome.message);
        for (const [reason, pods] of outcome.detection.unscored) reasons.set(reason, (reasons.get(reason) ?? 0) + pods);
        expect(outcome.detection.table.pods.length).to.be.at.least(8);
      }
      close();
      // Where pods that have ended are kept, Kubernetes says so by the next minute.
      expect([...reasons.keys()]).to.include(knowledge.keptSeconds > 0 ? 'completed' : 'ending');
      expect(Object.fromEntries([...reasons].filter(([reason]) => !ON_PURPOSE.includes(reason)))).to.deep.equal({});
    });
  });
}
