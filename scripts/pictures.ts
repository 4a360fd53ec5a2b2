/** Draws the pictures of the documentation: `npm run pictures`, all of them or those named in the arguments. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { runBacktestCommand } from '../src/tools/backtest/command.js';
import { startPrometheusApi } from '../src/tools/demo/prometheus-api.js';
import { type ResolveQuery, worldQueries } from '../src/tools/demo/queries.js';
import { createFleet } from '../src/tools/lab/fleet/fleet.js';
import { createWorld } from '../src/tools/simulation/cluster.js';
import { SCRIPT, type ScriptedIncident } from '../src/tools/simulation/incidents.js';
import { startBrowser } from '../test/support/browser.js';
import { startMonitoredCluster } from '../test/support/dashboard-cluster.js';
import { startIncidentDemo } from '../test/support/demo-incident.js';
import { eventually, within } from '../test/support/waiting.js';
import { createGrafana } from './dashboard/grafana.js';
import { readDashboard } from './dashboard/json.js';
import { dashboardPage } from './dashboard/page.js';
import { fleetPicture } from './fleet-picture.js';

/** A picture in `docs/images`, by its name without `.png`. */
type Draw = (browser: Browser, file: string) => Promise<void>;

const PICTURES: Readonly<Record<string, Draw>> = {
  backtest: drawBacktest,
  fleet: drawFleet,
  dashboard: drawDashboard,
  'status-page': (browser, file) => drawStatusPage(browser, file, { width: 1120, colorScheme: 'light', path: '/' }),
  'status-page-narrow': (browser, file) =>
    drawStatusPage(browser, file, { width: 400, colorScheme: 'dark', path: '/?namespace=shop', height: 1500 }),
  'status-page-pod': (browser, file) =>
    drawStatusPage(browser, file, { width: 1120, colorScheme: 'light', path: '/?namespace=payments&pod=LEAKING' }),
};

const DAY = 86_400;
const HOUR = 3600;
/** Fixed, so that the picture is the same each time. */
const START = Date.parse('2026-05-04T00:00:00Z') / 1000;
const END = START + 2 * DAY;

/** Minutes from the start. */
const incident = (
  workload: string,
  namespace: string,
  kind: ScriptedIncident['kind'],
  startHours: number,
  minutes: number,
): ScriptedIncident => ({
  namespace,
  workload,
  replica: 0,
  kind,
  startOffsetSeconds: startHours * HOUR,
  endOffsetSeconds: startHours * HOUR + minutes * 60,
});

const INCIDENTS = [
  incident('cart', 'shop', 'runaway-cpu', 9.4, 40),
  incident('checkout', 'payments', 'fast-leak', 31, 50),
  incident('config-sync', 'platform', 'crash-loop', 40, 30),
];

/** An existing alert, twenty minutes after the incident began. */
function withAlerts(resolve: ResolveQuery): ResolveQuery {
  const labels = {
    alertname: 'CheckoutLatencyHigh',
    alertstate: 'firing',
    namespace: 'payments',
    deployment: 'checkout',
  };
  const from = START + 31 * HOUR + 20 * 60;
  return (query) =>
    query.startsWith('ALERTS{')
      ? (time) => (time >= from && time < from + 2400 ? [{ labels, value: 1 }] : [])
      : resolve(query);
}

async function drawBacktest(browser: Browser, file: string): Promise<void> {
  const world = createWorld({ seed: 1, startSeconds: START, incidents: INCIDENTS, rollouts: [] });
  const prometheus = await startPrometheusApi(withAlerts(worldQueries(world)), () => END);
  const directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-pictures-'));
  try {
    await runBacktestCommand(
      {
        start: String(START),
        end: String(END),
        sensitivity: '3,4,6',
        budget: 2,
        metrics: false,
        output: directory,
      },
      {
        environment: { PROMETHEUS_URL: prometheus.url },
        stdout: new PassThrough(),
        progress: process.stderr,
        signal: new AbortController().signal,
      },
    );
    const page = await browser.newPage({ viewport: { width: 1120, height: 1120 }, colorScheme: 'light' });
    await page.goto(pathToFileURL(join(directory, 'report.html')).href);
    // The address differs in each run.
    await page.locator('header p').evaluate(
      (element, [from, to]) => {
        element.innerHTML = element.innerHTML.replace(from ?? '', to ?? '');
      },
      [prometheus.url, 'http://prometheus:9090'],
    );
    await page.screenshot({ path: file });
  } finally {
    await prometheus.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function drawFleet(browser: Browser, file: string): Promise<void> {
  const svg = fleetPicture(createFleet({ seed: 2, days: 9, pods: 240, incident: false }));
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  await page.setContent(`<body style="margin:0">${svg}</body>`);
  await page.locator('svg').screenshot({ path: file });
}

/** @param path of the page; `LEAKING` stands for the pod whose memory grows. `height` is that of the picture, all of it without. */
async function drawStatusPage(
  browser: Browser,
  file: string,
  {
    width,
    colorScheme,
    path,
    height,
  }: {
    readonly width: number;
    readonly colorScheme: 'light' | 'dark';
    readonly path: string;
    readonly height?: number;
  },
): Promise<void> {
  const clock = stopClock(Date.UTC(2026, 0, 15, 9, 1, 30));
  const demo = await startIncidentDemo();
  try {
    const trained = eventually(() => demo.requireDays(), 180_000);
    // `eventually` cannot be used: its clock is fixed as well.
    await within(180_000, 'a model', trained);
    clock.advance(95);
    const page = await browser.newPage({ viewport: { width, height: 1120 }, colorScheme });
    // What the cluster says of the pods is asked for after the pass of the page.
    await page.goto(demo.url);
    const context = eventually(() => demo.requireContext());
    await within(60_000, 'the context of the pods', context);
    await page.goto(`${demo.url}${path.replace('LEAKING', demo.leaking)}`);
    // The address differs in each run.
    for (const address of await page.getByText(demo.prometheusUrl).all()) {
      await address.evaluate((element) => {
        element.textContent = 'http://prometheus:9090';
      });
    }
    const main = await page.getByRole('main').boundingBox();
    // What it says of the detector itself has times of threads, whose clocks go on.
    const state = (await page.locator('#state').count()) === 0 ? null : await page.locator('#state').boundingBox();
    const bottom = Math.ceil(state?.y ?? (main?.y ?? 0) + (main?.height ?? 0));
    const clip = { x: 0, y: 0, width, height: Math.min(bottom, height ?? bottom) };
    await page.screenshot({ path: file, fullPage: true, clip });
  } finally {
    await demo.close();
    clock.release();
  }
}

const DASHBOARD_MINUTES = 4;

/** The upper rows of the dashboard, as the preview draws it. Takes some minutes, since a real Prometheus has to watch. */
async function drawDashboard(browser: Browser, file: string): Promise<void> {
  const cluster = await startMonitoredCluster(SCRIPT);
  try {
    await sleep(DASHBOARD_MINUTES * 60_000);
    const toSeconds = Date.now() / 1000;
    const fromSeconds = toSeconds - DASHBOARD_MINUTES * 60;
    const grafana = createGrafana({ prometheusUrl: cluster.prometheusUrl, fromSeconds, toSeconds, stepSeconds: 5 });
    const page = await browser.newPage({ viewport: { width: 1620, height: 1200 } });
    await page.setContent(await dashboardPage(readDashboard(), grafana));
    const exporter = await page.getByText('▸ Exporter').boundingBox();
    await page.screenshot({
      path: file,
      fullPage: true,
      clip: { x: 0, y: 0, width: 1620, height: exporter?.y ?? 1200 },
    });
  } finally {
    await cluster.close();
  }
}

/** Fixes `Date.now` until `release`; timers still run. */
function stopClock(startMilliseconds: number) {
  const RealDate = Date;
  let now = startMilliseconds;
  globalThis.Date = class extends RealDate {
    constructor(...parts: readonly unknown[]) {
      super(...((parts.length === 0 ? [now] : parts) as [number]));
    }

    static override now(): number {
      return now;
    }
  } as DateConstructor;
  return {
    advance: (seconds: number) => {
      now += 1000 * seconds;
    },
    release: () => {
      globalThis.Date = RealDate;
    },
  };
}

const wanted = process.argv.slice(2);
const browser = await startBrowser();
try {
  for (const [name, draw] of Object.entries(PICTURES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    await draw(browser, `docs/images/${name}.png`);
    console.log(`docs/images/${name}.png`);
  }
} finally {
  await browser.close();
}
