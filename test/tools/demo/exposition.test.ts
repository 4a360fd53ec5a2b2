import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { expositionText, metricFamilies, openMetricsHistory } from '../../../src/tools/demo/exposition.js';
import { createWorld } from '../../../src/tools/simulation/cluster.js';
import { requireTool } from '../../support/real-tools.js';

const START = Date.UTC(2026, 0, 15, 9, 7) / 1000;
const world = createWorld({ seed: 1, startSeconds: START });

const samplesOf = (name: string, time: number) =>
  metricFamilies(world, time).find((family) => family.name === name)?.samples ?? [];

describe('the exposition of the simulated cluster', () => {
  it('repeats the containers of a pod in a cgroup without a container, and has a pause container', () => {
    const ofPod = samplesOf('container_memory_usage_bytes', START).filter(({ labels }) => labels.pod === 'ledger-0');
    const bytesOf = (container: string) =>
      ofPod.find(({ labels }) => labels.container === container)?.value ?? Number.NaN;
    expect(ofPod).to.have.lengthOf(3);
    expect(bytesOf('')).to.be.closeTo(bytesOf('POD') + bytesOf('ledger'), 1);
    expect(ofPod.find(({ labels }) => labels.container === '')?.labels.image).to.equal('');
  });

  it('has the restarts of pods that completed, and nothing else of them', () => {
    const withCpu = new Set(samplesOf('container_cpu_usage_seconds_total', START).map(({ labels }) => labels.pod));
    const withRestarts = samplesOf('kube_pod_container_status_restarts_total', START).map(({ labels }) => labels.pod);
    expect(withRestarts.filter((pod) => !withCpu.has(pod))).to.have.lengthOf.within(2, 4);
  });

  it('leads from a pod to its workload', () => {
    const pod = samplesOf('kube_pod_owner', START).find(({ labels }) => labels.pod?.startsWith('cart-'))?.labels;
    const replicaSets = samplesOf('kube_replicaset_owner', START);
    expect(pod?.owner_kind).to.equal('ReplicaSet');
    const above = replicaSets.find(({ labels }) => labels.replicaset === pod?.owner_name)?.labels;
    expect(above).to.include({ namespace: 'shop', owner_kind: 'Deployment', owner_name: 'cart' });
    const jobs = samplesOf('kube_job_owner', START).map(({ labels }) => [labels.job_name, labels.owner_kind]);
    expect(jobs).to.deep.include(['archive-migration', '']);
    expect(jobs.some(([, kind]) => kind === 'CronJob')).to.equal(true);
  });

  it('has two runs of a container that was started again a moment ago', () => {
    const loop = world.incidents.find(({ kind }) => kind === 'crash-loop') ?? expect.fail();
    const ids = samplesOf('container_cpu_usage_seconds_total', loop.startSeconds + 5)
      .filter(({ labels }) => labels.pod === loop.pod && labels.container === 'config-sync')
      .map(({ labels }) => labels.id);
    expect(new Set(ids).size).to.equal(2);
  });

  it('says how a crash loop ended last, and that it waits, until it is over', () => {
    const loop = world.incidents.find(({ kind }) => kind === 'crash-loop') ?? expect.fail();
    const said = (name: string, seconds: number) =>
      samplesOf(`kube_pod_container_status_${name}`, loop.startSeconds + seconds)
        .filter(({ labels }) => labels.pod === loop.pod)
        .map(({ labels: { reason = '' }, value }) => [reason, value]);
    // It runs for ten seconds, and waits for ten, twenty, …
    expect([5, 15, 25, 35, 55].map((seconds) => said('waiting_reason', seconds).length)).to.deep.equal([0, 1, 0, 1, 0]);
    expect(said('waiting_reason', 15)).to.deep.equal([['CrashLoopBackOff', 1]]);
    expect(said('last_terminated_reason', -1)).to.deep.equal([]);
    expect(said('last_terminated_reason', 15)).to.deep.equal([['Error', 1]]);
    expect(said('last_terminated_exitcode', 15)).to.deep.equal([['', 1]]);
    expect(said('last_terminated_timestamp', 15)).to.deep.equal([['', Math.floor(loop.startSeconds + 10)]]);
    const after = loop.endSeconds - loop.startSeconds + 60;
    expect(said('waiting_reason', after)).to.deep.equal([]);
  });

  it('has an event where memory ran out, on the run that was killed', () => {
    const leak = { kind: 'memory-leak', namespace: 'payments', workload: 'ledger', replica: 1 } as const;
    const incidents = [{ ...leak, startOffsetSeconds: 0, endOffsetSeconds: 8 * 3600 }];
    const leaking = createWorld({ seed: 1, startSeconds: START, incidents });
    const killed = START + 6 * 3600;
    const at = (name: string, time: number) =>
      (metricFamilies(leaking, time).find((family) => family.name === name)?.samples ?? []).filter(
        ({ labels }) => labels.pod === 'ledger-1' && labels.container === 'ledger',
      );
    const events = (time: number) => at('container_oom_events_total', time).map(({ value }) => value);
    expect([events(killed - 1), events(killed + 5), events(killed + 60)]).to.deep.equal([[0], [0, 1], [0]]);
    const [limit] = at('kube_pod_container_resource_limits', killed).filter(
      ({ labels }) => labels.resource === 'memory',
    );
    const [memory] = at('container_memory_usage_bytes', killed - 1);
    expect(memory?.value ?? 0).to.be.closeTo(limit?.value ?? Number.NaN, 0.1 * (limit?.value ?? 0));
    const [ended] = at('kube_pod_container_status_last_terminated_reason', killed + 60);
    expect(ended?.labels.reason).to.equal('OOMKilled');
    expect(at('kube_pod_container_status_last_terminated_exitcode', killed + 60)[0]?.value).to.equal(137);
  });

  it('passes `promtool check metrics`', function () {
    requireTool(this, 'promtool');
    execFileSync('promtool', ['check', 'metrics'], { input: expositionText(world, START + 200) });
  });
});

describe('the history as OpenMetrics', () => {
  const options = { startSeconds: START - 60, endSeconds: START, stepSeconds: 15 };
  const lines = [...openMetricsHistory(world, { ...options, targetLabels: { job: 'cluster' } })].join('').split('\n');

  it('has each series in one piece, in order of time, with the labels of its target', () => {
    const finished = new Set<string>();
    let current = '';
    let latest = 0;
    for (const line of lines.filter((text) => text !== '' && !text.startsWith('#'))) {
      const [, series = '', time] = /^(.*\}) \S+ (\S+)$/.exec(line) ?? [];
      expect(series).to.contain('job="cluster"');
      if (series !== current) {
        finished.add(current);
        expect(finished.has(series), series).to.equal(false);
        [current, latest] = [series, 0];
      }
      expect(Number(time)).to.be.greaterThan(latest);
      latest = Number(time);
    }
  });

  it('has of the days before what the history of the exporter looks at, each series in order as well', () => {
    const daysBefore = 0.05;
    const text = [...openMetricsHistory(world, { ...options, daysBefore, targetLabels: {} })].join('');
    const timesOf = (series: RegExp) =>
      text.split('\n').flatMap((line) => (series.test(line) ? [Number(line.split(' ').at(-1)) - START] : []));
    const cpu = timesOf(/^container_cpu_usage.*pod="ledger-0",container="ledger"/);
    const memory = timesOf(/^container_memory.*pod="ledger-0",container="ledger"/);
    // START is at seven minutes past: the instants are at 9:05, 9:00, …
    const sparse = Array.from({ length: 15 }, (_, i) => -120 - 300 * (14 - i));
    const scraped = [-60, -45, -30, -15, 0];
    expect(memory).to.deep.equal([...sparse, ...scraped]);
    expect(cpu).to.deep.equal([...sparse.flatMap((time) => [time - 45, time]), ...scraped]);
    expect(timesOf(/^container_memory.*pod="ledger-0",container="POD"/)).to.deep.equal(scraped);
    expect(timesOf(/^kube_pod_owner.*pod="ledger-0"/)).to.deep.equal([...sparse, ...scraped]);
    expect(timesOf(/^kube_pod_info.*pod="ledger-0"/)).to.deep.equal(scraped);
  });

  it('names the families of counters without `_total` and ends as it must', () => {
    expect(lines).to.include('# TYPE container_cpu_usage_seconds counter');
    expect(lines).to.include('# TYPE container_memory_usage_bytes gauge');
    expect(lines.slice(-2)).to.deep.equal(['# EOF', '']);
  });
});
