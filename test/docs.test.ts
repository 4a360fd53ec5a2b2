import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { GENERATED_DOCUMENTS } from '../scripts/generated-docs.js';
import { foldersOfTools } from './support/real-tools.js';

/** Every Markdown document of the repository, by its path. */
const documents = new Map(
  [
    ...readdirSync('.'),
    ...['docs', 'deploy'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    ),
  ]
    .filter((path) => path.endsWith('.md'))
    .map((path) => [path, readFileSync(path, 'utf8')]),
);

describe('README', () => {
  const readme = documents.get('README.md') ?? '';

  it('can be read in one sitting', () => {
    expect(readme.split('\n').length).to.be.below(280);
  });

  it('shows how to run the demo and the tests on its first screen', () => {
    const screen = readme.split('\n').slice(0, 25).join('\n');
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
    for (const [command, script] of [
      ['npm ci && npm run demo', 'demo'],
      ['npm ci && npm test', 'test'],
    ]) {
      expect(screen).to.include(`\`\`\`sh\n${command}\n\`\`\``);
      expect(scripts).to.have.property(script ?? '');
    }
  });

  it('has an installation on one screen, with Helm first', () => {
    const [, section = ''] = /^## Install\n(.*?)^## /ms.exec(readme) ?? [];
    expect(section.split('\n').length).to.be.within(10, 35);
    const commands = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = '']) => text);
    expect(commands[0]).to.include('helm install');
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
    for (const [, script] of commands.join('').matchAll(/npm run ([\w:]+)/g))
      expect(scripts).to.have.property(script ?? '');
    for (const [path] of section.matchAll(/deploy\/[\w./-]*\w/g)) {
      // It is made by the command before it.
      const isMade = path.includes('/code-from-npm-run-configmap');
      expect(existsSync(isMade ? dirname(path) : path), path).to.equal(true);
    }
  });

  it('names every command', () => {
    const commands = [...readFileSync('src/main.ts', 'utf8').matchAll(/\.command\('(\w+)'/g)].map(([, name]) => name);
    expect(commands).to.include('serve');
    const [, table = ''] = /^## Commands$(.*?)^## /ms.exec(readme) ?? [];
    for (const name of commands) expect(table).to.include(`\`${name}\``);
  });

  it('names only metrics and settings that exist', () => {
    const metrics = documents.get('docs/reference/metrics.md') ?? '';
    const settings = documents.get('docs/reference/settings.md') ?? '';
    const metricNames = [...readme.matchAll(/`(anomaly_\w+)(?:`|\{)/g)].map(([, name = '']) => name);
    const settingNames = [...readme.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name = '']) => name);
    expect(metricNames).to.include('anomaly_score');
    expect(settingNames).to.include('ANOMALY_SENSITIVITY');
    for (const name of metricNames) expect(metrics).to.include(`\`${name}\``);
    for (const name of settingNames) expect(settings).to.include(`\`${name}\``);
  });

  it('links to every page in docs, but for the runbooks, which link from the alerts', () => {
    const pages = [...documents.keys()].filter((path) => /^docs\/(reference\/)?[^/]+$/.test(path));
    expect(pages.length).to.be.above(8);
    for (const page of pages) expect(readme).to.include(`](${page}`);
  });
});

describe('CONTRIBUTING', () => {
  const page = documents.get('CONTRIBUTING.md') ?? '';

  it('names every folder of the exporter, and only files and folders that exist', () => {
    const paths = [...page.matchAll(/`((?:src|test|scripts|deploy|docs)\/[\w./-]+)`/g)].map(([, path = '']) => path);
    const folders = readdirSync('src/exporter', { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(paths).to.include.members(folders.map(({ name }) => `src/exporter/${name}`));
    for (const path of paths) expect(existsSync(path), path).to.equal(true);
  });

  it('names only scripts and tests that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
    for (const [, script = ''] of page.matchAll(/npm run ([\w:]+)/g)) expect(scripts).to.have.property(script);
    const tests = [...page.matchAll(/dist\/(test\/[\w./*-]+)\.js/g)].map(([, path = '']) => `${path}.ts`);
    expect(tests).to.not.be.empty;
    const files = readdirSync('test', { recursive: true, encoding: 'utf8' }).map((name) => join('test', name));
    for (const test of tests) {
      const pattern = test.replaceAll('.', '\\.').replaceAll('**/', '(?:.+/)?').replaceAll('*', '[^/]*');
      expect(
        files.some((file) => new RegExp(`^${pattern}$`).test(file)),
        test,
      ).to.equal(true);
    }
  });
});

describe('documents', () => {
  for (const [path, text] of documents) {
    it(`link only to files and headings that exist: ${path}`, () => {
      for (const [link, file = '', heading = ''] of text.matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g)) {
        const target = file === '' ? path : join(dirname(path), file);
        expect(existsSync(target), link).to.equal(true);
        if (heading !== '') expect(headingsOf(readFileSync(target, 'utf8')), link).to.include(heading);
      }
    });
  }

  it('start servers on the loopback only', () => {
    const commands = [...documents.values()].flatMap((text) =>
      [...text.matchAll(/^(?:prometheus|prometheus-alertmanager|victoria-metrics|docker run) .*$/gm)].map(
        ([line]) => line,
      ),
    );
    expect(commands.length).to.be.above(2);
    for (const command of commands) {
      const addresses = [...command.matchAll(/(?:listen-address=|listenAddr=| -p )(\S*)/g)].map(
        ([, address]) => address,
      );
      expect(addresses, command).not.to.deep.equal([]);
      // An empty address is no server.
      for (const address of addresses) expect(address, command).to.match(/^(?:127\.0\.0\.1:.*)?$/);
    }
  });

  it('are looked through in every folder', () => {
    expect([...documents.keys()]).to.include.members([
      'CONTRIBUTING.md',
      'deploy/grafana/README.md',
      'docs/reference/settings.md',
      'docs/runbooks/PodAnomalous.md',
    ]);
    for (const path of documents.keys()) expect(statSync(path).isFile(), path).to.equal(true);
  });

  for (const [path, update] of GENERATED_DOCUMENTS) {
    it(`have the generated sections of the code: ${path} (else: npm run docs)`, () => {
      const page = readFileSync(path, 'utf8');
      expect(update(page)).to.equal(page);
    });
  }
});

/** Anchors of the headings, as GitHub makes them. */
function headingsOf(markdown: string): string[] {
  return [...markdown.replace(/^```.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('the page about connecting', () => {
  it('names the newest releases that the tests run on', () => {
    const versions = readFileSync('scripts/tools/versions.txt', 'utf8');
    const folders = foldersOfTools(versions, { K8S_ANOMALY_TOOLS: '/' });
    const installed = (name: string) => folders.get(name)?.slice(`/${name}-v`.length);
    // As a module it has another number.
    const [, prometheus] = /^prometheus .*version\.Version=(\S+)$/m.exec(versions) ?? [];
    const [, table = ''] = /^## Tested releases$(.*)/ms.exec(documents.get('docs/reference/connecting.md') ?? '') ?? [];
    const rows = [...table.matchAll(/^\| (\w[^|]*) \| [^|]* \| ([\d.]+) \|$/gm)];
    expect(Object.fromEntries(rows.map(([, program, version]) => [program, version]))).to.deep.equal({
      'Prometheus, promtool': prometheus,
      'Alertmanager, amtool': installed('alertmanager'),
      VictoriaMetrics: installed('victoria-metrics'),
      'Thanos sidecar, querier and query frontend': installed('thanos'),
      'Kubernetes (API server, controllers, scheduler)': installed('kube-apiserver'),
      'kube-state-metrics': installed('kube-state-metrics'),
    });
  });
});
