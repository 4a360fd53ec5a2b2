import { expect } from 'chai';
import request from 'supertest';
import { createApp } from '../../src/http/app.js';
import { ENDPOINTS } from '../../src/http/endpoints.js';
import { fakeDependencies, freshHealth, HOSTILE, seasonedHealth } from '../support/http-fixtures.js';

const linksOf = (page: string) => [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, url = '']) => url);

describe('GET /', () => {
  const landingOf = async (report: typeof freshHealth) =>
    (
      await request(createApp(fakeDependencies({ health: () => report })))
        .get('/')
        .expect(200)
    ).text;

  it('says that there is no model yet', async () => {
    const page = await landingOf(freshHealth);
    expect(page).to.contain('1.2.3');
    expect(page).to.contain('There is none yet, so no pod is scored. The first training is running.');
    expect(page).to.contain('http://prometheus:9090 has not been asked for the current metrics yet.');
    expect(page).to.contain('There was none yet: nobody has fetched the metrics.');
  });

  it('says how the model came about, and what went wrong', async () => {
    const page = await landingOf(seasonedHealth);
    expect(page).to.contain('Trained 5 minutes ago on 7320 samples of 120 pods');
    expect(page).to.contain('96 runs, 1 failed.');
    expect(page).to.contain('http://prometheus:9090 answers.');
    expect(page).to.contain('118 pods scored, 2 not (missing_cpu). The rate of CPU is empty.');
    const failing = { ...seasonedHealth, prometheus: { ...seasonedHealth.prometheus, up: false } };
    expect(await landingOf(failing)).to.contain('Prometheus did not answer within 5 s.');
  });

  for (const [seconds, words] of [
    [0.4, '0 seconds'],
    [1, '1 second'],
    [119, '119 seconds'],
    [120, '2 minutes'],
    [7200, '2 hours'],
    [200000, '2 days'],
  ] as const) {
    it(`says ${words} for ${seconds} s`, async () => {
      const model = { ...seasonedHealth.model, age_seconds: seconds };
      expect(await landingOf({ ...seasonedHealth, model })).to.contain(`Trained ${words} ago`);
    });
  }

  it('links every endpoint relative to itself, and all links lead somewhere', async () => {
    const links = linksOf(await landingOf(freshHealth)).filter((url) => !url.startsWith('data:'));
    expect(links).to.deep.equal(ENDPOINTS.slice(1).map(({ path }) => path.slice(1)));
    for (const link of links) await request(createApp(fakeDependencies())).get(`/${link}`).expect(200);
  });

  it('escapes what others wrote', async () => {
    const last_error = { message: HOSTILE, time: '2026-01-01T00:00:00Z' };
    const page = await landingOf({
      ...freshHealth,
      prometheus: { url: HOSTILE, up: false, last_error },
      training: { ...freshHealth.training, last_error },
    });
    expect(page).not.to.match(/<(img|script)/);
    expect(page).to.contain('&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;');
  });

  it('allows nothing but its own style', async () => {
    const { headers } = await request(createApp(fakeDependencies())).get('/');
    expect(headers['content-security-policy']).to.match(
      /^default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-[^']+'; img-src data:$/,
    );
    expect(headers).to.include({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
  });
});

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
    const { headers } = await request(app)
      .get('/docs/swagger-ui.css')
      .set('Accept-Encoding', 'gzip')
      .expect(200);
    expect(headers).to.include({ 'content-encoding': 'gzip', 'cache-control': 'max-age=3600' });
  });

  it('serves no other file of the package', async () => {
    await request(app).get('/docs/package.json').expect(404);
    await request(app).get('/docs/..%2fpackage.json').expect(404);
  });

  it('allows no script but its own files', async () => {
    const { headers } = await request(app).get('/docs');
    expect(headers['content-security-policy'])
      .to.contain("default-src 'none'")
      .and.contain("script-src 'self';");
  });
});
