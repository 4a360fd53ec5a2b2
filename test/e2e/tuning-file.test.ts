import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { DetectResponse } from '../../src/exporter/http/schemas.js';
import { exposedValue, samplesOf } from '../support/exposition.js';
import { type FakePrometheus, startFakePrometheus } from '../support/fake-prometheus.js';
import { get } from '../support/http-client.js';
import { endPrograms, startProgram } from '../support/program.js';
import { untilTrained } from '../support/scraping.js';
import { SmallCluster } from '../support/small-cluster.js';
import { eventually } from '../support/waiting.js';

const CULPRIT = 'cart-3';

describe('the tuning file of a running process', function () {
  this.timeout(180_000);

  let cluster: SmallCluster;
  let prometheus: FakePrometheus;
  let folder: string;
  const file = () => join(folder, 'tuning.yaml');
  const start = () =>
    startProgram(['serve'], {
      PROMETHEUS_URL: prometheus.url,
      HOST: '127.0.0.1',
      PORT: '0',
      HISTORY_DAYS: '0',
      IFOREST_N_ESTIMATORS: '25',
      RETRAIN_SCHEDULE: '0 4 29 2 *',
      TUNING_FILE: file(),
    });

  beforeEach(async () => {
    cluster = new SmallCluster();
    prometheus = await startFakePrometheus(cluster.answer);
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-tuning-'));
  });
  afterEach(async () => {
    await endPrograms();
    await prometheus.close();
    rmSync(folder, { recursive: true });
  });

  it('acts within seconds after each change, and changes nothing while it is wrong', async () => {
    writeFileSync(file(), 'rules: []');
    const url = await start().listening();
    const scrape = async () => (await get(`${url}/metrics`)).text;
    const counted = (text: string) =>
      ['muted', 'muted_anomalous', 'opted_out', 'own_sensitivity'].map((what) =>
        exposedValue(text, `k8s_anomaly_detector_pods_${what}`),
      );
    const flagged = (text: string) =>
      samplesOf(text, 'anomaly_flag')
        .filter(({ value }) => value === 1)
        .map(({ labels }) => labels.pod);
    await untilTrained(url);
    // Before the first scrape, as all scrapes of a minute have the same scores.
    cluster.misbehave(CULPRIT, Date.now() / 1000 - 300);
    const untuned = await scrape();
    expect(flagged(untuned)).to.deep.equal([CULPRIT]);
    expect(counted(untuned)).to.deep.equal([0, 0, 0, 0]);
    const pods = samplesOf(untuned, 'anomaly_flag').length;

    const until = Math.ceil(Date.now() / 1000) + 3600;
    const rule = `{ match: { namespace: shop, pod: "${CULPRIT}" }, mute: [{ until: ${until} }], sensitivity: 5 }`;
    writeFileSync(file(), `rules:\n  - ${rule}\n`);
    await eventually(async () => {
      const text = await scrape();
      expect(flagged(text)).to.deep.equal([]);
      expect(counted(text)).to.deep.equal([1, 1, 0, 1]);
    });
    const { pods: judged } = DetectResponse.parse(JSON.parse((await get(`${url}/detect`)).text));
    expect(judged[0]).to.include({
      pod: CULPRIT,
      anomaly_flag: 0,
      sensitivity: 5,
      muted_by: `${file()}:2:5`,
      muted_until: new Date(until * 1000).toISOString(),
    });

    writeFileSync(file(), 'rules:\n  - { match: { namespace: shop }, ignore: perhaps }\n');
    await eventually(async () => {
      expect(exposedValue(await scrape(), 'k8s_anomaly_detector_tuning_last_reload_success')).to.equal(0);
    });
    expect(flagged(await scrape())).to.deep.equal([]);

    writeFileSync(file(), `rules:\n  - { match: { pod: "${CULPRIT}" }, ignore: true }\n`);
    await eventually(async () => {
      const text = await scrape();
      expect(exposedValue(text, 'k8s_anomaly_detector_tuning_last_reload_success')).to.equal(1);
      expect(counted(text)).to.deep.equal([0, 0, 1, 0]);
      expect(exposedValue(text, 'k8s_anomaly_detector_pods_unscored', { reason: 'opted_out' })).to.equal(1);
      expect(samplesOf(text, 'anomaly_flag')).to.have.lengthOf(pods - 1);
    });
    expect((await get(`${url}/`)).text).to.include(`ignored by ${file()}:2:5`);

    writeFileSync(file(), 'rules: []');
    await eventually(async () => expect(flagged(await scrape())).to.deep.equal([CULPRIT]));
  });

  it('that is wrong at the start ends it, with the place of each mistake', async () => {
    writeFileSync(file(), 'rules:\n  - { match: { namespace: shop }, ignore: perhaps }\n  - { match: {} }\n');
    const program = start();
    expect(await program.ended()).to.deep.equal({ code: 2, signal: null });
    expect(program.stderr()).to.include(`2 mistakes in the tuning file ${file()}:`);
    expect(program.stderr()).to.include(`${file()}:2:43: ignore: expected \`true\` or \`false\`, got "perhaps".`);
    expect(program.stderr()).to.include(`${file()}:3:14: match: expected a mapping with`);
  });
});
