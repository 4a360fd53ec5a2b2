import axe from 'axe-core';
import { expect } from 'chai';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { type RunningService, startService } from '../../src/exporter/serve.js';
import { startBrowser } from '../support/browser.js';
import { type IncidentDemo, startIncidentDemo } from '../support/demo-incident.js';
import { type FakePrometheus, startFakePrometheus } from '../support/fake-prometheus.js';
import { get } from '../support/http-client.js';
import { requireTool } from '../support/real-tools.js';
import { recordingLogger } from '../support/recording-logger.js';
import { type FakePod, namedPods, SmallCluster } from '../support/small-cluster.js';
import { eventually } from '../support/waiting.js';

/** Names that `isObjectName` lets pass, and no Kubernetes has. */
const HOSTILE_PODS: readonly string[] = [
  '<img src=x onerror=alert(1)>',
  '<script>alert(2)<!--',
  `"><svg onload=alert(3)>`,
  `' onmouseover='alert(4)' x='`,
  'javascript:alert(5)',
  '\u202eevil\u2066\u200b',
  `z${'\u0301'.repeat(60)}algo`,
  'x'.repeat(253),
  '{{alert(6)}}',
];

/** More than a refresh of the page by itself takes. */
const REFRESH_MILLISECONDS = 21_000;

describe('the status page in a browser', function () {
  this.timeout(180_000);

  let browser: Browser;
  let demo: IncidentDemo;
  let cluster: SmallCluster;
  let prometheus: FakePrometheus;
  let service: RunningService;

  const { now: realNow } = Date;
  /** Of the clock of the services that this file starts; the demo has nothing that is yet to come. */
  let minutesAhead = 0;
  const aheadNow = () => realNow() + minutesAhead * 60_000;

  before(async function () {
    this.timeout(180_000);
    requireTool(this, 'chromium');
    demo = await startIncidentDemo();
    cluster = new SmallCluster([
      ...namedPods(6),
      ...HOSTILE_PODS.map((pod): FakePod => ({ namespace: `ns ${pod}`.slice(0, 253), pod })),
    ]);
    prometheus = await startFakePrometheus(cluster.answer);
    service = await serviceOf(prometheus.url);
    browser = await startBrowser();
    await eventually(async () => {
      const { model } = JSON.parse((await get(`${service.url}/healthz`)).text);
      if (!model.trained) throw new Error(`Expected a model at ${service.url}.`);
      await demo.requireDays();
    }, 170_000);
  });

  after(async () => {
    await browser?.close();
    await service?.close();
    await prometheus?.close();
    await demo?.close();
  });

  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
  });

  const serviceOf = async (prometheusUrl: string) => {
    const { settings } = parseSettings({
      PROMETHEUS_URL: prometheusUrl,
      HOST: '127.0.0.1',
      PORT: '0',
      IFOREST_N_ESTIMATORS: '25',
      RETRAIN_SCHEDULE: '0 4 29 2 *',
    });
    // The parts are given the clock when they start.
    Date.now = aheadNow;
    try {
      return await startService(settings, recordingLogger());
    } finally {
      Date.now = realNow;
    }
  };

  /** A scrape in the minute after: all of a minute share what was answered for it. */
  const scrapeAnotherMinute = (url = service.url) => {
    minutesAhead++;
    return get(`${url}/metrics`);
  };

  /** A page, and all that went wrong on it. */
  const open = async (url: string, options: BrowserContextOptions = {}): Promise<[Page, string[]]> => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    const troubles: string[] = [];
    page.on('console', (message) => {
      if (message.type() !== 'info') troubles.push(message.text());
    });
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('dialog', (dialog) => {
      troubles.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== new URL(url).origin) troubles.push(`asks ${request.url()}`);
    });
    await page.goto(url);
    return [page, troubles];
  };
  /** The workloads with flagged pods. */
  const incidents = (page: Page) => page.locator('ol.incidents > li');
  const calm = (page: Page) => page.getByRole('table', { name: 'Pods that are not flagged' }).locator('tbody tr');

  it('shows the incident of the demo with the right reason, since when, and its last hour', async () => {
    const [page, troubles] = await open(demo.url);
    const entry = incidents(page).filter({ hasText: demo.culprit });
    let openedSeconds = 0;
    // The page waits some seconds for the last hour, and is given without it on a machine that is too busy.
    const text = await eventually(async () => {
      openedSeconds = Date.now() / 1000;
      await page.reload();
      await entry.waitFor();
      expect(await page.getByRole('main').innerText()).not.to.contain('The last hour is not available');
      return entry.innerText();
    });
    const [, since = '', minutes] = /Since (\d\d:\d\d) UTC, for (\d+) min/.exec(text) ?? expect.fail(text);
    const sinceSeconds = Date.parse((await entry.locator('dd time').first().getAttribute('datetime')) ?? '') / 1000;
    expect(new Date(sinceSeconds * 1000).toISOString().slice(11, 16)).to.equal(since);
    // The last days judge the mean of five minutes, of which some are from before.
    expect(sinceSeconds - demo.culpritSinceSeconds, text).to.be.within(0, 600);
    // However long the machine took for the model and the page.
    const [earliest, latest] = [openedSeconds, Date.now() / 1000].map((now) => Math.round((now - sinceSeconds) / 60));
    expect(Number(minutes), text).to.be.within(Number(earliest), Number(latest));
    expect(text).to.match(/^1 of 3 pods of shop \/ cart\s+lasts/);
    expect(text).to.match(
      /cpu [\d.]+ cores, [\d.]+ × usual(?:, \d+ % of its limit)?\s+usually [\d.]+ cores .*; [\d.]+ to [\d.]+ cores/,
    );
    const plot = entry.getByRole('img', {
      name: /^cpu in the last hour: between .* Flagged from \d\d:\d\d to \d\d:\d\d(?:, from \d\d:\d\d to \d\d:\d\d)? UTC\.$/,
    });
    expect(await plot.count()).to.equal(1);
    expect(await page.getByRole('status').innerText()).to.match(/^\d pods? flagged of \d+ pods scored; .* last\.$/);
    expect(await page.title()).to.match(/^\d pods? flagged · k8s-anomaly-detector$/);
    expect(troubles).to.deep.equal([]);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 360]) {
      it(`has no serious problem of accessibility, ${colorScheme}, ${width} pixels wide`, async () => {
        for (const path of ['/', `/?namespace=shop&pod=${demo.culprit}`]) {
          const [page] = await open(`${demo.url}${path}`, { colorScheme, viewport: { width, height: 800 } });
          // What is folded away is looked at as well.
          for (const summary of await page.locator('summary').all()) await summary.click();
          await page.evaluate(axe.source);
          const { violations, passes } = await page.evaluate<axe.AxeResults>('axe.run()');
          const problems = violations
            .filter(({ impact }) => impact === 'serious' || impact === 'critical')
            .map(
              ({ id, nodes }) =>
                `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`,
            );
          expect(problems, path).to.deep.equal([]);
          expect(passes.map(({ id }) => id)).to.include.members(['color-contrast', 'svg-img-alt', 'label']);
          expect(await page.evaluate('document.documentElement.scrollWidth'), path).to.equal(width);
        }
      });
    }
  }

  it('is harmless and readable with hostile names, also on a phone', async () => {
    const since = Date.now() / 1000 - 300;
    for (const pod of HOSTILE_PODS) cluster.misbehave(pod, since);
    try {
      await scrapeAnotherMinute();
      const [page, troubles] = await open(service.url, { viewport: { width: 360, height: 700 } });
      await incidents(page).first().waitFor();
      const texts = (await incidents(page).allInnerTexts()).join('\n');
      expect(texts).to.contain('<img src=x onerror=alert(1)>');
      expect(texts).to.contain('\\u{202e}evil\\u{2066}\\u{200b}');
      for (const incident of await incidents(page).all()) await incident.hover();
      expect(await page.evaluate('document.querySelectorAll("main img, main script").length')).to.equal(0);
      expect(await page.evaluate('document.documentElement.scrollWidth')).to.equal(360);
      // A filter by such a name leads back to its pod.
      const link = incidents(page).filter({ hasText: 'svg onload' }).getByRole('link').nth(1);
      await link.click();
      await page.waitForURL(/workload=/);
      expect(await incidents(page).count()).to.equal(1);
      expect(await incidents(page).innerText()).to.contain('"><svg onload=alert(3)>');
      expect(troubles).to.deep.equal([]);
    } finally {
      for (const pod of HOSTILE_PODS) cluster.behave(pod);
      await scrapeAnotherMinute();
    }
  });

  it('leads to a pod, with its features, its last two days and its siblings', async () => {
    const [page, troubles] = await open(demo.url, { javaScriptEnabled: false });
    await page.getByRole('link', { name: demo.culprit }).click();
    await page.waitForURL(/\?namespace=shop&pod=/);
    expect(await page.title()).to.equal(`${demo.culprit} flagged · k8s-anomaly-detector`);
    const features = page.getByRole('table', { name: 'All features of the pod' }).locator('tbody tr');
    expect(await features.count()).to.equal(3);
    expect(await features.first().innerText()).to.match(
      /^cpu\s+CPU in use\s+[\d.]+ cores\s+[\d.]+ cores\s+at this time of day/,
    );
    const days = page.getByRole('img', { name: / in the last 24 hours: .*, the day before / });
    expect(await days.count()).to.equal(2);
    const siblings = page.getByRole('table', { name: 'The pod and its siblings' }).locator('tbody tr');
    expect(await siblings.allInnerTexts()).to.have.length(4);
    expect(await siblings.last().innerText()).to.contain('Median of 2 siblings');
    expect(troubles).to.deep.equal([]);
  });

  /** What is new is flagged at once, and for three minutes. */
  const aMinuteAgo = () => aheadNow() / 1000 - 60;

  /** A page whose clock stands until the test winds it on. */
  const openStopped = async (path: string): Promise<Page> => {
    // Lower than the page, which has to scroll.
    const [page] = await open('about:blank', { viewport: { width: 1280, height: 400 } });
    await page.clock.install();
    await page.goto(`${service.url}${path}`);
    return page;
  };

  it('refreshes itself and keeps focus, scroll and what is being typed', async () => {
    await scrapeAnotherMinute();
    // With a filter, the pods without a flag are shown, before and after.
    const page = await openStopped('/?namespace=shop');
    await page.getByLabel('Workload').fill('being typ');
    const link = calm(page).first().getByRole('link').last();
    await link.focus();
    const target = await link.getAttribute('href');
    await page.evaluate('window.scrollTo(0, 60)');
    cluster.misbehave('cart-3', aMinuteAgo());
    try {
      await scrapeAnotherMinute();
      await page.clock.fastForward(REFRESH_MILLISECONDS);
      await incidents(page).filter({ hasText: 'cart-3' }).waitFor();
      expect(await page.getByRole('status').innerText()).to.contain('1 pod flagged');
      expect(await page.evaluate('document.activeElement.getAttribute("href")')).to.equal(target);
      expect(await page.evaluate('window.scrollY')).to.equal(60);
      expect(await page.getByLabel('Workload').inputValue()).to.equal('being typ');
      expect(await page.locator('#refreshed').innerText()).to.match(/^Updated /);
    } finally {
      cluster.behave('cart-3');
      await scrapeAnotherMinute();
    }
  });

  it('moves the focus to the heading of the list when the workload that had it leaves, and Tab goes on from there', async () => {
    const [leaving = ''] = HOSTILE_PODS;
    const coming = [0, 1, 2, 3, 4].map((index) => `cart-${index}`);
    cluster.misbehave(leaving, aMinuteAgo());
    try {
      await scrapeAnotherMinute();
      const page = await openStopped('/');
      await incidents(page).filter({ hasText: leaving }).getByRole('link').first().focus();
      cluster.behave(leaving);
      for (const pod of coming) cluster.misbehave(pod, aMinuteAgo());
      await scrapeAnotherMinute();
      for (let refresh = 0; refresh < 2; refresh++) {
        await page.clock.fastForward(REFRESH_MILLISECONDS);
        await page.getByText(/^Updated/).waitFor();
        await incidents(page).filter({ hasText: leaving }).waitFor({ state: 'detached' });
        expect(await page.getByRole('status').innerText()).to.contain('5 pods flagged');
        expect(await page.evaluate('document.activeElement.id'), `refresh ${refresh}`).to.equal('incidents');
      }
      await page.keyboard.press('Tab');
      const isFirstLink = 'document.activeElement === document.querySelector("ol.incidents a")';
      expect(await page.evaluate(isFirstLink)).to.equal(true);
    } finally {
      for (const pod of coming) cluster.behave(pod);
      cluster.behave(leaving);
      await scrapeAnotherMinute();
    }
  });

  it('keeps unfolded what was unfolded, and folded what was folded', async () => {
    for (const [path, isOpen] of [
      ['/', true],
      ['/?namespace=shop', false],
    ] as const) {
      await scrapeAnotherMinute();
      const page = await openStopped(path);
      await page.locator('#calm summary').click();
      await page.clock.fastForward(REFRESH_MILLISECONDS);
      await page.getByText(/^Updated/).waitFor();
      expect(await page.locator('#calm[open]').count(), path).to.equal(Number(isOpen));
      // Whoever unfolded it by the keyboard is still there.
      expect(await page.evaluate('document.activeElement.parentElement.id'), path).to.equal('calm');
    }
  });

  it('stands still while it is paused, and goes on after it', async () => {
    const [page] = await open('about:blank');
    await page.clock.install();
    await page.goto(service.url);
    let fetched = 0;
    page.on('request', () => fetched++);
    const pause = page.getByRole('button', { name: 'Pause' });
    await pause.click();
    expect(await pause.getAttribute('aria-pressed')).to.equal('true');
    await page.clock.runFor(5 * REFRESH_MILLISECONDS);
    expect(fetched).to.equal(0);
    await pause.click();
    await page.getByText(/^Updated/).waitFor();
    expect(fetched).to.equal(1);
  });

  it('filters by namespace and workload, with the keyboard', async () => {
    const [page] = await open(demo.url);
    await page.getByLabel('Namespace').fill('shop');
    await page.getByLabel('Workload').fill('cart');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\?namespace=shop&workload=cart$/);
    expect(await incidents(page).count()).to.equal(1);
    expect(await incidents(page).innerText()).to.match(/shop\s*\/\s*cart/);
    await page.getByText('2 other pods not flagged').click();
    expect(await calm(page).count()).to.equal(2);
    await page.getByRole('link', { name: 'Show all' }).click();
    await page.waitForURL(`${demo.url}/`);
  });

  it('works without JavaScript', async () => {
    const [page, troubles] = await open(demo.url, { javaScriptEnabled: false });
    expect(await incidents(page).filter({ hasText: demo.culprit }).count()).to.equal(1);
    expect(await page.getByRole('button', { name: 'Pause' }).count()).to.equal(0);
    await page.getByLabel('Namespace').fill('shop');
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.waitForURL(/\?namespace=shop&workload=$/);
    await page.getByRole('link', { name: 'Refresh' }).click();
    await page.waitForURL(/\?namespace=shop$/);
    expect(await incidents(page).filter({ hasText: demo.culprit }).count()).to.equal(1);
    expect(troubles).to.deep.equal([]);
  });

  it('says that Prometheus is down, and that the exporter is gone', async () => {
    const own = await startFakePrometheus(cluster.answer);
    const doomed = await serviceOf(own.url);
    try {
      await eventually(async () => {
        expect((await get(`${doomed.url}/detect`)).status).to.equal(200);
      });
      await own.close();
      await scrapeAnotherMinute(doomed.url);
      const [page] = await open(doomed.url);
      expect(await page.getByRole('status').innerText()).to.contain('No pod can be scored now.');
      expect(await page.getByRole('main').innerText()).to.match(/Prometheus\s+failing/);
      await doomed.close();
      await page.getByRole('link', { name: 'Refresh' }).click();
      await page.getByText(/^Not updated: the exporter did not respond/).waitFor();
      expect(await page.getByRole('main').innerText()).to.match(/Prometheus\s+failing/);
    } finally {
      await own.close();
      await doomed.close();
    }
  });
});
