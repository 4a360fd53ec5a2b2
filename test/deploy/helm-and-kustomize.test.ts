import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { IPodSpec } from 'kubernetes-models/v1';
import { type ChartValues, chartObjects, EXAMPLES_FOLDER } from '../support/helm.js';
import {
  copyDeployFolder,
  type DeployFolder,
  type KubernetesObject,
  kustomize,
  objectOfKind,
  objectsOfKind,
} from '../support/kustomize.js';
import { requireTool } from '../support/real-tools.js';

type Kind = 'Deployment' | 'StatefulSet';

/** The names of the ConfigMap with the settings: kustomize adds a hash of its content. */
const SETTINGS_NAME = /^k8s-anomaly-detector-settings-?/;

/**
 * A workload without what the two tools do in their own way: the names of the settings and of the Service of shards, and the
 * order of lists.
 */
function workloadOf(objects: readonly KubernetesObject[], kind: Kind) {
  const { spec } = structuredClone(objectOfKind(objects, kind));
  const pod = spec?.template.spec ?? expect.fail('Expected a template of pods.');
  return { ...spec, serviceName: undefined, template: sorted(pod) };
}

function sorted(pod: IPodSpec): IPodSpec {
  const byName = <Entry extends { name: string }>(list: readonly Entry[] = []) =>
    [...list].sort((one, other) => one.name.localeCompare(other.name));
  return {
    ...pod,
    volumes: byName(pod.volumes),
    containers: pod.containers.map(({ envFrom = [], ...container }) => ({
      ...container,
      env: byName(container.env),
      volumeMounts: byName(container.volumeMounts),
      envFrom: envFrom.map(({ configMapRef, ...rest }) =>
        configMapRef === undefined
          ? rest
          : { configMapRef: { name: configMapRef.name?.match(SETTINGS_NAME)?.[0].replace(/-$/, '') } },
      ),
    })),
  } as IPodSpec;
}

function settingsOf(objects: readonly KubernetesObject[]) {
  const maps = objectsOfKind(objects, 'ConfigMap').filter(({ metadata }) => SETTINGS_NAME.test(metadata.name));
  expect(maps).to.have.lengthOf(1);
  return maps[0]?.data;
}

/** Each folder of manifests with the values that make the same. */
const PAIRS: readonly (readonly [folder: string, values: ChartValues, kind: Kind])[] = [
  ['base', {}, 'Deployment'],
  ['overlays/no-image', { code: { enabled: true, packages: 'installed' } }, 'Deployment'],
  ['overlays/no-image-bundled', { code: { enabled: true } }, 'Deployment'],
  ['overlays/prometheus-operator', {}, 'Deployment'],
  ['overlays/sharded', { shards: 3 }, 'StatefulSet'],
];

describe('the Helm chart and the Kubernetes manifests', function () {
  this.timeout(300_000);

  let deploy: DeployFolder;
  const manifests = (folder: string) => kustomize(join(deploy.path, 'kubernetes', folder));
  const example = (file: string) => chartObjects({ files: [join(EXAMPLES_FOLDER, file)] });

  before(function () {
    requireTool(this, 'helm');
    requireTool(this, 'kubectl');
    deploy = copyDeployFolder();
  });
  after(() => deploy?.remove());

  for (const [folder, values, kind] of PAIRS) {
    it(`make the same pods, settings, Service and NetworkPolicy: ${folder}`, () => {
      const ours = chartObjects({ values });
      const theirs = manifests(folder);
      expect(workloadOf(ours, kind)).to.deep.equal(workloadOf(theirs, kind));
      const governing = objectsOfKind(ours, 'StatefulSet').map(({ spec: own }) => own?.serviceName);
      const serviceName = objectOfKind(ours, 'Service').metadata.name;
      expect(governing).to.deep.equal(kind === 'StatefulSet' ? [serviceName] : []);
      expect(settingsOf(ours)).to.deep.equal(settingsOf(theirs));
      const { type, ...service } = objectOfKind(ours, 'Service').spec ?? {};
      expect(service).to.deep.equal(objectOfKind(theirs, 'Service').spec);
      expect(type).to.equal(kind === 'StatefulSet' ? undefined : 'ClusterIP');
      expect(objectOfKind(ours, 'NetworkPolicy').spec).to.deep.equal(objectOfKind(theirs, 'NetworkPolicy').spec);
    });
  }

  it('would not agree with another port, probe, limit or user', () => {
    const base = workloadOf(manifests('base'), 'Deployment');
    const others: readonly ChartValues[] = [
      { resources: { limits: { memory: '1Gi' } } },
      { webConfig: { existingSecret: 'web' } },
      { podSecurityContext: { runAsUser: 1000 } },
      { extraEnv: [{ name: 'HOME', value: '/tmp' }] },
    ];
    for (const values of others) {
      expect(workloadOf(chartObjects({ values }), 'Deployment'), JSON.stringify(values)).to.not.deep.equal(base);
    }
  });

  it('make the same labels, but for the tool that manages them', () => {
    const ours = objectOfKind(chartObjects(), 'Deployment').metadata.labels;
    const theirs = objectOfKind(manifests('base'), 'Deployment').metadata.labels;
    expect(ours).to.deep.equal({
      ...theirs,
      'app.kubernetes.io/managed-by': 'Helm',
      'helm.sh/chart': ours?.['helm.sh/chart'],
    });
  });

  it('make the same ServiceMonitor, rules and dashboard', () => {
    const ours = example('kube-prometheus-stack.yaml');
    const theirs = manifests('overlays/prometheus-operator');
    const { jobLabel, ...monitor } = objectOfKind(ours, 'ServiceMonitor').spec ?? {};
    expect(monitor).to.deep.equal(objectOfKind(theirs, 'ServiceMonitor').spec);
    expect(jobLabel).to.equal('app.kubernetes.io/name');
    expect(objectOfKind(ours, 'PrometheusRule').spec).to.deep.equal(objectOfKind(theirs, 'PrometheusRule').spec);
    for (const kind of ['ServiceMonitor', 'PrometheusRule'] as const) {
      const { release } = objectOfKind(theirs, kind).metadata.labels ?? {};
      expect(objectOfKind(ours, kind).metadata.labels).to.include({ release });
    }
    const dashboardOf = (objects: readonly KubernetesObject[]) => {
      const [map] = objectsOfKind(objects, 'ConfigMap').filter(
        ({ metadata }) => metadata.labels?.grafana_dashboard === '1',
      );
      return {
        name: map?.metadata.name,
        content: JSON.parse(map?.data?.['k8s-anomaly-detector.json'] ?? '') as unknown,
      };
    };
    expect(dashboardOf(ours)).to.deep.equal(dashboardOf(theirs));
  });

  it('secure the port in the same way', () => {
    const folder = join(deploy.path, 'kubernetes/overlays/secured');
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'kustomization.yaml'),
      'resources: [../prometheus-operator]\ncomponents: [../../components/web-config]\n',
    );
    const theirs = kustomize(folder);
    const ours = example('secured.yaml');
    const { tlsConfig, basicAuth, scheme } = objectOfKind(ours, 'ServiceMonitor').spec?.endpoints?.[0] ?? {};
    expect(objectOfKind(theirs, 'ServiceMonitor').spec?.endpoints?.[0]).to.deep.include({
      tlsConfig,
      basicAuth,
      scheme,
    });
    const [container] = objectOfKind(ours, 'Deployment').spec?.template.spec?.containers ?? [];
    const [other] = objectOfKind(theirs, 'Deployment').spec?.template.spec?.containers ?? [];
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
      expect(container?.[probe]).to.deep.equal(other?.[probe]);
    }
    const webConfigOf = (objects: readonly KubernetesObject[]) =>
      objectOfKind(objects, 'Deployment').spec?.template.spec?.volumes?.find(({ name }) => name === 'web-config');
    expect(webConfigOf(ours)).to.deep.equal(webConfigOf(theirs));
    expect(settingsOf(ours)?.WEB_CONFIG_FILE).to.equal(settingsOf(theirs)?.WEB_CONFIG_FILE);
  });
});
