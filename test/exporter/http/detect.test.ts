import { expect } from 'chai';
import request from 'supertest';
import { createApp } from '../../../src/exporter/http/app.js';
import { DetectResponse, ErrorResponse } from '../../../src/exporter/http/schemas.js';
import { failedPass, fakeDependencies, HOSTILE, passOf } from '../../support/http-fixtures.js';

type PodJudgement = DetectResponse['pods'][number];

const pods = [
  { namespace: 'a', pod: 'calm', score: -0.2 },
  { namespace: 'a', pod: 'edge', score: 0 },
  { namespace: 'a', pod: 'tie-1', score: 0.3 },
  { namespace: 'b', pod: 'tie-2', score: 0.3 },
  { namespace: 'b', pod: 'worst', score: 0.4 },
];

/** What each of three features has that deviate alike. */
const equally = { deviation: 3, direction: 'above', share: 1 / 3 };

const appOf = (outcome: ReturnType<typeof passOf>) =>
  createApp(fakeDependencies({ detect: async () => outcome }));

describe('GET /detect', () => {
  it('answers exactly what its schema says', async () => {
    const { body } = await request(appOf(passOf(pods.slice(4))))
      .get('/detect')
      .expect(200);
    expect(DetectResponse.parse(body)).to.deep.equal(body);
    expect(body).to.deep.equal({
      time: 1767225600,
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
          features: [
            { feature: 'cpu', unit: 'cpu-unit', actual: 1, expected: -0.5, ...equally },
            { feature: 'memory', unit: 'memory-unit', actual: 2, expected: 0.5, ...equally },
            { feature: 'restarts', unit: 'restarts-unit', actual: 3, expected: 1.5, ...equally },
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
    ['limit=0', 'Expected limit to be a whole number of pods from 1 up, got "0".'],
    ['limit=ten', 'Expected limit to be a whole number of pods from 1 up, got "ten".'],
    ['limit=1.5', 'Expected limit to be a whole number of pods from 1 up, got "1.5".'],
    ['limit=1&limit=2', 'Expected limit to be a whole number of pods from 1 up, got ["1","2"].'],
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
    expect(dependencies.asked).to.deep.equal([{ scrapeTimeoutSeconds: 7 }]);
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
