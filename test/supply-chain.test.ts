import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect } from 'chai';
import { billOfMaterials } from '../scripts/sbom.js';

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

interface BillOfMaterials {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly components: readonly { readonly name: string; readonly version: string }[];
}

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as unknown;
const manifest = read('package.json') as { readonly dependencies: Readonly<Record<string, string>> };
const lock = read('package-lock.json') as { readonly packages: Readonly<Record<string, LockedPackage>> };

/** The packages that are installed without development dependencies, by their folder. */
const production = Object.entries(lock.packages).filter(
  ([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true,
);
const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

describe('dependencies', () => {
  it('have a reason each in docs/dependencies.md', () => {
    const rows = [...readFileSync('docs/dependencies.md', 'utf8').matchAll(/^\| `(.+?)` \| (.+) \|$/gm)];
    expect(rows.map(([, name]) => name)).to.deep.equal(Object.keys(manifest.dependencies));
    for (const [, name, reason] of rows) expect(reason, name).to.match(/\w{3}/);
  });

  it('have no install scripts in production, but for the one that is switched off', () => {
    expect(production.length).to.be.above(50);
    const scripts = production.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    expect(scripts.map(([path]) => nameOf(path))).to.deep.equal(['@scarf/scarf']);
    expect(manifest).to.have.nested.property('scarfSettings.enabled', false);
  });

  it('are the same on every platform in production, since the image installs them on the one that builds', () => {
    const bound = production.filter(([, { os, cpu, libc }]) => [os, cpu, libc].some((only) => only !== undefined));
    expect(bound.map(([path]) => path)).to.deep.equal([]);
    const stages = [...readFileSync('Dockerfile', 'utf8').matchAll(/^FROM (.*)$/gm)].map(([, from = '']) => from);
    for (const stage of stages.slice(0, -1)) expect(stage).to.match(/^--platform=\$BUILDPLATFORM /);
    expect(stages.at(-1)).to.match(/^node:\d+-alpine$/);
    const files = readFileSync('Dockerfile', 'utf8')
      .split(/^FROM /m)
      .at(-1);
    expect(files, 'the last stage runs nothing').to.not.match(/^RUN /m);
  });

  it('are installed without running scripts, here, in the image and in manifests', () => {
    expect(readFileSync('.npmrc', 'utf8')).to.match(/^ignore-scripts=true$/m);
    const installations = ['Dockerfile', ...manifests()].flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/^.*\bnpm ci\b.*$/gm)].map(([line]) => line),
    );
    expect(installations.length).to.be.above(1);
    for (const line of installations) expect(line).to.include('--ignore-scripts');
  });

  it('are locked by checksums, and by no address of a registry', () => {
    for (const [path, { integrity, resolved }] of production) {
      expect(integrity, path).to.match(/^sha512-/);
      expect(resolved, path).to.equal(undefined);
    }
  });

  it('are all in the bill of materials, which tells nothing of the machine', () => {
    const text = billOfMaterials();
    const bill = JSON.parse(text) as BillOfMaterials;
    expect(bill).to.include({ bomFormat: 'CycloneDX', specVersion: '1.5' });
    const listed = new Set(bill.components.map(({ name, version }) => `${name}@${version}`));
    expect([...listed]).to.have.members([
      ...new Set(production.map(([path, { version }]) => `${nameOf(path)}@${version}`)),
    ]);
    for (const secret of [process.cwd(), tmpdir(), process.env.HOME, 'registry.']) {
      if (secret !== undefined && secret !== '/') expect(text).not.to.include(secret);
    }
  });
});

function manifests(): string[] {
  return execFileSync('git', ['ls-files', 'deploy/*.yaml'], { encoding: 'utf8' }).trim().split('\n');
}
