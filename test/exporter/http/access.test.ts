import { expect } from 'chai';
import request from 'supertest';
import type { Access } from '../../../src/exporter/http/access.js';
import { createApp } from '../../../src/exporter/http/app.js';
import { ENDPOINTS } from '../../../src/exporter/http/endpoints.js';
import { ErrorResponse } from '../../../src/exporter/http/schemas.js';
import { OPEN, type WebConfig } from '../../../src/lib/web-config/config.js';
import { fakeDependencies, openAccess } from '../../support/http-fixtures.js';

const PROBES = ['/-/healthy', '/-/ready'];
const PROTECTED = [
  ...ENDPOINTS.map(({ path }) => path).filter((path) => !PROBES.includes(path)),
  ...['/nothing', '/docs/swagger-ui.css', '/docs/initializer.js', '/METRICS', '/metrics/', '//metrics'],
  ...['/-/healthy/../../metrics', '/-/healthy%2f..%2f..%2fmetrics', '/-/readyx', '/-/healthy;/metrics'],
];

function appWith(config: Partial<WebConfig>, access: Partial<Access> = {}) {
  const dependencies = fakeDependencies({
    access: openAccess({
      webConfig: () => ({ ...OPEN, ...config }),
      comparePassword: async (password, hash) => hash === `[${password}]`,
      ...access,
    }),
  });
  return { app: createApp(dependencies), dependencies };
}

describe('access', () => {
  describe('with users', () => {
    const users = new Map([['prometheus', '[secret]']]);

    it('is refused without a password, on every path but the probes, and no work is done', async () => {
      const { app, dependencies } = appWith({ users });
      for (const path of PROTECTED) {
        const response = await request(app)
          .get(path)
          .expect(401)
          .expect('WWW-Authenticate', 'Basic realm="k8s-anomaly-detector", charset="UTF-8"');
        expect(ErrorResponse.parse(response.body).error, path).to.deep.equal({
          code: 'unauthorized',
          message: 'Invalid user name or password.',
        });
      }
      for (const method of ['post', 'put', 'delete', 'options', 'head'] as const) {
        await request(app)[method]('/metrics').expect(401);
      }
      expect(dependencies.asked).to.deep.equal([]);
    });

    for (const path of PROBES) {
      it(`is free at ${path}, for GET and HEAD`, async () => {
        const { app } = appWith({ users });
        await request(app).get(path).expect(200);
        await request(app).head(path).expect(200);
        await request(app).post(path).expect(405);
      });
    }

    it('is granted with the password, and refused without saying what is wrong', async () => {
      const { app, dependencies } = appWith({ users });
      await request(app).get('/metrics').auth('prometheus', 'secret').expect(200);
      const answers = [];
      for (const [user, password] of [
        ['prometheus', 'wrong'],
        ['nobody', 'secret'],
      ] as const) {
        answers.push((await request(app).get('/metrics').auth(user, password).expect(401)).text);
      }
      expect(answers[0]).to.equal(answers[1]);
      expect(dependencies.logged, 'nothing of it in the log').to.deep.equal([]);
    });

    it('follows the configuration from one request to the next', async () => {
      let current: WebConfig = OPEN;
      const { app } = appWith({}, { webConfig: () => current });
      await request(app).get('/metrics').expect(200);
      current = { ...OPEN, users };
      await request(app).get('/metrics').expect(401);
      await request(app).get('/metrics').auth('prometheus', 'secret').expect(200);
      current = { ...OPEN, users: new Map([['prometheus', '[changed]']]) };
      await request(app).get('/metrics').auth('prometheus', 'secret').expect(401);
    });

    it('is answered as a failure of ours when passwords cannot be compared', async () => {
      const { app, dependencies } = appWith(
        { users },
        { comparePassword: () => Promise.reject(new Error('no thread')) },
      );
      await request(app).get('/metrics').auth('prometheus', 'secret').expect(500);
      expect(dependencies.logged.map(({ context }) => context)).to.deep.equal(['GET /metrics']);
      expect(JSON.stringify(dependencies.logged)).not.to.include('secret');
    });
  });

  describe('with a rate limit', () => {
    const rateLimit = { intervalMilliseconds: 2_500, burst: 2 };

    it('answers 429 with the limit and the time to wait, before the log-in, but never to probes', async () => {
      let now = 0;
      const { app, dependencies } = appWith({ rateLimit }, { now: () => now });
      for (let index = 0; index < 2; index++) await request(app).get('/metrics').expect(200);
      const { body } = await request(app).get('/metrics').expect(429).expect('Retry-After', '3');
      expect(ErrorResponse.parse(body).error.message).to.equal(
        'Expected at most 2 requests at once and one more every 2.5 s, the rate_limit of the web configuration. ' +
          'Try again later.',
      );
      await request(app).get('/').expect(429);
      for (const path of PROBES) await request(app).get(path).expect(200);
      now = 2_500;
      await request(app).get('/metrics').expect(200);
      await request(app).get('/metrics').expect(429);
      expect(dependencies.asked).to.have.length(3);
    });

    it('comes before the comparison of passwords', async () => {
      let compared = 0;
      const { app } = appWith(
        { rateLimit, users: new Map([['a', 'b']]) },
        { comparePassword: async () => ++compared < 0 },
      );
      for (let guess = 0; guess < 10; guess++) await request(app).get('/metrics').auth('a', String(guess));
      expect(compared).to.equal(2);
    });

    it('starts anew when it is changed, and only then', async () => {
      let config: WebConfig = { ...OPEN, rateLimit };
      const { app } = appWith({}, { webConfig: () => config });
      for (let index = 0; index < 2; index++) await request(app).get('/metrics').expect(200);
      config = { ...OPEN, rateLimit: { ...rateLimit } };
      await request(app).get('/metrics').expect(429);
      config = { ...OPEN, rateLimit: { ...rateLimit, burst: 1 } };
      await request(app).get('/metrics').expect(200);
      await request(app).get('/metrics').expect(429);
      config = OPEN;
      await request(app).get('/metrics').expect(200);
    });
  });

  describe('with headers', () => {
    const headers = new Map([
      ['X-Frame-Options', 'deny'],
      ['Strict-Transport-Security', 'max-age=60'],
      ['X-XSS-Protection', ''],
    ]);

    it('carries them on every answer, beside our own', async () => {
      const { app } = appWith({ headers, users: new Map([['a', 'b']]) });
      for (const path of ['/-/healthy', '/metrics', '/nothing']) {
        const response = await request(app).get(path);
        expect(response.headers).to.include({
          'x-frame-options': 'deny',
          'strict-transport-security': 'max-age=60',
          'x-content-type-options': 'nosniff',
        });
        expect(response.headers).not.to.have.property('x-xss-protection');
      }
    });

    it('keeps a Content-Security-Policy of the configuration on pages that have one of their own', async () => {
      const policy = "default-src 'self'";
      const { app } = appWith({ headers: new Map([['Content-Security-Policy', policy]]) });
      for (const path of ['/', '/docs', '/metrics']) {
        await request(app).get(path).expect('Content-Security-Policy', policy);
      }
      const without = appWith({ headers: new Map([['Content-Security-Policy', '']]) });
      const { headers: sent } = await request(without.app).get('/docs');
      expect(sent).not.to.have.property('content-security-policy');
    });
  });
});
