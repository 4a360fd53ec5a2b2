import { expect } from 'chai';
import request from 'supertest';
import { createApp } from '../../../src/exporter/http/app.js';
import { METRICS_CONTENT_TYPE } from '../../../src/exporter/http/endpoints.js';
import { fakeDependencies } from '../../support/http-fixtures.js';

describe('GET /metrics', () => {
  it('answers the text with exactly the content type that Prometheus wants', async () => {
    const response = await request(createApp(fakeDependencies())).get('/metrics').expect(200);
    expect(response.headers['content-type']).to.equal('text/plain; version=0.0.4; charset=utf-8');
    expect(response.text).to.equal('# TYPE up gauge\nup 1\n');
    expect(response.headers).not.to.have.any.keys('etag', 'x-powered-by');
  });

  it('answers HEAD without a body', async () => {
    const response = await request(createApp(fakeDependencies())).head('/metrics').expect(200);
    expect(response.headers['content-type']).to.equal(METRICS_CONTENT_TYPE);
    expect(response.text).to.equal(undefined);
  });

  it('compresses a long text, without a loss and with the same content type', async () => {
    const body = 'anomaly_flag{namespace="ä",pod="b"} 0\n'.repeat(5000);
    const renderMetrics = async () => ({ contentType: METRICS_CONTENT_TYPE, body });
    const app = createApp(fakeDependencies({ renderMetrics }));
    const zipped = await request(app).get('/metrics').set('Accept-Encoding', 'gzip').expect(200);
    expect(zipped.headers['content-encoding']).to.equal('gzip');
    expect(zipped.headers['content-type']).to.equal(METRICS_CONTENT_TYPE);
    expect(zipped.text).to.equal(body);
    const plain = await request(app).get('/metrics').set('Accept-Encoding', 'identity').expect(200);
    expect(plain.headers).not.to.have.property('content-encoding');
    expect(plain.text).to.equal(body);
  });

  for (const [header, scrapeTimeoutSeconds] of [
    ['10', 10],
    ['0.5', 0.5],
    ['0', undefined],
    ['-1', undefined],
    ['Infinity', undefined],
    ['soon', undefined],
    ['', undefined],
  ] as const) {
    it(`reads the scrape timeout "${header}" as ${scrapeTimeoutSeconds}`, async () => {
      const dependencies = fakeDependencies();
      await request(createApp(dependencies)).get('/metrics').set('X-Prometheus-Scrape-Timeout-Seconds', header);
      expect(dependencies.asked).to.deep.equal([scrapeTimeoutSeconds]);
    });
  }

  it('has no scrape timeout without the header', async () => {
    const dependencies = fakeDependencies();
    await request(createApp(dependencies)).get('/metrics');
    expect(dependencies.asked).to.deep.equal([undefined]);
  });
});
