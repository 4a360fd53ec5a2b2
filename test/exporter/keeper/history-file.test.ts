import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { WorkloadHistory } from '../../../src/exporter/history/workload-history.js';
import { HistoryFile } from '../../../src/exporter/keeper/history-file.js';
import { featureNames } from '../../../src/exporter/model/snapshot/history-codec.js';
import { ModelStore } from '../../../src/exporter/model/snapshot/store.js';
import { summaryOf } from '../../support/hour-summaries.js';
import { recordingLogger } from '../../support/recording-logger.js';
import { FEATURES } from '../../support/small-cluster.js';

const NOW_SECONDS = 1_767_268_800;
const NEWEST = 490_907;
const CONFIGURATION = { features: FEATURES, source: ['http://h'] };

const historyOf = (days: number, hours: number) => {
  const history = new WorkloadHistory({ days, ...featureNames(CONFIGURATION) });
  for (let index = 0; index < hours; index++) history.add(summaryOf(NEWEST - index, { 'shop/cart': index / 10 }));
  return history.state();
};

describe('file of the history', () => {
  let folder: string;
  let path: string;
  let nowSeconds: number;
  const logger = recordingLogger();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-history-'));
    path = join(folder, 'model.history');
    nowSeconds = NOW_SECONDS;
    logger.lines.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const fileWith = ({ days = 1, source = CONFIGURATION.source, largestBytes = 1e8 } = {}) => {
    const now = () => 1000 * nowSeconds;
    const store = new ModelStore(path, now, undefined, largestBytes);
    return new HistoryFile({ store, configuration: { ...CONFIGURATION, source }, days, logger, now });
  };
  const said = () => logger.lines.map(({ level, message }) => `${level}: ${message}`);

  it('is loaded as it was saved, and both know of it', async () => {
    const saver = fileWith();
    await saver.save(historyOf(1, 5));
    const sizeBytes = readFileSync(path).length;
    expect(saver.state()).to.deep.equal({
      path,
      lastSaveSucceeded: true,
      savedSeconds: NOW_SECONDS,
      sizeBytes,
      lastError: undefined,
    });
    const loader = fileWith();
    expect(await loader.load()).to.deep.equal(historyOf(1, 5));
    expect(loader.state()).to.include({ sizeBytes, lastSaveSucceeded: undefined, savedSeconds: undefined });
    expect(said()).to.deep.equal(['debug: Saved the history of workloads.', 'info: Loaded the history of workloads.']);
    expect(readdirSync(folder)).to.deep.equal(['model.history']);
  });

  it('is nothing remarkable where it is missing', async () => {
    expect(await fileWith().load()).to.equal(undefined);
    expect(said()).to.deep.equal([]);
  });

  it('is used whatever its age, and for another number of days', async () => {
    await fileWith({ days: 2 }).save(historyOf(2, 48));
    nowSeconds += 365 * 86_400;
    expect(await fileWith({ days: 1 }).load()).to.deep.equal(historyOf(1, 24));
    expect(await fileWith({ days: 3 }).load()).to.deep.equal(historyOf(3, 48));
  });

  for (const [what, damage, reason] of [
    ['is something else', () => writeFileSync(path, 'something else'), 'it is not a snapshot file of this program'],
    ['was cut short', () => writeFileSync(path, readFileSync(path).subarray(0, 900)), 'its end was not written'],
    [
      'was changed',
      () => {
        const bytes = readFileSync(path);
        bytes[bytes.length - 1] = 99;
        writeFileSync(path, bytes);
      },
      'its checksum is wrong',
    ],
  ] as const) {
    it(`is not used, and left, where it ${what}; the log says why`, async () => {
      await fileWith().save(historyOf(1, 5));
      damage();
      logger.lines.length = 0;
      const file = fileWith();
      expect(await file.load()).to.equal(undefined);
      expect(said()).to.have.lengthOf(1);
      expect(said()[0]).to.match(new RegExp(`^warn: The history .*model\\.history is not used: .*${reason}`));
      expect(said()[0]).to.include('It is read from Prometheus again.');
      expect(file.state().lastError?.timeSeconds).to.equal(NOW_SECONDS);
      expect(readdirSync(folder)).to.deep.equal(['model.history']);
    });
  }

  it('is not used where it is of another Prometheus', async () => {
    await fileWith().save(historyOf(1, 5));
    expect(await fileWith({ source: ['http://other'] }).load()).to.equal(undefined);
    expect(said().at(-1)).to.include('it was made with other settings');
  });

  it('stays as it is where it cannot be written, and the log says so', async () => {
    await fileWith().save(historyOf(1, 5));
    const file = fileWith({ largestBytes: 100 });
    await file.save(historyOf(1, 9));
    expect(said().at(-1)).to.match(
      /^warn: The history of workloads was not saved to .*: it has \d+ bytes where at most 100/,
    );
    expect(file.state()).to.include({ lastSaveSucceeded: false });
    expect(await fileWith().load()).to.deep.equal(historyOf(1, 5));
  });

  it('is due every five minutes, and when the clock was set back', async () => {
    const file = fileWith();
    expect(file.isDue).to.equal(false);
    nowSeconds += 300;
    expect(file.isDue).to.equal(true);
    await file.save(historyOf(1, 5));
    expect(file.isDue).to.equal(false);
    nowSeconds -= 1;
    expect(file.isDue).to.equal(true);
  });
});
