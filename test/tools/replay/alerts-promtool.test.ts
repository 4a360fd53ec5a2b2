import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { parseRules, RULES_FILE } from '../../../scripts/prometheus-rules.js';
import { createRandom } from '../../../src/exporter/model/random.js';
import {
  type AlertName,
  EVALUATION_SECONDS,
  type PodRuns,
  SHIPPED_FOR_SECONDS,
  simulateAlerts,
} from '../../../src/tools/replay/alerts.js';
import { type ChunkResult, runsOf } from '../../../src/tools/replay/chunk-result.js';
import { joinChunks, podRunsAt } from '../../../src/tools/replay/pod-history.js';
import { requireTool } from '../../support/real-tools.js';

const MINUTES = 150;

/** Debian's promtool, which is of Prometheus 2, counts a sample at the beginning of a range. */
function closedRangesOfPromtool(): boolean {
  const { stdout, stderr } = spawnSync('promtool', ['--version'], { encoding: 'utf8', timeout: 60_000 });
  return !/version 3\./.test(stdout + stderr);
}

/** Anomalies of some workloads that come and go at random, and whose pods come and go. */
function randomPods(seed: number, calmness: number): PodRuns[] {
  const random = createRandom(seed);
  const pods: PodRuns[] = [];
  for (const [workload, replicas] of [
    ['cart', 1],
    ['till', 2],
    ['search', 3],
    ['queue', 4],
  ] as const) {
    let sharedTrouble = 0;
    const trouble = Array.from({ length: MINUTES }, () => {
      if (sharedTrouble > 0) sharedTrouble--;
      else if (random() < 0.015) sharedTrouble = Math.round(3 + 25 * random());
      return sharedTrouble > 0;
    });
    for (let replica = 0; replica < replicas; replica++) {
      const scored = new Uint8Array(MINUTES);
      const muted = new Uint8Array(MINUTES);
      const lasting = new Uint8Array(MINUTES);
      let absent = 0;
      let own = 0;
      for (let minute = 0; minute < MINUTES; minute++) {
        if (absent > 0) absent--;
        else if (random() < 0.02) absent = Math.round(12 * random() ** 2);
        if (own > 0) own--;
        else if (random() < 0.02) own = Math.round(20 * random() ** 2);
        if (absent > 0) continue;
        scored[minute] = 1;
        // One of the four pods of a workload is muted for a while.
        muted[minute] = Number(replica === 3 && minute >= 60 && minute < 100);
        if (muted[minute] === 1) continue;
        const bad = own > 0 || trouble[minute] === true;
        lasting[minute] = Number(bad ? random() < calmness : random() < 0.03);
      }
      pods.push({
        namespace: 'shop',
        pod: `${workload}-${replica}`,
        workload,
        scored: runsOf(scored),
        muted: runsOf(muted),
        lasting: runsOf(lasting),
      });
    }
  }
  return pods;
}

/** The part of runs in the minutes from `from` to before `to`, counted from there. */
const partOf = (runs: readonly number[], from: number, to: number): number[] => {
  const minutes = Uint8Array.from({ length: to - from }, (_, minute) => Number(within(runs, from + minute)));
  return runsOf(minutes);
};

/** The same pods as a replay in three chunks leaves them: what `backtest` and `evaluate` give to the rules. */
function replayedInChunks(pods: readonly PodRuns[]): PodRuns[] {
  const cuts = [0, 40, 97, MINUTES];
  const chunks = cuts.slice(1).map((to, index): ChunkResult => {
    const from = cuts[index] as number;
    const stretches = pods.map(({ namespace, pod, workload, scored, muted, lasting }) => ({
      namespace,
      pod,
      workload,
      scored: partOf(scored, from, to),
      muted: partOf(muted, from, to),
      flagged: [[], partOf(lasting, from, to)],
      lasting: [[], partOf(lasting, from, to)],
      readMinutes: [],
      readings: [],
    }));
    return {
      startSeconds: 60 * from,
      minutes: to - from,
      features: [],
      pods: stretches,
      unscored: {},
      minutesWithoutModel: 0,
      rememberedHours: 0,
      expectedMessagesPerDay: null,
      trainings: 0,
      failedTrainings: 0,
      lastFailure: null,
      warnings: [],
    };
  });
  return podRunsAt(joinChunks(chunks, 0), 1);
}

const within = (runs: readonly number[], minute: number) =>
  runs.some((from, index) => index % 2 === 0 && from <= minute && minute < (runs[index + 1] ?? 0));

/** Values in the notation of promtool: one a minute, `stale` where a series ends. */
function seriesValues(value: (minute: number) => number | undefined): string {
  let before: number | undefined;
  const words: (number | string)[] = [];
  for (let minute = 0; minute < MINUTES; minute++) {
    const own = value(minute);
    words.push(own ?? (before === undefined ? '_' : 'stale'));
    before = own;
  }
  return words.join(' ');
}

function inputSeries(pods: readonly PodRuns[]) {
  const ofPods = pods.flatMap(({ namespace, pod, workload, scored, lasting }) => [
    {
      series: `anomaly_flag{namespace="${namespace}",pod="${pod}"}`,
      values: seriesValues((minute) => (within(scored, minute) ? Number(within(lasting, minute)) : undefined)),
    },
    {
      series: `anomaly_lasting{namespace="${namespace}",pod="${pod}",workload="${workload}"}`,
      values: seriesValues((minute) => (within(lasting, minute) ? 1 : undefined)),
    },
  ]);
  const ofWorkloads = [...new Set(pods.map(({ workload }) => workload))].map((workload) => ({
    series: `anomaly_workload_pods_scored{namespace="shop",workload="${workload}"}`,
    values: seriesValues((minute) => {
      const scored = pods.filter((pod) => pod.workload === workload && within(pod.scored, minute));
      return scored.length === 0 ? undefined : scored.filter((pod) => !within(pod.muted, minute)).length;
    }),
  }));
  return [...ofPods, ...ofWorkloads];
}

/** The shipped rules with nothing but what decides when they fire. */
function bareRules(): string {
  const { groups } = parseRules(readFileSync(RULES_FILE, 'utf8'));
  return stringify({
    groups: groups
      .filter(({ name }) => name.endsWith('.pods'))
      .map((group) => ({
        ...group,
        rules: group.rules.map((rule) => ({ ...rule, annotations: undefined })),
      })),
  });
}

const SEVERITY: Readonly<Record<AlertName, string>> = {
  PodAnomalous: 'warning',
  WorkloadAnomalous: 'warning',
  NamespaceAnomalous: 'critical',
  AnomalyMassFlagging: 'critical',
};

describe('the simulated alerts beside those of promtool', () => {
  let directory: string;
  before(function () {
    requireTool(this, 'promtool');
    directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-rules-'));
    writeFileSync(join(directory, 'rules.yaml'), bareRules());
  });
  after(() => {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  for (const [seed, calmness] of [
    [1, 0.97],
    [2, 0.97],
    [3, 0.85],
    [4, 0.7],
  ] as const) {
    it(`fire at the same moments: random anomalies ${seed}`, () => {
      const pods = randomPods(seed, calmness);
      const alerts = simulateAlerts(replayedInChunks(pods), MINUTES, {
        forSeconds: SHIPPED_FOR_SECONDS,
        closedRanges: closedRangesOfPromtool(),
      });
      expect(alerts.length, 'alerts to compare').to.be.above(3);
      expect([...new Set(alerts.map(({ name }) => name))], 'kinds of them').to.have.members(Object.keys(SEVERITY));
      const tests = [];
      for (let time = 0; time < MINUTES * 60; time += EVALUATION_SECONDS) {
        for (const [name, severity] of Object.entries(SEVERITY)) {
          const firing = alerts.filter(
            (alert) => alert.name === name && alert.startSeconds <= time && time < alert.endSeconds,
          );
          tests.push({
            eval_time: `${time}s`,
            alertname: name,
            exp_alerts: firing.map(({ namespace, workload, pod }) => ({
              exp_labels: {
                severity,
                ...(namespace && { namespace }),
                ...(workload && { workload }),
                ...(pod && { pod }),
              },
            })),
          });
        }
      }
      const file = join(directory, `random-${seed}.yaml`);
      writeFileSync(
        file,
        stringify({
          rule_files: ['rules.yaml'],
          evaluation_interval: `${EVALUATION_SECONDS}s`,
          tests: [{ interval: '1m', input_series: inputSeries(pods), alert_rule_test: tests }],
        }),
      );
      const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], {
        encoding: 'utf8',
        timeout: 60_000,
      });
      expect(status, (stdout + stderr).slice(0, 3000)).to.equal(0);
    });
  }
});
