import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { IContainer } from 'kubernetes-models/v1';
import { parse } from 'yaml';
import { CHART_FOLDER } from '../scripts/helm-chart/values.js';
import { parseImage, writeReleasedChart } from '../scripts/release/chart.js';
import { releaseNotes, tagOf } from '../scripts/release/notes.js';
import { HOMEPAGE, VERSION } from '../src/exporter/version.js';
import { chartObjects } from './support/helm.js';
import { objectOfKind } from './support/kustomize.js';
import { requireTool } from './support/real-tools.js';

const changelog = readFileSync('CHANGELOG.md', 'utf8');

describe('releaseNotes', () => {
  const CHANGELOG = `# Changelog

Text.

## Unreleased

- [FEATURE] Later.

## 1.2.0 - 2026-02-03

Words before
the list.

- [FEATURE] One ([how](docs/one.md#here)), in a line
  and - another.
- [BUGFIX] Two, see [there](https://example.org/x).

## 1.1.0 - 2026-01-02

- [BUGFIX] Old.

## 1.0.0 - soon

- No date.

## 0.9.0 - 2025-01-01
`;
  const notes = (version: string) => releaseNotes(CHANGELOG, version, 'https://git.example.org/a/b');

  it('are the section of the version, an item a line, with links to the files of its tag', () => {
    expect(notes('1.2.0')).to.equal(
      'Words before the list.\n\n' +
        '- [FEATURE] One ([how](https://git.example.org/a/b/blob/v1.2.0/docs/one.md#here)), in a line and - another.\n' +
        '- [BUGFIX] Two, see [there](https://example.org/x).\n',
    );
    expect(notes('1.1.0')).to.equal('- [BUGFIX] Old.\n');
  });

  it('are an error for a version that is not there, not dated or empty', () => {
    expect(() => notes('1.2')).to.throw(
      'Expected a section "## 1.2 - YYYY-MM-DD" in the changelog, got Unreleased, 1.2.0',
    );
    expect(() => notes('1.0.0')).to.throw('Expected a date for 1.0.0 in the changelog, got "soon"');
    expect(() => notes('0.9.0')).to.throw('Expected text about 0.9.0');
  });
});

describe('the changelog', () => {
  const headings = [...changelog.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading);

  it('has what comes, then each version with its date, the newest first', () => {
    expect(headings[0]).to.equal('Unreleased');
    const versions = headings.slice(1);
    for (const heading of versions) expect(heading).to.match(/^\d+\.\d+\.\d+(-[\w.]+)? - \d{4}-\d\d-\d\d$/);
    const dates = versions.map((heading) => heading.slice(-10));
    expect(dates).to.deep.equal([...dates].sort().reverse());
    expect(new Set(versions).size).to.equal(versions.length);
  });

  it('has notes for the version of package.json, with a reason in each item', () => {
    const items = releaseNotes(changelog, VERSION, HOMEPAGE).trim().split('\n').slice(2);
    expect(items.length).to.be.above(50);
    for (const item of items) expect(item).to.match(/^- \[(FEATURE|CHANGE|ENHANCEMENT|BUGFIX|SECURITY)\] .*[.)]$/);
  });

  it('is about the version of the lock file as well', () => {
    const lock = parse(readFileSync('package-lock.json', 'utf8')) as {
      readonly packages: Readonly<Record<string, object>>;
    };
    expect(lock).to.include({ version: VERSION });
    expect(lock.packages['']).to.include({ version: VERSION });
  });

  it('is what the command writes, for the tag of that version alone', () => {
    const run = (tag: string) =>
      spawnSync(process.execPath, ['dist/scripts/release/write-notes.js', tag], { encoding: 'utf8' });
    expect(run(tagOf(VERSION)).stdout).to.equal(releaseNotes(changelog, VERSION, HOMEPAGE));
    const wrong = run('v99.0.0');
    expect(wrong.status).to.equal(1);
    expect(wrong.stderr).to.include(`Expected the tag v${VERSION}, as in package.json, got v99.0.0.`);
  });
});

describe('addresses of the project', () => {
  it('are those of the chart', () => {
    const chart = parse(readFileSync(`${CHART_FOLDER}/Chart.yaml`, 'utf8')) as Readonly<Record<string, unknown>>;
    expect(chart).to.deep.include({ home: HOMEPAGE, sources: [HOMEPAGE] });
  });

  it('follow from the homepage of package.json', () => {
    const manifest = parse(readFileSync('package.json', 'utf8')) as Readonly<Record<string, unknown>>;
    expect(HOMEPAGE).to.match(/^https:\/\/\S+[^/]$/);
    expect(manifest).to.deep.include({
      homepage: HOMEPAGE,
      repository: { type: 'git', url: `git+${HOMEPAGE}.git` },
      bugs: `${HOMEPAGE}/issues`,
    });
  });
});

describe('the chart of a release', () => {
  const image = parseImage(`registry.example:5000/team/k8s-anomaly-detector@sha256:${'a1'.repeat(32)}`);
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-release-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('names its image in the values and for Artifact Hub', () => {
    const folder = join(directory, 'chart');
    writeReleasedChart(image, folder);
    const read = (name: string) => parse(readFileSync(join(folder, name), 'utf8')) as Readonly<Record<string, unknown>>;
    const { image: values } = read('values.yaml');
    expect(values).to.include(image);
    const { annotations } = read('Chart.yaml') as { annotations: Readonly<Record<string, string>> };
    expect(annotations['artifacthub.io/prerelease']).to.equal(String(VERSION.includes('-')));
    const [listed] = parse(annotations['artifacthub.io/images'] ?? '') as readonly { readonly image: string }[];
    expect(listed?.image).to.equal(`${image.repository}@${image.digest}`);
  });

  it('has a README whose links lead to the files of its version', () => {
    const folder = join(directory, 'chart');
    writeReleasedChart(image, folder);
    const linksOf = (path: string) =>
      [...readFileSync(path, 'utf8').matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
    const whole = linksOf(join(folder, 'README.md'));
    const start = `${HOMEPAGE}/blob/${tagOf(VERSION)}/`;
    expect(whole).to.include(`${start}docs/upgrading.md`).and.to.include(`${start}deploy/helm/examples/sharded.yaml`);
    for (const link of whole.filter((one) => !one.startsWith('#'))) expect(link).to.match(/^https:/);
    expect(whole).to.have.lengthOf(linksOf(join(CHART_FOLDER, 'README.md')).length);
  });

  it('runs that image, by its content', function () {
    requireTool(this, 'helm');
    const folder = join(directory, 'chart');
    writeReleasedChart(image, folder);
    const containers = (chart: Parameters<typeof chartObjects>[0]) => {
      const { spec } = objectOfKind(chartObjects(chart), 'Deployment') as {
        readonly spec?: { readonly template: { readonly spec: { readonly containers: readonly IContainer[] } } };
      };
      return spec?.template.spec.containers.map((one) => one.image);
    };
    expect(containers({ chart: folder })).to.deep.equal([`${image.repository}@${image.digest}`]);
    const before = chartObjects();
    const after = chartObjects({ chart: folder });
    expect(after.map(({ kind }) => kind)).to.deep.equal(before.map(({ kind }) => kind));
  });

  it('takes only an image with its digest, in lower case as registries want it', () => {
    for (const text of ['', 'name:tag', 'name@sha256:12', `Team/name@${image.digest}`, `a b@${image.digest}`]) {
      expect(() => parseImage(text), text).to.throw('Expected an image as repository@sha256:digest');
    }
  });
});
