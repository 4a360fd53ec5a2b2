import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { foldersOfTools } from './real-tools.js';

const VERSIONS = readFileSync('scripts/tools/versions.txt', 'utf8');

/** In place of Go: notes what it is asked, has an empty module, and makes the program that is asked for. */
const GO = `#!/usr/bin/env bash
echo "$*" >>"$GO_LOG"
case $1 in
  mod) printf '{\\n\\t"Dir": "%s",\\n\\t"GoVersion": "1.26"\\n}\\n' "$GO_MODULE" ;;
  install) last=\${*: -1} && last=\${last%@*} && echo program >"$GOBIN/\${last##*/}" && chmod +x "$GOBIN/\${last##*/}" ;;
  build)
    last=\${*: -1} && ls -R . >>"$GO_LOG"
    file=$3 && if [ -d "$file" ]; then file=$3/\${last##*/}; fi
    echo program >"$file" && chmod +x "$file"
    ;;
  version) echo "go version of the test" ;;
esac
exit "\${GO_STATUS-0}"
`;

/** The directories that are only copied. */
const CRD_DIRECTORIES = [...VERSIONS.matchAll(/^[a-z]\S* +\S+ +\S+ +(\S+) +=$/gm)].map(([, path = '']) => path);

describe('scripts/tools/install', () => {
  let directory: string;
  let folders: ReadonlyMap<string, string>;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-install-'));
    for (const name of ['bin', 'module', 'tools']) mkdirSync(join(directory, name));
    for (const path of CRD_DIRECTORIES) {
      mkdirSync(join(directory, 'module', path), { recursive: true });
      writeFileSync(join(directory, 'module', path, 'crd.yaml'), `# ${path}\n`);
    }
    writeFileSync(join(directory, 'bin', 'go'), GO);
    chmodSync(join(directory, 'bin', 'go'), 0o755);
    folders = foldersOfTools(VERSIONS, { K8S_ANOMALY_TOOLS: join(directory, 'tools') });
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const log = () => readFileSync(join(directory, 'go.log'), 'utf8');
  const programs = () => [...folders].map(([name, folder]) => join(folder, name));
  function install(names: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) {
    const { status, stdout, stderr } = spawnSync('scripts/tools/install', names, {
      encoding: 'utf8',
      timeout: 60_000,
      env: {
        PATH: `${join(directory, 'bin')}:/usr/bin:/bin`,
        K8S_ANOMALY_TOOLS: join(directory, 'tools'),
        GO_LOG: join(directory, 'go.log'),
        GO_MODULE: join(directory, 'module'),
        ...environment,
      },
    });
    return { status, paths: stdout.trim().split('\n').filter(Boolean), said: stderr };
  }

  it('installs every program where the tests look for it, and nothing twice', () => {
    const first = install();
    expect(first.status, first.said).to.equal(0);
    expect(first.paths).to.deep.equal(programs());
    for (const path of programs()) {
      expect(existsSync(path), path).to.equal(true);
      expect(readdirSync(dirname(path)), 'and nothing beside it').to.have.lengthOf(1);
    }
    const asked = log();
    expect(install()).to.deep.equal({ status: 0, paths: programs(), said: '' });
    expect(log()).to.equal(asked);
    expect(readdirSync(join(directory, 'tools')), 'nothing is left over').to.have.lengthOf(folders.size);
  });

  it('hands on versions and flags', () => {
    expect(install(['helm', 'promtool']).status).to.equal(0);
    const [promtool, helm] = log().trim().split('\n');
    expect(promtool).to.match(
      /^install -tags=\S+ -gcflags=\S+ -ldflags=-s -w -X=\S+=3\.\S+ github\.com\/prometheus\/\S+\/promtool@v0\.\S+$/,
    );
    expect(helm).to.match(
      /^install -gcflags=\S+ -ldflags=-s -w -X=\S+\.version=(v4\.\S+) helm\.sh\/helm\/v4\/cmd\/helm@\1$/,
    );
  });

  it('names a program as its line does, of which there are two releases', () => {
    const { paths } = install(['helm', 'helm-3']);
    expect(paths.map((path) => path.replace(/.*\/tools\//, '').replace(/-v\d+\.\d+\.\d+/, ''))).to.deep.equal([
      'helm/helm',
      'helm-3/helm-3',
    ]);
  });

  it('builds the control plane in its own module, whose go.mod has the versions', () => {
    expect(install(['etcd', 'kube-apiserver']).status).to.equal(0);
    const [, major, minor, patch] =
      /\/kube-apiserver-v(\d+)\.(\d+)\.(\d+)$/.exec(folders.get('kube-apiserver') ?? '') ?? [];
    const variable = (name: string) => `-X=k8s.io/component-base/version.git${name}`;
    expect(log()).to.include(
      ` -ldflags=-s -w ${variable('Version')}=v${major}.${minor}.${patch} ${variable('Major')}=${major} ` +
        `${variable('Minor')}=${minor} k8s.io/kubernetes/cmd/kube-apiserver\n`,
    );
    expect(log()).to.match(/ go\.etcd\.io\/etcd\/server\/v3\n.*^go\.mod\ngo\.sum\n/ms);
    expect(Object.keys(log().match(/^mod/gm) ?? []), 'nothing is copied').to.be.empty;
  });

  it('copies files', () => {
    expect(CRD_DIRECTORIES).to.have.lengthOf.above(2);
    const { status, paths } = install(['argo-cd-crds']);
    expect(status).to.equal(0);
    expect(readFileSync(join(paths[0] ?? '', 'crd.yaml'), 'utf8')).to.equal('# manifests/crds\n');
  });

  it('adds the page that a program embeds', () => {
    expect(install(['alertmanager']).status).to.equal(0);
    expect(log()).to.include('./ui/app/dist:\nindex.html\n');
    expect(readdirSync(join(directory, 'module')), 'the module of the cache stays').to.not.include('ui');
  });

  it('says which programs could not be built, and installs the others', () => {
    const helm = join(folders.get('helm') ?? '', 'helm');
    expect(install(['helm']).status).to.equal(0);
    const { status, paths, said } = install([], { GO_STATUS: '1' });
    expect(status).to.equal(1);
    expect(paths).to.deep.equal([helm]);
    expect(said).to.include('amtool v').and.to.include('could not be built with go version of the test');
    expect(said).to.match(/\nNot installed: prometheus promtool alertmanager amtool [^\n]*\n$/);
    expect(readdirSync(join(directory, 'tools'))).to.have.lengthOf(1);
  });

  it('says where Go comes from', () => {
    const bin = join(directory, 'bin');
    rmSync(join(bin, 'go'));
    for (const name of ['bash', 'dirname', 'grep', 'sed', 'xargs']) {
      symlinkSync(execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), join(bin, name));
    }
    const { status, said } = install(['helm'], { PATH: bin });
    expect(said).to.include('helm needs Go, which is not on the PATH. Install Go (https://go.dev/dl)');
    expect(status).to.equal(1);
  });

  it('knows only the programs of the list', () => {
    const { status, said } = install(['hel']);
    expect(said).to.equal(`Expected one of: ${[...folders.keys()].join(' ')}, got hel.\n`);
    expect(status).to.equal(1);
  });
});
