import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { parse, stringify } from 'yaml';
import { CHART_FOLDER } from '../../scripts/helm-chart/values.js';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { SETTINGS } from '../../src/exporter/config/settings.js';
import { VERSION } from '../../src/exporter/version.js';
import { CHART_MATRIX } from '../support/chart-matrix.js';
import {
  type ChartValues,
  chartNotes,
  chartObjects,
  containerOf,
  EXAMPLES_FOLDER,
  helm,
  podOf,
  settingsOf,
  workloadOf,
} from '../support/helm.js';
import {
  type KubernetesObject,
  objectOfKind,
  objectsOfKind,
  schemaErrors,
  unknownFields,
} from '../support/kustomize.js';
import { restrictedViolations } from '../support/pod-security.js';
import { requireTool } from '../support/real-tools.js';

const examples = readdirSync(EXAMPLES_FOLDER);

describe('the Helm chart', function () {
  this.timeout(300_000);

  const built = new Map<string, readonly KubernetesObject[]>();
  const objectsOf = (name: string) => built.get(name) ?? expect.fail(`Expected values for ${name}.`);

  before(function () {
    requireTool(this, 'helm');
    for (const [name, values] of Object.entries(CHART_MATRIX)) built.set(name, chartObjects({ values }));
    for (const file of examples) built.set(file, chartObjects({ files: [join(EXAMPLES_FOLDER, file)] }));
  });

  describe('with many values', () => {
    it('passes `helm lint --strict`', () => {
      const runs = [
        ...Object.values(CHART_MATRIX).map((values) => ({ values })),
        ...examples.map((file) => ({ files: [join(EXAMPLES_FOLDER, file)] })),
      ];
      for (const run of runs) {
        const { status, output } = helm('lint', { ...run, options: ['--strict'] });
        expect(status, output).to.equal(0);
      }
    });

    it('makes the same with Helm 3, and rejects the same', function () {
      requireTool(this, 'helm-3');
      for (const [name, values] of Object.entries(CHART_MATRIX)) {
        expect(chartObjects({ values, program: 'helm-3' }), name).to.have.deep.members([...objectsOf(name)]);
      }
      for (const file of examples) {
        const run = { files: [join(EXAMPLES_FOLDER, file)], program: 'helm-3' } as const;
        expect(chartObjects(run), file).to.have.deep.members([...objectsOf(file)]);
      }
      const rejected: readonly ChartValues[] = [
        { misspelt: 1 },
        { settings: { ANOMALY_SENSITIVITY: 'high', EXPLAIN: 'some', CPU_RATE_WINDOW: '0s' } },
        { settings: { ANOMALY_SENSITIVITY: '41' } },
        { shards: 2, replicas: 2 },
      ];
      for (const values of rejected) {
        const [ours, theirs] = (['helm', 'helm-3'] as const).map((program) => {
          const { status, output } = helm('template', { values, program });
          expect(status).to.not.equal(0);
          return [...output.matchAll(/at '[^']*'|Expected [^\n]*/g)].map(([part]) => part).sort();
        });
        expect(ours).to.deep.equal(theirs);
        expect(ours).to.not.be.empty;
      }
    });

    it('makes objects that follow the schemas of the API', () => {
      for (const [name, objects] of built) expect(schemaErrors(objects), name).to.deep.equal([]);
    });

    it('makes no field that the API does not know', () => {
      expect(unknownFields([...built.values()].flat())).to.deep.equal([]);
    });

    it('labels all objects and pods, and selects by labels that no release changes', () => {
      for (const [name, objects] of built) {
        const workload = workloadOf(objects);
        const podLabels = workload.spec?.template.metadata?.labels;
        const service = objectOfKind(objects, 'Service');
        for (const { kind, metadata } of objects) {
          expect(metadata.labels, `${name}: ${kind}`).to.include({
            'app.kubernetes.io/name': 'k8s-anomaly-detector',
            'app.kubernetes.io/instance': 'k8s-anomaly-detector',
            'app.kubernetes.io/version': VERSION,
            'app.kubernetes.io/managed-by': 'Helm',
            'helm.sh/chart': `k8s-anomaly-detector-${VERSION}`,
          });
          expect(metadata.namespace, `${name}: ${kind}`).to.equal(
            kind.startsWith('Cluster') ? undefined : 'monitoring',
          );
        }
        const selectors = [
          workload.spec?.selector.matchLabels,
          service.spec?.selector,
          ...objectsOfKind(objects, 'NetworkPolicy').map(({ spec }) => spec?.podSelector?.matchLabels),
          ...objectsOfKind(objects, 'PodDisruptionBudget').map(({ spec }) => spec?.selector?.matchLabels),
          ...(podOf(objects).topologySpreadConstraints ?? []).map(({ labelSelector }) => labelSelector?.matchLabels),
        ];
        for (const selector of selectors) {
          expect(selector, name).to.have.all.keys('app.kubernetes.io/name', 'app.kubernetes.io/instance');
          expect(podLabels).to.include(selector);
        }
        for (const { spec } of objectsOfKind(objects, 'ServiceMonitor')) {
          expect(service.metadata.labels).to.include(spec?.selector.matchLabels);
          // The alerts select this job.
          expect(service.metadata.labels?.[spec?.jobLabel ?? '']).to.equal('k8s-anomaly-detector');
          expect(spec?.endpoints?.[0]).to.include({ honorLabels: true, port: 'http', path: '/metrics' });
        }
      }
    });

    it('puts labels and annotations of the values on the objects that they are for', () => {
      const objects = objectsOf('labels and annotations');
      for (const { kind, metadata } of objects) {
        expect(metadata.labels, kind).to.include({ team: 'platform' });
        expect(metadata.annotations, kind).to.include({ 'example.org/contact': 'platform' });
        if (kind === 'ConfigMap') continue;
        // The common ones and one of its own at least.
        expect(Object.keys(metadata.annotations ?? {}), kind).to.have.length.above(1);
        expect(Object.keys(metadata.labels ?? {}), kind).to.have.length.above(8);
      }
      const { labels, annotations } = workloadOf(objects).spec?.template.metadata ?? {};
      expect(labels).to.include({ team: 'platform', 'example.org/sidecar': 'off' });
      expect(annotations).to.include({ 'example.org/contact': 'platform', 'example.org/log': 'json' });
      const kinds = new Set(objects.map(({ kind }) => kind));
      expect(kinds.size).to.equal(12);
      const { subjects } = objectOfKind(objects, 'ClusterRoleBinding');
      expect(subjects?.map(({ namespace }) => namespace)).to.deep.equal(['monitoring']);
    });

    it('passes the restricted profile of Pod Security', () => {
      for (const [name, objects] of built) expect(restrictedViolations(podOf(objects)), name).to.deep.equal([]);
    });

    it('is asked for code from a ConfigMap, and told its Prometheus, by the command of the README', () => {
      const readme = readFileSync('README.md', 'utf8');
      const [, flags = ''] = /^helm install (?:\S+ ){2}-n monitoring (--set .*?)^```$/ms.exec(readme) ?? [];
      const objects = chartObjects({ options: flags.split(/\s+\\?\s*/).filter(Boolean) });
      expect(settingsOf(objects).PROMETHEUS_URL).to.equal('http://prometheus-operated.monitoring:9090');
      const [, made = ''] = /-f (deploy\/\S+\/code-from\S+)/.exec(readme) ?? [];
      expect(dirname(made)).to.equal('deploy/kubernetes/components/no-image-bundled');
      const names = podOf(objects).volumes?.map(({ configMap }) => configMap?.name);
      expect(names).to.include('anomaly-detector-code');
    });

    it('leaves the user to OpenShift, or everything, where security contexts are emptied', () => {
      const { securityContext } = podOf(objectsOf('openshift.yaml'));
      expect(securityContext).to.deep.equal({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      const emptied = chartObjects({ values: { podSecurityContext: null, securityContext: null } });
      expect(podOf(emptied).securityContext).to.equal(undefined);
      expect(containerOf(emptied).securityContext).to.equal(undefined);
    });

    it('mounts what is there, and nothing twice', () => {
      for (const [name, objects] of built) {
        const claims = objectsOfKind(objects, 'StatefulSet').flatMap(({ spec }) => spec?.volumeClaimTemplates ?? []);
        const volumes = [
          ...(podOf(objects).volumes ?? []),
          ...claims.map(({ metadata }) => ({ name: metadata?.name })),
        ];
        const mounts = containerOf(objects).volumeMounts ?? [];
        expect(
          volumes.map((volume) => volume.name),
          name,
        ).to.have.members(mounts.map((mount) => mount.name));
        expect(new Set(mounts.map(({ mountPath }) => mountPath)), name).to.have.lengthOf(mounts.length);
      }
    });

    it('sets what the program accepts, and only that', () => {
      for (const [name, objects] of built) {
        const settings = Object.fromEntries(
          // What is read from files is not here.
          Object.entries(settingsOf(objects)).filter(([key]) => !/^PROMETHEUS_.*_FILE$/.test(key)),
        );
        expect(parseSettings(settings).warnings, name).to.deep.equal([]);
      }
    });

    it('gives settings, features, tuning and the web configuration as files where the settings say', () => {
      const objects = objectsOf('files');
      const settings = settingsOf(objects);
      const mounted = (path: string | undefined) => {
        const mount = containerOf(objects).volumeMounts?.find(({ mountPath }) => path?.startsWith(`${mountPath}/`));
        return podOf(objects).volumes?.find(({ name }) => name === mount?.name);
      };
      expect(mounted(settings.PROMETHEUS_BEARER_TOKEN_FILE)?.secret?.secretName).to.equal('login');
      expect(settings.PROMETHEUS_BEARER_TOKEN_FILE).to.match(/\/token$/);
      expect(mounted(settings.PROMETHEUS_CA_FILE)?.configMap?.name).to.equal('ca');
      for (const [variable, key] of [
        ['FEATURES_FILE', 'features.yaml'],
        ['TUNING_FILE', 'tuning.yaml'],
      ] as const) {
        const map = objectsOfKind(objects, 'ConfigMap').find(
          ({ metadata }) => metadata.name === mounted(settings[variable])?.configMap?.name,
        );
        expect(settings[variable]).to.match(new RegExp(`/${key}$`));
        expect(map?.data?.[key]).to.equal(readFileSync(`deploy/examples/${key}`, 'utf8'));
      }
      expect(containerOf(objects).envFrom?.map(({ secretRef }) => secretRef)).to.deep.include({
        name: 'more-settings',
      });
      const existing = podOf(objectsOf('existing files')).volumes ?? [];
      expect(existing.map(({ configMap }) => configMap?.name)).to.include.members(['features', 'tuning']);
    });

    it('puts a certificate and the configuration that names it into one folder', () => {
      const objects = objectsOf('a certificate with a configuration');
      const sources = podOf(objects).volumes?.find(({ name }) => name === 'web-config')?.projected?.sources ?? [];
      expect(sources.map(({ secret }) => secret?.name).filter(Boolean)).to.deep.equal(['certificate']);
      const [name] = sources.flatMap(({ configMap }) => configMap?.name ?? []);
      const map = objectsOfKind(objects, 'ConfigMap').find(({ metadata }) => metadata.name === name);
      expect(map?.data?.['web-config.yaml']).to.equal('tls_server_config: { cert_file: tls.crt, key_file: tls.key }');
      expect(settingsOf(objects).WEB_CONFIG_FILE).to.match(/\/web-config\.yaml$/);
      expect(containerOf(objects).livenessProbe?.httpGet?.scheme).to.equal('HTTPS');
      expect(objectOfKind(objects, 'ClusterPodMonitoring').spec.endpoints[0]?.scheme).to.equal('https');
    });

    it('only looks at the port where the kubelet lacks a client certificate', () => {
      const { startupProbe, livenessProbe, readinessProbe } = containerOf(objectsOf('existing files'));
      for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
        expect(probe?.tcpSocket).to.deep.equal({ port: 'http' });
        expect(probe).to.not.have.property('httpGet');
      }
    });

    it('replaces pods for new settings, features and code, and not for new tuning', () => {
      const annotationsOf = (values: ChartValues) =>
        workloadOf(chartObjects({ values })).spec?.template.metadata?.annotations;
      const before = annotationsOf({});
      expect(annotationsOf({ settings: { NAMESPACE_REGEX: 'shop' } })).to.not.deep.equal(before);
      const content = (text: string) => ({ content: text });
      expect(annotationsOf({ featureFile: content('a') })).to.not.deep.equal(
        annotationsOf({ featureFile: content('b') }),
      );
      expect(annotationsOf({ tuningFile: content('a') })).to.deep.equal(annotationsOf({ tuningFile: content('b') }));
      const code = { enabled: true, checksum: '12345678' };
      expect(annotationsOf({ code })).to.include({ 'checksum/code': '12345678' });
    });

    it('ends the old pod first where only one can have the volume', () => {
      const strategyOf = (name: string) => objectOfKind(objectsOf(name), 'Deployment').spec?.strategy?.type;
      expect(strategyOf('defaults')).to.equal('RollingUpdate');
      expect(strategyOf('labels and annotations')).to.equal('Recreate');
      expect(strategyOf('an existing volume')).to.equal('Recreate');
      expect(strategyOf('a volume')).to.equal('RollingUpdate');
      const claim = objectOfKind(objectsOf('a volume'), 'PersistentVolumeClaim');
      expect(claim.spec).to.deep.include({ storageClassName: 'fast', accessModes: ['ReadWriteMany'] });
      expect(podOf(objectsOf('a volume')).volumes).to.deep.include({
        name: 'model',
        persistentVolumeClaim: { claimName: claim.metadata.name },
      });
      expect(objectsOfKind(objectsOf('an existing volume'), 'PersistentVolumeClaim')).to.deep.equal([]);
    });

    it('gives the heap three quarters of the memory limit, unless the options of Node.js are given', () => {
      const optionsOf = (values: ChartValues) =>
        containerOf(chartObjects({ values })).env?.find(({ name }) => name === 'NODE_OPTIONS')?.value;
      const limited = (memory: string) => ({ resources: { limits: { memory } } });
      expect(optionsOf(limited('512Mi'))).to.equal('--max-old-space-size=384');
      expect(optionsOf(limited('1.5Gi'))).to.equal('--max-old-space-size=1152');
      expect(optionsOf(limited('2G'))).to.equal('--max-old-space-size=1430');
      expect(optionsOf(limited('1073741824'))).to.equal('--max-old-space-size=768');
      expect(containerOf(objectsOf('little of everything')).env).to.equal(undefined);
      expect(optionsOf({ extraEnv: [{ name: 'NODE_OPTIONS', value: '--x' }] })).to.equal('--x');
    });

    it('leaves out alerts that are disabled, and no others', () => {
      const rulesOf = (disabledAlerts: readonly string[]) => {
        const own = { enabled: true, disabledAlerts };
        const objects = chartObjects({ values: { prometheusRule: own, clusterRules: own } });
        const groups = objectOfKind(objects, 'PrometheusRule').spec?.groups ?? [];
        expect(objectOfKind(objects, 'ClusterRules').spec.groups).to.deep.equal(groups);
        return groups;
      };
      const all = rulesOf([]);
      expect(rulesOf(['AnomalyModelStale', 'PodMemoryFull'])).to.deep.equal(
        all.map(({ rules = [], ...group }) => ({
          ...group,
          rules: rules.filter(({ alert }) => !/^(?:AnomalyModelStale|PodMemoryFull)$/.test(alert ?? '')),
        })),
      );
      expect(JSON.stringify(all)).to.include('"alert":"AnomalyModelStale"').and.to.include('"alert":"PodMemoryFull"');
    });

    it('names its objects by the release', () => {
      const nameOf = (release: string, values: ChartValues = {}) =>
        workloadOf(chartObjects({ release, values })).metadata.name;
      expect(nameOf('k8s-anomaly-detector-eu')).to.equal('k8s-anomaly-detector-eu');
      expect(nameOf('pods')).to.equal('pods-k8s-anomaly-detector');
      expect(nameOf('pods', { fullnameOverride: 'watcher' })).to.equal('watcher');
      // The longest name of a release. Pods of a StatefulSet have labels with its name and eleven more characters.
      expect(nameOf('r'.repeat(53)).length).to.be.at.most(52);
    });
  });

  it('is installed as a part of another chart, under another name too', () => {
    const parent = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-parent-'));
    try {
      mkdirSync(join(parent, 'charts'));
      execFileSync('helm', ['package', CHART_FOLDER, '--destination', join(parent, 'charts')], { stdio: 'pipe' });
      const dependency = { name: 'k8s-anomaly-detector', version: VERSION, alias: 'pods', condition: 'pods.enabled' };
      writeFileSync(
        join(parent, 'Chart.yaml'),
        stringify({ apiVersion: 'v2', name: 'parent', version: '1.0.0', dependencies: [dependency] }),
      );
      const values = { global: { region: 'eu' }, pods: { enabled: true, serviceMonitor: { enabled: true } } };
      const objects = chartObjects({ chart: parent, release: 'all', values });
      expect(schemaErrors(objects)).to.deep.equal([]);
      expect(workloadOf(objects).metadata.name).to.equal('all-k8s-anomaly-detector');
      expect(objectOfKind(objects, 'Service').metadata.labels).to.include({
        'app.kubernetes.io/name': 'k8s-anomaly-detector',
      });
      expect(chartObjects({ chart: parent, values: { pods: { enabled: false } } }).filter(Boolean)).to.deep.equal([]);
      const misspelled = helm('template', { chart: parent, values: { pods: { misspelt: 1 } } });
      expect(misspelled.output).to.include("'misspelt' not allowed");
    } finally {
      rmSync(parent, { recursive: true, force: true });
    }
  });

  describe('says what to do next', () => {
    it('for each way to run it', () => {
      const notes = chartNotes();
      expect(notes).to.include('WARNING: the image is a placeholder.');
      expect(notes).to.include('exec deployment/k8s-anomaly-detector -c exporter -- node dist/src/main.js check');
      expect(notes).to.include('port-forward service/k8s-anomaly-detector 8000:8000');
      expect(notes).to.match(/honor_labels: true.*targets: \["k8s-anomaly-detector\.monitoring:8000"\]/s);
      expect(notes).to.include('NetworkPolicy');

      const quiet = chartNotes({
        values: {
          image: { repository: 'registry.example.org/detector' },
          networkPolicy: { enabled: false },
          serviceMonitor: { enabled: true },
          prometheusRule: { enabled: true },
        },
      });
      expect(quiet).to.not.match(/WARNING|NetworkPolicy|honor_labels|backtest/);
      expect(quiet).to.include('up{job="k8s-anomaly-detector"}');

      const sharded = chartNotes({ release: 'pods', values: { shards: 2, webConfig: { existingSecret: 'web' } } });
      expect(sharded).to.include('port-forward pod/pods-k8s-anomaly-detector-0 8000:8000');
      expect(sharded).to.include('https://localhost:8000/').and.to.include('role: endpointslice');
    });

    it('for what each platform scrapes and evaluates, and admits', () => {
      const notesOf = (file: string, release?: string) =>
        chartNotes({ files: [join(EXAMPLES_FOLDER, file)], ...(release !== undefined && { release }) });
      const google = notesOf('gke.yaml');
      expect(google).to.include('up{job="k8s-anomaly-detector"} is 1');
      expect(google).to.not.match(/honor_labels|backtest|selects? the job|admits only the pods|port 9090/);
      expect(google).to.include('networkPolicy.extraIngress');
      const otherName = notesOf('gke.yaml', 'pods');
      expect(otherName).to.include('up{job="pods-k8s-anomaly-detector"} is 1');
      expect(otherName).to.match(/WARNING: .*fullnameOverride=k8s-anomaly-detector\./s);
      for (const file of ['openshift.yaml', 'eks.yaml', 'aks.yaml']) {
        expect(notesOf(file), file).to.not.match(/admits only the pods|port 9090/);
      }
    });

    it('with where the address of Prometheus comes from', () => {
      const title = (values: ChartValues) => chartNotes({ values }).split(/\n\n(?!WARNING: without)/)[0] ?? '';
      const withUrl = (url: unknown): ChartValues => ({ settings: { PROMETHEUS_URL: url } });
      expect(title(withUrl('http://a:9090'))).to.match(/that Prometheus knows: http:\/\/a:9090$/);
      for (const values of [withUrl(''), withUrl(null), { settings: null }]) {
        expect(title(values)).to.match(
          /knows\. PROMETHEUS_URL comes from the Secret k8s-anomaly-detector\.\n\nWARNING: .*-n monitoring create secret/s,
        );
        expect(title(values)).to.include(`the exporter queries ${SETTINGS.prometheusUrl.default}. `);
      }
      expect(title({ settings: null, existingSecret: 'a' })).to.match(/PROMETHEUS_URL comes from the Secret a\.$/);
      const file = { settingFiles: { PROMETHEUS_URL_FILE: { secret: 'a', key: 'b' } } };
      for (const values of [{ settings: null, ...file }, file]) {
        expect(title(values)).to.match(/that Prometheus knows\.$/);
        expect(settingsOf(chartObjects({ values }))).to.have.property('PROMETHEUS_URL_FILE');
        expect(settingsOf(chartObjects({ values }))).to.not.have.property('PROMETHEUS_URL');
      }
    });

    it('with a scrape configuration that keeps our labels, for one pod and for several', () => {
      const jobsOf = (values: ChartValues) => {
        const [, block = ''] = /^( {2}- job_name: .*(?:\n {4}.*)*)$/m.exec(chartNotes({ values })) ?? [];
        return parse(block) as readonly Readonly<Record<string, unknown>>[];
      };
      const job = { job_name: 'k8s-anomaly-detector', honor_labels: true };
      expect(jobsOf({})).to.deep.equal([
        { ...job, static_configs: [{ targets: ['k8s-anomaly-detector.monitoring:8000'] }] },
      ]);
      for (const [values, service] of [
        [{ replicas: 2 }, 'k8s-anomaly-detector'],
        [{ shards: 2 }, 'k8s-anomaly-detector-shards'],
      ] as const) {
        expect(objectOfKind(chartObjects({ values }), 'Service').metadata.name).to.equal(service);
        const ofService = { source_labels: ['__meta_kubernetes_service_name'], regex: service, action: 'keep' };
        const discovery = { role: 'endpointslice', namespaces: { names: ['monitoring'] } };
        expect(jobsOf(values)).to.deep.equal([
          { ...job, kubernetes_sd_configs: [discovery], relabel_configs: [ofService] },
        ]);
      }
    });

    it('with commands that exist', () => {
      const { scripts } = parse(readFileSync('package.json', 'utf8')) as { scripts: object };
      for (const packages of ['bundled', 'installed']) {
        const notes = chartNotes({ values: { code: { enabled: true, packages } } });
        const [, script = '', path = ''] = /npm run (configmap\S*)\n.* -f (\S+)/.exec(notes) ?? [];
        expect(scripts).to.have.property(script);
        const folder = packages === 'bundled' ? 'no-image-bundled' : 'no-image';
        const resources = parse(readFileSync(`deploy/kubernetes/components/${folder}/kustomization.yaml`, 'utf8')) as {
          resources: readonly string[];
        };
        expect(path).to.equal(`deploy/kubernetes/components/${folder}/${resources.resources[0]}`);
      }
    });
  });
});
