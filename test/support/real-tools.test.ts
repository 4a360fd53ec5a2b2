import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { foldersOfTools, requireFiles, requireTool, wantsNewest } from './real-tools.js';

const MISSING = 'no-such-program-5d1f';

describe('foldersOfTools', () => {
  const VERSIONS =
    '# NAME MODULE\npromtool  example.com/a v0.3.0 cmd/promtool -tags=x\n\nhelm example.com/b/v3 v3.2.1 .\n';

  it('has a folder for each version of a program', () => {
    expect([...foldersOfTools(VERSIONS, { K8S_ANOMALY_TOOLS: '/tools' })]).to.deep.equal([
      ['promtool', '/tools/promtool-v0.3.0'],
      ['helm', '/tools/helm-v3.2.1'],
    ]);
  });

  it('looks into the cache of the user', () => {
    const folders = foldersOfTools(VERSIONS, { XDG_CACHE_HOME: '/cache', K8S_ANOMALY_TOOLS: '' });
    expect(folders.get('helm')).to.equal('/cache/k8s-anomaly-detector/tools/helm-v3.2.1');
    expect(foldersOfTools(VERSIONS, {}).get('helm')).to.match(/\/\.cache\/k8s-anomaly-detector\/tools\/helm-v3\.2\.1$/);
  });

  it('reads the version from a go.mod where that has it', () => {
    const line = 'apiserver example.com/b control-plane/go.mod cmd/apiserver -tags=x\n';
    const goMod =
      'module x\nrequire (\n\texample.com/b/v2 v2.0.0 // indirect\n\texample.com/b v1.37.2 // indirect\n)\n';
    const read = (path: string) => (path === 'control-plane/go.mod' ? goMod : '');
    const environment = { K8S_ANOMALY_TOOLS: '/tools' };
    expect([...foldersOfTools(line, environment, read)]).to.deep.equal([['apiserver', '/tools/apiserver-v1.37.2']]);
    expect(() => foldersOfTools(line, environment, () => '')).to.throw('control-plane/go.mod to require example.com/b');
  });
});

describe('scripts/tools/versions.txt', () => {
  it('has the releases that the documents call the newest', () => {
    const page = readFileSync('docs/reference/connecting.md', 'utf8').split('## Tested releases')[1] ?? '';
    const folders = foldersOfTools(readFileSync('scripts/tools/versions.txt', 'utf8'), { K8S_ANOMALY_TOOLS: '/' });
    const numbers = [...folders].map(([name, folder]) => [name, /-v(.*)$/.exec(folder)?.[1]] as const);
    // As a module, Prometheus 3.16 is 0.316.
    const released = (number = '') => number.replace(/^0\.(\d)(\d{2})\./, '$1.$2.');
    const documented = (program: string) => page.match(new RegExp(`^\\| .*${program}.* ([\\d.]+) \\|$`, 'mi'))?.[1];
    const ofServers = /^(?:prometheus|promtool|alertmanager|amtool|victoria-metrics|thanos)$/;
    const expected = numbers.filter(([name]) => ofServers.test(name));
    expect(expected).to.have.lengthOf(6);
    for (const [name, number] of expected) {
      expect(documented(name.replace('-', '')), name).to.equal(released(number));
    }
  });
});

describe('wantsNewest', () => {
  it('wants the releases of the PATH unless asked', () => {
    expect(wantsNewest({})).to.equal(false);
    expect(wantsNewest({ PROMETHEUS_RELEASE: 'newest' })).to.equal(true);
  });

  it('knows no other release', () => {
    expect(() => wantsNewest({ PROMETHEUS_RELEASE: '3.16' })).to.throw('PROMETHEUS_RELEASE to be newest or not set');
  });
});

describe('requireTool', () => {
  const ci = process.env.CI;
  const { warn } = console;
  let skips: number;
  let warnings: string[];

  /** A test that can be skipped without being so. */
  const context = {
    skip(): never {
      skips++;
      throw new Error('Skipped.');
    },
  };

  beforeEach(() => {
    skips = 0;
    warnings = [];
    delete process.env.CI;
    console.warn = (text: string) => void warnings.push(text);
  });

  afterEach(() => {
    if (ci === undefined) delete process.env.CI;
    else process.env.CI = ci;
    console.warn = warn;
  });

  it('lets a test go on where the program is there', () => {
    requireTool(context, process.execPath);
    expect({ skips, warnings }).to.deep.equal({ skips: 0, warnings: [] });
  });

  it('skips a test where it is not, and says so', () => {
    expect(() => requireTool(context, MISSING)).to.throw('Skipped.');
    expect(skips).to.equal(1);
    expect(warnings).to.have.lengthOf(1);
    expect(warnings[0]).to.include('SKIPPED').and.to.include(MISSING);
  });

  it('fails on a build server instead', () => {
    process.env.CI = 'true';
    expect(() => requireTool(context, MISSING)).to.throw(`Expected the build server to have ${MISSING}`);
    expect(() => requireFiles(context, MISSING)).to.throw(`Expected the build server to have ${MISSING}`);
    expect(skips).to.equal(0);
  });

  it('skips a test whose files are not there, too', () => {
    expect(() => requireFiles(context, MISSING)).to.throw('Skipped.');
    expect(warnings[0]).to.include('SKIPPED').and.to.include(MISSING);
  });
});
