import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { NormalChange } from '../../../src/tools/lab/normal-changes.js';
import { runSimulate, type SimulateSummary } from '../../../src/tools/lab/simulate.js';
import type { Label } from '../../../src/tools/lab/simulated-labels.js';
import { rejection } from '../../support/rejection.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const CASES = ['faults-1', 'faults-2', 'faults-3', 'repeated', 'changes', 'quiet'];

/** A row of a file, as text says it. */
interface Row {
  readonly time: number;
  readonly pod: string;
  readonly cpu: number | undefined;
  readonly memory: number | undefined;
  readonly restarts: number;
}

/** The rows of a case by `namespace/pod`, each in order of time. */
type Recording = ReadonlyMap<string, readonly Row[]>;

const directories: string[] = [];
function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'simulate-'));
  directories.push(directory);
  return directory;
}

function textOf(directory: string, name: string): string {
  return gunzipSync(readFileSync(join(directory, `${name}.csv.gz`))).toString();
}

function jsonOf<Entry>(directory: string, name: string): readonly Entry[] {
  return JSON.parse(readFileSync(join(directory, name), 'utf8'));
}

function parseRecording(text: string): Recording {
  const [header, ...lines] = text.trimEnd().split('\n');
  expect(header).to.equal('timestamp,namespace,pod,cpu_cores,memory_bytes,restarts');
  const pods = new Map<string, Row[]>();
  const optional = (field: string | undefined) => (field === '' ? undefined : Number(field));
  for (const line of lines) {
    const [time, namespace, pod = '', cpu, memory, restarts] = line.split(',');
    const rows = pods.get(`${namespace}/${pod}`) ?? [];
    if (rows.length === 0) pods.set(`${namespace}/${pod}`, rows);
    rows.push({
      time: Number(time),
      pod,
      cpu: optional(cpu),
      memory: optional(memory),
      restarts: Number(restarts),
    });
  }
  return pods;
}

function run(output: string, options: { seed?: number; hours?: number } = {}, signal?: AbortSignal) {
  const stdout = new PassThrough().resume();
  return runSimulate({ output, ...options }, { stdout, signal: signal ?? new AbortController().signal });
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const cpuOf = (rows: readonly Row[]) => rows.flatMap(({ cpu }) => cpu ?? []);
const memoryOf = (rows: readonly Row[]) => rows.flatMap(({ memory }) => memory ?? []);
const between = (rows: readonly Row[], from: number, to: number) =>
  rows.filter(({ time }) => from <= time && time <= to);
/** The rows at which the counter is not what it was, with the step. */
const steps = (rows: readonly Row[]) =>
  rows.flatMap(({ time, restarts }, index) => {
    const step = restarts - (rows[index - 1]?.restarts ?? restarts);
    return step === 0 ? [] : [{ time, step }];
  });

describe('the simulated set', () => {
  let directory: string;
  let summary: SimulateSummary;
  let labels: readonly Label[];
  let changes: readonly NormalChange[];
  const recordings = new Map<string, Recording>();

  const recording = (name: string) => recordings.get(name) ?? expect.fail(`no case ${name}`);
  const rowsOf = ({ case: name, namespace, pod }: Label | NormalChange) =>
    recording(name).get(`${namespace}/${pod}`) ?? expect.fail(`no rows of ${pod} in ${name}`);
  const startOf = (name: string) =>
    Math.min(...[...recording(name).values()].map(([first]) => first?.time ?? Infinity));
  const endOf = (name: string) =>
    Math.max(...[...recording(name).values()].map((rows) => rows.at(-1)?.time ?? 0));
  const entitled = (title: string) => {
    const found = labels.filter((label) => label.title === title);
    expect(found, title).not.to.have.lengthOf(0);
    return found;
  };
  const changed = (change: NormalChange['change']) => {
    const found = changes.filter((one) => one.change === change);
    expect(found, change).not.to.have.lengthOf(0);
    return found;
  };
  const during = (label: Label) => between(rowsOf(label), label.start, label.end);
  const shortlyBefore = (label: Label) =>
    between(rowsOf(label), label.start - 10 * MINUTE, label.start - MINUTE);
  /** Pods of a workload that are there all the time. */
  const lasting = (name: string, workload: string) => {
    const found = [...recording(name)].filter(
      ([pod, rows]) =>
        pod.startsWith(`${workload}-`) &&
        rows[0]?.time === startOf(name) &&
        rows.at(-1)?.time === endOf(name),
    );
    expect(found, workload).not.to.have.lengthOf(0);
    return found.map(([, rows]) => rows);
  };

  before(async function () {
    this.timeout(60_000);
    directory = newDirectory();
    summary = await run(directory);
    labels = jsonOf<Label>(directory, 'labels.json');
    changes = jsonOf<NormalChange>(directory, 'changes.json');
    for (const name of CASES) recordings.set(name, parseRecording(textOf(directory, name)));
  });
  after(() => {
    for (const one of directories) rmSync(one, { recursive: true });
  });

  describe('as files', () => {
    it('is what the summary says, and not too large', () => {
      expect(readdirSync(directory).sort()).to.deep.equal(
        [...CASES.map((name) => `${name}.csv.gz`), 'changes.json', 'labels.json'].sort(),
      );
      expect(summary.cases.map(({ name }) => name)).to.deep.equal(CASES);
      let total = 0;
      for (const { name, rows, bytes } of summary.cases) {
        expect(statSync(join(directory, `${name}.csv.gz`)).size).to.equal(bytes);
        expect([...recording(name).values()].flat()).to.have.lengthOf(rows);
        total += bytes;
      }
      expect(total).to.be.below(30e6);
      expect(labels).to.deep.equal(summary.labels);
      expect(changes).to.deep.equal(summary.changes);
    });

    it('lasts six hours a case, sampled every 15 or 30 s without gaps', () => {
      for (const name of CASES) {
        const times = [...new Set([...recording(name).values()].flat().map(({ time }) => time))];
        const distances = new Set(times.slice(1).map((time, index) => time - (times[index] ?? 0)));
        expect(distances.size, name).to.equal(1);
        const [step = 0] = distances;
        expect(step).to.be.oneOf([15, 30]);
        expect(endOf(name) + step - startOf(name)).to.equal((name === 'quiet' ? 12 : 6) * HOUR);
      }
    });

    it('has at least twenty days of pods in quiet time', () => {
      expect(summary.cases.find(({ name }) => name === 'quiet')?.podDays).to.be.above(20);
      expect([...labels, ...changes].filter((one) => one.case === 'quiet')).to.deep.equal([]);
    });
  });

  describe('its labels', () => {
    it('name pods that have data, in the time of their case, and no fault in the first hour', () => {
      for (const label of labels) {
        expect(label.end).to.be.above(label.start);
        expect(label.start).to.be.at.least(startOf(label.case) + 61 * MINUTE);
        expect(label.end + 6 * MINUTE).to.be.at.most(endOf(label.case) + MINUTE);
        expect(between(rowsOf(label), label.start, label.end), label.title).not.to.have.lengthOf(0);
      }
    });

    it('leave normal time in every case: of what follows the first hour, a third', () => {
      for (const name of CASES) {
        const zones = labels.filter((label) => label.case === name);
        let normal = 0;
        let minutes = 0;
        for (let time = startOf(name) + HOUR; time < endOf(name); time += MINUTE) {
          minutes++;
          if (zones.every(({ start, end }) => time < start - 2 * MINUTE || time > end + 6 * MINUTE)) normal++;
        }
        expect(normal / minutes, name).to.be.above(0.33);
      }
    });

    it('say by the rule of the public sets whether a fault shows', () => {
      const leaves = (clean: readonly number[], values: readonly number[]) =>
        values.length === 0
          ? null
          : Math.max(...values) > 1.25 * Math.max(...clean) ||
            Math.min(...values) < Math.min(...clean) / 1.25;
      for (const label of labels) {
        const rows = rowsOf(label);
        const own = labels.filter((one) => one.case === label.case && one.pod === label.pod);
        const references = label.born === undefined ? [rows] : siblingsOf(label);
        const clean = references
          .flatMap((of) => between(of, label.start - HOUR, label.start - 1))
          .filter(({ cpu, memory }) => cpu !== undefined && memory !== undefined)
          .filter(
            ({ time, pod }) =>
              pod !== label.pod ||
              own.every(({ start, end }) => time < start - MINUTE || time > end + 6 * MINUTE),
          );
        expect(clean.length).to.equal(label.n_clean_before);
        expect(clean.length).to.be.at.least(5);
        const now = during(label);
        expect(label.visible.cpu, label.pod).to.equal(leaves(cpuOf(clean), cpuOf(now)));
        expect(label.visible.memory, label.pod).to.equal(leaves(memoryOf(clean), memoryOf(now)));
        const counters = [rows.findLast(({ time }) => time < label.start), now.at(-1)];
        const rise = (counters[1]?.restarts ?? 0) - (counters[0]?.restarts ?? 0);
        expect(label.visible.restarts, label.pod).to.equal(rise >= 2);
      }
    });

    it('show each fault in what it acts on', () => {
      const expected: Record<string, readonly (keyof Label['visible'])[]> = {
        'crash loop': ['cpu', 'memory', 'restarts'],
        'failing start': ['memory', 'restarts'],
        'OOM kills': ['memory', 'restarts'],
        'runaway CPU': ['cpu'],
        'CPU stress': ['cpu'],
        'memory leak': ['memory', 'restarts'],
        'slow memory leak': ['memory'],
        'memory stress': ['memory'],
        'one bad replica': ['cpu', 'memory'],
        'too much memory from the start': ['memory'],
        'too much CPU from the start': ['cpu'],
      };
      expect([...new Set(labels.map(({ title }) => title))]).to.have.members(Object.keys(expected));
      for (const { title, visible } of labels) {
        for (const column of expected[title] ?? []) expect(visible[column], title).to.equal(true);
      }
      for (const { visible } of entitled('runaway CPU')) {
        expect(visible).to.deep.equal({ cpu: true, memory: false, restarts: false });
      }
    });

    /** The rows of the other pods of a workload, those aside that are faulty at that time. */
    function siblingsOf({ case: name, namespace, pod, workload }: Label): (readonly Row[])[] {
      const named = new RegExp(`^${namespace}/${workload}-[^-]+-[^-]+$`);
      return [...recording(name)]
        .filter(([key]) => named.test(key) && !key.endsWith(pod))
        .map(([, rows]) => rows);
    }
  });

  describe('its faults', () => {
    it('crash loops: the counter rises again and again, at the pace of the kubelet', () => {
      for (const label of entitled('crash loop').filter((one) => one.case !== 'repeated')) {
        const rises = steps(between(rowsOf(label), label.start - MINUTE, label.end));
        expect(rises.reduce((sum, { step }) => sum + step, 0)).to.equal(7);
        const distances = rises.slice(1).map(({ time }, index) => time - (rises[index]?.time ?? 0));
        expect(distances.at(-1)).to.be.within(300, 330);
        expect(Math.max(...distances.slice(0, 2))).to.be.below(61);
      }
    });

    it('failing starts: not measured while the kubelet waits, only counted', () => {
      for (const label of entitled('failing start')) {
        const rows = during(label);
        expect(memoryOf(rows).length).to.be.within(1, 0.5 * rows.length);
        expect(steps(rows).reduce((sum, { step }) => sum + step, 0)).to.be.at.least(5);
      }
    });

    it('OOM kills: memory climbs to the limit, is gone, and climbs again', () => {
      for (const label of entitled('OOM kills')) {
        const usual = median(memoryOf(shortlyBefore(label)));
        const rows = during(label);
        const kills = steps(rows).map(({ time }) => time);
        expect(kills).to.have.lengthOf(4);
        const ends = kills.map((time) => Math.max(...memoryOf(between(rows, time - 130, time - 1))));
        for (const peak of ends) expect(peak / usual).to.be.within(1.8, 3);
        expect(rows.some(({ memory }) => memory === undefined)).to.equal(true);
        const again = between(rows, kills.at(-1) ?? 0, label.end).at(-1)?.memory ?? Infinity;
        expect(again).to.be.below(2 * usual);
      }
    });

    it('runaway CPU: a core and a half more', () => {
      for (const label of entitled('runaway CPU')) {
        const late = between(rowsOf(label), label.start + 2 * MINUTE, label.end - 15);
        expect(Math.min(...cpuOf(late)) - median(cpuOf(shortlyBefore(label)))).to.be.above(1.4);
      }
    });

    it('memory leaks: those that end in a kill, and a slow one that goes on', () => {
      for (const label of entitled('memory leak')) {
        expect(Math.max(...memoryOf(during(label)))).to.be.above(3 * median(memoryOf(shortlyBefore(label))));
      }
      for (const label of entitled('slow memory leak')) {
        const memory = memoryOf(between(rowsOf(label), label.start, label.end - 1));
        expect(memory.at(-1)).to.be.above(1.8 * (memory[0] ?? 0));
        expect(steps(during(label))).to.deep.equal([]);
      }
    });

    it('new pods that are bad from birth: labelled once their first minutes are over', () => {
      for (const [title, valuesOf] of [
        ['too much memory from the start', memoryOf],
        ['too much CPU from the start', cpuOf],
      ] as const) {
        for (const label of entitled(title)) {
          expect(label.visible_against).to.equal('siblings');
          expect(label.start).to.equal((label.born ?? 0) + 5 * MINUTE);
          expect(rowsOf(label)[0]?.time).to.equal(label.born);
          const siblings = [...recording(label.case)]
            .filter(
              ([pod]) => pod.startsWith(`${label.namespace}/${label.workload}-`) && !pod.endsWith(label.pod),
            )
            .flatMap(([, rows]) => valuesOf(between(rows, label.start, label.end)));
          expect(median(valuesOf(during(label))) / median(siblings)).to.be.above(2);
        }
      }
    });

    it('the same pod again and again, for a fifth of the time', () => {
      const repeated = labels.filter((label) => label.case === 'repeated');
      const pods = new Map<string, number>();
      for (const { pod, start, end } of repeated) pods.set(pod, (pods.get(pod) ?? 0) + end - start);
      expect(pods.size).to.equal(4);
      const duration = endOf('repeated') - startOf('repeated') - HOUR;
      for (const [, seconds] of pods) expect(seconds / duration).to.be.within(0.17, 0.21);
    });
  });

  describe('what must not alert in it', () => {
    it('single restarts: one step of the counter, and more CPU for a moment', () => {
      for (const restart of changed('restart')) {
        const rows = rowsOf(restart);
        const near = between(rows, restart.start - 5 * MINUTE, restart.start + 10 * MINUTE);
        expect(steps(near), restart.pod).to.have.lengthOf(1);
        expect(steps(near)[0]?.step).to.equal(1);
      }
      const small = changed('restart').filter((one) => {
        const usual = between(rowsOf(one), one.start - 5 * MINUTE, one.start);
        return median(cpuOf(usual)) < 0.1;
      });
      expect(small).not.to.have.lengthOf(0);
      for (const restart of small) {
        const rows = rowsOf(restart);
        const usual = median(cpuOf(between(rows, restart.start - 5 * MINUTE, restart.start)));
        const start = Math.max(...cpuOf(between(rows, restart.start, restart.start + 2 * MINUTE)));
        const after = median(cpuOf(between(rows, restart.start + 5 * MINUTE, restart.start + 10 * MINUTE)));
        expect(start - usual).to.be.above(0.05);
        expect(after).to.be.within(0.6 * usual, 1.6 * usual);
      }
    });

    it('counters that stand at 500 from long before', () => {
      for (const name of CASES) {
        const standing = [...recording(name)].filter(([, [first]]) => (first?.restarts ?? 0) >= 500);
        expect(standing.length, name).to.be.at.least(4);
      }
      for (const rows of lasting('quiet', 'legacy/poller')) {
        expect(new Set(rows.map(({ restarts }) => restarts))).to.deep.equal(new Set([500]));
      }
    });

    it('new pods of rollouts and scale-ups: busier than later and not filled at first', () => {
      // Of a workload that starts slowly: three quarters of an hour later all is as usual.
      const slow = [...changed('rollout'), ...changed('scale-up')].filter(
        (one) => /^(catalog|search|recommender|checkout)-/.test(one.pod) && rowsOf(one).length > 100,
      );
      expect(slow).not.to.have.lengthOf(0);
      for (const change of slow) {
        const rows = rowsOf(change);
        const first = rows[0]?.time ?? 0;
        expect(first - change.start).to.be.within(0, 30);
        const early = between(rows, first, first + 2 * MINUTE);
        const late = between(rows, first + 20 * MINUTE, first + 45 * MINUTE);
        if (late.length === 0) continue;
        expect(Math.max(...cpuOf(early)) / median(cpuOf(late)), change.pod).to.be.above(1.5);
        expect(Math.min(...memoryOf(early)) / median(memoryOf(late)), change.pod).to.be.below(0.75);
      }
    });

    it('rollouts: every pod of a Deployment gives way to another', () => {
      const replicaSets = new Map<string, NormalChange[]>();
      for (const change of changed('rollout')) {
        const key = `${change.case}/${change.pod.replace(/-[^-]+$/, '')}`;
        replicaSets.set(key, [...(replicaSets.get(key) ?? []), change]);
      }
      for (const [key, pods] of replicaSets) {
        const [first] = pods;
        const workload = `${first?.namespace}/${first?.pod.replace(/-[^-]+-[^-]+$/, '')}-`;
        const [name = ''] = key.split('/');
        const time = Math.ceil(((pods.at(-1)?.start ?? 0) + MINUTE) / 30) * 30;
        const now = [...recording(name)].filter(
          ([pod, rows]) =>
            pod.startsWith(workload) && rows.some((row) => row.time === time && row.memory !== undefined),
        );
        expect(now.map(([pod]) => pod.split('/')[1]).sort(), key).to.deep.equal(
          pods.map(({ pod }) => pod).sort(),
        );
      }
    });

    it('scale-ups: beside the old pods, in the same ReplicaSet', () => {
      for (const change of changed('scale-up')) {
        const replicaSet = `${change.namespace}/${change.pod.replace(/-[^-]+$/, '')}-`;
        const siblings = [...recording(change.case)].filter(
          ([pod, rows]) => pod.startsWith(replicaSet) && (rows[0]?.time ?? Infinity) < change.start - HOUR,
        );
        expect(siblings, change.pod).not.to.have.lengthOf(0);
      }
    });

    it('evictions: the old pod is kept without CPU and memory, another name takes over', () => {
      const evictions = changed('replacement').filter(({ pod }) => !/-\d$/.test(pod));
      expect(evictions).not.to.have.lengthOf(0);
      for (const { case: name, namespace, pod, start } of evictions) {
        const replicaSet = `${namespace}/${pod.replace(/-[^-]+$/, '')}-`;
        const evicted = [...recording(name)].filter(([other, rows]) => {
          const record = between(rows, start + 2 * MINUTE, start + 15 * MINUTE);
          return (
            other.startsWith(replicaSet) &&
            record.length > 0 &&
            record.every(({ cpu, memory }) => cpu === undefined && memory === undefined)
          );
        });
        expect(evicted, pod).to.have.lengthOf(1);
      }
    });

    it('pods of a StatefulSet under the same name: the counter falls from 7 to 0', () => {
      const recreated = changed('replacement').filter(({ pod }) => pod.startsWith('redis-'));
      const falls = recreated.flatMap((one) =>
        steps(between(rowsOf(one), one.start - MINUTE, one.start + MINUTE)),
      );
      expect(falls.map(({ step }) => step)).to.include(-7);
    });

    it('Jobs and CronJobs that come, complete and go', () => {
      for (const name of CASES) {
        for (const job of ['batch/import-orders-', 'batch/import-prices-', 'batch/stock-report-']) {
          const runs = [...recording(name)].filter(([pod]) => pod.startsWith(job)).map(([, rows]) => rows);
          const complete = runs.filter(
            (rows) => (rows[0]?.time ?? 0) > startOf(name) && memoryOf(rows).length > 0,
          );
          expect(complete, job).not.to.have.lengthOf(0);
          const ended = complete.filter((rows) => rows.at(-1)?.memory === undefined);
          expect(ended, job).not.to.have.lengthOf(0);
          for (const rows of ended) expect(rows.at(-1)?.restarts).to.equal(0);
        }
      }
    });

    it('an hourly job that doubles memory for some minutes', () => {
      const [rows = []] = lasting('quiet', 'batch/report-cache');
      const memory = memoryOf(rows);
      const usual = median(memory);
      const share = memory.filter((value) => value > 1.7 * usual).length / memory.length;
      expect(share * 60).to.be.within(5, 7);
      expect(Math.max(...memory) / usual).to.be.within(1.9, 2.3);
    });

    it('bursts, saw-teeth and the time of the day', () => {
      for (const rows of lasting('quiet', 'shop/mailer')) {
        expect(Math.max(...cpuOf(rows)) / median(cpuOf(rows))).to.be.above(1.6);
      }
      for (const rows of lasting('quiet', 'shop/search')) {
        const drops = memoryOf(rows).filter((value, i, all) => value < 0.8 * (all[i - 1] ?? 0));
        expect(drops.length).to.be.above(100);
      }
      for (const rows of lasting('quiet', 'shop/frontend')) {
        const cpu = cpuOf(rows);
        expect(median(cpu.slice(-120)) / median(cpu.slice(0, 120))).to.be.above(1.3);
      }
    });

    it('pods that are almost idle: half a millicore to twenty', () => {
      for (const name of CASES) {
        const idle = [...recording(name).values()].map((rows) => median(cpuOf(rows)));
        expect(idle.filter((cores) => 0.0003 < cores && cores < 0.001).length, name).to.be.at.least(1);
        expect(idle.filter((cores) => 0.0003 < cores && cores < 0.02).length, name).to.be.at.least(7);
      }
    });
  });

  it('has consistent counters: they fall only where a pod was made anew, and values are never negative', () => {
    for (const name of CASES) {
      const anew = new Set(changes.filter((one) => one.case === name).map(({ pod }) => pod));
      const moving = new Set([...anew, ...labels.filter((one) => one.case === name).map(({ pod }) => pod)]);
      for (const rows of recording(name).values()) {
        const pod = rows[0]?.pod ?? '';
        if (!moving.has(pod)) expect(steps(rows), pod).to.deep.equal([]);
        if (!anew.has(pod)) expect(steps(rows).every(({ step }) => step > 0)).to.equal(true);
        expect(Math.min(0, ...cpuOf(rows), ...memoryOf(rows))).to.equal(0);
      }
    }
  });

  it('is the same to the last byte for a seed, and another for another seed', async () => {
    const [first, again, other] = [newDirectory(), newDirectory(), newDirectory()];
    await run(first, { seed: 7, hours: 2 });
    await run(again, { seed: 7, hours: 2 });
    await run(other, { seed: 8, hours: 2 });
    for (const name of readdirSync(first)) {
      const bytes = readFileSync(join(first, name));
      expect(bytes.equals(readFileSync(join(again, name))), name).to.equal(true);
      expect(bytes.equals(readFileSync(join(other, name))), name).to.equal(false);
    }
  }).timeout(30_000);

  it('refuses too little time', async () => {
    const error = await rejection(run(newDirectory(), { hours: 1 }), RangeError);
    expect(error.message).to.equal('Expected at least 2 hours, got 1. The first one is only learned from.');
  });

  it('does not mix with other data', async () => {
    const output = newDirectory();
    writeFileSync(join(output, 'mine.csv'), '');
    writeFileSync(join(output, 'labels.json'), '[]');
    expect((await rejection(run(output, { hours: 2 }), Error)).message).to.contain('got mine.csv in');
    expect(readdirSync(output).sort()).to.deep.equal(['labels.json', 'mine.csv']);
  });

  it('leaves no half of a file when it is stopped', async () => {
    const output = newDirectory();
    const stop = new AbortController();
    const stdout = new PassThrough().once('data', () => stop.abort());
    const stopped = runSimulate({ output, hours: 2 }, { stdout, signal: stop.signal });
    expect((await rejection(stopped, Error)).name).to.equal('AbortError');
    expect(readdirSync(output)).to.deep.equal(['faults-1.csv.gz']);
  });
});
