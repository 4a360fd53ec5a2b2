import { expect } from 'chai';
import type { Detection, PassOutcome } from '../../../../src/exporter/detection/detection.js';
import { NO_EPISODES } from '../../../../src/exporter/episodes/episodes.js';
import type { DayOutcome } from '../../../../src/exporter/http/status-page/day-reader.js';
import { UNTUNED } from '../../../../src/exporter/tuning/tuning.js';
import { passOf } from '../../../support/http-fixtures.js';
import { histories, incidentsOf, pageOf, rowsOf, SCORED_AT, wordsOf } from '../../../support/status-page.js';

const pods = [
  { namespace: 'other', pod: 'cart-0', workload: 'cart', score: -0.4 },
  ...Array.from({ length: 30 }, (_, index) => ({
    namespace: 'shop',
    pod: `cart-${index}`,
    workload: 'cart',
    score: index === 0 ? 0.137 : -0.01 * index,
  })),
  { namespace: 'shop', pod: 'till-0', workload: 'till', score: 0.2 },
];

const passWith = (replaced: Partial<Detection> = {}): PassOutcome => {
  const outcome = passOf(pods);
  if (outcome.kind !== 'detection') throw new Error('Expected a detection.');
  return { ...outcome, detection: { ...outcome.detection, ...replaced } };
};

/** From 1 to 3 today, and 1 yesterday; usual are 0.5 to 2. */
const day = (yesterday = Float64Array.of(1, 1, 1)): DayOutcome => ({
  kind: 'day',
  timestampsSeconds: Float64Array.of(SCORED_AT - 86_400, SCORED_AT - 43_200, SCORED_AT),
  courses: [
    {
      feature: 'cpu',
      unit: 'cores',
      today: Float64Array.of(1, Number.NaN, 3),
      yesterday,
      lower: new Float64Array(3).fill(0.5),
      upper: new Float64Array(3).fill(2),
    },
  ],
});

const URL = '/?namespace=shop&pod=cart-0';

describe('the view of one pod', () => {
  it('has its state, all features, and where to look next', async () => {
    const page = await pageOf({ outcome: passWith(), dashboardUrl: 'https://grafana.example.org/d/x' }, URL);
    const words = wordsOf(page);
    expect(words).to.contain('cart-0 flagged · k8s-anomaly-detector');
    expect(words).to.contain('Pod shop/cart-0 lasts cpu 1 cpu-unit');
    expect(words).to.contain('Workload cart Flagged yes Score 0.14 (above 0 is anomalous)');
    expect(words).to.contain('Feature Now To expect Anomalous beyond Deviation Share of the score Last hour');
    for (const row of [
      // The second word is what the values are.
      'cpu cpu 1 cpu-unit -0.5 cpu-unit in the last hours not alone +3 33 % not shown',
      'memory memory 2 memory-unit 0.5 memory-unit in the last hours not alone +3 33 % not shown',
      'restarts restarts 3 restarts-unit 1.5 restarts-unit in the last hours not alone +3 33 % not shown',
    ]) {
      expect(words).to.contain(row);
    }
    expect(words).to.contain('Next: runbook PodAnomalous /detect of the namespace dashboard');
    expect(page).to.contain('?var-namespace=shop&#38;var-workload=cart&#38;var-pod=cart-0"');
    // It is about the pod, and nothing else.
    expect(incidentsOf(page)).to.deep.equal([]);
    expect(words).to.not.match(/till-0|Anomalous now|Last pass/);
  });

  it('has its siblings now, the most anomalous first, and the median of all of them', async () => {
    const values = Float64Array.from({ length: 3 * pods.length }, (_, cell) => Math.floor(cell / 3));
    const outcome = passWith();
    if (outcome.kind !== 'detection') return expect.fail(outcome.kind);
    outcome.detection.table.values.set(values);
    const page = await pageOf({ outcome }, URL);
    const words = wordsOf(page);
    expect(words).to.match(/Pod Score Flagged cpu memory restarts cart-0 this pod 0\.14 yes 1 cpu-unit 1 memory-unit/);
    expect(words).to.match(/cart-1 -0\.01 no 2 cpu-unit .*cart-2 -0\.02 no 3 cpu-unit .*cart-20 -0\.20 no 21/);
    expect(words).to.contain('And 9 more: all of the workload .').and.to.not.contain('cart-21');
    // Those of the pods 2 to 30.
    expect(words).to.contain('Median of 29 siblings 16 cpu-unit 16 memory-unit 16 restarts-unit');
    expect(page).to.contain('href="?namespace=shop&#38;pod=cart-1"');
    expect(wordsOf(await pageOf({ outcome }, '/?namespace=other&pod=cart-0'))).to.contain(
      'The workload has no other pod with a score.',
    );
  });

  it('has its last hour and its last two days', async () => {
    const asked: (number | readonly number[])[] = [];
    const replaced = {
      outcome: passWith(),
      history: async (_: unknown, rows: readonly number[]) => {
        asked.push(rows);
        return histories('shop/cart-0');
      },
      day: async (_: unknown, row: number) => {
        asked.push(row);
        return day();
      },
    };
    const page = await pageOf(replaced, URL);
    expect(asked).to.deep.equal([[1], 1]);
    expect(page.match(/<svg class="plot" /g)).to.have.length(3);
    expect(page).to.contain(
      'aria-label="cpu in the last 24 hours: 1 core to 3 cores, the day before 1 core to 1 core."',
    );
    expect(page.match(/<polygon class="band"/g)).to.have.length(4);
    // The hole of today parts its line.
    expect(page.match(/<polyline class="line before"/g)).to.have.length(1);
    expect(page).to.contain('<time datetime="2025-12-31T00:00:00Z">00:00</time>');
    const young = { ...replaced, day: async () => day(new Float64Array(3).fill(Number.NaN)) };
    expect(wordsOf(await pageOf(young, URL))).to.contain('1 core to 3 cores; the pod was not there the day before');
  });

  it('is there where the past is not', async () => {
    const failed = async () => ({ kind: 'failed', message: 'Too slow.' }) as const;
    const words = wordsOf(await pageOf({ outcome: passWith(), history: failed, day: failed }, URL));
    expect(words).to.contain('The last hour is not available: Too slow.');
    expect(words).to.contain('The last two days are not available: Too slow.');
    expect(words).to.contain('Pod shop/cart-0 lasts');
  });

  it('says what people said about it, and what changed', async () => {
    const outcome = passWith({
      flags: new Uint8Array(pods.length),
      lasting: new Uint8Array(pods.length),
      muted: Uint8Array.from(pods, (_, row) => Number(row === 1)),
      tunings: new Map([
        [1, { ...UNTUNED, mutedBy: 'deployment shop/<cart>', mutedUntilSeconds: SCORED_AT + 7200, sensitivity: 8 }],
      ]),
      releases: new Map([['shop/cart', SCORED_AT - 720]]),
    });
    const words = wordsOf(await pageOf({ outcome }, URL));
    expect(words).to.contain('Pod shop/cart-0 muted').and.to.contain('cart-0 not flagged ·');
    expect(words).to.match(/Muted by deployment shop\/<cart> until in 115 min 2026-01-01T02:00:00Z/);
    expect(words).to.contain('Sensitivity 8 spreads').and.to.contain('Changed released 23:48 UTC , 17 min ago');
    expect(wordsOf(await pageOf({ outcome }, '/?namespace=shop&pod=cart-5'))).to.contain('Pod shop/cart-5 not flagged');
  });

  it('is a list where several pods have the name', async () => {
    const page = await pageOf({ outcome: passWith() }, '/?pod=cart-0');
    expect(wordsOf(page)).to.contain('1 of 30 pods of shop / cart');
    expect(incidentsOf(page)).to.have.length(1);
    expect(rowsOf(page)).to.have.length(1);
  });

  it('says how it ended where the pod is gone', async () => {
    const end = { sinceSeconds: SCORED_AT - 3600, endSeconds: SCORED_AT - 60, reason: 'gone' as const };
    const ended = ['cart-99', 'cart-98'].map((pod) => ({ namespace: 'shop', workload: 'cart', pod, ...end }));
    const episodes = () => ({ ...NO_EPISODES, ended });
    const words = wordsOf(await pageOf({ outcome: passWith(), episodes }, '/?namespace=shop&pod=cart-99'));
    expect(words).to.contain('The pod shop/cart-99 is not scored now: it is gone, or has no usage yet.');
    expect(words).to.match(/shop \/ cart , cart-99 : gone .* after 59 min; the pod is gone/);
    expect(words).to.not.contain('cart-98');
  });
});
