import { expect } from 'chai';
import { COMPARISONS, type Comparison } from '../../../../src/exporter/detection/comparison.js';
import type { Detection, PassOutcome } from '../../../../src/exporter/detection/detection.js';
import { NO_EPISODES } from '../../../../src/exporter/episodes/episodes.js';
import { MAXIMUM_HISTORIES } from '../../../../src/exporter/http/status-page/history-reader.js';
import { emptyJudgement } from '../../../../src/exporter/model/views.js';
import { passOf } from '../../../support/http-fixtures.js';
import { histories, incidentsOf, pageOf, rowsOf, SCORED_AT, somePods, wordsOf } from '../../../support/status-page.js';

/** A pass, some of whose detection is replaced. */
const passWith = (pods: Parameters<typeof passOf>[0], replaced: Partial<Detection> = {}): PassOutcome => {
  const outcome = passOf(pods);
  if (outcome.kind !== 'detection') throw new Error('Expected a detection.');
  return { ...outcome, detection: { ...outcome.detection, ...replaced } };
};

/** A release that hits all eight pods of a workload, and one bad pod of three elsewhere. */
const releasePods = [
  ...Array.from({ length: 8 }, (_, index) => ({
    namespace: 'shop',
    pod: `app-${index}`,
    workload: 'app',
    score: 0.1 + index / 100,
  })),
  { namespace: 'shop', pod: 'till-0', workload: 'till', score: 0.3 },
  { namespace: 'shop', pod: 'till-1', workload: 'till', score: -0.2 },
  { namespace: 'shop', pod: 'till-2', workload: 'till', score: -0.2 },
];

describe('the incidents of the status page', () => {
  it('are workloads, each with its worst pod, the reason, and how many of its pods are flagged', async () => {
    const page = await pageOf({ outcome: passWith(releasePods) });
    // What hits most pods of a workload comes before a pod with a higher score.
    const [app = '', till = '', ...rest] = incidentsOf(page);
    expect(rest).to.deep.equal([]);
    expect(till).to.contain('1 of 3 pods of shop / till lasts cpu 1 cpu-unit').and.to.contain('Pod till-0');
    expect(app).to.contain('8 of 8 pods of shop / app lasts').and.to.contain('Worst app-7');
    // Its pods are there for whoever unfolds them; those without a flag take a line.
    expect(app).to.contain('8 flagged pods Flagged pods of shop/app Pod Score Flagged');
    expect(page.match(/<tr role="row" class="flagged"/g)).to.have.length(8);
    expect(page.match(/<details(?! id=")/g)).to.equal(null);
    expect(page).not.to.contain(' open>');
    expect(wordsOf(page)).to.contain('9 pods flagged of 11 pods scored; all of them last.');
    expect(wordsOf(page)).to.contain('2 other pods not flagged Pods that are not flagged');
  });

  it('stand in the order of what lasts, and then of the score', async () => {
    const lasting = Uint8Array.from(releasePods, (_, row) => Number(row < 4));
    const outcome = passWith(releasePods, { lasting });
    const [app = '', till = ''] = incidentsOf(await pageOf({ outcome }));
    expect(app).to.contain('8 of 8 pods of shop / app 4 last').and.to.contain('Worst app-3');
    expect(till).to.contain('1 of 3 pods of shop / till just begun');
    expect(wordsOf(await pageOf({ outcome }))).to.contain('; 4 of them last.');
    const none = passWith(releasePods, { lasting: new Uint8Array(releasePods.length) });
    expect(wordsOf(await pageOf({ outcome: none }))).to.contain('; none of them lasts.');
  });

  it('do not count muted pods', async () => {
    const muted = Uint8Array.from(releasePods, (_, row) => Number(row === 10));
    expect(incidentsOf(await pageOf({ outcome: passWith(releasePods, { muted }) }))[1]).to.contain(
      '1 of 2 pods of shop',
    );
  });

  it('lead to the runbook of their alert, to /detect, and to the dashboard', async () => {
    const dashboardUrl = 'https://grafana.example.org/d/x';
    const page = await pageOf({ outcome: passWith(releasePods), dashboardUrl });
    const [app = '', till = ''] = incidentsOf(page);
    expect(till).to.contain('Next: runbook PodAnomalous /detect of the namespace dashboard');
    expect(app).to.contain('Next: runbook WorkloadAnomalous');
    expect(page).to.contain('href="detect?namespace=shop&#38;flagged=true"');
    expect(page).to.contain(`href="${dashboardUrl}?var-namespace=shop&#38;var-workload=till&#38;var-pod=till-0"`);
    expect(page).to.contain(`href="${dashboardUrl}?var-namespace=shop&#38;var-workload=app"`);
    expect(incidentsOf(await pageOf({}))[0]).to.not.contain('dashboard');
  });

  it('say what each value is compared with', async () => {
    const outcome = passWith(somePods);
    if (outcome.kind !== 'detection') return expect.fail(outcome.kind);
    const compared = async (comparison: Comparison) => {
      outcome.detection.comparisons.fill(COMPARISONS.indexOf(comparison));
      return incidentsOf(await pageOf({ outcome }))[0];
    };
    const ofDay = await compared('time_of_day');
    expect(ofDay).to.contain('cpu 1 cpu-unit usually -0.5 cpu-unit at this time of day');
    expect(ofDay).to.contain('also memory 2 memory-unit, 4 × usual usually 0.5 memory-unit at this time of day');
    expect(await compared('siblings_for_an_hour')).to.contain(
      '2 memory-unit, 4 × its siblings its siblings 0.5 memory-unit now; away from it for an hour',
    );
    expect(await compared('rise_in_an_hour')).to.contain('also restarts +1.5 within an hour');
    outcome.detection.expected.fill(20);
    expect(await compared('time_of_day')).to.contain('memory 2 memory-unit, 10 % of usual');
  });

  it('leave out what is nearly usual', async () => {
    const outcome = passWith(somePods);
    if (outcome.kind !== 'detection') return expect.fail(outcome.kind);
    // Beside the feature that stands out, which is the first.
    outcome.detection.deviations.fill(1.5);
    outcome.detection.deviations[0] = 9;
    const [first] = incidentsOf(await pageOf({ outcome }));
    expect(first).to.contain('cpu 1 cpu-unit').and.not.to.contain('also');
  });

  it('tell those that are unusual for their last hours only, for a moment', async () => {
    const outcome = passWith(somePods, { lasting: new Uint8Array(somePods.length) });
    if (outcome.kind !== 'detection') return expect.fail(outcome.kind);
    const detection = { ...outcome.detection, model: { ...outcome.detection.model, remembers: true } };
    const page = await pageOf({ outcome: { ...outcome, detection } });
    expect(incidentsOf(page)[0]).to.contain('cart-1-workload brief cpu 1 cpu-unit');
    expect(wordsOf(page)).to.match(/flagged for at most three minutes and makes no alert/);
    // One that a view flags as well is not brief.
    const judgement = { ...emptyJudgement(3 * somePods.length) };
    judgement.shares.fill(1.5, 0, 1);
    const judged = await pageOf({ outcome: { ...outcome, detection: { ...detection, judgement } } });
    expect(incidentsOf(judged).map((words) => / (brief|just begun) /.exec(words)?.[1])).to.deep.equal([
      'just begun',
      'brief',
    ]);
  });

  it('say since when, by the last hour and by what was seen, whichever is earlier', async () => {
    const history = async () => histories('shop/cart-1');
    const page = await pageOf({ history });
    expect(incidentsOf(page)[0]).to.contain('Since 23:56 UTC, for 9 min');
    expect(page).to.contain('<time datetime="2025-12-31T23:56:00Z">');
    expect(page.match(/<svg/g)).to.have.length(1);
    expect(page).to.contain(
      'aria-label="cpu in the last hour: between 100 B and 300 B, now 300 B; usual: 90 to 120 B. ' +
        'Flagged from 23:56 to 00:00 UTC."',
    );
    // The gap parts the line.
    expect(page.match(/<polyline/g)).to.have.length(2);
    const seenAt = async (sinceSeconds: number) => {
      const episode = { namespace: 'shop', pod: 'cart-1', workload: 'cart-1-workload', sinceSeconds, quiet: undefined };
      const episodes = () => ({ ...NO_EPISODES, open: new Map([['shop/cart-1', episode]]) });
      return incidentsOf(await pageOf({ history, episodes }))[0];
    };
    expect(await seenAt(SCORED_AT - 60)).to.contain('Since 23:56 UTC, for 9 min');
    expect(await seenAt(SCORED_AT - 7200)).to.contain('Since 22:00 UTC, for 2 h 5 min');
    expect(await seenAt(SCORED_AT - 2 * 86_400)).to.contain('Since 2025-12-30 00:00 UTC, for 2 d');
  });

  it('say what changed', async () => {
    const releases = new Map([['shop/cart-1-workload', SCORED_AT - 720]]);
    const outcome = passWith(somePods, { releases });
    expect(incidentsOf(await pageOf({ outcome }))[0]).to.contain('Changed released 23:48 UTC , 17 min ago');
    const page = await pageOf({ outcome, history: async () => histories('shop/cart-1') });
    expect(incidentsOf(page)[0]).to.contain('Changed released 23:48 UTC , 8 min before it began');
    expect(wordsOf(page).match(/released/g)).to.have.lengthOf(1);
  });

  it('are there where the last hour is not', async () => {
    const words = wordsOf(await pageOf({ history: async () => ({ kind: 'failed', message: 'Too slow.' }) }));
    expect(words).to.contain('The last hour is not available: Too slow.');
    expect(words).to.contain('cart-1');
  });

  it('ask for the last hour of the pods that they show, the worst of each workload first', async () => {
    const asked: (readonly number[])[] = [];
    const history = async (_: unknown, rows: readonly number[]) => {
      asked.push(rows);
      return histories();
    };
    await pageOf({ history }, '/?namespace=payments');
    await pageOf({ history, outcome: passWith(releasePods) });
    expect(asked).to.deep.equal([[2], [7, 8, 6, 5, 4, 3, 2, 1, 0]]);
  });

  it('are those that a filter asks for, which keeps what was typed', async () => {
    const page = await pageOf({}, '/?namespace=shop&workload=cart-2-workload');
    expect(wordsOf(page)).to.contain('No pod is flagged of those that match. 1 pod not flagged');
    expect(page).to.contain('name="namespace" list="namespaces" value="shop"');
    expect(page).to.contain('name="workload" list="workloads" value="cart-2-workload"');
    expect(page).to.contain('<details id="calm" open>');
    expect(rowsOf(page)).to.have.length(1);
    expect(rowsOf(await pageOf({}, '/?namespace=quiet'))).to.have.length(20);
    expect(incidentsOf(await pageOf({}, '/?namespace=payments'))).to.have.length(1);
  });

  it('are none where none passes the filter', async () => {
    const page = await pageOf({}, '/?namespace=sho');
    expect(wordsOf(page)).to.contain('No scored pod matches the filter. Names must match exactly.');
    expect(wordsOf(page)).to.contain('2 pods flagged of 23');
  });

  for (const query of [
    'namespace=a&namespace=b',
    'namespace[x]=a',
    `workload=${'x'.repeat(300)}`,
    'other=1',
    'namespace=',
  ]) {
    it(`are all for ?${query.slice(0, 30)}`, async () => {
      expect(incidentsOf(await pageOf({}, `/?${query}`))).to.have.length(2);
    });
  }

  it('are few, in a small page, where 5,000 pods are flagged', async () => {
    const many = (workload: (index: number) => string) =>
      passOf(
        Array.from({ length: 5000 }, (_, index) => ({
          namespace: `ns-${index % 300}`,
          pod: `pod-${index}`,
          workload: workload(index),
          score: index / 5000,
        })),
      );
    const page = await pageOf({ outcome: many((index) => `workload-${index}`) });
    expect(incidentsOf(page)).to.have.length(30);
    expect(page.match(/<option/g)).to.have.length(400);
    expect(page.length).to.be.below(150_000);
    expect(wordsOf(page)).to.contain('4,999 pods flagged of 5,000 pods');
    expect(wordsOf(page)).to.contain('And 4,969 more workloads with flagged pods');
    // The same workload in each namespace: 17 flagged pods each.
    const grouped = await pageOf({ outcome: many(() => 'app') });
    expect(incidentsOf(grouped)).to.have.length(30);
    expect(rowsOf(grouped)).to.have.length(30 * 2 + 1);
    expect(grouped.length).to.be.below(150_000);
    expect(incidentsOf(grouped)[0]).to.contain('And 15 more: all of the workload .');
    const one = await pageOf({ outcome: many(() => 'app') }, '/?namespace=ns-7&workload=app');
    expect(rowsOf(one)).to.have.length(17).and.to.have.length.below(MAXIMUM_HISTORIES);
  });
});
