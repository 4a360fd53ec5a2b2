import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IContainer, IPodSpec } from 'kubernetes-models/v1';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { SETTINGS } from '../../src/exporter/config/settings.js';
import { ENDPOINTS } from '../../src/exporter/http/endpoints.js';
import { VERSION } from '../../src/exporter/version.js';
import {
  copyDeployFolder,
  type DeployFolder,
  type KubernetesObject,
  kustomize,
  objectOfKind,
  objectsOfKind,
  readDockerfile,
  schemaErrors,
  unknownFields,
} from '../support/kustomize.js';
import { PLATFORMS } from '../support/platforms.js';
import { restrictedViolations } from '../support/pod-security.js';
import { endPrograms, startProgram } from '../support/program.js';
import { requireTool } from '../support/real-tools.js';

const FOLDERS = [
  'base',
  'overlays/no-image',
  'overlays/no-image-bundled',
  'overlays/prometheus-operator',
  'overlays/sharded',
] as const;
type Folder = (typeof FOLDERS)[number];

const STANDARD_LABELS = ['name', 'instance', 'part-of', 'managed-by'].map((name) => `app.kubernetes.io/${name}`);

/** What runs the pods. */
type Workload = IDeployment | IStatefulSet;

function podOf({ spec }: Workload): IPodSpec {
  const pod = spec?.template.spec;
  if (!pod) throw new Error('Expected a template of pods.');
  return pod;
}

function containerOf(deployment: Workload): IContainer {
  const [container, ...others] = podOf(deployment).containers;
  if (container === undefined || others.length > 0) throw new Error('Expected one container.');
  return container;
}

/** `512Mi` in MiB. */
function mebibytes(quantity: unknown): number {
  const [, number] = /^(\d+)Mi$/.exec(String(quantity)) ?? [];
  if (number === undefined) throw new Error(`Expected a quantity in Mi, got ${String(quantity)}`);
  return Number(number);
}

describe('the Kubernetes manifests', () => {
  let deploy: DeployFolder;
  const built = new Map<Folder, readonly KubernetesObject[]>();
  const objectsOf = (folder: Folder) => built.get(folder) ?? [];
  const deploymentOf = (folder: Folder) => objectOfKind(objectsOf(folder), 'Deployment');
  const workloadOf = (folder: Folder) =>
    folder === 'overlays/sharded'
      ? objectOfKind(objectsOf(folder), 'StatefulSet')
      : objectOfKind(objectsOf(folder), 'Deployment');

  before(function () {
    requireTool(this, 'kubectl');
    deploy = copyDeployFolder();
    for (const folder of FOLDERS) built.set(folder, kustomize(join(deploy.path, 'kubernetes', folder)));
  });
  after(() => deploy?.remove());
  afterEach(endPrograms);

  /** What an example of the README builds. Its first line ends in `title`. */
  function buildExample(
    title: string,
    change: (example: string) => string = (example) => example,
  ): readonly KubernetesObject[] {
    const [, example = ''] =
      new RegExp(`^\`\`\`yaml\\n(# kustomization\\.yaml [^\\n]*, ${title}\\n.*?)^\`\`\`$`, 'ms').exec(
        readFileSync('deploy/kubernetes/README.md', 'utf8'),
      ) ?? [];
    expect(example, title).to.include('resources:');
    const folder = mkdtempSync(join(deploy.path, 'kubernetes/overlays/example-'));
    writeFileSync(join(folder, 'kustomization.yaml'), change(example));
    const objects = kustomize(folder);
    expect(schemaErrors(objects)).to.deep.equal([]);
    expect(unknownFields(objects)).to.deep.equal([]);
    return objects;
  }

  it('are all built here, or for a platform', () => {
    const overlays = readdirSync('deploy/kubernetes/overlays').map((name) => `overlays/${name}`);
    const ofPlatforms = PLATFORMS.map(({ name }) => `overlays/${name}`);
    expect(['base', ...overlays]).to.have.members([...FOLDERS, ...ofPlatforms]);
  });

  it('follow the schemas of the API', () => {
    for (const folder of FOLDERS) expect(schemaErrors(objectsOf(folder)), folder).to.deep.equal([]);
  });

  it('have no field that the API does not know', () => {
    const objects = FOLDERS.flatMap((folder) => objectsOf(folder));
    expect(unknownFields(objects)).to.deep.equal([]);
  });

  it('are checked by something that finds a wrong type, a missing field and a misspelled one', () => {
    const wrong = structuredClone(deploymentOf('base'));
    Object.assign(containerOf(wrong).ports?.[0] ?? {}, { containerPort: '8000' });
    Object.assign(containerOf(wrong).livenessProbe ?? {}, { httpGet: { path: '/' } });
    const [error = ''] = schemaErrors([wrong]);
    expect(error).to.include('containerPort must be integer').and.include('required property port');

    const misspelled = structuredClone(deploymentOf('base'));
    Object.assign(containerOf(misspelled).ports?.[0] ?? {}, { hostport: 8000 });
    expect(unknownFields([misspelled]).join('\n')).to.match(/hostport.* does not exist in type/);
  });

  it('carry the standard labels, with the version of the program', () => {
    for (const folder of FOLDERS) {
      for (const { kind, metadata } of objectsOf(folder)) {
        expect(metadata.labels, `${folder}: ${kind}`).to.include.keys(STANDARD_LABELS);
      }
      const { metadata, spec } = workloadOf(folder);
      expect(metadata.labels).to.have.property('app.kubernetes.io/version', VERSION);
      expect(spec?.template.metadata?.labels).to.deep.include(
        Object.fromEntries(Object.entries(metadata.labels ?? {}).filter(([name]) => name !== 'release')),
      );
    }
  });

  it('select what they mean, by labels that no release changes', () => {
    for (const folder of FOLDERS) {
      const objects = objectsOf(folder);
      const { spec } = workloadOf(folder);
      const podLabels = spec?.template.metadata?.labels;
      const service = objectOfKind(objects, 'Service');
      for (const selector of [
        spec?.selector.matchLabels,
        service.spec?.selector,
        objectOfKind(objects, 'NetworkPolicy').spec?.podSelector?.matchLabels,
      ]) {
        expect(selector).to.have.all.keys('app.kubernetes.io/name', 'app.kubernetes.io/instance');
        expect(podLabels).to.include(selector);
      }
      for (const monitor of objectsOfKind(objects, 'ServiceMonitor')) {
        expect(monitor.spec?.selector.matchLabels).to.not.be.empty;
        expect(service.metadata.labels).to.include(monitor.spec?.selector.matchLabels);
      }
    }
  });

  it('pass the restricted profile of Pod Security, as the user of the image', () => {
    const { uid, gid } = readDockerfile();
    for (const folder of FOLDERS) {
      const pod = podOf(workloadOf(folder));
      expect(restrictedViolations(pod), folder).to.deep.equal([]);
      expect(pod.securityContext).to.include({ runAsNonRoot: true, runAsUser: uid, runAsGroup: gid });
      expect(pod.automountServiceAccountToken, folder).to.equal(false);
      expect(containerOf(workloadOf(folder)).securityContext?.readOnlyRootFilesystem).to.equal(true);
    }
  });

  it('are held against every rule of that profile', () => {
    const pod = podOf(deploymentOf('base'));
    const container = containerOf(deploymentOf('base'));
    const withContainer = (own: object) => ({ ...pod, containers: [{ ...container, ...own }] });
    const withSecurity = (own: object) => withContainer({ securityContext: { ...container.securityContext, ...own } });
    const forbidden: readonly (readonly [string, IPodSpec])[] = [
      ['host namespaces', { ...pod, hostNetwork: true }],
      ['sysctls', { ...pod, securityContext: { ...pod.securityContext, sysctls: [{ name: 'a', value: '1' }] } }],
      ['volume type of v', { ...pod, volumes: [{ name: 'v', hostPath: { path: '/' } }] }],
      ['runAsNonRoot of exporter', { ...pod, securityContext: { ...pod.securityContext, runAsNonRoot: false } }],
      ['runAsUser of exporter', withSecurity({ runAsUser: 0 })],
      ['seccompProfile of exporter', withSecurity({ seccompProfile: { type: 'Unconfined' } })],
      ['privileged of exporter', withSecurity({ privileged: true })],
      ['allowPrivilegeEscalation of exporter', withSecurity({ allowPrivilegeEscalation: undefined })],
      ['capabilities.drop of exporter', withSecurity({ capabilities: { drop: ['NET_RAW'] } })],
      ['capabilities.add of exporter', withSecurity({ capabilities: { drop: ['ALL'], add: ['SYS_TIME'] } })],
      ['procMount of exporter', withSecurity({ procMount: 'Unmasked' })],
      ['seLinuxOptions of exporter', withSecurity({ seLinuxOptions: { type: 'spc_t' } })],
      ['hostPort of exporter', withContainer({ ports: [{ containerPort: 8000, hostPort: 8000 }] })],
    ];
    for (const [rule, changed] of forbidden) expect(restrictedViolations(changed)).to.deep.equal([rule]);
  });

  it('listen where the program listens, under one name', () => {
    const port = Number(SETTINGS.port.default);
    expect(readFileSync('Dockerfile', 'utf8')).to.include(`\nEXPOSE ${port}\n`);
    for (const folder of FOLDERS) {
      const objects = objectsOf(folder);
      expect(containerOf(workloadOf(folder)).ports).to.deep.equal([{ name: 'http', containerPort: port }]);
      const service = objectOfKind(objects, 'Service');
      expect(service.metadata.name).to.equal('k8s-anomaly-detector');
      expect(service.spec?.ports).to.deep.equal([{ name: 'http', port, targetPort: 'http' }]);
      const { ingress } = objectOfKind(objects, 'NetworkPolicy').spec ?? {};
      expect(ingress?.map(({ ports }) => ports)).to.deep.equal([[{ port: 'http', protocol: 'TCP' }]]);
    }
  });

  it('probe endpoints that answer without a password, and while Prometheus does not', async () => {
    const secured = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-probes-'));
    const webConfig = join(secured, 'web-config.yaml');
    writeFileSync(webConfig, 'basic_auth_users: { a: $2b$04$abcdefghijklmnopqrstuuw5jHWnvZ0DKhKDkHmwTyoRYxJz9Qh4W }');
    const url = await startProgram(['serve'], {
      PROMETHEUS_URL: 'http://127.0.0.1:1',
      HOST: '127.0.0.1',
      PORT: '0',
      WEB_CONFIG_FILE: webConfig,
    }).listening();
    expect((await fetch(`${url}/healthz`)).status).to.equal(401);
    for (const folder of FOLDERS) {
      const { startupProbe, livenessProbe, readinessProbe } = containerOf(workloadOf(folder));
      const paths = [startupProbe, livenessProbe, readinessProbe].map((probe) => {
        expect(probe?.httpGet?.port, folder).to.equal('http');
        return String(probe?.httpGet?.path);
      });
      for (const path of paths) {
        expect(ENDPOINTS.map((endpoint) => endpoint.path)).to.include(path);
        expect((await fetch(`${url}${path}`)).status, path).to.equal(200);
      }
    }
    rmSync(secured, { recursive: true, force: true });
  });

  it('give the heap of Node.js three quarters of the memory', () => {
    for (const folder of FOLDERS) {
      const { env = [], resources } = containerOf(workloadOf(folder));
      const options = env.find(({ name }) => name === 'NODE_OPTIONS')?.value ?? '';
      const heap = Number(/^--max-old-space-size=(\d+)$/.exec(options)?.[1]);
      expect(heap / mebibytes(resources?.limits?.memory), folder).to.be.within(0.7, 0.8);
      expect(mebibytes(resources?.requests?.memory)).to.be.at.most(mebibytes(resources?.limits?.memory));
      const documented = `limit the container to ${mebibytes(resources?.limits?.memory)} MiB`;
      expect(readFileSync('docs/scaling.md', 'utf8').replace(/\s+/g, ' ')).to.include(documented);
    }
  });

  it('keep the model in a volume that outlasts the container', () => {
    for (const folder of FOLDERS) {
      const settings = objectsOfKind(objectsOf(folder), 'ConfigMap').find(({ data }) => data?.MODEL_PATH !== undefined);
      const deployment = workloadOf(folder);
      const mount = containerOf(deployment).volumeMounts?.find(
        ({ mountPath }) => mountPath === dirname(settings?.data?.MODEL_PATH ?? ''),
      );
      expect(mount, folder).to.not.have.property('readOnly');
      const volume = podOf(deployment).volumes?.find(({ name }) => name === mount?.name);
      expect(volume, folder).to.have.property('emptyDir');
    }
  });

  it('never leave a gap between two releases', () => {
    // A shard has one pod, and its successor needs its name.
    for (const folder of FOLDERS.filter((name) => name !== 'overlays/sharded')) {
      expect(deploymentOf(folder).spec?.strategy).to.deep.equal({
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
      });
    }
  });

  it('have their settings in one place, each known to the program and accepted by it', () => {
    const names = Object.values(SETTINGS).map(({ env }) => env);
    const settingsOf = (folder: Folder) => {
      const found = objectsOfKind(objectsOf(folder), 'ConfigMap').find(({ metadata }) =>
        metadata.name.startsWith('k8s-anomaly-detector-settings-'),
      );
      const used = containerOf(workloadOf(folder)).envFrom?.map(({ configMapRef }) => configMapRef?.name);
      expect(used, folder).to.include(found?.metadata.name);
      return found?.data ?? {};
    };
    for (const folder of FOLDERS) {
      const settings = settingsOf(folder);
      expect(settings).to.deep.equal(settingsOf('base'));
      expect(settings).to.include.keys('PROMETHEUS_URL', 'NAMESPACE_REGEX');
      expect(names).to.include.members(Object.keys(settings));
      expect(parseSettings(settings).warnings).to.deep.equal([]);
      // These come from Node.js, npm and the Dockerfile; a setting there would win over the place for settings.
      const own = containerOf(workloadOf(folder)).env?.map(({ name }) => name) ?? [];
      const ofShards = folder === 'overlays/sharded' ? ['POD_NAME', 'TOTAL_SHARDS'] : [];
      expect(['NODE_OPTIONS', 'NODE_ENV', 'HOME', ...ofShards]).to.include.members(own);
    }
  });

  it('let the program reach Prometheus where the settings say it is', () => {
    const objects = objectsOf('base');
    const settings = objectsOfKind(objects, 'ConfigMap')[0]?.data ?? {};
    const { port } = new URL(parseSettings(settings).settings.prometheusUrl);
    const { egress = [] } = objectOfKind(objects, 'NetworkPolicy').spec ?? {};
    const toPrometheus = egress.filter(({ to }) => to !== undefined);
    expect(toPrometheus.map(({ ports }) => ports)).to.deep.equal([[{ port: Number(port), protocol: 'TCP' }]]);
    const dns = egress.find(({ to }) => to === undefined)?.ports;
    expect(dns).to.deep.include.members([
      { port: 53, protocol: 'UDP' },
      { port: 53, protocol: 'TCP' },
    ]);
    // More than names and Prometheus only where packages are installed.
    expect(egress).to.have.lengthOf(2);
    const egressOf = (folder: Folder) => objectOfKind(objectsOf(folder), 'NetworkPolicy').spec?.egress;
    expect(egressOf('overlays/no-image-bundled')).to.deep.equal(egress);
    expect(egressOf('overlays/prometheus-operator')).to.deep.equal(egress);
    expect(egressOf('overlays/no-image')).to.deep.equal([...egress, { ports: [{ port: 443, protocol: 'TCP' }] }]);
  });

  it('mount what is there, and nothing twice', () => {
    for (const folder of FOLDERS) {
      const pod = podOf(workloadOf(folder));
      const volumes = pod.volumes ?? [];
      const mounts = containerOf(workloadOf(folder)).volumeMounts ?? [];
      expect(volumes.map(({ name }) => name)).to.have.members(mounts.map(({ name }) => name));
      expect(new Set(mounts.map(({ mountPath }) => mountPath))).to.have.lengthOf(mounts.length);
      expect(mounts.map(({ mountPath }) => mountPath)).to.include('/tmp');
      const maps = objectsOfKind(objectsOf(folder), 'ConfigMap').map(({ metadata }) => metadata.name);
      for (const { configMap } of volumes) if (configMap) expect(maps).to.include(configMap.name);
    }
  });

  it('name the image as the placeholder with our version, or as the one of the Dockerfile', () => {
    expect(containerOf(deploymentOf('base')).image).to.equal(`k8s-anomaly-detector:${VERSION}`);
    for (const folder of ['overlays/no-image', 'overlays/no-image-bundled'] as const) {
      expect(containerOf(workloadOf(folder)).image).to.equal(readDockerfile().image);
    }
  });

  it('roll out a new pod for new code, although its ConfigMap keeps its name', () => {
    for (const folder of ['overlays/no-image', 'overlays/no-image-bundled'] as const) {
      const code = objectsOfKind(objectsOf(folder), 'ConfigMap').find(
        ({ metadata }) => metadata.name === 'anomaly-detector-code',
      );
      const checksum = code?.metadata.annotations?.['checksum/code'];
      expect(checksum).to.match(/^[0-9a-f]{64}$/);
      expect(deploymentOf(folder).spec?.template.metadata?.annotations).to.deep.equal({
        'checksum/code': checksum,
      });
    }
  });

  describe('for several shards', () => {
    const objects = () => objectsOf('overlays/sharded');
    const environmentOf = (podName: string, changed: readonly KubernetesObject[] = objects()) => {
      const { env = [] } = containerOf(objectOfKind(changed, 'StatefulSet'));
      const plain = env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]));
      const references = env.flatMap(({ name, valueFrom }) => {
        expect(valueFrom?.fieldRef?.fieldPath ?? 'metadata.name').to.equal('metadata.name');
        return valueFrom === undefined ? [] : [[name, podName] as const];
      });
      return Object.fromEntries([...plain, ...references]);
    };

    it('are the pod of the base, in a StatefulSet whose pods wait for none other', () => {
      const { spec, metadata } = objectOfKind(objects(), 'StatefulSet');
      expect(objectsOfKind(objects(), 'Deployment')).to.deep.equal([]);
      expect(spec).to.include({ podManagementPolicy: 'Parallel', serviceName: 'k8s-anomaly-detector' });
      expect(metadata.name).to.equal('k8s-anomaly-detector');
      const { containers: own, ...pod } = podOf(workloadOf('overlays/sharded'));
      const { containers: base, ...podOfBase } = podOf(deploymentOf('base'));
      expect(pod).to.deep.equal(podOfBase);
      expect({ ...own[0], env: undefined }).to.deep.equal({ ...base[0], env: undefined });
    });

    it('have a headless Service', () => {
      expect(objectOfKind(objects(), 'Service').spec?.clusterIP).to.equal('None');
    });

    it('know which they are from the name of their pod, and how many from the replicas', () => {
      const { spec, metadata } = objectOfKind(objects(), 'StatefulSet');
      const total = spec?.replicas ?? 0;
      expect(total).to.be.above(1);
      for (let ordinal = 0; ordinal < total; ordinal++) {
        const { settings } = parseSettings(environmentOf(`${metadata.name}-${ordinal}`));
        expect(settings).to.include({ shard: ordinal, totalShards: total });
      }
      expect(() => parseSettings(environmentOf(`${metadata.name}-${total}`))).to.throw('SHARD: expected');
    });

    it('are as many as stands in one place', () => {
      const file = join(deploy.path, 'kubernetes/overlays/sharded/kustomization.yaml');
      const text = readFileSync(file, 'utf8');
      expect(text.match(/count: \d+/g)).to.have.lengthOf(1);
      try {
        writeFileSync(file, text.replace(/count: \d+/, 'count: 7'));
        const changed = kustomize(dirname(file));
        expect(objectOfKind(changed, 'StatefulSet').spec?.replicas).to.equal(7);
        expect(environmentOf('x-6', changed)).to.include({ TOTAL_SHARDS: '7' });
      } finally {
        writeFileSync(file, text);
      }
    });
  });

  describe('for the Prometheus Operator', () => {
    const objects = () => objectsOf('overlays/prometheus-operator');

    it('scrape the Service by the name of its port, and keep our labels', () => {
      const [endpoint, ...others] = objectOfKind(objects(), 'ServiceMonitor').spec?.endpoints ?? [];
      expect(others).to.be.empty;
      expect(endpoint).to.include({ port: 'http', path: '/metrics', interval: '30s', honorLabels: true });
      expect(ENDPOINTS.map(({ path }) => path)).to.include(endpoint?.path);
      expect(Number.parseInt(endpoint?.scrapeTimeout ?? '', 10)).to.be.within(1, 29);
    });

    it('carry the label of the Helm release, which stands in one place', () => {
      for (const kind of ['ServiceMonitor', 'PrometheusRule'] as const) {
        expect(objectOfKind(objects(), kind).metadata.labels).to.include({
          release: 'kube-prometheus-stack',
        });
      }
      const lines = readdirSync('deploy/kubernetes', { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.yaml'))
        .flatMap((path) => readFileSync(join('deploy/kubernetes', path), 'utf8').split('\n'))
        .filter((line) => /^\s*release:/.test(line));
      expect(lines).to.have.lengthOf(1);
    });

    it('bring alert rules', () => {
      const groups = objectOfKind(objects(), 'PrometheusRule').spec?.groups ?? [];
      expect(groups.flatMap(({ rules = [] }) => rules.map(({ alert }) => alert)).filter(Boolean)).to.not.be.empty;
    });

    it('bring the dashboard, where the sidecar of Grafana looks for it, under a name that stays', () => {
      const dashboard = objectsOfKind(objects(), 'ConfigMap').find(
        ({ metadata }) => metadata.labels?.grafana_dashboard === '1',
      );
      expect(dashboard?.metadata.name).to.equal('k8s-anomaly-detector-dashboard');
      const [[file = '', text = ''] = []] = Object.entries(dashboard?.data ?? {});
      expect(file).to.match(/\.json$/);
      expect(JSON.parse(text)).to.deep.equal(JSON.parse(readFileSync('deploy/grafana/dashboard.json', 'utf8')));
    });

    it('take a secret as a file, as the README says', () => {
      const objects = buildExample('with a secret in a file');
      const { data = {} } = objectOfKind(objects, 'ConfigMap');
      const directory = dirname(data.PROMETHEUS_PASSWORD_FILE ?? '');
      expect(data).to.include({ PROMETHEUS_USERNAME: 'watcher', NAMESPACE_REGEX: '.*' });
      const mount = containerOf(objectOfKind(objects, 'Deployment')).volumeMounts?.find(
        ({ mountPath }) => mountPath === directory,
      );
      const volumes = objectOfKind(objects, 'Deployment').spec?.template.spec?.volumes ?? [];
      expect(volumes.find(({ name }) => name === mount?.name)?.secret?.secretName).to.equal('prometheus-login');
    });

    it('go together with a web configuration, as the README says', () => {
      const objects = buildExample('secured');
      const endpoint = objectOfKind(objects, 'ServiceMonitor').spec?.endpoints?.[0];
      expect(endpoint).to.deep.include({ port: 'http', scheme: 'https', honorLabels: true });
      const commands = readFileSync('deploy/kubernetes/README.md', 'utf8');
      const keysOf = (secret: string) => {
        const [, parameters = ''] = new RegExp(`create secret generic ${secret} (.*)`).exec(commands) ?? [];
        return [...parameters.matchAll(/--from-\w+=([^=\s]+)/g)].map(([, key]) => key);
      };
      const { ca, serverName } = endpoint?.tlsConfig ?? {};
      expect(serverName).to.equal('k8s-anomaly-detector');
      const { username, password } = endpoint?.basicAuth ?? {};
      for (const reference of [ca?.secret, username, password]) {
        expect(reference?.name).to.equal('k8s-anomaly-detector-scrape');
        expect(keysOf('k8s-anomaly-detector-scrape')).to.include(reference?.key);
      }

      const deployment = objectOfKind(objects, 'Deployment');
      const [volume] = podOf(deployment).volumes?.filter(({ secret }) => secret !== undefined) ?? [];
      expect(volume?.secret).to.deep.equal({ secretName: 'k8s-anomaly-detector-web', defaultMode: 0o440 });
      const mount = containerOf(deployment).volumeMounts?.find(({ name }) => name === volume?.name);
      const settings = objectsOfKind(objects, 'ConfigMap').find(({ metadata }) =>
        metadata.name.startsWith('k8s-anomaly-detector-settings-'),
      )?.data;
      const { webConfigFile, prometheusUrl } = parseSettings(settings ?? {}).settings;
      expect(webConfigFile).to.equal(`${mount?.mountPath}/${keysOf('k8s-anomaly-detector-web')[0]}`);
      expect(prometheusUrl, 'the other settings stay').to.include('prometheus');
      expect(restrictedViolations(podOf(deployment))).to.deep.equal([]);

      const { startupProbe, livenessProbe, readinessProbe } = containerOf(deployment);
      const paths = [startupProbe, livenessProbe, readinessProbe].map((probe) => {
        expect(probe?.httpGet).to.include({ scheme: 'HTTPS', port: 'http' });
        return probe?.httpGet?.path;
      });
      expect(paths).to.deep.equal(['/-/ready', '/-/healthy', '/-/ready']);
    });

    it('go together with a tuning file, in a Deployment and in shards, as the README says', () => {
      const commands = readFileSync('deploy/kubernetes/README.md', 'utf8');
      const [, name, file] = /create configmap (\S+) --from-file=(\S+)/.exec(commands) ?? [];
      for (const base of ['../../base', '../sharded']) {
        const objects = buildExample('with a tuning file', (example) => example.replace('../../base', base));
        const [workload] = objects.flatMap((object) =>
          object.kind === 'Deployment' || object.kind === 'StatefulSet' ? [object as unknown as Workload] : [],
        );
        const pods = podOf(workload ?? expect.fail('expected pods'));
        const volume = pods.volumes?.find(({ configMap }) => configMap?.name === name);
        const mount = pods.containers[0]?.volumeMounts?.find((own) => own.name === volume?.name);
        const settings = objectsOfKind(objects, 'ConfigMap').find(({ metadata }) =>
          metadata.name.startsWith('k8s-anomaly-detector-settings-'),
        )?.data;
        expect(mount).not.to.have.property('subPath');
        expect(parseSettings({ TOTAL_SHARDS: '1', ...settings }).settings.tuningFile).to.equal(
          `${mount?.mountPath}/${file}`,
        );
        expect(restrictedViolations(pods)).to.deep.equal([]);
      }
    });

    it('has probes without a request beside client certificates', () => {
      for (const base of ['prometheus-operator', 'sharded']) {
        const objects = buildExample(
          'secured',
          (example) => `${example.replace('prometheus-operator', base)}  - ../../components/tcp-probes\n`,
        );
        const kind = base === 'sharded' ? 'StatefulSet' : 'Deployment';
        const { startupProbe, livenessProbe, readinessProbe } = containerOf(objectOfKind(objects, kind));
        for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
          expect(probe).to.deep.include({ tcpSocket: { port: 'http' } });
          expect(probe).not.to.have.property('httpGet');
        }
      }
    });

    it('secures a Deployment without a ServiceMonitor as well', () => {
      const objects = buildExample('secured', (example) => example.replace('prometheus-operator', 'no-image-bundled'));
      expect(containerOf(objectOfKind(objects, 'Deployment')).volumeMounts?.map(({ name }) => name)).to.include.members(
        ['web-config', 'code'],
      );
      expect(objectsOfKind(objects, 'ServiceMonitor')).to.deep.equal([]);
    });

    it('go together with code from a ConfigMap, as the README says', () => {
      const both = buildExample('with the code');
      expect(containerOf(objectOfKind(both, 'Deployment')).image).to.equal(readDockerfile().image);
      expect(objectOfKind(both, 'ServiceMonitor').metadata.labels).to.have.property('release', 'monitoring');
    });
  });
});
