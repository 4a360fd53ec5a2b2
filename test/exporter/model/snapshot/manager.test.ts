import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as nodeFiles from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Model } from '../../../../src/exporter/model/model.js';
import { SnapshotManager } from '../../../../src/exporter/model/snapshot/manager.js';
import { encodeSnapshot } from '../../../../src/exporter/model/snapshot/snapshot.js';
import { type FileSystem, LARGEST_FILE_BYTES, ModelStore } from '../../../../src/exporter/model/snapshot/store.js';
import { configurationOf, smallModel, TRAINED_AT } from '../../../support/models.js';
import { type RecordingLogger, recordingLogger } from '../../../support/recording-logger.js';

describe('snapshot keeper', () => {
  let folder: string;
  let path: string;
  let logger: RecordingLogger;
  let model: Model;
  let bytes: Uint8Array;
  let later: Uint8Array;

  before(async () => {
    model = await smallModel();
    const configuration = configurationOf('pod');
    bytes = encodeSnapshot(model, TRAINED_AT, configuration);
    later = encodeSnapshot(model, TRAINED_AT + 60, configuration);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-snapshots-'));
    path = join(folder, 'model');
    logger = recordingLogger();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const keeperWith = (files: Partial<FileSystem> = {}) =>
    new SnapshotManager({
      store: new ModelStore(path, Date.now, { ...nodeFiles, ...files }),
      configuration: configurationOf('pod'),
      maximumAgeSeconds: 3600,
      logger,
      now: () => (TRAINED_AT + 90) * 1000,
    });
  const said = () => logger.lines.map(({ level, message }) => `${level}: ${message}`);

  it('loads what another has saved, and both know of it', async () => {
    const saver = keeperWith();
    await saver.save(later, TRAINED_AT + 60);
    const known = {
      path,
      trainedSeconds: TRAINED_AT + 60,
      sizeBytes: readFileSync(path).length,
      lastError: undefined,
    };
    expect(saver.state()).to.deep.equal({ ...known, lastSaveSucceeded: true });
    const loader = keeperWith();
    expect(await loader.load()).to.deep.include({ model, trainedSeconds: TRAINED_AT + 60 });
    expect(loader.state()).to.deep.equal({ ...known, lastSaveSucceeded: undefined });
    expect(logger.lines.at(-1)).to.deep.include({
      level: 'info',
      message: 'Loaded the model of the last run.',
      fields: { path, pods: model.pods, ageSeconds: 30 },
    });
  });

  it('finds nothing remarkable in a missing file', async () => {
    const keeper = keeperWith();
    expect(await keeper.load()).to.equal(undefined);
    expect(keeper.state().lastError).to.equal(undefined);
    expect(said()).to.deep.equal([
      'info: There is no snapshot of a model yet. Pods are scored once the first training has ended, and its model is saved there.',
    ]);
  });

  it('warns of a file that is not used, with the reason and what happens next, and leaves it', async () => {
    writeFileSync(path, 'something else');
    const keeper = keeperWith();
    expect(await keeper.load()).to.equal(undefined);
    const message =
      `The snapshot ${path} is not used: it is not a snapshot file of this program. ` +
      'Pods are scored once the first training has ended, and its model is saved there.';
    expect(said()).to.deep.equal([`warn: ${message}`]);
    expect(keeper.state().lastError).to.deep.equal({ message, timeSeconds: TRAINED_AT + 90 });
    expect(readFileSync(path, 'utf8')).to.equal('something else');
  });

  const refusing = (code: string) => () => Promise.reject(Object.assign(new Error(`${code}, raw`), { code }));

  for (const [code, words] of [
    ['EACCES', 'this user may not do that (EACCES)'],
    ['EIO', 'EIO, raw'],
  ] as const) {
    it(`warns when the file system says ${code} to a load`, async () => {
      expect(await keeperWith({ open: refusing(code) }).load()).to.equal(undefined);
      expect(said()[0]).to.include(`warn: The snapshot ${path} is not used: ${words}. `);
    });
  }

  for (const [code, words] of [
    ['ENOSPC', 'the disk is full (ENOSPC)'],
    ['EROFS', 'the file system is read-only'],
    ['ENOENT', 'its folder is not there'],
  ] as const) {
    it(`warns when the file system says ${code} to a save, keeps the old file, and saves the next time`, async () => {
      await keeperWith().save(bytes, TRAINED_AT);
      let failing = true;
      const open = ((...parameters: Parameters<FileSystem['open']>) =>
        failing ? refusing(code)() : nodeFiles.open(...parameters)) as FileSystem['open'];
      const keeper = keeperWith({ open });
      await keeper.save(later, TRAINED_AT + 60);
      expect(said().at(-1)).to.include(`warn: The model was not saved to ${path}: ${words}`);
      expect(keeper.state()).to.include({ lastSaveSucceeded: false, trainedSeconds: undefined });
      expect((await keeperWith().load())?.trainedSeconds).to.equal(TRAINED_AT);
      failing = false;
      await keeper.save(later, TRAINED_AT + 60);
      expect(keeper.state()).to.include({ lastSaveSucceeded: true, trainedSeconds: TRAINED_AT + 60 });
      expect((await keeperWith().load())?.trainedSeconds).to.equal(TRAINED_AT + 60);
    });
  }

  it('warns of a model that is too large to be loaded', async () => {
    await keeperWith().save(new Uint8Array(LARGEST_FILE_BYTES + 1), TRAINED_AT);
    expect(said()).to.have.lengthOf(1);
    expect(said()[0]).to.include('was not saved').and.to.include('it has 536870913 bytes');
    expect(readdirSync(folder)).to.deep.equal([]);
  });
});
