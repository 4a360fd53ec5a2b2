import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { IPodSpec } from 'kubernetes-models/v1';
import { parse, stringify } from 'yaml';
import { alertsOf, parseRules, RULES_FILE, type RulesFile } from '../../scripts/prometheus-rules.js';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { addMatchers } from '../../src/exporter/features/queries/matchers.js';
import { chartObjects, EXAMPLES_FOLDER } from '../support/helm.js';
import {
  type KubernetesObject,
  kustomize,
  objectOfKind,
  objectsOfKind,
  schemaErrors,
  unknownFields,
} from '../support/kustomize.js';
import { overlayOf, PLATFORMS, type Platform, releaseOf } from '../support/platforms.js';
import { restrictedViolations } from '../support/pod-security.js';
import { requireTool } from '../support/real-tools.js';

/** kustomize appends a hash of the content. */
const HASHED_NAME = /(k8s-anomaly-detector-(?:settings|web-config))-[a-z0-9]{10}\b/g;

const byName = <Entry extends { readonly name?: string }>(list: readonly Entry[] = []) =>
  [...list].sort((one, other) => String(one.name).localeCompare(String(other.name)));

function podOf(objects: readonly KubernetesObject[]): IPodSpec {
  return objectOfKind(objects, 'Deployment').spec?.template.spec ?? expect.fail('Expected a template of pods.');
}

/** Settings of the exporter, as its container gets them. */
function settingsOf(objects: readonly KubernetesObject[]): Readonly<Record<string, string>> {
  const [name] = podOf(objects).containers[0]?.envFrom?.map(({ configMapRef }) => configMapRef?.name) ?? [];
  const map = objectsOfKind(objects, 'ConfigMap').find(({ metadata }) => metadata.name === name);
  return map?.data ?? expect.fail(`Expected the ConfigMap ${name}.`);
}

/** Objects by kind and name, without what kustomize and the chart do in their own way: labels and namespaces. */
function comparable(objects: readonly KubernetesObject[]): Readonly<Record<string, unknown>> {
  const unhashed = JSON.parse(JSON.stringify(objects).replaceAll(HASHED_NAME, '$1')) as readonly KubernetesObject[];
  return Object.fromEntries(
    unhashed
      // Helm does not make the namespace that it installs into.
      .filter(({ kind }) => kind !== 'Namespace')
      .map(({ metadata: { name, annotations }, ...object }) => [
        `${object.kind}/${name}`,
        { ...object, annotations, ...specOf(object as KubernetesObject) },
      ]),
  );
}

function specOf(object: KubernetesObject): object {
  const [service] = objectsOfKind([object], 'Service');
  if (service !== undefined) return { spec: { type: 'ClusterIP', ...service.spec } };
  const [monitor] = objectsOfKind([object], 'ServiceMonitor');
  if (monitor !== undefined) return { spec: { ...monitor.spec, jobLabel: undefined } };
  const [deployment] = objectsOfKind([object], 'Deployment');
  if (deployment?.spec === undefined) return {};
  const { metadata, spec: pod } = deployment.spec.template;
  const labels = { ...metadata?.labels, 'app.kubernetes.io/managed-by': undefined };
  const containers = pod?.containers.map((container) => ({
    ...container,
    env: byName(container.env),
    volumeMounts: byName(container.volumeMounts),
  }));
  return {
    spec: { ...deployment.spec, template: { labels, spec: { ...pod, containers, volumes: byName(pod?.volumes) } } },
  };
}

describe('the overlays of platforms', function () {
  this.timeout(300_000);

  const built = new Map<string, readonly KubernetesObject[]>();
  const objectsOf = ({ name }: Platform) => built.get(name) ?? expect.fail(`Expected the overlay ${name}.`);

  before(function () {
    requireTool(this, 'kubectl');
    for (const platform of PLATFORMS) built.set(platform.name, overlayOf(platform));
  });

  for (const platform of PLATFORMS) {
    describe(`for ${platform.name}`, () => {
      it('make the same objects as the chart', function () {
        requireTool(this, 'helm');
        expect(comparable(releaseOf(platform))).to.deep.equal(comparable(objectsOf(platform)));
      });

      it('follow the schemas of the API, and have no other field', () => {
        expect(schemaErrors(objectsOf(platform))).to.deep.equal([]);
        expect(unknownFields(objectsOf(platform))).to.deep.equal([]);
      });

      it('pass the restricted profile of Pod Security', () => {
        expect(restrictedViolations(podOf(objectsOf(platform)))).to.deep.equal([]);
      });

      it('have the exporter first, which patches of components rely on', () => {
        expect(podOf(objectsOf(platform)).containers[0]?.name).to.equal('exporter');
      });

      it('mount what is there, and nothing twice', () => {
        const { volumes = [], containers } = podOf(objectsOf(platform));
        const mounts = containers.flatMap(({ volumeMounts = [] }) => volumeMounts);
        expect(volumes.map(({ name }) => name)).to.have.members(mounts.map(({ name }) => name));
        expect(new Set(mounts.map(({ mountPath }) => mountPath)).size).to.equal(mounts.length);
      });

      it('label all objects, and select the pods', () => {
        const standard = {
          'app.kubernetes.io/name': 'k8s-anomaly-detector',
          'app.kubernetes.io/instance': 'k8s-anomaly-detector',
        };
        for (const { kind, metadata } of objectsOf(platform)) expect(metadata.labels, kind).to.include(standard);
      });

      it('have settings that the exporter accepts', () => {
        const settings = Object.fromEntries(
          // The files are not here.
          Object.entries(settingsOf(objectsOf(platform))).filter(([name]) => !name.endsWith('_FILE')),
        );
        expect(parseSettings(settings).warnings).to.deep.equal([]);
      });

      it('let the exporter reach the address of its settings', () => {
        const { hostname, port } = new URL(settingsOf(objectsOf(platform)).PROMETHEUS_URL ?? '');
        const egress = objectOfKind(objectsOf(platform), 'NetworkPolicy').spec?.egress ?? [];
        const ports = egress.flatMap(({ ports: own = [] }) => own.map((entry) => entry.port));
        if (hostname !== '127.0.0.1') {
          expect(ports).to.include(Number(port));
          return;
        }
        // A container of the same pod, which asks the provider.
        const [, proxy, ...others] = podOf(objectsOf(platform)).containers;
        expect(others).to.deep.equal([]);
        const listening = [...(proxy?.args ?? []), ...(proxy?.env ?? []).map(({ value }) => value)].filter((text) =>
          text?.match(`(?:=127\\.0\\.0\\.1:|^)${port}$`),
        );
        expect(listening).to.have.lengthOf(1);
        expect(ports).to.include(443);
      });
    });
  }
});

describe('the overlay for OpenShift', () => {
  const platform = PLATFORMS.find(({ name }) => name === 'openshift') as Platform;
  let objects: readonly KubernetesObject[];

  before(function () {
    requireTool(this, 'kubectl');
    objects = overlayOf(platform);
  });

  it('leaves user and groups to the cluster', () => {
    expect(podOf(objects).securityContext).to.have.all.keys('runAsNonRoot', 'seccompProfile');
  });

  it('has its namespace in one place', () => {
    const namespace = objectOfKind(objects, 'Namespace').metadata.name;
    expect(namespace).to.equal(platform.namespace);
    expect(objects.map(({ metadata }) => metadata.namespace ?? namespace)).to.satisfy((names: readonly string[]) =>
      names.every((name) => name === namespace),
    );
    const [view] = objectsOfKind(objects, 'ClusterRoleBinding');
    expect(view?.subjects?.map((subject) => subject.namespace)).to.deep.equal([namespace]);
    const [endpoint] = objectOfKind(objects, 'ServiceMonitor').spec?.endpoints ?? [];
    expect(endpoint?.tlsConfig?.serverName).to.equal(`k8s-anomaly-detector.${namespace}.svc`);
  });

  it('asks as its own account, with a token that is renewed and the authority of the cluster', () => {
    const settings = settingsOf(objects);
    const account = objectOfKind(objects, 'ServiceAccount').metadata.name;
    expect(podOf(objects).serviceAccountName).to.equal(account);
    const [binding] = objectsOfKind(objects, 'ClusterRoleBinding');
    expect(binding?.roleRef.name).to.equal('cluster-monitoring-view');
    expect(binding?.subjects?.map(({ name }) => name)).to.deep.equal([account]);
    const mount = podOf(objects).containers[0]?.volumeMounts?.find(({ name }) => name === 'cluster-monitoring');
    const volume = podOf(objects).volumes?.find(({ name }) => name === mount?.name);
    const sources = volume?.projected?.sources ?? [];
    const token = sources.find(({ serviceAccountToken }) => serviceAccountToken)?.serviceAccountToken;
    const authority = sources.find(({ configMap }) => configMap)?.configMap;
    expect(settings.PROMETHEUS_BEARER_TOKEN_FILE).to.equal(`${mount?.mountPath}/${token?.path}`);
    expect(settings.PROMETHEUS_CA_FILE).to.equal(`${mount?.mountPath}/${authority?.items?.[0]?.path}`);
    const injected = objectsOfKind(objects, 'ConfigMap').find(({ metadata }) => metadata.name === authority?.name);
    expect(injected?.metadata.annotations).to.deep.equal({ 'service.beta.openshift.io/inject-cabundle': 'true' });
  });

  it('serves with the certificate that the service CA issues, and is scraped with its authority', () => {
    const annotations = objectOfKind(objects, 'Service').metadata.annotations ?? {};
    const secret = annotations['service.beta.openshift.io/serving-cert-secret-name'];
    const volume = podOf(objects).volumes?.find(({ name }) => name === 'web-config');
    const sources = volume?.projected?.sources ?? [];
    expect(sources.flatMap((source) => source.secret?.name ?? [])).to.deep.equal([secret]);
    const [endpoint] = objectOfKind(objects, 'ServiceMonitor').spec?.endpoints ?? [];
    expect(endpoint).to.include({ scheme: 'https', honorLabels: true }).and.not.have.property('basicAuth');
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
      expect(podOf(objects).containers[0]?.[probe]?.httpGet?.scheme).to.equal('HTTPS');
    }
  });

  it('is found by the Prometheus of the cluster', () => {
    expect(objectOfKind(objects, 'Namespace').metadata.labels).to.include({
      'openshift.io/cluster-monitoring': 'true',
    });
    const { subjects, roleRef } = objectOfKind(objects, 'RoleBinding');
    expect(subjects).to.deep.equal([
      { kind: 'ServiceAccount', name: 'prometheus-k8s', namespace: 'openshift-monitoring' },
    ]);
    const role = objectOfKind(objects, 'Role');
    expect(role.metadata.name).to.equal(roleRef.name);
    const resources = role.rules?.flatMap((rule) => rule.resources ?? []);
    expect(resources).to.have.members(['services', 'endpoints', 'pods', 'endpointslices']);
  });
});

describe('the document about platforms', () => {
  it('has a MonitoringStack of OpenShift that finds the objects of the chart under its group', function () {
    requireTool(this, 'helm');
    const apiVersion = 'monitoring.rhobs/v1';
    const page = readFileSync('docs/platforms.md', 'utf8');
    expect(page).to.include(`\`${apiVersion}\``);
    const [, block = ''] = /^```yaml\n(apiVersion: monitoring\.rhobs\/.*?)^```$/ms.exec(page) ?? [];
    const stack = parse(block) as {
      readonly metadata: { readonly namespace: string };
      readonly spec: { readonly resourceSelector: { readonly matchLabels: object } };
    };
    const [openshift] = PLATFORMS.filter(({ namespace }) => namespace === stack.metadata.namespace);
    const objects = chartObjects({
      files: [join(EXAMPLES_FOLDER, `${openshift?.name}.yaml`)],
      values: { serviceMonitor: { apiVersion }, prometheusRule: { apiVersion } },
    });
    const moved = objects.filter((object) => object.apiVersion === apiVersion);
    expect(moved.map(({ kind }) => kind)).to.have.members(['ServiceMonitor', 'PrometheusRule']);
    for (const { metadata } of moved) expect(metadata.labels).to.include(stack.spec.resourceSelector.matchLabels);
    expect(schemaErrors(moved)).to.deep.equal([]);
  });

  it('says what to fill in, in files that are there', () => {
    const page = readFileSync('docs/platforms.md', 'utf8');
    const [, table = ''] =
      /^\| \| what \| where in the overlay \|\n\| --- \| --- \| --- \|\n((?:\|.*\n)+)/m.exec(page) ?? [];
    const rows = [...table.matchAll(/^\| (\w*) ?\| (.+) \| (.+) \|$/gm)];
    const named = new Set<string>();
    let platform = '';
    for (const [, name = '', , files = ''] of rows) {
      if (name !== '') platform = name.toLowerCase();
      if (platform === 'all') continue;
      named.add(platform);
      for (const [, file = ''] of files.matchAll(/`([^`]+)`/g)) {
        expect(existsSync(join('deploy/kubernetes/overlays', platform, file)), `${platform}/${file}`).to.equal(true);
      }
    }
    expect([...named]).to.have.members(PLATFORMS.map(({ name }) => name));
  });
});

describe('the rules on managed services', () => {
  const platformOf = (name: string) => PLATFORMS.find((platform) => platform.name === name) as Platform;
  /** The file that Amazon takes. */
  const shipped = parseRules(readFileSync('deploy/helm/k8s-anomaly-detector/files/rules.yaml', 'utf8'));

  it('are the same in the object of Google', function () {
    requireTool(this, 'kubectl');
    const { spec } = objectOfKind(overlayOf(platformOf('gke')), 'ClusterRules');
    expect(spec).to.deep.equal(shipped);
  });

  it('load with the scope that Google adds, and have no label of that name', function () {
    requireTool(this, 'promtool');
    const scope = { project_id: 'my-project', cluster: 'my-cluster' };
    const scoped: RulesFile = {
      groups: shipped.groups.map((group) => ({
        ...group,
        rules: group.rules.map((rule) => {
          const labels = 'labels' in rule ? rule.labels : {};
          expect(labels).to.not.have.any.keys(...Object.keys(scope));
          const expr = addMatchers(rule.expr, 'project_id="my-project",cluster="my-cluster"');
          return { ...rule, expr, labels: { ...labels, ...scope } };
        }),
      })),
    };
    const folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-rules-'));
    try {
      writeFileSync(join(folder, 'rules.yaml'), stringify(scoped));
      const output = execFileSync('promtool', ['check', 'rules', join(folder, 'rules.yaml')], { encoding: 'utf8' });
      const count = shipped.groups.reduce((sum, { rules }) => sum + rules.length, 0);
      expect(output).to.include(`SUCCESS: ${count} rules found`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('are as large as the document says, which is more than Azure takes', () => {
    const page = readFileSync('docs/platforms.md', 'utf8').replaceAll(/\s+/g, ' ');
    const most = Math.max(...shipped.groups.map(({ rules }) => rules.length));
    const longest = Math.max(
      ...alertsOf(shipped).flatMap((rule) => Object.values(rule.annotations).map((text) => text.length)),
    );
    expect(most).to.be.above(20);
    expect(longest).to.be.above(1024);
    expect(page).to.include(
      `a group has ${most} rules, and the longest text is a template of ${longest.toLocaleString('en')} characters`,
    );
  });
});

describe('the Prometheus for the rules alone', () => {
  let objects: readonly KubernetesObject[];

  before(function () {
    requireTool(this, 'kubectl');
    objects = kustomize('deploy/prometheus');
  });

  /** The labels of its pods. */
  const podLabels = () => objectOfKind(objects, 'Deployment').spec?.template.metadata?.labels ?? {};

  it('follows the schemas of the API, and the restricted profile of Pod Security', () => {
    expect(schemaErrors(objects)).to.deep.equal([]);
    expect(unknownFields(objects)).to.deep.equal([]);
    expect(restrictedViolations(podOf(objects))).to.deep.equal([]);
    const { containers, volumes = [] } = podOf(objects);
    const mounted = containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name));
    expect(volumes.map(({ name }) => name)).to.have.members(mounted);
  });

  it('has a configuration and rules that the program of its release takes', function () {
    requireTool(this, 'promtool');
    const folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-rules-'));
    try {
      const { data = {} } = objectOfKind(objects, 'ConfigMap');
      for (const [name, text] of Object.entries(data)) writeFileSync(join(folder, name), text);
      const output = execFileSync('promtool', ['check', 'config', join(folder, 'prometheus.yaml')], {
        encoding: 'utf8',
      });
      expect(output).to.match(/SUCCESS: \d+ rules found/);
      expect(data['rules.yaml']).to.equal(readFileSync(RULES_FILE, 'utf8'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('is of the releases that are tested', () => {
    const page = readFileSync('docs/reference/connecting.md', 'utf8');
    for (const { name, image = '' } of podOf(objects).containers) {
      const [, release] = /:v(.+)$/.exec(image) ?? [];
      expect(page.toLowerCase(), image).to.match(new RegExp(`^\\| ${name}, .*\\| ${release} \\|$`, 'm'));
    }
  });

  it('scrapes the Service of the exporter as the job of the alerts, and sends to the Alertmanager of its pod', () => {
    const { data = {} } = objectOfKind(objects, 'ConfigMap');
    const configuration = parse(data['prometheus.yaml'] ?? '') as {
      readonly alerting: { readonly alertmanagers: readonly { readonly static_configs: readonly object[] }[] };
      readonly scrape_configs: readonly object[];
    };
    const base = kustomize('deploy/kubernetes/base');
    const service = objectOfKind(base, 'Service');
    expect(configuration.scrape_configs).to.deep.equal([
      {
        job_name: 'k8s-anomaly-detector',
        honor_labels: true,
        scrape_timeout: '10s',
        static_configs: [{ targets: [`${service.metadata.name}:${service.spec?.ports?.[0]?.port}`] }],
      },
    ]);
    const [alertmanager] = podOf(objects).containers.filter(({ name }) => name === 'alertmanager');
    const [address] = configuration.alerting.alertmanagers.flatMap(({ static_configs: own }) => own);
    expect(address).to.deep.equal({ targets: [`localhost:${alertmanager?.ports?.[0]?.containerPort}`] });
  });

  it('is admitted to the exporter, of the base and on AKS', () => {
    for (const exporter of [kustomize('deploy/kubernetes/base'), kustomize('deploy/kubernetes/overlays/aks')]) {
      const peers = objectOfKind(exporter, 'NetworkPolicy').spec?.ingress?.flatMap(({ from = [] }) => from) ?? [];
      const admitting = peers.filter(({ podSelector, namespaceSelector }) => {
        const isEveryNamespace = namespaceSelector === undefined || Object.keys(namespaceSelector).length === 0;
        const wanted = Object.entries(podSelector?.matchLabels ?? {});
        return isEveryNamespace && wanted.every(([name, value]) => podLabels()[name] === value);
      });
      expect(admitting).to.have.lengthOf(1);
    }
    const [toExporter] =
      objectOfKind(objects, 'NetworkPolicy').spec?.egress?.filter(({ to }) => to !== undefined) ?? [];
    const labels = objectOfKind(kustomize('deploy/kubernetes/base'), 'Deployment').spec?.template.metadata?.labels;
    expect(labels).to.include(toExporter?.to?.[0]?.podSelector?.matchLabels);
  });
});
