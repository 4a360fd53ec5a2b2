import { expect } from 'chai';
import request from 'supertest';
import { createApp } from '../../../src/exporter/http/app.js';
import { fakeDependencies } from '../../support/http-fixtures.js';

const linksOf = (page: string) => [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, url = '']) => url);

describe('GET /docs', () => {
  const app = createApp(fakeDependencies());

  it('loads only files of this server, by URLs that hold behind a path prefix', async () => {
    const page = (
      await request(app)
        .get('/docs')
        .expect(200)
        .expect('Content-Type', /^text\/html/)
    ).text;
    const links = linksOf(page);
    expect(links).to.have.length(5);
    for (const link of links) {
      const { pathname } = new URL(link, 'http://localhost/docs');
      expect(link).to.match(/^(docs\/|openapi\.json$)/);
      await request(app).get(pathname).expect(200);
      await request(app).head(pathname).expect(200);
    }
  });

  it('points Swagger UI at our own document and at no validator', async () => {
    const { text } = await request(app)
      .get('/docs/initializer.js')
      .expect('Content-Type', /javascript/);
    expect(text).to.contain("url: 'openapi.json'").and.to.contain('validatorUrl: null');
  });

  it('sends a path with a slash at the end to the one without, relative as well', async () => {
    await request(app).get('/docs/').expect(301).expect('Location', '../docs');
  });

  it('compresses its files and lets browsers keep them', async () => {
    const { headers } = await request(app).get('/docs/swagger-ui.css').set('Accept-Encoding', 'gzip').expect(200);
    expect(headers).to.include({ 'content-encoding': 'gzip', 'cache-control': 'max-age=3600' });
  });

  it('answers 304 to a browser that has a file already, whatever encoding it has', async () => {
    for (const path of [
      '/docs/swagger-ui.css',
      '/docs/swagger-ui-bundle.js',
      '/docs/initializer.js',
      '/status-page.css',
    ]) {
      const { headers } = await request(app).get(path).set('Accept-Encoding', 'gzip').expect(200);
      const answer = await request(app)
        .get(path)
        .set('If-None-Match', headers.etag as string)
        .expect(304);
      expect(answer.text, path).to.equal('');
      await request(app).get(path).set('If-None-Match', 'W/"other"').expect(200);
    }
  });

  it('sends whole files to those who ask for parts, and plain ones to those who do not take gzip', async () => {
    const whole = (await request(app).get('/docs/swagger-ui.css').expect(200)).text;
    expect(whole.length).to.be.above(100_000);
    for (const headers of [{ Range: 'bytes=5-9' }, { 'Accept-Encoding': 'gzip;q=0' }, { 'Accept-Encoding': 'br' }]) {
      const answer = await request(app).get('/docs/swagger-ui.css').set(headers).expect(200);
      expect(answer.text === whole, JSON.stringify(headers)).to.equal(true);
    }
    const plain = await request(app).get('/docs/swagger-ui.css').set('Accept-Encoding', 'identity');
    expect(plain.headers).to.include({ 'content-length': String(Buffer.byteLength(whole)), vary: 'Accept-Encoding' });
    expect(plain.headers).not.to.have.property('content-encoding');
  });

  it('serves no other file of the package', async () => {
    await request(app).get('/docs/package.json').expect(404);
    await request(app).get('/docs/..%2fpackage.json').expect(404);
  });

  it('allows no script but its own files', async () => {
    const { headers } = await request(app).get('/docs');
    expect(headers['content-security-policy']).to.contain("default-src 'none'").and.contain("script-src 'self';");
  });
});
