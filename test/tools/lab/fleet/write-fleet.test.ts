import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { UsageError } from '../../../../src/lib/usage-error.js';
import type { FleetChange, FleetDescription, FleetLabel } from '../../../../src/tools/lab/fleet/fleet-labels.js';
import { runSimulateFleet, type SimulateFleetOptions } from '../../../../src/tools/lab/fleet/write-fleet.js';
import { readLabels } from '../../../../src/tools/lab/labels.js';
import { rejection } from '../../../support/rejection.js';

const START = Date.UTC(2026, 2, 26) / 1000;
const FILES = ['changes.json', 'fleet-5.csv.gz', 'fleet.json', 'labels.json'];

interface Row {
  readonly time: number;
  readonly cpu: string | undefined;
  readonly memory: string | undefined;
  readonly restarts: number;
}

describe('a fleet in files', () => {
  const root = mkdtempSync(join(tmpdir(), 'fleet-'));
  after(() => rmSync(root, { recursive: true }));

  async function write(name: string, options: Partial<SimulateFleetOptions> = {}, stop?: AbortSignal) {
    const output = join(root, name);
    const stdout = new PassThrough();
    await runSimulateFleet(
      { output, seed: 5, days: 4, pods: 60, incident: true, start: '2026-03-26', ...options },
      { stdout, signal: stop ?? new AbortController().signal },
    );
    return { output, said: String(stdout.read()) };
  }
  const bytesOf = (name: string, file: string) => readFileSync(join(root, name, file));
  const jsonOf = <Content>(file: string): Content => JSON.parse(bytesOf('first', file).toString());

  let said: string;
  const rows = new Map<string, Row[]>();
  const times: number[] = [];

  before(async () => {
    ({ said } = await write('first'));
    const [header, ...lines] = gunzipSync(bytesOf('first', 'fleet-5.csv.gz')).toString().trimEnd().split('\n');
    expect(header).to.equal('timestamp,namespace,pod,cpu_cores,memory_bytes,restarts');
    for (const line of lines) {
      const [time, namespace, pod, cpu, memory, restarts] = line.split(',');
      const key = `${namespace}/${pod}`;
      times.push(Number(time));
      const of = rows.get(key) ?? [];
      if (of.length === 0) rows.set(key, of);
      of.push({ time: Number(time), cpu, memory, restarts: Number(restarts) });
    }
  });

  it('are four files, the same to the last byte for a seed', async () => {
    await write('again');
    await write('other', { seed: 6 });
    expect(readdirSync(join(root, 'first')).sort()).to.deep.equal(FILES);
    for (const file of FILES) expect(bytesOf('again', file).equals(bytesOf('first', file)), file).to.equal(true);
    expect(bytesOf('other', 'labels.json').equals(bytesOf('first', 'labels.json'))).to.equal(false);
    expect(said).to.match(
      /fleet-5\.csv\.gz: \d+ workloads, \d{6} rows, \d+ faults, \d more in the days to learn from, /,
    );
  });

  it('have a row for each pod and minute, in order of time', () => {
    expect(times[0]).to.equal(START);
    expect(times.at(-1)).to.equal(START + 4 * 86_400 - 60);
    expect(times.every((time, i) => time % 60 === 0 && time >= (times[i - 1] ?? 0))).to.equal(true);
    for (const [pod, of] of rows) expect(new Set(of.map(({ time }) => time)).size, pod).to.equal(of.length);
    const values = [...rows.values()].flat();
    const measured = values.filter(({ cpu, memory }) => cpu !== '' && memory !== '');
    expect(measured.length / values.length).to.be.within(0.7, 0.99);
    expect(measured.every(({ cpu, memory }) => Number(cpu) > 0 && Number(memory) % 4096 === 0)).to.equal(true);
  });

  it('say of each pod of which workload and kind it is', () => {
    const { case: name, start, learned_until: learned, end, workloads } = jsonOf<FleetDescription>('fleet.json');
    expect([name, start, learned, end]).to.deep.equal(['fleet-5', START, START + 2 * 86_400, START + 4 * 86_400]);
    const pods = workloads.flatMap(({ namespace, pods: of }) => of.map((pod) => `${namespace}/${pod}`));
    expect(pods).to.include.members([...rows.keys()]);
    expect(new Set(pods).size).to.equal(pods.length);
  });

  it('label each pod of each fault, as the values show', async () => {
    const labels = jsonOf<readonly FleetLabel[]>('labels.json');
    expect(labels.length).to.be.above(11);
    expect(new Set(labels.map(({ fault_type: type }) => type)).size).to.be.above(9);
    for (const label of labels) {
      const of = rows.get(`${label.namespace}/${label.pod}`) ?? expect.fail(`no rows of ${label.pod}`);
      const during = of.filter(({ time }) => label.start <= time && time < label.end);
      expect(during.length, label.fault).to.be.at.least(0.9 * ((label.end - label.start) / 60) - 2);
      const memory = during.flatMap(({ memory: bytes }) => (bytes === '' ? [] : [Number(bytes)]));
      const largest = memory.length === 0 ? null : Math.max(...memory);
      expect(label.effect.memory_bytes_max_during, label.fault).to.equal(largest);
      expect(label.effect.restarts_max_during).to.equal(Math.max(...during.map(({ restarts }) => restarts)));
      expect(label.learned).to.equal(label.start < START + 2 * 86_400);
      if (label.fault_type === 'crash_loop_seconds') expect(label.visible.restarts).to.equal(true);
      if (label.fault_type === 'hang') expect(label.visible.cpu).to.equal(true);
    }
    expect(labels.some(({ learned }) => learned)).to.equal(true);
    const read = await readLabels(join(root, 'first'));
    expect(read.malformed.size).to.equal(0);
    expect(read.faults.filter(({ visible }) => visible).length / labels.length).to.be.above(0.9);
  });

  it('record normal changes: releases, new replicas, replaced pods, restarts', () => {
    const changes = jsonOf<readonly FleetChange[]>('changes.json');
    const kinds = new Set(changes.map(({ change }) => change));
    expect([...kinds]).to.include.members(['rollout', 'scale-up', 'restart']);
    for (const { namespace, start, ...change } of changes) {
      if (!('pod' in change) || change.change === 'restart') continue;
      const first = rows.get(`${namespace}/${change.pod}`)?.find(({ time }) => time >= start);
      if (first !== undefined) expect(first.time - start).to.be.below(600);
    }
  });

  it('record releases, with the factor by which CPU and memory of new pods differ from those of old ones', () => {
    const changes = jsonOf<readonly FleetChange[]>('changes.json');
    const releases = changes.flatMap((change) => ('cpu_factor' in change ? [change] : []));
    expect(releases.length).to.be.at.least(1);
    for (const { namespace, workload, start } of releases) {
      const born = changes.filter(
        (other) => other.change === 'rollout' && other.namespace === namespace && other.workload === workload,
      );
      expect(
        born.some((other) => other.start - start >= 0 && other.start - start < 900),
        workload,
      ).to.equal(true);
    }
  });

  it('record shifts and rollbacks of a fleet with levels that change for good, and label an outage on all pods', async () => {
    const options = { incident: false, lasting: true, outage: true, days: 5 };
    const { said: saidOfThem } = await write('lasting', options);
    const contentOf = (file: string) => JSON.parse(bytesOf('lasting', file).toString());
    const changes: readonly FleetChange[] = contentOf('changes.json');
    const levels = changes.filter((change) => 'cpu_factor' in change);
    expect(new Set(levels.map(({ change }) => change))).to.deep.equal(new Set(['release', 'rollback', 'shift']));
    const labels: readonly FleetLabel[] = contentOf('labels.json');
    const outage = labels.filter(({ fault_type: type }) => type === 'mass_outage');
    expect(outage.length).to.be.above(50);
    expect(new Set(outage.map(({ fault }) => fault)).size).to.equal(1);
    const faults = new Set(labels.map(({ fault }) => fault)).size;
    expect(saidOfThem).to.contain(` rows, ${faults} faults, `);
  });

  it('say which workloads have a job inside their pods once a day', async () => {
    await write('jobs', { jobs: true });
    const { workloads }: FleetDescription = JSON.parse(bytesOf('jobs', 'fleet.json').toString());
    const withJob = workloads.filter(({ kind }) => kind === 'daily-job');
    expect(withJob.length).to.be.above(1);
    const before = jsonOf<FleetDescription>('fleet.json').workloads;
    const kindsBefore = withJob.map(({ workload }) => before.find((own) => own.workload === workload)?.kind);
    expect(['web', 'irregular', 'heap', 'cache', 'idle']).to.include.members(kindsBefore as string[]);
  });

  it('are not mixed with other data, and only begin on a date', async () => {
    expect((await rejection(write('dated', { start: '26.3.2026' }), UsageError)).message).to.equal(
      'Expected a date such as 2026-03-23 in --start, got "26.3.2026".',
    );
    writeFileSync(join(root, 'again', 'mine.csv'), '');
    expect((await rejection(write('again'), Error)).message).to.contain('got mine.csv in');
  });

  it('leave nothing half written when they are stopped', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 20);
    expect((await rejection(write('stopped', { pods: 600 }, stop.signal), Error)).name).to.equal('AbortError');
    expect(readdirSync(join(root, 'stopped'))).to.deep.equal([]);
  });
});
