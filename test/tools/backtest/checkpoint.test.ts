import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { HourSummary } from '../../../src/exporter/history/hour-summary.js';
import { directoryStore, fingerprintOf } from '../../../src/tools/backtest/checkpoint.js';
import type { ChunkPlots, ChunkResult } from '../../../src/tools/replay/chunk-result.js';

const CHUNK = { startSeconds: 1_777_593_600, endSeconds: 1_777_597_200 };
const OTHER = { ...CHUNK, endSeconds: CHUNK.endSeconds + 60 };
const RESULT: ChunkResult = {
  startSeconds: CHUNK.startSeconds,
  minutes: 60,
  features: [],
  pods: [],
  unscored: {},
  minutesWithoutModel: 0,
  rememberedHours: 0,
  expectedMessagesPerDay: null,
  trainings: 4,
  failedTrainings: 0,
  lastFailure: null,
  warnings: [],
};
const PLOTS: ChunkPlots = {
  startSeconds: CHUNK.startSeconds,
  minutes: 60,
  bucketMinutes: 10,
  overview: {},
  detail: {},
};

describe('the checkpoint of a backtest', () => {
  let directory: string;
  let notes: string[];
  const open = (fingerprint: string) => directoryStore(directory, fingerprint, true, (note) => void notes.push(note));
  const file = (kind: string) => join(directory, 'checkpoint', `20260501T0000Z-20260501T0100Z.${kind}.json.gz`);

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-'));
    notes = [];
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** As a thread and the store leave it. */
  async function saved(): Promise<void> {
    const store = await open('a');
    await writeFile(store.metricsFile(CHUNK) ?? '', '# EOF\n');
    await store.save(CHUNK, { result: RESULT, plots: PLOTS });
  }

  it('gives back what was saved, and nothing else', async () => {
    await saved();
    const store = await open('a');
    expect(await store.load(CHUNK)).to.deep.equal(RESULT);
    expect(await store.loadPlots(CHUNK)).to.deep.equal(PLOTS);
    expect(await store.load(OTHER)).to.equal(undefined);
    expect(notes).to.deep.equal([]);
    expect((await readdir(join(directory, 'checkpoint'))).filter((name) => name.endsWith('.part'))).to.deep.equal([]);
  });

  it('gives back hours, with what is not known of them', async () => {
    const hour: HourSummary = {
      hour: CHUNK.startSeconds / 3600,
      pods: 3,
      workloads: ['shop/cart'],
      gauges: ['cpu'],
      counters: ['restarts'],
      bins: Float32Array.of(Number.NaN, 1.5),
      siblings: Float32Array.of(0.1),
      rises: Float32Array.of(2),
      releases: Float32Array.of(7),
    };
    await (await open('a')).saveHour(hour);
    expect(await (await open('a')).loadHour(hour.hour)).to.deep.equal(hour);
    expect(await (await open('a')).loadHour(hour.hour + 1)).to.equal(undefined);
    expect(await (await open('b')).loadHour(hour.hour)).to.equal(undefined);
    expect(notes).to.have.lengthOf(1);
  });

  it('removes the metrics of other pieces, and nothing else', async () => {
    await saved();
    const store = await open('a');
    const mine = join(directory, 'metrics', 'mine.om');
    for (const path of [store.metricsFile(OTHER) ?? '', mine]) await writeFile(path, '');
    await store.keepMetricsOf([CHUNK]);
    expect(await readdir(join(directory, 'metrics'))).to.have.members(['20260501T0000Z-20260501T0100Z.om', 'mine.om']);
  });

  it('does not use what other settings made, and says so', async () => {
    await saved();
    expect(await (await open('b')).load(CHUNK)).to.equal(undefined);
    expect(notes).to.have.lengthOf(1);
    expect(notes[0]).to.include('other settings');
    expect(fingerprintOf({ a: 1 })).to.not.equal(fingerprintOf({ a: 2 }));
  });

  it('does not use a file that is torn or none of ours, and says so', async () => {
    await saved();
    const store = await open('a');
    await truncate(file('result'), 40);
    expect(await store.load(CHUNK)).to.equal(undefined);
    await writeFile(file('result'), 'not compressed');
    expect(await store.load(CHUNK)).to.equal(undefined);
    expect(notes.map((note) => /cannot be read/.test(note))).to.deep.equal([true, true]);
  });

  it('does not read a file that is too large, also once it is decompressed, and says so', async () => {
    await saved();
    const store = await open('a');
    // Without a block on the disk.
    await truncate(file('result'), 100 * 1024 * 1024);
    expect(await store.load(CHUNK)).to.equal(undefined);
    expect(notes.pop()).to.include('more than 64 MiB');
    const compressed = gzipSync(Buffer.alloc(300 * 1024 * 1024, ' '));
    await writeFile(file('result'), compressed);
    expect(await store.load(CHUNK)).to.equal(undefined);
    expect(notes.pop()).to.match(/cannot be read \(Cannot create a Buffer larger than/);
    await rm(file('result'));
    await mkdir(file('result'));
    expect(await store.load(CHUNK)).to.equal(undefined);
    expect(notes.pop()).to.include('it is a directory');
  });

  it('does not use a result whose metrics or plots are missing', async () => {
    for (const missing of ['plots', 'metrics'] as const) {
      await saved();
      const store = await open('a');
      await rm(missing === 'plots' ? file('plots') : (store.metricsFile(CHUNK) ?? ''));
      expect(await store.load(CHUNK), missing).to.equal(undefined);
      expect(notes.pop()).to.include('is missing');
    }
  });
});
