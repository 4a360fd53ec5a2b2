import { expect } from 'chai';
import request from 'supertest';
import { createApp } from '../../../src/exporter/http/app.js';
import { HealthReport } from '../../../src/exporter/http/schemas.js';
import { fakeDependencies, freshHealth, seasonedHealth } from '../../support/http-fixtures.js';

describe('GET /healthz', () => {
  for (const [state, report] of [
    ['fresh', freshHealth],
    ['seasoned', seasonedHealth],
  ] as const) {
    it(`answers 200 with the whole report of a ${state} exporter`, async () => {
      const app = createApp(fakeDependencies({ health: () => report }));
      const { body } = await request(app).get('/healthz').expect(200);
      expect(body).to.deep.equal(report);
      expect(HealthReport.parse(body)).to.deep.equal(body);
    });
  }
});

describe('GET /-/healthy and /-/ready', () => {
  for (const state of ['healthy', 'ready']) {
    it(`answers /-/${state} with plain text, GET and HEAD, and asks nobody`, async () => {
      const app = createApp(
        fakeDependencies({
          health: () => {
            throw new Error('must not be asked');
          },
        }),
      );
      const response = await request(app).get(`/-/${state}`).expect(200);
      expect(response.headers['content-type']).to.equal('text/plain; charset=utf-8');
      expect(response.text).to.equal(`k8s-anomaly-detector is ${state}.\n`);
      await request(app).head(`/-/${state}`).expect(200);
    });
  }
});
