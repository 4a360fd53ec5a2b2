import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { HOUR_SECONDS } from '../../src/exporter/history/grid.js';
import { DetectResponse } from '../../src/exporter/http/schemas.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { exposedValue, samplesOf } from '../support/exposition.js';
import { get } from '../support/http-client.js';
import { endPrograms, startProgram } from '../support/program.js';
import { startPrometheus, writeHistory } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { healthOf, scrape } from '../support/scraping.js';
import { eventually } from '../support/waiting.js';
import { daily, type WeekPod, weekHistory, weekPods } from '../support/week-of-pods.js';

const FROZEN_CLOCK = new URL('../support/frozen-clock.js', import.meta.url).href;
/** Each start trains, reads the hours that are missing, and trains again. */
const NEVER = '0 4 29 2 *';

const MINUTE = 60;
const DAY = 24 * HOUR_SECONDS;

/** A time of the week of Monday, 9 March 2026. */
const at = (day: 'Mon' | 'Wed' | 'Thu' | 'Fri' | 'Sat', clock: string): number => {
  const days = { Mon: 9, Wed: 11, Thu: 12, Fri: 13, Sat: 14 };
  return Date.parse(`2026-03-${String(days[day]).padStart(2, '0')}T${clock}:00Z`) / 1000;
};

const RELEASE = at('Wed', '10:00');
const ROLLBACK = at('Fri', '10:00');
const SHIFT = at('Wed', '10:30');
const FAULT = { from: at('Wed', '08:00'), to: at('Wed', '23:00') };
const LOST = { from: at('Fri', '14:00'), to: at('Fri', '21:00') };
const OUTAGE = { from: at('Sat', '14:00'), to: at('Sat', '18:55') };

const isIn = ({ from, to }: { readonly from: number; readonly to: number }, time: number) => from <= time && time < to;
/** What every pod has left of its CPU. */
const share = (time: number) => (isIn(OUTAGE, time) ? 0.02 : 1);

/** The pods of a Deployment: of one template until a time, and of another one from then on. */
function released(workload: string, times: readonly number[], cores: (time: number) => number): WeekPod[] {
  const templates = ['7d9c5bf6c', '6b8f4d9c5', '5c6d7f8b9'];
  const bounds = [Number.NEGATIVE_INFINITY, ...times, Number.POSITIVE_INFINITY];
  return bounds.slice(0, -1).flatMap((sinceSeconds, index) =>
    weekPods('shop', workload, 4, { cores: (time) => share(time) * cores(time), sinceSeconds }).map((pod, replica) => ({
      ...pod,
      pod: `${workload}-${templates[index]}-x2x${replica + 4}b`,
      untilSeconds: bounds[index + 1] as number,
    })),
  );
}

const steady = (namespace: string, workload: string, count: number, cores: (time: number) => number = () => 0.3) =>
  weekPods(namespace, workload, count, { cores: (time) => share(time) * cores(time) });

const PODS = [
  ...released('cart', [RELEASE], (time) => (time < RELEASE ? 0.3 : 0.5) * (0.5 + daily(time))),
  ...released('till', [RELEASE, ROLLBACK], (time) => (isIn({ from: RELEASE, to: ROLLBACK }, time) ? 0.5 : 0.3)),
  ...steady('shop', 'web', 3, (time) => (isIn(LOST, time) ? 0.02 : 0.6) * (0.5 + daily(time))),
  ...weekPods('data', 'postgres', 1, {
    cores: (time) => share(time) * 0.8,
    memory: (time) => (time < SHIFT ? 6 : 10),
  }),
  ...steady('edge', 'proxy', 2, (time) => (isIn(FAULT, time) ? 0.9 : 0.3)),
  ...['agent', 'dns', 'ingress', 'mail', 'queue', 'search', 'stock', 'users'].flatMap((name) =>
    steady('infra', name, 2),
  ),
];

describe('ends of anomalies on a real Prometheus, at moved times', function () {
  this.timeout(400_000);

  let folder: string;
  let prometheus: RunningServer;

  before(async function () {
    requireTool(this, 'prometheus');
    requireTool(this, 'promtool');
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-ends-'));
    const range = { startSeconds: RELEASE - 8.5 * DAY, endSeconds: at('Sat', '19:30'), stepSeconds: MINUTE };
    await writeHistory(folder, weekHistory(PODS, range));
    const configuration = join(folder, 'prometheus.yml');
    writeFileSync(configuration, '{}');
    prometheus = await startPrometheus({ directory: folder, port: await freePort(), configuration });
  });
  after(async () => {
    await endPrograms();
    await prometheus?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  /**
   * What an exporter says that starts at a time, with the history of the start before. Its clock stands some seconds after
   * that: a slow machine looks at the same moment.
   */
  async function lookAt(timeSeconds: number) {
    writeFileSync(join(folder, 'clock'), String(1000 * (timeSeconds + 5)));
    const program = startProgram(['serve'], {
      PROMETHEUS_URL: prometheus.url,
      HOST: '127.0.0.1',
      PORT: '0',
      CPU_RATE_WINDOW: '2m',
      RETRAIN_SCHEDULE: NEVER,
      HISTORY_LOAD_PERCENT: '100',
      MODEL_PATH: join(folder, 'model'),
      NODE_OPTIONS: `--import=${FROZEN_CLOCK}`,
      FROZEN_CLOCK: join(folder, 'clock'),
      CLOCK_SHIFT_SECONDS: String(timeSeconds - Date.now() / 1000),
    });
    const url = await program.listening();
    await eventually(async () => {
      const { training, history, budget } = await healthOf(url);
      expect(history?.missing_hours).to.equal(0);
      // The first start trains as soon as it knows a day, and again when it knows all.
      expect(budget?.known_days).to.equal(7);
      expect(training.running).to.equal(false);
      expect(training.runs - training.failures).to.be.at.least(2);
    }, 300_000);
    const { text } = await get(`${url}/detect?limit=0`);
    const metrics = await scrape(url);
    const lasting = samplesOf(metrics, 'anomaly_lasting').map(({ labels: { workload = '' } }) => workload);
    const { budget } = await healthOf(url);
    program.kill('SIGTERM');
    await program.ended();
    return {
      pods: DetectResponse.parse(JSON.parse(text)).pods,
      /** Workloads with an anomaly that lasts, and the share of all pods that have one. */
      workloads: [...new Set(lasting)].sort(),
      share: lasting.length / exposedValue(metrics, 'k8s_anomaly_detector_pods_scored'),
      accepted: budget?.accepted_levels ?? [],
    };
  }

  it('a new level is flagged at once: with a release, which is named, and without one', async () => {
    const { pods, workloads } = await lookAt(at('Wed', '11:10'));
    expect(workloads).to.deep.equal(['cart', 'postgres', 'proxy', 'till']);
    for (const { workload, anomaly_flag: flag, release } of pods) {
      if (flag === 0) continue;
      const isReleased = workload === 'cart' || workload === 'till';
      // The past is read every five minutes.
      if (isReleased) expect(Date.parse(release ?? '') / 1000 - RELEASE, workload).to.equal(5 * MINUTE);
      else expect(release, workload).to.equal(null);
    }
  });

  it('and stays flagged for hours', async () => {
    expect((await lookAt(at('Wed', '20:10'))).workloads).to.deep.equal(['cart', 'postgres', 'proxy', 'till']);
  });

  it('with a release it is accepted after twelve hours; what recovers is not flagged any more', async () => {
    const { workloads, accepted } = await lookAt(at('Wed', '23:30'));
    expect(workloads).to.deep.equal(['postgres']);
    expect(accepted.map(({ workload, with_release: isRelease }) => [workload, isRelease])).to.have.deep.members([
      ['cart', true],
      ['till', true],
    ]);
  });

  it('without a release it is flagged after twenty hours, and accepted after a day', async () => {
    expect((await lookAt(at('Thu', '06:30'))).workloads).to.deep.equal(['postgres']);
    const { workloads, accepted } = await lookAt(at('Thu', '11:45'));
    expect(workloads).to.deep.equal([]);
    expect(accepted.map(({ workload }) => workload)).to.include('postgres');
  });

  it('the way back to the level before makes no anomaly', async () => {
    expect((await lookAt(at('Fri', '10:40'))).workloads).to.deep.equal([]);
  });

  it('lost traffic of a workload lasts within eight minutes, and until it is back', async () => {
    expect((await lookAt(LOST.from + 8 * MINUTE)).workloads).to.deep.equal(['web']);
    expect((await lookAt(LOST.to - 10 * MINUTE)).workloads).to.deep.equal(['web']);
    expect((await lookAt(LOST.to + 12 * MINUTE)).workloads).to.deep.equal([]);
  });

  it('an accepted level is usual on the first weekend as well', async () => {
    expect((await lookAt(at('Sat', '12:10'))).workloads).to.deep.equal([]);
  });

  it('an outage of all pods lasts within eight minutes, for nearly all, and until it is over', async () => {
    expect((await lookAt(OUTAGE.from + 8 * MINUTE)).share).to.be.above(0.8);
    expect((await lookAt(OUTAGE.to - 10 * MINUTE)).share).to.be.above(0.8);
    expect((await lookAt(OUTAGE.to + 12 * MINUTE)).workloads).to.deep.equal([]);
  });
});
