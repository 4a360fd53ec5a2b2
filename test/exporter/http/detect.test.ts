import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import request from 'supertest';
import { NO_CONTEXT } from '../../../src/exporter/context/pod-context.js';
import { type EpisodesState, NO_EPISODES } from '../../../src/exporter/episodes/episodes.js';
import { NO_FORECAST } from '../../../src/exporter/forecast/forecast-state.js';
import { createApp } from '../../../src/exporter/http/app.js';
import { detectAnswer } from '../../../src/exporter/http/detect.js';
import { DetectResponse, ErrorResponse, type PodJudgement } from '../../../src/exporter/http/schemas.js';
import { UNTUNED } from '../../../src/exporter/tuning/tuning.js';
import { get } from '../../support/http-client.js';
import { failedPass, fakeDependencies, HOSTILE, passOf } from '../../support/http-fixtures.js';
import { closeServers, startServer } from '../../support/http-server.js';
import { closed, getRequest } from '../../support/raw-http.js';
import { eventually, gate } from '../../support/waiting.js';

const pods = [
  { namespace: 'a', pod: 'calm', score: -0.2 },
  { namespace: 'a', pod: 'edge', score: 0 },
  { namespace: 'a', pod: 'tie-1', score: 0.3 },
  { namespace: 'b', pod: 'tie-2', score: 0.3 },
  { namespace: 'b', pod: 'worst', score: 0.4 },
];

/** Pods with ever higher scores. */
const crowd = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    namespace: 'a',
    pod: `pod-${index}`,
    score: index / count,
  }));

function detectionOf(some: Parameters<typeof passOf>[0]) {
  const outcome = passOf(some);
  if (outcome.kind !== 'detection') throw new Error(outcome.kind);
  return outcome;
}

/** The value of a counter once it has stood still for a while. */
async function steady(counter: () => number): Promise<number> {
  for (;;) {
    const before = counter();
    await sleep(500);
    if (counter() === before) return before;
  }
}

/** What each of three features has that deviate alike. */
const equally = { comparison: 'last_hours', boundary: null, deviation: 3, direction: 'above', share: 1 / 3 };

const appOf = (outcome: ReturnType<typeof passOf>) => createApp(fakeDependencies({ detect: async () => outcome }));

describe('GET /detect', () => {
  it('says when the workload of a flagged pod was released', async () => {
    const outcome = passOf([
      { namespace: 'b', pod: 'worst', score: 0.5 },
      { namespace: 'b', pod: 'usual', score: -0.5 },
    ]);
    if (outcome.kind !== 'detection') throw new Error('Expected a detection.');
    const releases = new Map([
      ['b/worst-workload', 1767222000],
      ['b/usual-workload', 1767222000],
    ]);
    const { body } = await request(appOf({ ...outcome, detection: { ...outcome.detection, releases } }))
      .get('/detect')
      .expect(200);
    expect(body.pods.map(({ pod, release }: { pod: string; release: string | null }) => [pod, release])).to.deep.equal([
      ['worst', '2025-12-31T23:00:00.000Z'],
      ['usual', null],
    ]);
  });

  it('says since when an anomaly lasts, and which have ended, the newest first', async () => {
    const ended = (namespace: string, pod: string, endSeconds: number) => ({
      ...{ namespace, pod, workload: 'cart', sinceSeconds: 1767225000, endSeconds, reason: 'recovered' as const },
    });
    const quiet = { sinceSeconds: 1767225500, reason: 'recovered' as const };
    const open = (pod: string, own?: typeof quiet) =>
      [`b/${pod}`, { namespace: 'b', pod, workload: 'cart', sinceSeconds: 1767225060, quiet: own }] as const;
    const episodes: EpisodesState = {
      ...NO_EPISODES,
      open: new Map([open('worst'), open('quiet', quiet)]),
      ended: [ended('a', 'first', 1767225100), ended('b', 'second', 1767225200), ended('b', 'third', 1767225300)],
    };
    const outcome = passOf([
      { namespace: 'b', pod: 'worst', score: 0.5 },
      { namespace: 'b', pod: 'quiet', score: -0.5 },
    ]);
    const app = createApp(fakeDependencies({ detect: async () => outcome, episodes: () => episodes }));
    const { body } = await request(app).get('/detect').expect(200);
    expect(DetectResponse.parse(body)).to.deep.equal(body);
    expect(body.pods.map(({ since }: { since: string | null }) => since)).to.deep.equal([
      '2025-12-31T23:51:00.000Z',
      null,
    ]);
    expect(body.ended.map(({ pod }: { pod: string }) => pod)).to.deep.equal(['third', 'second', 'first']);
    expect(body.ended[0]).to.deep.equal({
      namespace: 'b',
      pod: 'third',
      workload: 'cart',
      since: '2025-12-31T23:50:00.000Z',
      end: '2025-12-31T23:55:00.000Z',
      reason: 'recovered',
    });
    const limited = await request(app).get('/detect?namespace=b&limit=1').expect(200);
    expect(limited.body.ended.map(({ pod }: { pod: string }) => pod)).to.deep.equal(['third']);
  });

  it('has what the cluster says of flagged pods, and null for what is not known', async () => {
    const known = {
      node: 'node-7',
      createdSeconds: 1767222000,
      images: ['cart:1.0'],
      limits: { memory: 1024 },
      requests: {},
      lastTermination: { container: 'cart', reason: 'OOMKilled', exitCode: 137, timeSeconds: 1767225540 },
      throttledRatio: 0.25,
      oomEvents: 0,
      pressure: { io: 0.5 },
    };
    const context = { ...NO_CONTEXT, pods: new Map(['b/worst', 'b/usual'].map((key) => [key, known])) };
    const outcome = passOf([
      { namespace: 'b', pod: 'worst', score: 0.5 },
      { namespace: 'b', pod: 'usual', score: -0.5 },
    ]);
    const app = createApp(fakeDependencies({ detect: async () => outcome, context: () => context }));
    const { body } = await request(app).get('/detect').expect(200);
    expect(DetectResponse.parse(body)).to.deep.equal(body);
    expect(body.pods.map((pod: PodJudgement) => pod.context)).to.deep.equal([
      {
        node: 'node-7',
        created: '2025-12-31T23:00:00.000Z',
        images: ['cart:1.0'],
        limits: { cpu: null, memory: 1024 },
        requests: { cpu: null, memory: null },
        last_termination: { container: 'cart', reason: 'OOMKilled', exit_code: 137, time: '2025-12-31T23:59:00.000Z' },
        waiting: null,
        throttled_ratio: 0.25,
        oom_events: 0,
        pressure: { cpu: null, memory: null, io: 0.5 },
      },
      null,
    ]);
  });

  it('says what is muted, by what and until when, and how many pods are ignored', async () => {
    const outcome = passOf([
      { namespace: 'b', pod: 'worst', score: 0.5 },
      { namespace: 'b', pod: 'usual', score: -0.5 },
    ]);
    if (outcome.kind !== 'detection') throw new Error('Expected a detection.');
    const tuning = { ...UNTUNED, sensitivity: 8, mutedBy: 'namespace b', mutedUntilSeconds: 1767229200 };
    const detection = {
      ...outcome.detection,
      flags: Uint8Array.of(0, 0),
      muted: Uint8Array.of(1, 0),
      tunings: new Map([[0, tuning]]),
      unscored: new Map([['opted_out', 3]]),
    };
    const { body } = await request(appOf({ ...outcome, detection }))
      .get('/detect')
      .expect(200);
    expect(body).to.include({ muted: 1, opted_out: 3 });
    const [worst, usual] = body.pods;
    expect(worst).to.include({ anomaly_flag: 0, muted_by: 'namespace b', muted_until: '2026-01-01T01:00:00.000Z' });
    expect(worst).to.include({ sensitivity: 8 });
    expect(usual).to.include({ muted_by: null, muted_until: null, sensitivity: 4 });
  });

  it('answers exactly what its schema says', async () => {
    const { body } = await request(appOf(passOf(pods.slice(4))))
      .get('/detect')
      .expect(200);
    expect(DetectResponse.parse(body)).to.deep.equal(body);
    expect(body).to.deep.equal({
      time: 1767225600,
      matching: 1,
      muted: 0,
      opted_out: 0,
      limit: 1000,
      ended: [],
      pods: [
        {
          namespace: 'b',
          pod: 'worst',
          workload: 'worst-workload',
          cpu: 1,
          memory: 2,
          restarts: 3,
          anomaly_flag: 1,
          anomaly_score: 0.4,
          since: null,
          release: null,
          context: null,
          memory_seconds_to_limit: null,
          muted_by: null,
          muted_until: null,
          sensitivity: 4,
          features: [
            { feature: 'cpu', help: 'cpu', unit: 'cpu-unit', actual: 1, expected: -0.5, ...equally },
            { feature: 'memory', help: 'memory', unit: 'memory-unit', actual: 2, expected: 0.5, ...equally },
            { feature: 'restarts', help: 'restarts', unit: 'restarts-unit', actual: 3, expected: 1.5, ...equally },
          ],
        },
      ],
    });
  });

  it('has the feature first that the score is made of, and the others without a share', async () => {
    const outcome = passOf(pods.slice(4));
    if (outcome.kind !== 'detection') return expect.fail(outcome.kind);
    outcome.detection.deviations.set([0.5, -1.5, 40]);
    outcome.detection.inputs.set([0.5, -1.5, 40]);
    const { body } = await request(appOf(outcome)).get('/detect').expect(200);
    const [{ features, cpu, memory, restarts }] = DetectResponse.parse(body).pods as [PodJudgement];
    expect(features.map(({ feature, direction, share }) => ({ feature, direction, share }))).to.deep.equal([
      { feature: 'restarts', direction: 'above', share: 1 },
      { feature: 'memory', direction: 'below', share: 0 },
      { feature: 'cpu', direction: 'usual', share: 0 },
    ]);
    expect({ cpu, memory, restarts }).to.deep.equal({ cpu: 1, memory: 2, restarts: 3 });
  });

  it('has null for what the model does not use', async () => {
    const { body } = await request(appOf(passOf(pods, ['cpu', 'memory'])))
      .get('/detect')
      .expect(200);
    expect(body.pods[0]).to.include({ cpu: 1, memory: 2, restarts: null });
    expect(body.pods[0].features).to.have.length(2);
  });

  for (const [query, expected] of [
    ['', ['worst', 'tie-1', 'tie-2', 'edge', 'calm']],
    ['?namespace=a', ['tie-1', 'edge', 'calm']],
    ['?namespace=nowhere', []],
    ['?flagged=true', ['worst', 'tie-1', 'tie-2']],
    ['?flagged=false', ['edge', 'calm']],
    ['?limit=2', ['worst', 'tie-1']],
    ['?limit=0', ['worst', 'tie-1', 'tie-2', 'edge', 'calm']],
    ['?limit=99', ['worst', 'tie-1', 'tie-2', 'edge', 'calm']],
    ['?namespace=b&flagged=true&limit=1', ['worst']],
  ] as const) {
    it(`answers ${expected.join(', ') || 'no pod'} for "${query}"`, async () => {
      const { body } = await request(appOf(passOf(pods)))
        .get(`/detect${query}`)
        .expect(200);
      expect(DetectResponse.parse(body).pods.map(({ pod }) => pod)).to.deep.equal(expected);
    });
  }

  for (const [query, message] of [
    ['limit=-1', 'Expected limit to be a whole number of pods, 0 for all, got "-1".'],
    ['limit=00', 'Expected limit to be a whole number of pods, 0 for all, got "00".'],
    ['limit=ten', 'Expected limit to be a whole number of pods, 0 for all, got "ten".'],
    ['limit=1.5', 'Expected limit to be a whole number of pods, 0 for all, got "1.5".'],
    ['limit=1&limit=2', 'Expected limit to be a whole number of pods, 0 for all, got ["1","2"].'],
    ['flagged=yes', 'Expected flagged to be `true` or `false`, got "yes".'],
    ['namespace=', 'Expected namespace to be the name of a namespace, got "".'],
    ['flaged=true', 'Unknown query parameter "flaged". Known: namespace, flagged, limit.'],
    ['__proto__=1&limit=-1', /^Expected limit .* got "-1"\. Unknown query parameter "__proto__"\./],
  ] as const) {
    it(`refuses "${query}" and asks nobody`, async () => {
      const dependencies = fakeDependencies();
      const { body } = await request(createApp(dependencies)).get(`/detect?${query}`).expect(400);
      expect(ErrorResponse.parse(body).error.code).to.equal('bad_request');
      if (typeof message === 'string') expect(body.error.message).to.equal(message);
      else expect(body.error.message).to.match(message);
      expect(dependencies.asked).to.deep.equal([]);
    });
  }

  for (const [query, shown, limit] of [
    ['', 1000, 1000],
    ['?limit=0', 1200, 0],
    ['?limit=1100', 1100, 1100],
  ] as const) {
    it(`states its limit and how many pods match: ${shown} of 1200 for "${query}"`, async () => {
      const { body } = await request(appOf(passOf(crowd(1200))))
        .get(`/detect${query}`)
        .expect(200);
      expect(DetectResponse.parse(body)).to.deep.include({ limit, matching: 1200 });
      expect(body.pods.map(({ pod }: PodJudgement) => pod)).to.deep.equal(
        crowd(1200)
          .reverse()
          .slice(0, shown)
          .map(({ pod }) => pod),
      );
    });
  }

  it('lets others have their turn while it explains very many pods', async () => {
    const { detection } = detectionOf(crowd(2_000));
    let turns = 0;
    let counting = true;
    const count = () => {
      turns++;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    let most = 0;
    let text = '';
    const known = { episodes: NO_EPISODES, context: NO_CONTEXT, forecast: NO_FORECAST };
    for await (const piece of detectAnswer(detection, known, { limit: 0 })) {
      most = Math.max(most, piece.split('"pod":').length - 1);
      text += piece;
    }
    counting = false;
    expect(DetectResponse.parse(JSON.parse(text)).pods).to.have.lengthOf(2_000);
    expect(most, 'pods in one piece').to.be.at.most(256);
    expect(turns).to.be.at.least(2_000 / 256);
  });

  describe('over a connection', () => {
    afterEach(closeServers);

    /** More bytes than the buffers of a connection hold. */
    const PODS = 40_000;

    /** An exporter that counts how often it explains pods. @param waitFor how many callers each of its passes has. */
    const serve = async (waitFor: number[] = []) => {
      const pass = detectionOf(crowd(PODS));
      const explained = { pieces: 0 };
      const detection = Object.defineProperty({ ...pass.detection }, 'inputs', {
        get: () => {
          explained.pieces++;
          return pass.detection.inputs;
        },
      });
      // As a pass ends for all who wait for it.
      let passed = gate();
      let waiting = 0;
      const detect = async () => {
        if (++waiting < (waitFor[0] ?? 1)) await passed.opened;
        else {
          waitFor.shift();
          waiting = 0;
          passed.open();
          passed = gate();
        }
        return { ...pass, detection };
      };
      const dependencies = fakeDependencies({ detect });
      return { url: await startServer(createApp(dependencies)), explained, logged: dependencies.logged };
    };

    it('explains once for all who ask the same of the same pass', async () => {
      const { url, explained } = await serve([1, 20, 2]);
      const ask = (query: string) => get(`${url}/detect?limit=${query}`);
      const one = await ask('1000');
      const pieces = explained.pieces;
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask('1000')));
      expect(answers.map(({ text }) => text === one.text)).to.deep.equal(answers.map(() => true));
      expect(explained.pieces, 'once for one, and once for twenty').to.equal(2 * pieces);
      await Promise.all([ask('1000'), ask('999')]);
      expect(explained.pieces, 'other filters, another answer').to.equal(4 * pieces);
    });

    it('goes on while one of those who asked still waits, and stops when the last has left', async () => {
      const { url, explained, logged } = await serve();
      const ask = () => {
        const socket = connect(Number(new URL(url).port), '127.0.0.1');
        socket.write(getRequest('/detect?limit=0'));
        return socket;
      };
      const leave = async (socket: Socket) => {
        socket.destroy();
        await closed(socket);
      };
      const [first, second] = [ask(), ask()];
      await eventually(() => expect(explained.pieces).to.be.above(1));
      await leave(first);
      const then = explained.pieces;
      await eventually(() => expect(explained.pieces).to.be.above(then + 5));
      await leave(second);
      expect(await steady(() => explained.pieces)).to.be.below(PODS / 256);
      expect(logged).to.deep.equal([]);
    });

    it('sends the rest when a slow client reads on, compressed or not', async () => {
      const { url } = await serve();
      for (const encoding of ['identity', 'gzip']) {
        const response = await fetch(`${url}/detect?limit=0`, { headers: { 'Accept-Encoding': encoding } });
        expect(response.headers.get('content-encoding')).to.equal(encoding === 'gzip' ? 'gzip' : null);
        await sleep(200);
        expect(DetectResponse.parse(await response.json()).pods).to.have.lengthOf(PODS);
      }
    });

    it('answers 500 to a fault in the middle of an answer, and not half of it', async () => {
      const pass = detectionOf(crowd(600));
      let reads = 0;
      const detection = Object.defineProperty({ ...pass.detection }, 'inputs', {
        get: () => {
          if (++reads === 2) throw new Error('The second piece fails.');
          return pass.detection.inputs;
        },
      });
      const dependencies = fakeDependencies({ detect: async () => ({ ...pass, detection }) });
      const url = await startServer(createApp(dependencies));
      expect((await get(`${url}/detect`)).status).to.equal(500);
      expect(dependencies.logged.map(({ context }) => context)).to.deep.equal(['GET /detect']);
    });
  });

  for (const [kind, status] of [
    ['internal', 500],
    ['no_model', 503],
    ['timeout', 504],
    ['upstream_error', 502],
  ] as const) {
    it(`answers ${status} with the reason for ${kind}`, async () => {
      const { body } = await request(appOf(failedPass(kind, 'The reason.')))
        .get('/detect')
        .expect(status);
      expect(ErrorResponse.parse(body)).to.deep.equal({ error: { code: kind, message: 'The reason.' } });
    });
  }

  it('passes on the scrape timeout', async () => {
    const dependencies = fakeDependencies();
    await request(createApp(dependencies)).get('/detect').set('X-Prometheus-Scrape-Timeout-Seconds', '7');
    expect(dependencies.asked).to.deep.equal([7]);
  });

  it('keeps a hostile name as text', async () => {
    const app = appOf(passOf([{ namespace: HOSTILE, pod: HOSTILE, score: 1 }]));
    const response = await request(app).get('/detect').query({ namespace: HOSTILE }).expect(200);
    expect(response.body.pods[0].pod).to.equal(HOSTILE);
    expect(response.headers).to.include({
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
  });

  it('answers HEAD without a body', async () => {
    const response = await request(appOf(passOf(pods)))
      .head('/detect')
      .expect(200);
    expect(response.text).to.equal(undefined);
  });
});
