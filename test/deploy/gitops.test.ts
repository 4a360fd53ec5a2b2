import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { type ChartValues, chartObjects, settingsOf } from '../support/helm.js';
import { type KubernetesObject, kustomize, objectOfKind, schemaErrors, unknownFields } from '../support/kustomize.js';
import { requireTool } from '../support/real-tools.js';

const FOLDER = 'deploy/gitops';
const IMAGE = 'registry.example.org/k8s-anomaly-detector:0.1.0';

/** What the controllers add to the kustomization of a folder. */
interface KustomizeChanges {
  readonly images: readonly { readonly name: string; readonly newName: string; readonly newTag: string }[];
  readonly patches: readonly unknown[];
}

/** The parts of an `Application` of Argo CD that decide what is built. */
interface Application extends KubernetesObject {
  readonly spec: {
    readonly source: {
      readonly path: string;
      readonly helm?: { readonly releaseName: string; readonly valuesObject: ChartValues };
      readonly kustomize?: { readonly images: readonly string[]; readonly patches: readonly unknown[] };
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

  let clone: string;

  before(function () {
    requireTool(this, 'helm');
    requireTool(this, 'kubectl');
    clone = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-clone-'));
    // What a clone has: no file that is generated and ignored.
    const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'deploy'], {
      encoding: 'utf8',
    });
    for (const file of files.trim().split('\n')) cpSync(file, join(clone, file));
  });
  after(() => {
    if (clone !== undefined) rmSync(clone, { recursive: true, force: true });
  });

  /** As the controllers do: they change the kustomization of the folder itself. */
  function kustomizeWith(
    path: string,
    namespace: string,
    { images, patches }: KustomizeChanges,
  ): readonly KubernetesObject[] {
    const folder = join(clone, path);
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

  const builds: Readonly<Record<string, () => readonly KubernetesObject[]>> = {
    'argo-cd/helm.yaml': () => {
      const { metadata, spec } = only<Application>('argo-cd/helm.yaml', 'Application');
      const { helm, path } = spec.source;
      expect(helm?.releaseName).to.equal(metadata.name);
      expect(spec.destination.namespace).to.equal('monitoring');
      return chartObjects({ chart: join(clone, path), release: metadata.name, values: helm?.valuesObject ?? {} });
    },
    'argo-cd/kustomize.yaml': () => {
      const { spec } = only<Application>('argo-cd/kustomize.yaml', 'Application');
      const { path, kustomize: changes } = spec.source;
      const images = (changes?.images ?? []).map((image) => {
        const [, name = '', newName = '', newTag = ''] = /^(.+)=(.+):(.+)$/.exec(image) ?? [];
        return { name, newName, newTag };
      });
      return kustomizeWith(path, spec.destination.namespace, { images, patches: changes?.patches ?? [] });
    },
    'flux/helm.yaml': () => {
      const { spec } = only<HelmRelease>('flux/helm.yaml', 'HelmRelease');
      const { chart, sourceRef } = spec.chart.spec;
      expect(only('flux/helm.yaml', 'GitRepository').metadata.name).to.equal(sourceRef.name);
      return chartObjects({ chart: join(clone, chart), release: spec.releaseName, values: spec.values });
    },
    'flux/kustomize.yaml': () => {
      const { spec } = only<Kustomization>('flux/kustomize.yaml', 'Kustomization');
      expect(only('flux/kustomize.yaml', 'GitRepository').metadata.name).to.equal(spec.sourceRef.name);
      return kustomizeWith(spec.path, spec.targetNamespace, spec);
    },
  };

  it('are all built here, and listed', () => {
    const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
    expect(files).to.have.members(Object.keys(builds));
    const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');
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
      expect(container?.image).to.equal(IMAGE);
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
});
