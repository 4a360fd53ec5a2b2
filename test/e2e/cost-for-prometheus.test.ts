import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { RECENT_STEP_SECONDS, recentSecondsOf } from '../../src/exporter/detection/detect.js';
import { buildCatalog, type FeatureDefinition } from '../../src/exporter/features/catalog.js';
import { planTraining } from '../../src/exporter/training/plan.js';
import { NOW_SECONDS, STORED, startStoring } from '../bench/real/database.js';
import { fill } from '../bench/real/fill.js';
import { storedSeries } from '../bench/real/stored-series.js';
import type { RealServer } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import {
  isQuery,
  type RecordedRequest,
  type RecordingProxy,
  samplesRead,
  startRecordingProxy,
} from '../support/recording-proxy.js';
import { healthOf, podsIn, scrape, untilTrained } from '../support/scraping.js';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.js';
import { eventually } from '../support/waiting.js';

const PODS = 40;
const CONTAINERS = 2 * PODS;
const MINUTE_SECONDS = 60;
const QUARTER_SECONDS = 900;
const CLOCK = new URL('../support/shifted-clock.js', import.meta.url).href;

/** What a query reads of a container for one instant: the two samples of a minute for a rate, one for anything else. */
const samplesPerInstant = ({ query }: Pick<FeatureDefinition, 'query'>) => (query.includes('rate(') ? 2 : 1);

const FEATURES = buildCatalog({ namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' });

/** What the features of all containers are read with at so many instants. */
const samplesOf = (instants: (feature: FeatureDefinition) => number) =>
  FEATURES.reduce((sum, feature) => sum + CONTAINERS * samplesPerInstant(feature) * instants(feature), 0);

/** The instants that a detection looks at. */
const recentInstants = (feature: FeatureDefinition) => recentSecondsOf(feature) / RECENT_STEP_SECONDS + 1;

/** The instants of a training, with the default settings. */
function instantsOfTraining(nowSeconds: number): Set<number> {
  const times = {
    nowSeconds,
    lookbackSeconds: 3600,
    stepSeconds: MINUTE_SECONDS,
    untilNextTrainingSeconds: QUARTER_SECONDS,
  };
  const { window, slices } = planTraining(times, 'pod', 1);
  return new Set([window, ...slices].flatMap(({ grid }) => [...grid]));
}

describe('what a real Prometheus reads', function () {
  this.timeout(180_000);

  let directory: string;
  let prometheus: RealServer;
  let proxy: RecordingProxy;
  let service: ServiceProcess;
  /** What the first training asked. */
  let training: readonly RecordedRequest[];

  const shiftTo = (seconds: number) => Math.round(1000 * seconds - Date.now());
  const scrapeAt = async (seconds: number): Promise<RecordedRequest[]> => {
    await service.shiftClock(shiftTo(seconds));
    proxy.take();
    expect(podsIn(await scrape(service.url))).to.have.lengthOf(PODS);
    return proxy.take();
  };
  const samplesIn = async (requests: readonly RecordedRequest[]) => {
    let sum = 0;
    for (const request of requests.filter(isQuery)) sum += (await samplesRead(prometheus.url, request)).total;
    return sum;
  };

  before(async function () {
    requireTool(this, 'prometheus');
    directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-cost-'));
    prometheus = await startStoring('prometheus', directory);
    await fill(`${prometheus.url}/api/v1/write`, storedSeries(PODS), STORED);
    proxy = await startRecordingProxy(prometheus.url);
    service = await startServiceProcess(
      {
        PROMETHEUS_URL: proxy.url,
        HISTORY_DAYS: '0',
        CLOCK_SHIFT_MILLISECONDS: String(shiftTo(NOW_SECONDS + 5)),
      },
      ['--import', CLOCK],
    );
    await untilTrained(service.url);
    training = proxy.take();
    // What follows a training is no part of a scrape.
    await eventually(async () => expect((await healthOf(service.url)).check.last_success).to.be.a('string'));
  });

  after(async () => {
    await service?.kill();
    await proxy?.close();
    await prometheus?.close();
    if (directory !== undefined) await rm(directory, { recursive: true });
  });

  it('for the first scrape: all minutes that a detection looks at', async () => {
    const samples = await samplesIn(await scrapeAt(NOW_SECONDS + 25));
    expect(samples).to.be.within(1, samplesOf(recentInstants));
  });

  it('for a scrape in the next minute: that minute, and the one before', async () => {
    const samples = await samplesIn(await scrapeAt(NOW_SECONDS + MINUTE_SECONDS + 5));
    expect(samples).to.be.within(
      1,
      samplesOf(() => 2),
    );
  });

  it('for a scrape in the same minute: nothing', async () => {
    expect(await scrapeAt(NOW_SECONDS + MINUTE_SECONDS + 35)).to.deep.equal([]);
  });

  // The check that follows asks for the recent instants of a feature, and may have begun.
  const isOfRange = ({ path, form }: RecordedRequest) =>
    path.startsWith('/api/v1/query_range') && FEATURES.some(({ query }) => query === form.get('query'));

  it('for the first training: all that it learns from', async () => {
    const { size } = instantsOfTraining(NOW_SECONDS);
    expect(await samplesIn(training.filter(isOfRange))).to.be.within(
      1,
      samplesOf(() => size) + samplesOf(recentInstants),
    );
  });

  it('for the next training: less, as most of the window was read before', async () => {
    const due = NOW_SECONDS + QUARTER_SECONDS + 5;
    proxy.take();
    await service.shiftClock(shiftTo(due));
    const isTrained = () => expect(service.log().split('Trained a model')).to.have.lengthOf(3);
    await eventually(isTrained, 120_000);
    const later = proxy.take();
    // Most of the window was read before; of the earlier hours, only what an hour of trainings has read.
    const { size } = instantsOfTraining(due);
    expect(await samplesIn(later.filter(isOfRange))).to.be.within(1, 0.75 * samplesOf(() => size));
  });
});
