import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { DataError, MistakesError, UsageError } from '../../../src/lib/usage-error.js';
import { type EvaluateOptions, runEvaluate } from '../../../src/tools/lab/evaluate.js';
import { createNormal } from '../../support/random-data.js';
import { rejection } from '../../support/rejection.js';
import { withFiles } from './recording.js';

const START = 1_700_000_000;
const FAULT = { start: START + 95 * 60, end: START + 98 * 60 };

/** Two hours of three pods as shares of their limits, every 5 s; one has a CPU fault. */
function percentages(): string {
  const normal = createNormal(3);
  const rows = ['timestamp,namespace,pod,cpu_pct_of_limit,memory_pct_of_limit,note'];
  for (let time = START; time < START + 7200; time += 5) {
    for (const [index, pod] of ['cart-1', 'cart-2', 'till-0'].entries()) {
      const isFaulty = index === 0 && time >= FAULT.start && time < FAULT.end;
      const cpu = (isFaulty ? 80 : 20) + normal();
      rows.push([time, 'shop', pod, cpu.toFixed(3), (40 + 0.1 * normal()).toFixed(3), 'x'].join(','));
    }
  }
  return rows.join('\r\n');
}

/** Cores and bytes every minute, with restarts, no fault, and a row that is none. */
function absolutes(): string {
  const normal = createNormal(4);
  const rows = ['pod,namespace,timestamp,restarts,memory_bytes,cpu_cores,queue', 'garbage'];
  for (let minute = 0; minute < 90; minute++) {
    const [cpu, memory] = [0.5 + 0.02 * normal(), 1e9 + 1e7 * normal()];
    rows.push(['db-0', 'shop', START + 60 * minute, 3, Math.round(memory), cpu.toFixed(5), 5].join(','));
  }
  return rows.join('\n');
}

/** A midnight. */
const DAY = 1_700_006_400;

/** Three replicas over some hours, a sample a minute, with a course over the day. */
function days(hours: number): string {
  const normal = createNormal(5);
  const rows = ['timestamp,namespace,pod,cpu_cores,memory_bytes'];
  for (let minute = 0; minute < 60 * hours; minute++) {
    for (const pod of ['cart-1', 'cart-2', 'cart-3']) {
      const cpu = (1 + 0.3 * Math.sin((2 * Math.PI * minute) / 1440)) * (1 + 0.02 * normal());
      rows.push([DAY + 60 * minute, 'shop', pod, cpu.toFixed(5), Math.round(1e9 + 1e6 * normal())].join(','));
    }
  }
  return rows.join('\n');
}

const LABELS = [
  {
    case: 'percent',
    namespace: 'shop',
    pod: 'cart-1',
    fault_type: 'cpu_load',
    ...FAULT,
    visible: { cpu: true },
  },
  { case: 'elsewhere', namespace: 'shop', pod: 'cart-1', ...FAULT },
];

const FILES = {
  'percent.csv.gz': percentages(),
  'absolute.csv': absolutes(),
  'labels.json': JSON.stringify(LABELS),
  'changes.json': JSON.stringify([
    { case: 'percent', namespace: 'shop', workload: 'till', change: 'release', start: START + 6000, cpu_factor: 2 },
    { case: 'elsewhere', namespace: 'shop', workload: 'till', change: 'shift', start: START + 6000, cpu_factor: 2 },
  ]),
};

/** A stream that keeps what is written to it. */
class Recorder extends Writable {
  text = '';

  constructor(readonly onWrite: () => void = () => undefined) {
    super();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.onWrite();
    done();
  }
}

async function run(options: EvaluateOptions, signal = new AbortController().signal) {
  const [stdout, progress] = [new Recorder(), new Recorder()];
  await runEvaluate(options, { stdout, progress, signal });
  return { report: stdout.text, progress: progress.text };
}

describe('evaluate', () => {
  it('measures a directory of cases, and writes scores and numbers', async () => {
    await withFiles(FILES, async (data) => {
      const [scores, json] = [join(data, 'out.csv.gz'), join(data, 'out.json')];
      const { report, progress } = await run({ data, scores, json });

      expect(progress).to.match(/^absolute: 91 rows, 1 pods, 90 minutes, .* s\npercent: 4320 rows, 3 pods, 12[01] min/);
      expect(report)
        .to.match(/^percent .* 1\/1 .* 100\.0 %$/m)
        .and.to.match(/^all cases /m);
      expect(report).to.contain('1 rows with another number of fields than the header, left out');
      expect(report).to.contain('1 of a case without a file');
      expect(report).to.match(/^release +1 +0 +0 +0 +- +- +0$/m);
      expect(report.split('\n').filter((line) => line.length > 110)).to.deep.equal([]);

      const numbers = JSON.parse(await readFile(json, 'utf8'));
      expect(numbers.set.must_touch_faults).to.deep.include({ faults: 1, caught: 1 });
      expect(numbers.set.detector.auroc).to.be.greaterThan(0.99);
      expect(numbers.cases[0]).to.deep.include({ case: 'absolute', features: ['cpu', 'memory', 'restarts'] });
      expect(numbers.cases[0].detector.auroc).to.equal(null);
      expect(numbers.cases[1]).to.deep.include({ case: 'percent', features: ['cpu', 'memory'], rows: 4320 });
      expect(numbers.cases[1].robust_z.recall_at_false_alarm_rate).to.have.all.keys('0.05', '0.01', '0.001');
      expect(numbers.cases[0].on_call).to.deep.include({ false_messages: 0, false_per_1000_pods_and_day: 0 });
      expect(numbers.cases[1].on_call.pod_days).to.be.closeTo((3 * 61) / 1440, 0.01);
      expect(numbers.on_call_faults[0]).to.deep.include({
        type: 'cpu_load',
        pods: ['cart-1'],
        left_out: null,
      });
      expect(numbers.level_changes).to.have.lengthOf(1);
      expect(numbers.level_changes[0]).to.deep.include({ workload: 'till', cpu_factor: 2, messages: 0 });
      expect(numbers.parameters).to.include({ baseline: 'pod', sensitivity: 4, alert_budget_per_day: 4, seed: 42 });
      expect(numbers.faults.map((fault: { caught: unknown }) => fault.caught)).to.deep.equal([true, null]);

      const rows = gunzipSync(await readFile(scores))
        .toString()
        .trimEnd()
        .split('\n');
      expect(rows[0]).to.equal('case,timestamp,namespace,pod,score,flag');
      expect(rows.length - 1).to.equal(numbers.set.scored_pod_minutes);
      for (const row of rows.slice(1)) {
        const [, timestamp, , , score, flag, ...rest] = row.split(',');
        expect(rest).to.deep.equal([]);
        expect(Number(timestamp) % 60).to.equal(0);
        expect(flag).to.equal(Number(score) > 0 ? '1' : '0');
      }
      const flagged = rows.filter((row) => row.startsWith('percent,') && row.endsWith(',1'));
      expect(flagged.some((row) => row.includes(',cart-1,'))).to.equal(true);
    });
  });

  it('gives the same scores for the same seed, and takes the options of the service', async () => {
    await withFiles({ ...FILES, 'percent.csv.gz': absolutes() }, async (data) => {
      const scoresOf = async (options: Partial<EvaluateOptions>) => {
        const scores = join(data, 'scores.tmp');
        await run({ data, scores, ...options });
        return readFile(scores, 'utf8');
      };
      const plain = await scoresOf({});
      expect((await scoresOf({})) === plain).to.equal(true);
      for (const options of [{ seed: 7 }, { sensitivity: '8' }, { baseline: 'cluster' }, { columns: 'queue' }]) {
        expect((await scoresOf(options)) === plain, JSON.stringify(options)).to.equal(false);
      }
    });
  });

  it('remembers the days of a fleet that come before what counts, and has its budget beside the messages', async () => {
    const hours = 30;
    const description = {
      case: 'fleet',
      start: DAY,
      learned_until: DAY + (hours - 2) * 3600,
      workloads: [{ namespace: 'shop', workload: 'cart', kind: 'web', pods: ['cart-1', 'cart-2', 'cart-3'] }],
    };
    const files = { 'fleet.csv.gz': days(hours), 'fleet.json': JSON.stringify(description), 'labels.json': '[]' };
    await withFiles(files, async (data) => {
      const json = join(data, 'out.json');
      const { report } = await run({ data, json, budget: 0.5 });
      expect(report).to.match(/^fleet +0\.3 +0 +0\.0 +0 +0\/0 /m);
      expect(report).to.include(
        'The budget of a case when nothing is wrong: 0.5 messages a day; expected by the last models: -.',
      );
      expect(report).to.include('The first trainings remembered 1.1 days.');
      const numbers = JSON.parse(await readFile(json, 'utf8'));
      expect(numbers.parameters.alert_budget_per_day).to.equal(0.5);
      // The last hour to learn from is over with the first training, and not for long enough.
      expect(numbers.cases[0].remembered_days).to.equal((hours - 3) / 24);
      expect(numbers.cases[0].on_call).to.deep.include({ false_messages: 0, false_per_day: 0 });
      await run({ data, json, baseline: 'cluster' });
      expect(JSON.parse(await readFile(json, 'utf8')).cases[0].remembered_days).to.equal(0);
    });
  });

  it('compares sensitivities by what on-call gets', async () => {
    await withFiles(FILES, async (data) => {
      const json = join(data, 'out.json');
      const html = join(data, 'out.html');
      const { report } = await run({ data, json, html, sensitivity: '8,4' });
      const page = await readFile(html, 'utf8');
      expect(page).to.not.match(/<(?:script|link|img|iframe|use)\b|url\(|@import/i);
      expect(page.match(/<circle class="(?:chosen|other)"/g)).to.have.lengthOf(2);
      expect(page).to.match(/aria-label="sensitivity 4: [^"]*of the faults; sensitivity 8: [^"]*"/);
      expect(page).to.match(/<td class="name">cpu_load<\/td>\s*<td class="number">0\/1<\/td>/);
      expect(report).to.match(/^ *4 +0 +0\.0 +0 +0\/1 .*\n *8 +0 +0\.0 +0 +0\/1 /m);
      const numbers = JSON.parse(await readFile(json, 'utf8'));
      expect(numbers.parameters.sensitivity).to.equal(4);
      expect(numbers.sensitivities.map((own: { sensitivity: number }) => own.sensitivity)).to.deep.equal([4, 8]);
      expect(numbers.sensitivities[0].on_call).to.deep.include({ false_messages: 0, fault_messages: 0 });
    });
  });

  it('refuses what it does not understand before it begins', async () => {
    await withFiles(FILES, async (data) => {
      await rejection(run({ data: join(data, 'none') }), UsageError);
      await rejection(run({ data, baseline: 'node' }), MistakesError);
      await rejection(run({ data, sensitivity: '0' }), MistakesError);
      await rejection(run({ data, columns: 'cpu_cores' }), UsageError);
      await rejection(run({ data, columns: 'queue' }), UsageError);
      await rejection(run({ data, scores: '/nowhere/s.csv' }), UsageError);
      await rejection(run({ data, json: '/nowhere/s.json' }), UsageError);
      const same = join(data, 'same');
      await rejection(run({ data, scores: same, json: same }), UsageError);
    });
    await withFiles({ 'a.csv': absolutes() }, async (data) => {
      await rejection(run({ data }), DataError);
    });
    const useless = 'timestamp,namespace,pod,cpu_cores\n2023-01-01T00:00:00Z,ns,a,1\n';
    await withFiles({ 'a.csv': useless, 'labels.json': '[]' }, async (data) => {
      const { message } = await rejection(run({ data }), DataError);
      expect(message).to.contain('a has 1 rows (1 bad_timestamp)');
    });
  });

  it('stops when told, says so, and leaves a readable file', async () => {
    await withFiles(FILES, async (data) => {
      const controller = new AbortController();
      const scores = join(data, 'scores.gz');
      const progress = new Recorder(() => controller.abort('SIGINT'));
      const stopped = runEvaluate({ data, scores }, { stdout: new Recorder(), progress, signal: controller.signal });
      expect((await rejection(stopped, Error)).message).to.match(/^Stopped on SIGINT, before the report/);
      const rows = gunzipSync(await readFile(scores))
        .toString()
        .trimEnd()
        .split('\n');
      expect(rows).to.have.lengthOf(1 + 30);
      expect(rows.at(-1)).to.match(/^absolute,/);
    });
  });
});
