import { expect } from 'chai';
import { parseSettings } from '../../../src/exporter/config/parse.js';
import type { Environment } from '../../../src/exporter/config/settings.js';
import { UnreadableFileError } from '../../../src/lib/files/bounded-file.js';
import { MistakesError } from '../../../src/lib/usage-error.js';
import { createCertificates, type TestCertificates } from '../../support/certificates.js';
import { connectionRecipes } from '../../support/connection-recipes.js';

describe('settings of the connection', () => {
  let certificates: TestCertificates;
  before(async () => {
    certificates = await createCertificates();
  });

  const readFile = (path: string): string => {
    const files: Record<string, string> = {
      '/ca.crt': certificates.authority.cert,
      '/chain.crt': `${certificates.valid.cert}\n${certificates.authority.cert}`,
      '/tls.crt': certificates.valid.cert,
      '/tls.key': certificates.valid.key,
      '/other.key': certificates.selfSigned.key,
      '/junk': 'hunter2',
      '/broken.crt': certificates.valid.cert.replace(/MII.{20}/, 'MIIhunter2hunter2'),
      '/empty': ' \n',
      '/secret': '  p@ss word\n',
      '/token': 'abc.def\n',
      '/two-words': 'hunter2 hunter2',
    };
    const text = files[path];
    if (text === undefined) throw new UnreadableFileError(path, 'no such file');
    return text;
  };
  const parse = (environment: Environment) => parseSettings(environment, readFile);
  const mistakesOf = (environment: Environment): readonly string[] => {
    try {
      parse(environment);
    } catch (error) {
      if (error instanceof MistakesError) return error.mistakes;
      throw error;
    }
    return expect.fail(`expected ${JSON.stringify(environment)} to be refused`);
  };

  describe('a secret in a file', () => {
    it('is read, without the spaces and the newline around it, and its path is kept', () => {
      const { settings, warnings } = parse({
        PROMETHEUS_USERNAME: 'watcher',
        PROMETHEUS_PASSWORD_FILE: '/secret',
      });
      expect(settings).to.include({ prometheusUsername: 'watcher', prometheusPassword: 'p@ss word' });
      expect(settings.secretFiles).to.deep.equal({ prometheusPassword: '/secret' });
      expect(warnings).to.deep.equal([]);
    });

    const bad: readonly (readonly [environment: Environment, ...mistakes: string[]])[] = [
      [
        { PROMETHEUS_BEARER_TOKEN: 'hunter2', PROMETHEUS_BEARER_TOKEN_FILE: '/token' },
        'PROMETHEUS_BEARER_TOKEN, PROMETHEUS_BEARER_TOKEN_FILE: expected one of the two, got both.',
      ],
      [{ PROMETHEUS_BEARER_TOKEN_FILE: '/gone' }, 'PROMETHEUS_BEARER_TOKEN_FILE: cannot read /gone: no such file.'],
      [
        { PROMETHEUS_URL_FILE: '/empty' },
        'PROMETHEUS_URL_FILE: expected an http:// or https:// URL without query and fragment; a path prefix is ' +
          'allowed in /empty, got an empty file.',
      ],
      [
        { PROMETHEUS_BEARER_TOKEN_FILE: '/two-words' },
        'PROMETHEUS_BEARER_TOKEN_FILE (/two-words): expected a token: one word of ASCII characters, got a value ' +
          'that is hidden because it is secret. Example: PROMETHEUS_BEARER_TOKEN="eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl"',
      ],
    ];
    for (const [environment, ...mistakes] of bad) {
      it(`says ${mistakes[0]}`, () => {
        expect(mistakesOf(environment)).to.deep.equal(mistakes);
      });
    }

    it('belongs to every secret, and to nothing else', () => {
      expect(parse({ PROMETHEUS_URL_FILE: '', PORT_FILE: '/gone' }).warnings).to.deep.equal([]);
      expect(mistakesOf({ PROMETHEUS_HEADERS_FILE: '/junk' })[0]).to.include('PROMETHEUS_HEADERS_FILE (/junk)');
      expect(mistakesOf({ PROMETHEUS_PROXY_URL_FILE: '/gone' })[0]).to.include('/gone');
      expect(mistakesOf({ PROMETHEUS_QUERY_PARAMETERS_FILE: '/gone' })[0]).to.include('/gone');
    });

    it('is no reason to take its variable for a misspelled one, but a misspelled one is', () => {
      expect(parse({ PROMETHEUS_PASWORD_FILE: '/secret' }).warnings).to.deep.equal([
        'PROMETHEUS_PASWORD_FILE is not a setting and is ignored. Did you mean PROMETHEUS_PASSWORD_FILE?',
      ]);
    });
  });

  describe('that do not go together', () => {
    const rows: readonly (readonly [environment: Environment, ...mistakes: string[]])[] = [
      [{ PROMETHEUS_PASSWORD: 'hunter2' }, 'PROMETHEUS_PASSWORD: expected PROMETHEUS_USERNAME with it, got no user'],
      [
        { PROMETHEUS_USERNAME: 'a', PROMETHEUS_BEARER_TOKEN: 'hunter2' },
        'PROMETHEUS_USERNAME, PROMETHEUS_BEARER_TOKEN: expected one way to log in, got 2',
      ],
      [
        { PROMETHEUS_URL: 'http://u:hunter2@h', PROMETHEUS_USERNAME: 'a' },
        'a user in PROMETHEUS_URL, PROMETHEUS_USERNAME: expected one way to log in',
      ],
      [
        { PROMETHEUS_HEADERS: 'authorization=Bearer hunter2', PROMETHEUS_BEARER_TOKEN_FILE: '/token' },
        'PROMETHEUS_BEARER_TOKEN, Authorization in PROMETHEUS_HEADERS: expected one way to log in',
      ],
      [{ PROMETHEUS_CERT_FILE: '/tls.crt' }, 'PROMETHEUS_CERT_FILE: expected PROMETHEUS_KEY_FILE with it'],
      [{ PROMETHEUS_KEY_FILE: '/tls.key' }, 'PROMETHEUS_KEY_FILE: expected PROMETHEUS_CERT_FILE with it'],
      [
        { PROMETHEUS_CERT_FILE: '/tls.crt', PROMETHEUS_KEY_FILE: '/other.key' },
        'PROMETHEUS_KEY_FILE: expected an unencrypted private key in PEM that belongs to the certificate',
      ],
      [
        { PROMETHEUS_CERT_FILE: '/tls.crt', PROMETHEUS_KEY_FILE: '/gone' },
        'PROMETHEUS_KEY_FILE: cannot read /gone: no such file.',
      ],
      [{ PROMETHEUS_CA_FILE: '/gone' }, 'PROMETHEUS_CA_FILE: cannot read /gone: no such file'],
      [{ PROMETHEUS_CA_FILE: '/junk' }, 'PROMETHEUS_CA_FILE: expected certificates in PEM'],
      [{ PROMETHEUS_CA_FILE: '/broken.crt' }, 'PROMETHEUS_CA_FILE: expected certificates in PEM, got one that cannot'],
      [{ PROMETHEUS_CA_FILE: '/tls.key' }, 'PROMETHEUS_CA_FILE: expected certificates in PEM, got one that cannot'],
      [
        {
          PORT: 'x',
          PROMETHEUS_PASSWORD: 'hunter2',
          PROMETHEUS_CERT_FILE: '/tls.crt',
          PROMETHEUS_CA_FILE: '/gone',
        },
        'PORT: ',
        'PROMETHEUS_PASSWORD: ',
        'PROMETHEUS_CA_FILE: ',
        'PROMETHEUS_CERT_FILE: ',
      ],
    ];
    for (const [environment, ...mistakes] of rows) {
      it(`are a mistake: ${Object.keys(environment).join(' and ')} (${mistakes[0]})`, () => {
        const got = mistakesOf(environment);
        expect(got).to.have.lengthOf(mistakes.length);
        mistakes.forEach((mistake, index) => {
          expect(got[index]?.startsWith(mistake), `${got[index]} begins with ${mistake}`).to.equal(true);
        });
        expect(got.join()).not.to.include('hunter2');
      });
    }

    it('do go together otherwise', () => {
      const { settings, warnings } = parse({
        PROMETHEUS_URL: 'https://h',
        PROMETHEUS_CA_FILE: '/chain.crt',
        PROMETHEUS_CERT_FILE: '/chain.crt',
        PROMETHEUS_KEY_FILE: '/tls.key',
        PROMETHEUS_SERVER_NAME: 'h.example.org',
        PROMETHEUS_USERNAME: 'only',
      });
      expect(settings.prometheusServerName).to.equal('h.example.org');
      expect(warnings).to.deep.equal([]);
    });
  });

  it('warn of what is dangerous, and of what has no effect', () => {
    expect(parse({ PROMETHEUS_URL: 'https://h', INSECURE_SKIP_VERIFY: 'true' }).warnings.join()).to.match(
      /^INSECURE_SKIP_VERIFY: every certificate is accepted/,
    );
    expect(parse({ PROMETHEUS_CA_FILE: '/ca.crt', PROMETHEUS_SERVER_NAME: 'h' }).warnings).to.deep.equal([
      'PROMETHEUS_CA_FILE, PROMETHEUS_SERVER_NAME: without effect, since PROMETHEUS_URL begins with http://.',
    ]);
    const translation = { OTLP_TRANSLATION_STRATEGY: 'NoTranslation' };
    expect(parse(translation).warnings).to.deep.equal([
      'OTLP_TRANSLATION_STRATEGY: without effect, since METRICS_SOURCE is not opentelemetry.',
    ]);
    expect(parse({ ...translation, METRICS_SOURCE: 'opentelemetry' }).warnings).to.deep.equal([]);
  });

  describe('in the recipes of the page about connections', () => {
    const recipes = connectionRecipes();

    it('are there for each kind of backend', () => {
      expect([...recipes.keys()]).to.have.lengthOf(9);
    });

    for (const [title, recipe] of recipes) {
      it(`are right as they stand: ${title}`, () => {
        const files = (path: string) => {
          if (path.endsWith('.crt')) return certificates.valid.cert;
          return path.endsWith('.key') ? certificates.valid.key : 'abc.def\n';
        };
        expect(parseSettings(recipe, files).warnings).to.deep.equal([]);
      });
    }
  });

  it('say why matchers are none', () => {
    expect(mistakesOf({ PROMETHEUS_MATCHERS: 'up{cluster="x"}' })).to.deep.equal([
      'PROMETHEUS_MATCHERS: expected label matchers and nothing else, got `up{cluster="x"}`. ' +
        'Example: PROMETHEUS_MATCHERS="cluster="berlin",env!="dev""',
    ]);
  });

  for (const name of ['PROMETHEUS_HEADERS', 'PROMETHEUS_QUERY_PARAMETERS', 'PROMETHEUS_BEARER_TOKEN']) {
    it(`never repeat a wrong ${name}`, () => {
      expect(mistakesOf({ [name]: 'Authorization: hunter2 hun\\ter2' }).join()).not.to.match(/hun|ter2/);
    });
  }
});
