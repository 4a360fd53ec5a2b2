import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import request from 'supertest';
import type { Detection } from '../../../../src/exporter/detection/detection.js';
import { NO_EPISODES } from '../../../../src/exporter/episodes/episodes.js';
import { createApp } from '../../../../src/exporter/http/app.js';
import { ENDPOINTS } from '../../../../src/exporter/http/endpoints.js';
import { UNTUNED } from '../../../../src/exporter/tuning/tuning.js';
import { get } from '../../../support/http-client.js';
import {
  failedPass,
  fakeDependencies,
  freshHealth,
  HOSTILE,
  passOf,
  seasonedHealth,
} from '../../../support/http-fixtures.js';
import { closeServers, startServer } from '../../../support/http-server.js';
import { closed, getRequest } from '../../../support/raw-http.js';
import {
  histories,
  history,
  incidentsOf,
  pageOf,
  rowsOf,
  SCORED_AT,
  somePods,
  wordsOf,
} from '../../../support/status-page.js';
import { eventually, gate } from '../../../support/waiting.js';

describe('GET /', () => {
  describe('says how things are', () => {
    it('before the first training', async () => {
      const outcome = failedPass('no_model', 'The first training has not finished yet.');
      const words = wordsOf(await pageOf({ health: () => freshHealth, outcome }));
      expect(words).to.contain('1.2.3');
      expect(words).to.contain('No pod is scored yet. The first training has not finished yet.');
      expect(words).to.contain(
        'Model not yet There is no model yet, so no pod is scored. The first training is running.',
      );
      expect(words).to.contain('http://prometheus:9090 has not been queried for the current metrics yet.');
      expect(words).not.to.contain('Anomalous now');
    });

    it('when no training has succeeded', async () => {
      const last_error = {
        message: 'Prometheus answered 503. Look at its log.',
        time: '2026-01-01T00:01:00Z',
      };
      const training = { ...freshHealth.training, running: false, runs: 3, failures: 3, last_error };
      const outcome = failedPass('no_model', `There is no model yet: ${last_error.message}`);
      const words = wordsOf(await pageOf({ health: () => ({ ...freshHealth, training }), outcome }));
      expect(words).to.contain('There is no model yet: Prometheus answered 503. Look at its log.');
      expect(words).to.contain('Model none');
      expect(words).to.contain('Training failed 3 trainings since startup, 3 failed.');
      expect(words).to.contain('Last failure 4 min ago 2026-01-01T00:01:00Z : Prometheus answered 503.');
    });

    it('with a model', async () => {
      const words = wordsOf(await pageOf({}));
      expect(words).to.contain('Model trained Trained 5 min ago 2026-01-01T00:00:10Z on 7,320 samples of 120 pods');
      expect(words).to.contain('It was loaded at startup.');
      expect(words).to.contain('Prometheus answers http://prometheus:9090 answers.');
      expect(words).to.contain('The next training is due in 10 min 2026-01-01T00:15:00Z .');
    });

    it('with how much of the past is known', async () => {
      const historyOf = async (replaced: Partial<NonNullable<typeof seasonedHealth.history>> | null) => {
        const history = replaced && seasonedHealth.history && { ...seasonedHealth.history, ...replaced };
        return wordsOf(await pageOf({ health: () => ({ ...seasonedHealth, history }) }));
      };
      expect(await historyOf({})).to.contain(
        'History being read Knows 2.25 of 7 days of 80 workloads. 114 hours are still to be read from Prometheus.',
      );
      // The hour that has just ended is always missing for a moment.
      expect(await historyOf({ missing_hours: 1, known_days: 7 })).to.contain('History known Knows 7 of 7 days');
      expect(await historyOf({ failing: true })).to.match(/History failing .* Last failure .* 503/);
      expect(await historyOf(null)).not.to.contain('History');
    });

    it('with the messages that are expected, and what came', async () => {
      const budgetOf = async (replaced: Partial<NonNullable<typeof seasonedHealth.budget>> | null) => {
        const budget = replaced && seasonedHealth.budget && { ...seasonedHealth.budget, ...replaced };
        return wordsOf(await pageOf({ health: () => ({ ...seasonedHealth, budget }) }));
      };
      expect(await budgetOf({})).to.contain(
        'Messages 3.5 a day expected Since startup, 2 h 5 min ago, 2 workloads had an anomaly that lasts; the budget is 4 a day ' +
          'when nothing is wrong. On the last three days, ' +
          '1.25 workloads a day exceeded their boundaries. The boundaries of 80 workloads rest on 6 days.',
      );
      expect(await budgetOf({ expected_per_day: null, recent_workloads_per_day: null })).to.contain(
        'when nothing is wrong. Too little is known to say how many messages a day to expect.',
      );
      expect(await budgetOf({ last_day: 0, counted_since: '2025-12-30T00:00:00Z' })).to.contain(
        'In the last day, no workload had an anomaly that lasts; the budget is 4',
      );
      expect(await budgetOf(null)).not.to.contain('Messages');
    });

    it('with the levels that were accepted', async () => {
      const level = {
        namespace: 'shop',
        workload: 'cart',
        feature: 'cpu',
        factor: 1.8,
        began: '2026-01-01T00:00:00Z',
        accepted: '2026-01-01T12:00:00Z',
        with_release: true,
      };
      const levelsOf = async (accepted_levels: (typeof level)[]) => {
        const budget = seasonedHealth.budget && { ...seasonedHealth.budget, accepted_levels };
        return wordsOf(await pageOf({ health: () => ({ ...seasonedHealth, budget }) }));
      };
      expect(await levelsOf([])).not.to.contain('Levels');
      const words = await levelsOf([level, { ...level, workload: 'till', with_release: false }]);
      expect(words).to.match(
        /Levels 2 levels accepted on the last day shop\/cart has 1\.8 times its usual cpu with the release/,
      );
      expect(words).to.match(/shop\/till has 1\.8 times its usual cpu without a release .*, accepted /);
      expect(await levelsOf(new Array(12).fill(level))).to.match(/12 levels accepted/);
    });

    it('with the part of the cluster that a shard watches', async () => {
      const shardOf = async (shard: typeof seasonedHealth.shard) =>
        wordsOf(await pageOf({ health: () => ({ ...seasonedHealth, shard }) }));
      const shard = { ordinal: 1, total: 3, namespaces: 7, message: null };
      expect(await shardOf(shard)).to.contain('Shard 1 of 3, counted from 0 Watches 7 namespaces; the other');
      expect(await shardOf({ ...shard, namespaces: null })).to.contain('has not returned the namespaces yet');
      expect(await shardOf({ ...shard, namespaces: 0, message: 'It has none.' })).to.contain(
        'counted from 0 It has none.',
      );
      expect(await shardOf(null)).not.to.contain('Shard');
    });

    it('with a model that the last training could not replace', async () => {
      const last_error = { message: 'Too few rows.', time: '2026-01-01T00:04:00Z' };
      const training = { ...seasonedHealth.training, last_error };
      const words = wordsOf(await pageOf({ health: () => ({ ...seasonedHealth, training }) }));
      expect(words).to.contain('Model stale');
      expect(words).to.contain('Training failed');
      expect(words).to.contain('Too few rows.');
    });

    for (const kind of ['upstream_error', 'timeout', 'internal'] as const) {
      it(`when a pass ends in ${kind}`, async () => {
        const prometheus = { ...seasonedHealth.prometheus, up: kind === 'internal' };
        const page = await pageOf({
          health: () => ({ ...seasonedHealth, prometheus }),
          outcome: failedPass(kind, 'Nothing listens at <prometheus:9090>. Start it.'),
        });
        const words = wordsOf(page);
        expect(words).to.contain('No pod can be scored now. Nothing listens at <prometheus:9090>. Start it.');
        if (kind !== 'internal') expect(words).to.contain('Prometheus failing');
        expect(page).not.to.contain('A secret of the log.');
      });
    }

    it('when there are no pods', async () => {
      const words = wordsOf(await pageOf({ outcome: passOf([]) }));
      expect(words).to.contain('No pod is scored. Prometheus has no pods in scope.');
    });

    it('when nothing is flagged, with the pods that come nearest', async () => {
      const pods = somePods.map((pod) => ({ ...pod, score: Math.min(pod.score, -0.01) }));
      const page = await pageOf({ outcome: passOf(pods) });
      expect(wordsOf(page)).to.contain('No pod is flagged of 23 pods scored.');
      expect(wordsOf(page)).to.contain('No pod is flagged. 23 pods not flagged; the 5 nearest to the threshold');
      expect(rowsOf(page)).to.have.length(5);
    });

    it('and what is not well about the installation, errors first', async () => {
      const finding = { check: 'rate_window', meaning: 'Gaps.', advice: null, time: '2026-01-01T00:00:00Z' };
      const check = {
        last_success: null,
        last_error: { message: 'Asking failed.', time: '2026-01-01T00:00:00Z' },
        findings: [
          { ...finding, severity: 'warning' as const, summary: 'The window is short.' },
          { ...finding, severity: 'error' as const, summary: 'No series.', advice: 'Scrape <cAdvisor>.' },
        ],
      };
      const words = wordsOf(await pageOf({ health: () => ({ ...seasonedHealth, check }) }));
      expect(words).to.contain('The last check failed 5 min ago 2026-01-01T00:00:00Z : Asking failed.');
      // What makes scores doubtful stands before them.
      expect(words).to.match(
        /error No series\. Gaps\. Scrape <cAdvisor>\. rate_window.* Anomalous now .*warning The window is short\./,
      );
      expect(words).to.contain('Findings about the installation');
      const well = { ...check, last_error: null, findings: [] };
      const wellWords = wordsOf(await pageOf({ health: () => ({ ...seasonedHealth, check: well }) }));
      expect(wellWords).not.to.match(/Findings|Faults/);
    });

    it('and what has ended lately, and why', async () => {
      const ended = (['recovered', 'gone', 'accepted', 'muted'] as const).map((reason, index) => ({
        ...{ namespace: 'shop', pod: `cart-${index}`, workload: index === 3 ? 'till' : 'cart', reason },
        ...{ sinceSeconds: SCORED_AT - 3600, endSeconds: SCORED_AT - 1200 + 60 * index },
      }));
      const episodes = () => ({ ...NO_EPISODES, ended });
      const words = wordsOf(await pageOf({ episodes }));
      expect(words).to.match(
        /Ended in the last half hour .*cart-3 : muted .*cart-2 : accepted 23 min ago .* after 42 min; the pod is/,
      );
      expect(words).to.include('recovered').and.to.include('gone');
      expect(wordsOf(await pageOf({ episodes }, '/?workload=till'))).to.not.include('recovered');
      expect(wordsOf(await pageOf({}))).to.not.include('Ended');
      const many = Array.from({ length: 25 }, () => ended[0] as (typeof ended)[0]);
      expect(wordsOf(await pageOf({ episodes: () => ({ ...NO_EPISODES, ended: many }) }))).to.include('And 5 more');
    });

    it('why pods have no score', async () => {
      const passed = passOf(somePods);
      if (passed.kind !== 'detection') throw new Error(passed.kind);
      const unscored = new Map([
        ['missing_cpu', 2],
        ['warmup', 1],
        ['of_a_later_version', 1],
      ]);
      const detection: Detection = { ...passed.detection, unscored };
      const words = wordsOf(await pageOf({ outcome: { ...passed, warnings: ['The rate is odd.'], detection } }));
      expect(words).to.contain('23 pods scored, 4 not.');
      expect(words).to.contain('2 pods without cpu');
      expect(words).to.contain('1 pod warming up, too young to judge');
      expect(words).to.contain('1 pod of a later version');
      expect(words).to.contain('The rate is odd.');
    });
  });

  it('names muted pods, those that would be flagged first, and counts ignored ones', async () => {
    const outcome = passOf(somePods);
    if (outcome.kind !== 'detection') throw new Error('Expected a detection.');
    const mutedBy = 'deployment shop/<cart>';
    const detection = {
      ...outcome.detection,
      muted: Uint8Array.from(somePods, (_, row) => Number(row === 0 || row === 1)),
      tunings: new Map([
        [1, { ...UNTUNED, mutedBy }],
        [0, { ...UNTUNED, mutedBy, mutedUntilSeconds: SCORED_AT + 7200 }],
        [2, { ...UNTUNED, sensitivity: 8 }],
      ]),
      unscored: new Map([['opted_out', 3]]),
    };
    const page = await pageOf({ outcome: { ...outcome, detection } });
    const words = wordsOf(page);
    expect(words).to.match(
      /shop\/cart-1 is muted by deployment shop\/<cart> until .*2026-01-01T02:00:00Z ; it would be flagged now .*shop\/cart-2 is muted by/,
    );
    expect(words).to.include('3 pods ignored by a rule or an annotation');
    expect(page).to.not.include('<cart>');
    expect(words).to.not.include('checkout-1 is muted');
  });

  it('says who ignores pods, in a line for each of them', async () => {
    const outcome = passOf(somePods);
    if (outcome.kind !== 'detection') throw new Error('Expected a detection.');
    const ignored = (pod: string, by: string) =>
      [`shop/${pod}`, { namespace: 'shop', pod, workload: pod, by }] as const;
    const optedOut = new Map([
      ignored('b', 'deployment shop/<b>'),
      ...Array.from({ length: 3000 }, (_, index) => ignored(`ci-${index}`, '/etc/tuning.yaml:2:5')),
      ...Array.from({ length: 30 }, (_, index) => ignored(`x-${index}`, `pod shop/x-${index}`)),
    ]);
    const page = await pageOf({ outcome: { ...outcome, detection: { ...outcome.detection, optedOut } } });
    const words = wordsOf(page);
    expect(words).to.include('3,000 pods are ignored by /etc/tuning.yaml:2:5 shop/b is ignored by deployment shop/<b>');
    expect(words).to.include('shop/x-17 is ignored by pod shop/x-17 12 more pods are ignored');
    expect(words).to.not.include('x-18');
    expect(page).to.not.include('<b>');
  });

  describe('is safe', () => {
    const EVIL = `${HOSTILE}\u202e`;

    it('against what others wrote', async () => {
      const last_error = { message: EVIL, time: EVIL };
      const page = await pageOf(
        {
          health: () => ({
            ...seasonedHealth,
            prometheus: { url: EVIL, up: false, last_error },
            training: { ...seasonedHealth.training, last_error },
          }),
          outcome: { ...passOf([{ namespace: EVIL, pod: EVIL, score: 1 }], [EVIL, 'b']), warnings: [EVIL] },
          history: async () => ({
            kind: 'histories',
            histories: new Map([
              [
                `${EVIL}/${EVIL}`,
                { ...history, features: history.features.map((each) => ({ ...each, feature: EVIL })) },
              ],
            ]),
          }),
        },
        `/?namespace=${encodeURIComponent(EVIL)}&workload=${encodeURIComponent(`${EVIL}-workload`)}`,
      );
      expect(incidentsOf(page)).to.have.length(1);
      expect(page.match(/<svg/g)).to.have.length(1);
      expect(page.match(/<(script|img)/g)).to.deep.equal(['<script']);
      expect(page).to.contain('&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;\\u{202e}');
      expect(page).not.to.contain('\u202e');
      for (const [, url = ''] of page.matchAll(/href="([^"]*)"/g)) {
        expect(url).to.match(
          /^(?:data:,|\.\/|[\w./-]+|status-page\.css\?v=\w+|(?:detect)?\?[\w=%+.*&#;-]*|https:\/\/github\.com\/[\w/.-]+)$/,
        );
      }
    });

    it('by allowing its own files only', async () => {
      const { headers } = await request(createApp(fakeDependencies())).get('/').expect(200);
      expect(headers['content-security-policy']).to.equal(
        "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; script-src 'self'; " +
          "style-src 'self'; connect-src 'self'; img-src data:",
      );
      expect(headers).to.include({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      const page = await pageOf({ history: async () => histories('shop/cart-1') });
      expect(page).not.to.match(/ style=| on\w+=|<style/);
    });
  });

  describe('for many clients', () => {
    afterEach(closeServers);

    /** A page whose histories come when a test says so. */
    async function holding() {
      const asked: number[] = [];
      const come = gate();
      const history = async (_: Detection, rows: readonly number[]) => {
        asked.push(rows.length);
        await come.opened;
        return histories('shop/cart-1');
      };
      const dependencies = fakeDependencies({ recentPass: async () => passOf(somePods), history });
      return { asked, come, url: await startServer(createApp(dependencies)), logged: dependencies.logged };
    }

    it('is made once for those who ask for the same at the same time', async () => {
      const { asked, come, url } = await holding();
      const same = Array.from({ length: 20 }, () => get(`${url}/?namespace=shop`));
      const other = get(`${url}/?namespace=payments`);
      await eventually(() => expect(asked).to.have.lengthOf(2));
      // Those who come meanwhile, and spell it in another way.
      same.push(get(`${url}/?namespace=%20shop&busting=1`));
      await sleep(100);
      come.open();
      const texts = (await Promise.all(same)).map(({ text }) => text);
      expect(new Set(texts).size).to.equal(1);
      expect(texts[0]).to.contain('cart-1');
      expect((await other).text)
        .to.contain('checkout-1')
        .and.not.to.contain('cart-1');
      expect(asked).to.have.lengthOf(2);
      await get(`${url}/?namespace=shop`);
      expect(asked, 'another one later').to.have.lengthOf(3);
    });

    it('is not made when all of them have left', async () => {
      const { asked, come, url, logged } = await holding();
      const sockets = [1, 2].map(() => connect(Number(new URL(url).port), '127.0.0.1'));
      for (const socket of sockets) socket.write(getRequest('/'));
      await eventually(() => expect(asked).to.have.lengthOf(1));
      for (const socket of sockets) {
        socket.destroy();
        await closed(socket);
      }
      come.open();
      expect((await get(url)).text).to.contain('cart-1');
      expect(logged).to.deep.equal([]);
    });
  });

  it('links every endpoint relative to itself, and all links lead somewhere', async () => {
    const page = await pageOf({});
    const links = [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, url = '']) => url);
    const paths = ENDPOINTS.slice(1).map(({ path }) => path.slice(1));
    expect(links).to.include.members(paths);
    const app = createApp(fakeDependencies());
    const runbooks = links.filter((url) => url.startsWith('https:'));
    expect(new Set(runbooks)).to.have.property('size', 1);
    for (const runbook of runbooks) {
      const [, file = ''] =
        /^https:\/\/github\.com\/k8s-anomaly-detector\/k8s-anomaly-detector\/blob\/main\/(.+)$/.exec(runbook) ?? [];
      expect(existsSync(file), runbook).to.equal(true);
    }
    for (const link of new Set(links.filter((url) => !/^(data|https):/.test(url)))) {
      expect(link).not.to.match(/^\/|^\w+:/);
      const { pathname, search } = new URL(link.replaceAll('&#38;', '&'), 'http://localhost/');
      await request(app).get(`${pathname}${search}`).expect(200);
    }
  });

  it('serves its files for ever under an address that changes with them', async () => {
    const app = createApp(fakeDependencies());
    const page = await pageOf({});
    for (const [, url = ''] of page.matchAll(/"(status-page\.[^"]+)"/g)) {
      const { headers } = await request(app).get(`/${url}`).expect(200);
      expect(headers['cache-control']).to.equal('private, max-age=31536000, immutable');
      expect(headers['content-type']).to.match(/^text\/(css|javascript); charset=utf-8$/);
      await request(app)
        .get(`/${url}`)
        .set('If-None-Match', headers.etag ?? '')
        .expect(304);
      await request(app).get(`/${url}0`).expect(200).expect('Cache-Control', 'no-cache');
    }
  });
});
