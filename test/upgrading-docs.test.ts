import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { alertsOf, parseRules, RULES_FILE } from '../scripts/prometheus-rules.js';
import { SETTINGS, variablesOf } from '../src/exporter/config/settings.js';
import { FAMILIES } from '../src/exporter/metrics/registry.js';
import { SnapshotManager } from '../src/exporter/model/snapshot/manager.js';
import { readTensors, writeTensors } from '../src/exporter/model/snapshot/safetensors.js';
import { withChecksum } from '../src/exporter/model/snapshot/seal.js';
import { encodeSnapshot } from '../src/exporter/model/snapshot/snapshot.js';
import { ModelStore } from '../src/exporter/model/snapshot/store.js';
import { VERSION } from '../src/exporter/version.js';
import { configurationOf, smallModel, TRAINED_AT } from './support/models.js';
import { recordingLogger } from './support/recording-logger.js';

const page = readFileSync('docs/upgrading.md', 'utf8');

describe('docs/upgrading.md', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-upgrade-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** The row of this version in the table of formats. */
  function rowOfThisVersion(): { model: number; history: number } {
    const [, model, history] =
      new RegExp(`^\\| ${VERSION.replaceAll('.', '\\.')} \\| (\\d+) \\| (\\d+) \\|`, 'm').exec(page) ?? [];
    return { model: Number(model), history: Number(history) };
  }

  it('quotes what is logged of a model of another format, and has the format of this version', async () => {
    const configuration = configurationOf('pod');
    const { metadata, tensors } = readTensors(encodeSnapshot(await smallModel(), TRAINED_AT, configuration));
    const format = Number(metadata.version);
    expect(rowOfThisVersion().model).to.equal(format);

    const path = join(directory, 'model');
    const older = writeTensors({ metadata: { ...metadata, version: String(format - 1) }, tensors });
    writeFileSync(path, withChecksum(older));
    const logger = recordingLogger();
    const now = () => (TRAINED_AT + 60) * 1000;
    const store = new ModelStore(path, now);
    const manager = new SnapshotManager({ store, configuration, maximumAgeSeconds: 3600, logger, now });
    expect(await manager.load()).to.equal(undefined);
    expect(logger.lines).to.have.lengthOf(1);
    expect(page).to.include((logger.lines.at(-1)?.message ?? '').replace(path, '/data/model'));
    // It is still there, for a way back.
    expect(readFileSync(path).equals(Buffer.from(older))).to.equal(true);
  });

  it('has new names of metrics for old ones that exist', () => {
    const rows = [...page.matchAll(/^\| `(anomaly_exporter_\w+)` \| `(\w+)` \|$/gm)];
    expect(rows).to.have.lengthOf.at.least(2);
    const names = FAMILIES.map(({ name }) => name);
    for (const [, old = '', current = ''] of rows) {
      expect(current).to.equal(old.replace('anomaly_exporter_', 'k8s_anomaly_detector_'));
      expect(names).to.include(current);
    }
  });

  it('has the format of the history', () => {
    const source = readFileSync('src/exporter/model/snapshot/history-codec.ts', 'utf8');
    const [, format] = /^const FORMAT_VERSION = (\d+);$/m.exec(source) ?? [];
    expect(rowOfThisVersion().history).to.equal(Number(format));
    expect(page).to.include(`(format ${Number(format) - 1}, and this one reads ${format})`);
  });

  it('promises only what there is', () => {
    const names = (pattern: RegExp) => [...page.matchAll(pattern)].map(([, name = '']) => name);
    const metrics = names(/`((?:k8s_anomaly_detector|anomaly(?!_exporter))_\w*[a-z])\b/g);
    expect(FAMILIES.map(({ name }) => name)).to.include.members(metrics);
    expect(metrics).to.include('anomaly_flag');
    const settings = Object.values(SETTINGS).flatMap((definition) => variablesOf(definition));
    expect(settings).to.include.members(names(/`([A-Z]+(?:_[A-Z]+)+)`/g));
    const alerts = alertsOf(parseRules(readFileSync(RULES_FILE, 'utf8'))).map(({ alert }) => alert);
    expect(alerts).to.include.members(names(/alerts, such as `(\w+)`/g));
  });
});
