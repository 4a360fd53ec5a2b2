import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { LEAST_SPREAD_FLOOR } from '../../../src/exporter/features/feature-spec.js';
import { DataError, UsageError } from '../../../src/lib/usage-error.js';
import type { Case } from '../../../src/tools/lab/case.js';
import { listCases, readCase } from '../../../src/tools/lab/read-case.js';
import { rejection } from '../../support/rejection.js';
import { START, withFiles } from './recording.js';

const MIB = 2 ** 20;

const OPTIONS = {
  additional: [],
  learningMinutes: 60,
  workloads: new Map([['shop/owned', 'its-owner']]),
  onProgress: () => undefined,
};

async function readOne(name: string, content: string | Buffer, additional: readonly string[] = []): Promise<Case> {
  return withFiles({ [name]: content }, async (directory) => {
    const [file] = await listCases(directory);
    if (file === undefined) throw new Error('no file');
    const { signal } = new AbortController();
    return readCase(file, { ...OPTIONS, additional, signal });
  });
}

/** Every defect at once; the comments say which minute each row belongs to. */
const DEFECTIVE = [
  '\ufefftimestamp,namespace,pod,cpu_cores,memory_bytes,restarts,latency\r',
  `${START + 125},shop,cart-1,0.3,${3 * MIB},,1\r`, // minute 2, out of order below; restarts empty
  `${START + 5},shop,cart-1,0.1,${1 * MIB},4,1\r`, // minute 0
  `${START + 35},shop,cart-1,0.3,${2 * MIB},5,1\r`, // minute 0
  `${START + 35},shop,cart-1,0.9,${9 * MIB},9,1\r`, // a second row in the same second
  '\r', // blank: no row
  `${START + 65},shop,cart-1,,${2 * MIB},5,1\r`, // minute 1: CPU is missing
  `${START + 185},shop,cart-1,NaN,-1,5,1\r`, // minute 3: nothing that is required
  `${START + 245},shop,cart-1,0.4,${4 * MIB},5,1,\r`, // minute 4: a comma at the end
  `${START + 245},"shop","till-1",0.4,${4 * MIB},5,1\r`, // in quotes
  `${START + 305},shop,cart-1,0.4\r`, // too few fields
  `${START + 305},shop,cart-1,0.4,1,1,1,1,1\r`, // too many
  `yesterday,shop,cart-1,0.4,${4 * MIB},5,1\r`,
  `${(START + 305) * 1000},shop,cart-1,0.4,${4 * MIB},5,1\r`, // milliseconds
  `,shop,cart-1,0.4,${4 * MIB},5,1\r`,
  `${START + 305},shop,,0.4,${4 * MIB},5,1\r`,
  `${START + 305},shop,a/b,0.4,${4 * MIB},5,1\r`,
  `300,shop,cart-1,0.4,${4 * MIB},5,1\r`, // in 1970
  `${'x'.repeat(70_000)}\r`,
  `${START + 305},shop,late-1,0.4,inf,5,1`, // minute 5, no memory, no end of line
].join('\n');

describe('the reader', () => {
  it('takes neither what nobody measures nor what is nearly nothing for a value', async () => {
    const rows = Array.from({ length: 61 }, (_, minute) => {
      const time = START + minute * 60;
      return `${time},shop,cart-0,0.2,${MIB},${minute % 2 === 0 ? 1e308 : 1},1e-320`;
    });
    const header = 'timestamp,namespace,pod,cpu_cores,memory_bytes,queue,errors';
    const recording = await readOne('case.csv', [header, ...rows].join('\n'), ['queue', 'errors']);
    expect(Object.fromEntries(recording.defects)).to.deep.equal({ not_a_number: 31 });
    const floors = recording.features.map(({ name, spreadFloor }) => [name, spreadFloor]);
    expect(Object.fromEntries(floors)).to.include({ queue: 0.01, errors: LEAST_SPREAD_FLOOR });
  });

  for (const [name, content] of [
    ['case.csv', DEFECTIVE],
    ['case.csv.gz', DEFECTIVE],
    ['case.csv', gzipSync(DEFECTIVE)],
  ] as const) {
    it(`counts every defect by reason and uses the rest (${name}, ${typeof content})`, async () => {
      const recording = await readOne(name, content);
      expect(Object.fromEntries(recording.defects)).to.deep.equal({
        out_of_order: 2,
        duplicate: 1,
        empty_value: 2,
        not_a_number: 2,
        negative_value: 1,
        field_count: 2,
        bad_timestamp: 3,
        no_name: 1,
        bad_name: 1,
        far_timestamp: 1,
        overlong_line: 1,
      });
      expect(recording).to.include({
        name: 'case',
        startSeconds: START,
        minutes: 6,
        gapMinutes: 2,
        rows: 17,
      });
      expect(recording.pods.map(({ identity }) => identity.pod)).to.deep.equal(['cart-1', 'till-1']);
      const [cart, till] = recording.pods;
      expect(Array.from(cart?.cells ?? [])).to.deep.equal(
        [
          [0.2, 2 * MIB, 5],
          [NaN, 2 * MIB, 5],
          [0.3, 3 * MIB, NaN],
          [NaN, NaN, 5],
          [0.4, 4 * MIB, 5],
        ].flat(),
      );
      expect([...(cart?.complete ?? [])]).to.deep.equal([1, 0, 1, 0, 1]);
      expect(till).to.include({ firstMinute: 4, minutes: 1 });
      expect(till?.identity).to.deep.equal({ namespace: 'shop', pod: 'till-1', workload: 'till' });
    });
  }

  it('gives the same case from the same rows in any order', async () => {
    const header = 'timestamp,namespace,pod,cpu_cores,memory_bytes';
    const rows = Array.from({ length: 600 }, (_, index) =>
      [START + 5 * index, 'ns', `pod-${index % 3}`, (index % 7) / 8, (index % 11) * MIB].join(','),
    );
    const sorted = await readOne('a.csv', [header, ...rows].join('\n'));
    const shuffled = await readOne('a.csv', [header, ...rows.toSorted()].toReversed().slice(0, -1).join('\n')).catch(
      () => undefined,
    );
    expect(shuffled, 'a header at the end is none').to.equal(undefined);
    const reversed = await readOne('a.csv', [header, ...rows.toReversed()].join('\n'));
    expect(reversed.defects.get('out_of_order')).to.equal(597);
    expect({ ...reversed, defects: undefined }).to.deep.equal({ ...sorted, defects: undefined });
  });

  it('passes over a column without any value, and uses another one for the same feature', async () => {
    const rows = [`${START},ns,a,,12.5,7,`, `${START + 60},ns,a,,13.5,8,`];
    const header = 'timestamp,namespace,pod,cpu_cores,cpu_pct_of_limit,memory_bytes,restarts';
    const recording = await readOne('a.csv', [header, ...rows].join('\n'));
    expect(recording.features.map(({ name, unit }) => [name, unit])).to.deep.equal([
      ['cpu', 'percent'],
      ['memory', 'bytes'],
    ]);
    expect(recording.emptyColumns).to.deep.equal(['cpu_cores', 'restarts']);
    expect(Array.from(recording.pods[0]?.cells ?? [])).to.deep.equal([12.5, 7, 13.5, 8]);
  });

  it('derives the floor of a further column from the first hour alone', async () => {
    const header = 'timestamp,namespace,pod,cpu_cores,queue';
    const rows = Array.from({ length: 120 }, (_, minute) =>
      [START + 60 * minute, 'ns', 'a', 1, minute < 60 ? (minute % 2) * 300 : 1e9].join(','),
    );
    const recording = await readOne('a.csv', [header, ...rows].join('\n'), ['queue']);
    expect(recording.features[1]).to.include({ name: 'queue', spreadFloor: 3 });
  });

  it('counts pod-minutes that lack a feature after the first hour', async () => {
    const header = 'timestamp,namespace,pod,cpu_cores,memory_bytes,restarts';
    const rows = Array.from({ length: 70 }, (_, minute) => {
      const time = START + 60 * minute;
      return [
        `${time},ns,a,1,1,1`,
        `${time},ns,b,1,,1`,
        `${time},ns,c,,1,1`,
        // What has ended goes on in kube-state-metrics only.
        `${time},ns,ended,,,1`,
      ].join('\n');
    });
    const { incomplete } = await readOne('a.csv', [header, ...rows].join('\n'));
    expect(Object.fromEntries(incomplete)).to.deep.equal({ missing_memory: 10, missing_cpu: 10 });
  });

  it('leaves gaps of counters to the service, which fills them', async () => {
    const header = 'timestamp,namespace,pod,cpu_cores,memory_bytes,restarts';
    const rows = ['', 500, '', 501, ''].map((count, minute) => `${START + 60 * minute},ns,a,1,1,${count}`);
    const { pods } = await readOne('a.csv', [header, ...rows].join('\n'));
    const restarts = pods[0]?.cells.filter((_, cell) => cell % 3 === 2);
    expect([...(restarts ?? [])]).to.deep.equal([NaN, 500, NaN, 501, NaN]);
    expect([...(pods[0]?.complete ?? [])]).to.deep.equal([1, 1, 1, 1, 1]);
  });

  it('takes the workload of a pod from the description, else from its name', async () => {
    const rows = ['owned', 'cart-1'].map((pod) => `${START},shop,${pod},1,1`);
    const { pods } = await readOne('a.csv', ['timestamp,namespace,pod,cpu_cores,memory_bytes', ...rows].join('\n'));
    expect(pods.map(({ identity }) => identity.workload)).to.deep.equal(['cart', 'its-owner']);
  });

  it('uses a damaged file up to the damage', async () => {
    const rows = Array.from({ length: 5000 }, (_, index) => `${START + 60 * index},ns,a,${Math.sqrt(index)},1`);
    const whole = gzipSync(`timestamp,namespace,pod,cpu_cores,memory_bytes\n${rows.join('\n')}`);
    const recording = await readOne('a.csv.gz', whole.subarray(0, whole.length / 2));
    expect(recording.defects.get('unreadable_rest')).to.equal(1);
    expect(recording.minutes).to.be.within(1000, 4999);
  });

  it('makes a case without pods from a file without a usable row', async () => {
    const recording = await readOne('a.csv', 'timestamp,namespace,pod,cpu_cores\nx,y\n');
    expect(recording).to.deep.include({ pods: [], minutes: 0, rows: 1 });
  });

  it('says what it expected of a directory or a file', async () => {
    const missing = await rejection(listCases('/nowhere/at/all'), UsageError);
    expect(missing.message).to.match(/^Expected a readable directory in --data, got ENOENT for \/nowhere.*Name one/);
    await withFiles({ 'readme.txt': '' }, async (directory) => {
      const { message } = await rejection(listCases(directory), DataError);
      expect(message).to.contain('files that end in .csv or .csv.gz').and.to.contain(directory);
    });
    await withFiles({ 'a.csv': '', 'a.csv.gz': '' }, async (directory) => {
      expect((await rejection(listCases(directory), DataError)).message).to.contain('one file for the case a');
    });
    expect((await rejection(readOne('a.csv', ''), DataError)).message).to.contain('got an empty file');
  });

  it('stops when told', async () => {
    await withFiles({ 'a.csv': DEFECTIVE }, async (directory) => {
      const [file] = await listCases(directory);
      const signal = AbortSignal.abort(new RangeError('enough'));
      if (file === undefined) throw new Error('no file');
      await rejection(readCase(file, { ...OPTIONS, signal }), RangeError);
    });
  });
});
