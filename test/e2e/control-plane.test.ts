import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { IPod } from 'kubernetes-models/v1';
import pLimit from 'p-limit';
import { stringify } from 'yaml';
import { CHART_FOLDER } from '../../scripts/helm-chart/values.js';
import {
  createDefinitions,
  createPrerequisites,
  createRestrictedNamespace,
  objectsIn,
  objectsOfCluster,
  permissiveDefinition,
} from '../support/admission.js';
import { CHART_MATRIX } from '../support/chart-matrix.js';
import { type ClusterCommand, clusterCommand } from '../support/cluster-commands.js';
import { type ControlPlane, requireControlPlane, startControlPlane } from '../support/control-plane.js';
import { type FakeNodes, startFakeNodes } from '../support/fake-nodes.js';
import { type FakeVolumes, startFakeVolumes } from '../support/fake-volumes.js';
import { chartObjects, EXAMPLES_FOLDER, type HelmRun, workloadOf } from '../support/helm.js';
import { copyDeployFolder, type DeployFolder, type KubernetesObject, kustomize } from '../support/kustomize.js';
import { requireFiles, requireTool } from '../support/real-tools.js';
import { eventually } from '../support/waiting.js';

const OVERLAYS = readdirSync('deploy/kubernetes/overlays');

/** Resources whose definitions are in no Go module that is served: the API server does not know their fields. */
const UNKNOWN_KINDS = [
  { group: 'helm.toolkit.fluxcd.io', version: 'v2', kind: 'HelmRelease' },
  { group: 'monitoring.googleapis.com', version: 'v1', kind: 'ClusterPodMonitoring' },
  { group: 'monitoring.googleapis.com', version: 'v1', kind: 'ClusterRules' },
];

/** For the name of a test: which fields nobody looks at. */
function unknownKindsIn(text: string): string {
  const kinds = UNKNOWN_KINDS.filter(({ group, kind }) => text.includes(group) && text.includes(kind));
  return kinds.length === 0 ? '' : ` (ANY FIELD OF ${kinds.map(({ kind }) => kind).join(' AND ')} WOULD PASS)`;
}

/** The texts of a folder. */
function textsOf(folder: string): string {
  return readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}

/** Helm asks every two seconds whether all is ready, and two cores do more than one thing meanwhile. */
const RELEASES_AT_ONCE = 3;

const RELEASE = 'k8s-anomaly-detector';
const RUNS: readonly (readonly [name: string, run: HelmRun])[] = [
  ...Object.entries(CHART_MATRIX).map(([name, values]) => [`values: ${name}`, { values }] as const),
  ...readdirSync(EXAMPLES_FOLDER).map((file) => [file, { files: [join(EXAMPLES_FOLDER, file)] }] as const),
];

/** The examples of the page about the manifests, by what their first line says they are for. */
const EXAMPLES = [
  ...readFileSync('deploy/kubernetes/README.md', 'utf8').matchAll(
    /^```yaml\n# kustomization\.yaml in a folder beside the overlays, ([^\n]*)\n(.*?)^```$/gms,
  ),
].map(([, title = '', text = '']) => ({ title, text }));

describe('what we deploy, on a real control plane whose namespaces enforce the restricted Pod Security', function () {
  this.timeout(600_000);

  let plane: ControlPlane;
  let nodes: FakeNodes;
  let volumes: FakeVolumes;
  let deploy: DeployFolder;
  let run: ClusterCommand;
  /** What is in no namespace. */
  let atFirst: readonly string[];

  before(async function () {
    requireControlPlane(this);
    requireTool(this, 'kubectl');
    requireTool(this, 'helm');
    const operator = requireFiles(this, 'prometheus-operator-crds');
    const monitors = join(operator, 'monitoring.coreos.com_servicemonitors.yaml');
    const definitions = [
      monitors,
      join(operator, 'monitoring.coreos.com_prometheusrules.yaml'),
      join(requireFiles(this, 'argo-cd-crds'), 'application-crd.yaml'),
      join(requireFiles(this, 'flux-source-crds'), 'source.toolkit.fluxcd.io_gitrepositories.yaml'),
      join(requireFiles(this, 'flux-kustomize-crds'), 'kustomize.toolkit.fluxcd.io_kustomizations.yaml'),
    ];
    deploy = copyDeployFolder();
    plane = await startControlPlane();
    run = clusterCommand(plane.kubeconfig);
    const zone = (name: string) => ({ 'topology.kubernetes.io/zone': name });
    nodes = await startFakeNodes(plane.api, [
      { name: 'node-a', labels: zone('a') },
      { name: 'node-b', labels: zone('b') },
    ]);
    volumes = startFakeVolumes(plane.api);
    const permissive = join(deploy.path, 'permissive.json');
    const items = UNKNOWN_KINDS.map(permissiveDefinition);
    writeFileSync(permissive, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    // Azure's is the one of the Prometheus Operator in another group.
    const azure = join(deploy.path, 'azure.yaml');
    writeFileSync(azure, readFileSync(monitors, 'utf8').replaceAll('monitoring.coreos.com', 'azmonitoring.coreos.com'));
    await createDefinitions(run, [...definitions, azure, permissive]);
    // Named by values.
    await plane.api.create('/apis/scheduling.k8s.io/v1/priorityclasses', {
      metadata: { name: 'monitoring' },
      value: 1,
    });
    atFirst = await objectsOfCluster(run);
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.error(plane?.logs());
  });
  after(async () => {
    await volumes?.close();
    await nodes?.close();
    await plane?.close();
    deploy?.remove();
  });

  const podsIn = async (namespace: string) => {
    const { items } = await plane.api.get<{ items: readonly IPod[] }>(`/api/v1/namespaces/${namespace}/pods`);
    return items.map(({ metadata }) => metadata?.uid).sort();
  };
  const untilRolledOut = async (namespace: string, objects: readonly KubernetesObject[]) => {
    const { kind, metadata } = workloadOf(objects);
    const name = `${kind}/${metadata.name}`;
    await run('kubectl', ['rollout', 'status', name, '--namespace', namespace, '--timeout=180s']);
  };

  /** An autoscaler that wants two pods, whatever they do. */
  async function autoscale(namespace: string): Promise<void> {
    await plane.api.create(`/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`, {
      metadata: { name: 'pods' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: RELEASE },
        minReplicas: 2,
        maxReplicas: 3,
      },
    });
    await eventually(async () => expect(await podsIn(namespace)).to.have.lengthOf(2));
  }

  describe('the manifests', () => {
    /** Applies a folder as several people and controllers do, one after the other, and deletes it. */
    async function comeAndGo(name: string, folder: string): Promise<void> {
      const objects = kustomize(folder);
      // Some have a namespace of their own.
      const fixed = workloadOf(objects).metadata.namespace;
      const namespace = fixed ?? name;
      await createRestrictedNamespace(plane, namespace);
      const place = fixed === undefined ? ['--namespace', namespace, '-k', folder] : ['-k', folder];
      await run('kubectl', ['apply', '--server-side', '--dry-run=server', ...place]);
      expect(await objectsIn(run, namespace)).to.deep.equal([]);
      await run('kubectl', ['apply', '--server-side', ...place]);
      await untilRolledOut(namespace, objects);
      await run('kubectl', ['diff', '--server-side', ...place]);
      const pods = await podsIn(namespace);
      expect(pods).to.not.be.empty;
      await run('kubectl', ['apply', '--server-side', '--field-manager=argocd-controller', ...place]);
      await run('kubectl', ['diff', '--server-side', ...place]);
      expect(await podsIn(namespace), 'the same pods').to.deep.equal(pods);
      await run('kubectl', ['delete', '--wait', ...place]);
      expect(await objectsIn(run, namespace)).to.deep.equal([]);
    }

    for (const overlay of OVERLAYS) {
      const folder = join('kubernetes/overlays', overlay);
      const unknown = unknownKindsIn(textsOf(join('deploy', folder)));
      it(`of the overlay ${overlay} are admitted, run, are the same for a second field manager, and go${unknown}`, () =>
        comeAndGo(overlay, join(deploy.path, folder)));
    }

    it('are not applied over the number of pods that an autoscaler wants, without a word', async () => {
      const place = ['--namespace=autoscaled', '-k', join(deploy.path, 'kubernetes/base')];
      await createRestrictedNamespace(plane, 'autoscaled');
      await run('kubectl', ['apply', '--server-side', ...place]);
      await autoscale('autoscaled');
      const outcome = await run('kubectl', ['apply', '--server-side', ...place]).catch(({ message }: Error) => message);
      expect(outcome).to.include('conflict').and.to.include('.spec.replicas');
      expect(await podsIn('autoscaled')).to.have.lengthOf(2);
      await run('kubectl', ['delete', '--wait', ...place]);
    });

    for (const [index, { title, text }] of EXAMPLES.entries()) {
      it(`of the example ${title} are admitted, run, are the same for a second field manager, and go`, () => {
        const folder = join(deploy.path, `kubernetes/overlays/example-${index}`);
        mkdirSync(folder);
        writeFileSync(join(folder, 'kustomization.yaml'), text);
        return comeAndGo(`example-${index}`, folder);
      });
    }
  });

  describe('the Helm chart', () => {
    interface Release {
      readonly namespace: string;
      /** The arguments that name it, its chart and its values. */
      readonly all: readonly string[];
      readonly objects: readonly KubernetesObject[];
      /** What was in the namespace before. */
      readonly before: readonly string[];
    }

    /** Makes a namespace for a release, with all that its values refer to. */
    async function place(namespace: string, { values = {}, files = [] }: HelmRun): Promise<Release> {
      await createRestrictedNamespace(plane, namespace);
      const objects = chartObjects({ values, files });
      await createPrerequisites(plane, namespace, objects);
      const file = join(deploy.path, `${namespace}.yaml`);
      writeFileSync(file, stringify(values, { version: '1.1' }));
      return {
        namespace,
        all: [RELEASE, CHART_FOLDER, ...[...files, file].map((path) => `--values=${path}`)],
        objects,
        before: await objectsIn(run, namespace),
      };
    }
    const helm = (namespace: string, ...parameters: readonly string[]) =>
      run('helm', [...parameters, '--namespace', namespace]);
    const ready = ['--wait', '--timeout=5m'];

    /** What Argo CD would show as drift: it takes over the fields. */
    async function expectNoDrift(namespace: string): Promise<void> {
      const { stdout: input } = await helm(namespace, 'get', 'manifest', RELEASE);
      const manager = ['--server-side', '--force-conflicts', '--field-manager=argocd-controller'];
      await run('kubectl', ['diff', ...manager, '--namespace', namespace, '-f', '-'], { input });
    }

    async function uninstall({ namespace, objects, before }: Release): Promise<void> {
      await helm(namespace, 'uninstall', RELEASE, ...ready);
      const { kind, metadata } = workloadOf(objects);
      // Kubernetes keeps them: another release of the same name goes on with them.
      const ofShards = new RegExp(`^persistentvolumeclaim/\\w+-${metadata.name}-\\d+$`);
      const left = await objectsIn(run, namespace);
      expect(left.filter((name) => kind !== 'StatefulSet' || !ofShards.test(name))).to.deep.equal(before);
    }

    /** Installs, upgrades to the same, and uninstalls. */
    async function comeAndGo(namespace: string, values: HelmRun): Promise<void> {
      const release = await place(namespace, values);
      await helm(namespace, 'install', ...release.all, ...ready);
      await expectNoDrift(namespace);
      const pods = await podsIn(namespace);
      expect(pods).to.not.be.empty;
      await helm(namespace, 'upgrade', ...release.all, ...ready);
      await expectNoDrift(namespace);
      expect(await podsIn(namespace), 'the same pods').to.deep.equal(pods);
      await uninstall(release);
    }

    const outcomes = new Map<string, Promise<void>>();
    before(() => {
      const atOnce = pLimit(RELEASES_AT_ONCE);
      for (const [index, [name, values]] of RUNS.entries()) {
        const outcome = atOnce(() => comeAndGo(`chart-${index}`, values));
        // The test with this name waits for it.
        outcome.catch(() => undefined);
        outcomes.set(name, outcome);
      }
    });

    for (const [name, { files = [] }] of RUNS) {
      const unknown = unknownKindsIn(files.map((file) => readFileSync(file, 'utf8')).join());
      it(`with ${name} is installed and ready, upgraded to the same, and leaves nothing${unknown}`, () =>
        outcomes.get(name));
    }

    it('leaves the number of pods to an autoscaler where the values say so', async () => {
      const release = await place('autoscaled-chart', { values: { replicas: null } });
      const { namespace } = release;
      await helm(namespace, 'install', ...release.all, ...ready);
      await autoscale(namespace);
      await helm(namespace, 'upgrade', ...release.all, ...ready);
      expect(await podsIn(namespace)).to.have.lengthOf(2);
      await expectNoDrift(namespace);
      await run('kubectl', ['delete', 'horizontalpodautoscaler', 'pods', '--namespace', namespace]);
      await uninstall(release);
    });

    for (const [name, values] of Object.entries({ 'a Deployment': {}, shards: { shards: 3 } })) {
      it(`replaces pods for other settings, and takes that back, in ${name}`, async () => {
        const namespace = `rollback-${name.replace(' ', '-').toLowerCase()}`;
        const release = await place(namespace, { values });
        await helm(namespace, 'install', ...release.all, ...ready);
        const { stdout: manifest } = await helm(namespace, 'get', 'manifest', RELEASE);
        const first = await podsIn(namespace);

        await helm(namespace, 'upgrade', ...release.all, '--set=settings.NAMESPACE_REGEX=shop', ...ready);
        await untilRolledOut(namespace, release.objects);
        await expectNoDrift(namespace);
        const second = await podsIn(namespace);
        expect(second).to.have.lengthOf(first.length);
        expect(second.filter((uid) => first.includes(uid))).to.deep.equal([]);

        await helm(namespace, 'rollback', RELEASE, '1', ...ready);
        await untilRolledOut(namespace, release.objects);
        expect((await helm(namespace, 'get', 'manifest', RELEASE)).stdout).to.equal(manifest);
        await expectNoDrift(namespace);
        await uninstall(release);
      });
    }
  });

  describe('the examples for GitOps', () => {
    before(async () => {
      for (const namespace of ['argocd', 'monitoring']) await createRestrictedNamespace(plane, namespace);
    });
    const apply = (file: string) => run('kubectl', ['apply', '--server-side', '-f', join('deploy/gitops', file)]);

    it('are admitted by the definitions of Argo CD', async () => {
      await apply('argo-cd/helm.yaml');
      await apply('argo-cd/kustomize.yaml');
      await apply('argo-cd/no-image.yaml');
    });

    it('are admitted by the definitions of Flux', async () => {
      await apply('flux/kustomize.yaml');
      await apply('flux/no-image.yaml');
    });

    it(`are taken by Flux's source controller${unknownKindsIn(readFileSync('deploy/gitops/flux/helm.yaml', 'utf8'))}`, () =>
      apply('flux/helm.yaml'));
  });

  describe('all of it', () => {
    it('leaves nothing outside of namespaces', async () => {
      const left = (await objectsOfCluster(run)).filter((name) => !atFirst.includes(name));
      expect(left).to.deep.equal([]);
    });
  });

  describe('this test', () => {
    const outcomeOf = (namespace: string, object: object) =>
      run('kubectl', ['apply', '--server-side', '--namespace', namespace, '-f', '-'], {
        input: JSON.stringify(object),
      }).then(
        () => 'admitted',
        ({ message }: Error) => message,
      );
    const metadata = { name: 'wrong' };
    before(() => createRestrictedNamespace(plane, 'wrong'));

    it('finds pods that Pod Security does not admit, fields that are unknown, and fields that are deprecated', async () => {
      const spec = { containers: [{ name: 'main', image: 'example.org/main:1' }] };
      const labels = { app: 'wrong' };
      const deployment = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } };
      expect(
        await outcomeOf('wrong', { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: deployment }),
      ).to.include('would violate PodSecurity "restricted:latest"');
      expect(await outcomeOf('wrong', { apiVersion: 'v1', kind: 'ConfigMap', metadata, dada: {} })).to.include('dada');
      const monitor = { selector: {}, endpoints: [{ prot: 'http' }] };
      const group = 'monitoring.coreos.com/v1';
      expect(
        await outcomeOf('wrong', { apiVersion: group, kind: 'ServiceMonitor', metadata, spec: monitor }),
      ).to.include('prot');
      const budget = { apiVersion: 'v1', kind: 'Endpoints', metadata };
      expect(await outcomeOf('wrong', budget)).to.include('deprecated');
    });

    it('finds a ConfigMap that etcd would not take', async () => {
      const data = { 'code.tar.gz': 'x'.repeat(2 ** 20 + 1) };
      expect(await outcomeOf('wrong', { apiVersion: 'v1', kind: 'ConfigMap', metadata, data })).to.include('1048576');
    });

    it('finds what changed and what is left', async () => {
      await run('kubectl', ['create', 'configmap', 'left', '--namespace=wrong', '--from-literal=a=1']);
      expect(await objectsIn(run, 'wrong')).to.include('configmap/left');
      const input = JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'left' },
        data: { a: '2' },
      });
      const options = ['--server-side', '--force-conflicts', '--namespace=wrong', '-f', '-'];
      const outcome = await run('kubectl', ['diff', ...options], { input }).catch(({ message }: Error) => message);
      expect(outcome).to.include('+  a: "2"');
    });
  });
});
