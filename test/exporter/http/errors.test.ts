import { expect } from 'chai';
import express from 'express';
import request from 'supertest';
import { createApp } from '../../../src/exporter/http/app.js';
import { ENDPOINTS } from '../../../src/exporter/http/endpoints.js';
import { handleError } from '../../../src/exporter/http/errors.js';
import { ErrorResponse } from '../../../src/exporter/http/schemas.js';
import { fakeDependencies, HOSTILE } from '../../support/http-fixtures.js';

describe('errors over HTTP', () => {
  it('answers an unknown path with the known ones', async () => {
    const { body } = await request(createApp(fakeDependencies())).get('/metric').expect(404);
    expect(ErrorResponse.parse(body).error).to.deep.equal({
      code: 'not_found',
      message:
        'There is nothing at /metric. Known paths: ' +
        '/, /metrics, /detect, /healthz, /-/healthy, /-/ready, /docs, /openapi.json.',
    });
  });

  it('answers a hostile path with JSON that no browser takes for a page', async () => {
    const response = await request(createApp(fakeDependencies()))
      .get(`/${encodeURIComponent(HOSTILE)}`)
      .expect(404);
    expect(response.headers).to.include({
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    });
  });

  for (const { path } of ENDPOINTS) {
    it(`answers 405 to other methods on ${path}`, async () => {
      const { body } = await request(createApp(fakeDependencies())).post(path).expect(405).expect('Allow', 'GET, HEAD');
      expect(ErrorResponse.parse(body).error.message).to.equal(`Expected GET or HEAD on ${path}, got POST.`);
    });
  }

  it('logs an unexpected failure whole, and tells the client nothing of it', async () => {
    const error = new Error('password=hunter2');
    const dependencies = fakeDependencies({ renderMetrics: () => Promise.reject(error) });
    const response = await request(createApp(dependencies)).get('/metrics').expect(500);
    expect(response.body).to.deep.equal({
      error: { code: 'internal', message: 'Unexpected failure. See the log of the exporter.' },
    });
    expect(response.text).not.to.match(/hunter2|at .*\.js/);
    expect(dependencies.logged).to.deep.equal([{ error, context: 'GET /metrics' }]);
  });

  it('cuts an answer off that fails half-way, instead of ending it as if it were whole', async () => {
    const dependencies = fakeDependencies();
    const app = express();
    app.get('/', (_request, response) => {
      response.write('half');
      throw new Error('no other half');
    });
    app.use(handleError(dependencies));
    const failure = await request(app)
      .get('/')
      .catch((error: unknown) => error);
    expect(failure).to.have.property('code', 'ECONNRESET');
    expect(dependencies.logged).to.have.length(1);
  });
});
