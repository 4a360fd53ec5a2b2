import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { type ChartValues, chartObjects, settingsOf } from '../support/helm.js';
import {
  type KubernetesObject,
  kustomize,
  objectOfKind,
  readDockerfile,
  schemaErrors,
  unknownFields,
} from '../support/kustomize.js';
import { requireTool } from '../support/real-tools.js';

const FOLDER = 'deploy/gitops';
const IMAGE = 'registry.example.org/k8s-anomaly-detector:0.1.0';

/** What the controllers add to the kustomization of a folder. */
interface KustomizeChanges {
  readonly images?: readonly { readonly name: string; readonly newName: string; readonly newTag: string }[];
  readonly patches: readonly unknown[];
}

/** The parts of an `Application` of Argo CD that decide what is built. */
interface Application extends KubernetesObject {
  readonly spec: {
    readonly source: {
      readonly path: string;
      readonly helm?: { readonly releaseName: string; readonly valuesObject: ChartValues };
      readonly kustomize?: { readonly images?: readonly string[]; readonly patches: readonly unknown[] };
    };
    readonly destination: { readonly namespace: string };
  };
}

/** The same of a `HelmRelease` of Flux. */
interface HelmRelease extends KubernetesObject {
  readonly spec: {
    readonly releaseName: string;
    readonly chart: { readonly spec: { readonly chart: string; readonly sourceRef: { readonly name: string } } };
    readonly values: ChartValues;
  };
}

/** The same of a `Kustomization` of Flux. */
interface Kustomization extends KubernetesObject {
  readonly spec: KustomizeChanges & {
    readonly path: string;
    readonly targetNamespace: string;
    readonly sourceRef: { readonly name: string };
  };
}

function documentsOf(file: string): readonly KubernetesObject[] {
  const documents = parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8'));
  return documents.map((document) => document.toJS() as KubernetesObject);
}

function only<Kind extends KubernetesObject>(file: string, kind: string): Kind {
  const [found, ...others] = documentsOf(file).filter((object) => object.kind === kind);
  expect(others).to.deep.equal([]);
  return (found ?? expect.fail(`Expected a ${kind} in ${file}.`)) as Kind;
}

describe('the examples for GitOps', function () {
  this.timeout(120_000);

  let folder: string;
  /** A clone of a fork as this repository is, without any file that is generated and ignored. */
  let clone: string;
  /** A clone of the fork after the commands of the README. */
  let withCode: string;

  const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');

  before(function () {
    requireTool(this, 'helm');
    requireTool(this, 'kubectl');
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-fork-'));
    const fork = join(folder, 'fork');
    const options = ['ls-files', '--cached', '--others', '--exclude-standard', 'deploy', '.gitignore'];
    const files = execFileSync('git', options, { encoding: 'utf8' });
    for (const file of files.trim().split('\n')) cpSync(file, join(fork, file));
    const run = (commands: string) => execFileSync('bash', ['-ec', commands], { cwd: fork, stdio: 'pipe' });
    const clonedAs = (name: string) => {
      run(`git clone --quiet . ../${name}`);
      return join(folder, name);
    };
    run('git init --quiet && git config user.name x && git config user.email x@example.org');
    run('git add . && git commit --quiet -m Fork');
    clone = clonedAs('clone');
    // What the first line of the README does.
    const script = resolve('dist/scripts/write-code-configmap.js');
    execFileSync(process.execPath, [script, '--deploy', join(fork, 'deploy'), '--bundled'], { stdio: 'pipe' });
    const [, commands = ''] = /^```sh\nnpm ci && npm run configmap:bundled\n(.*?)^git push\n```$/ms.exec(readme) ?? [];
    run(commands);
    withCode = clonedAs('with-code');
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** As the controllers do: they change the kustomization of the folder itself. */
  function kustomizeWith(
    root: string,
    path: string,
    namespace: string,
    { images = [], patches }: KustomizeChanges,
  ): readonly KubernetesObject[] {
    const folder = join(root, path);
    const file = join(folder, 'kustomization.yaml');
    const text = readFileSync(file, 'utf8');
    try {
      const kustomization = parse(text) as object;
      writeFileSync(file, stringify({ ...kustomization, namespace, images, patches }));
      return kustomize(folder);
    } finally {
      writeFileSync(file, text);
    }
  }

  function byArgoCd(file: string, root: string): readonly KubernetesObject[] {
    const { spec } = only<Application>(file, 'Application');
    const { path, kustomize: changes } = spec.source;
    const images = (changes?.images ?? []).map((image) => {
      const [, name = '', newName = '', newTag = ''] = /^(.+)=(.+):(.+)$/.exec(image) ?? [];
      return { name, newName, newTag };
    });
    return kustomizeWith(root, path, spec.destination.namespace, { images, patches: changes?.patches ?? [] });
  }

  function byFlux(file: string, root: string): readonly KubernetesObject[] {
    const { spec } = only<Kustomization>(file, 'Kustomization');
    expect(only(file, 'GitRepository').metadata.name).to.equal(spec.sourceRef.name);
    return kustomizeWith(root, spec.path, spec.targetNamespace, spec);
  }

  const builds: Readonly<Record<string, () => readonly KubernetesObject[]>> = {
    'argo-cd/helm.yaml': () => {
      const { metadata, spec } = only<Application>('argo-cd/helm.yaml', 'Application');
      const { helm, path } = spec.source;
      expect(helm?.releaseName).to.equal(metadata.name);
      expect(spec.destination.namespace).to.equal('monitoring');
      return chartObjects({ chart: join(clone, path), release: metadata.name, values: helm?.valuesObject ?? {} });
    },
    'argo-cd/kustomize.yaml': () => byArgoCd('argo-cd/kustomize.yaml', clone),
    'argo-cd/no-image.yaml': () => byArgoCd('argo-cd/no-image.yaml', withCode),
    'flux/helm.yaml': () => {
      const { spec } = only<HelmRelease>('flux/helm.yaml', 'HelmRelease');
      const { chart, sourceRef } = spec.chart.spec;
      expect(only('flux/helm.yaml', 'GitRepository').metadata.name).to.equal(sourceRef.name);
      return chartObjects({ chart: join(clone, chart), release: spec.releaseName, values: spec.values });
    },
    'flux/kustomize.yaml': () => byFlux('flux/kustomize.yaml', clone),
    'flux/no-image.yaml': () => byFlux('flux/no-image.yaml', withCode),
  };

  it('are all built here, and listed', () => {
    const files = ['argo-cd', 'flux'].flatMap((name) =>
      readdirSync(join(FOLDER, name)).map((file) => `${name}/${file}`),
    );
    expect(files).to.have.members(Object.keys(builds));
    for (const file of files) expect(readme).to.include(`[\`${file}\`](${file})`);
  });

  for (const [file, build] of Object.entries(builds)) {
    it(`build from a clone, with ServiceMonitor, alerts and dashboard: ${file}`, () => {
      const objects = build();
      expect(schemaErrors(objects)).to.deep.equal([]);
      expect(unknownFields(objects)).to.deep.equal([]);
      const { metadata, spec } = objectOfKind(objects, 'Deployment');
      expect(metadata).to.include({ name: 'k8s-anomaly-detector', namespace: 'monitoring' });
      const [container] = spec?.template.spec?.containers ?? [];
      const code = objects.filter(({ metadata: { name } }) => name === 'anomaly-detector-code');
      expect(code).to.have.lengthOf(file.endsWith('no-image.yaml') ? 1 : 0);
      expect(container?.image).to.equal(code.length === 1 ? readDockerfile().image : IMAGE);
      // The pod reads the settings that the example changes.
      const used = container?.envFrom?.map(({ configMapRef }) => configMapRef?.name);
      const settings =
        objects.find(({ metadata: { name } }) => used?.includes(name)) ?? expect.fail('Expected settings.');
      const address = settingsOf([{ ...settings, metadata: { name: 'x-settings' } }]).PROMETHEUS_URL;
      expect(readFileSync(join(FOLDER, file), 'utf8')).to.include(address);
      for (const kind of ['ServiceMonitor', 'PrometheusRule'] as const) {
        expect(objectOfKind(objects, kind).metadata.labels).to.include({ release: 'kube-prometheus-stack' });
      }
      const labelled = objects.filter(({ metadata: { labels } }) => labels?.grafana_dashboard === '1');
      expect(labelled.map(({ kind }) => kind)).to.deep.equal(['ConfigMap']);
    });
  }

  it('name the command where the code is missing', () => {
    expect(() => byFlux('flux/no-image.yaml', clone)).to.throw('code-from-npm-run-configmap-bundled.yaml');
  });

  it('leave the code to a job beside Git, with the chart, as the README says', () => {
    const { spec } = only<HelmRelease>('flux/helm.yaml', 'HelmRelease');
    const { image, ...values } = spec.values;
    expect(image).to.not.equal(undefined);
    const code = { enabled: true, checksum: '12345678' };
    const objects = chartObjects({ chart: join(clone, spec.chart.spec.chart), values: { ...values, code } });
    const { template } = objectOfKind(objects, 'Deployment').spec ?? {};
    expect(template?.metadata?.annotations).to.include({ 'checksum/code': code.checksum });
    expect(template?.spec?.volumes?.map(({ configMap }) => configMap?.name)).to.include('anomaly-detector-code');
  });
});
