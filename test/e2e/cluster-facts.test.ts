import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { IJob } from 'kubernetes-models/batch/v1';
import type { INode, IPod } from 'kubernetes-models/v1';
import { workloadFromName } from '../../src/exporter/features/workload.js';
import { revisionOf } from '../../src/exporter/history/release.js';
import { KEY_PREFIX, OBJECT_KINDS, TUNING_KEYS } from '../../src/exporter/tuning/annotation-query.js';
import { tuningOfObjects } from '../../src/exporter/tuning/annotations.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import {
  cronJob,
  daemonSet,
  deployment,
  job,
  namespace,
  pod,
  replicaSet,
  statefulSet,
} from '../support/cluster-objects.js';
import { ClusterQuestions } from '../support/cluster-questions.js';
import {
  type ClusterWorld,
  NODE_MEMORY_BYTES,
  requireClusterWorld,
  shippedScrapeConfigs,
  startClusterWorld,
} from '../support/cluster-world.js';
import { startKubeStateMetrics } from '../support/kube-state-metrics.js';
import { startPrometheus } from '../support/real-servers.js';
import { ON_NEWEST_RELEASE } from '../support/real-tools.js';
import { eventually } from '../support/waiting.js';

const MIB = 2 ** 20;
const NODES = ['node-1.example.com', 'node-2.example.com', 'node-3.example.com'];
/** Each run of a container takes half a core and 100 MiB. */
const CORES = 0.5;
const MEMORY = 100 * MIB;

/** As long as the name of a Deployment may be for its pods to carry it in a label. */
const LONG = `a-workload-${'with-a-long-name-'.repeat(3)}x`.slice(0, 63);
const ODD = 'my.shop-v1.2';
const LIMITS = { cpu: '500m', memory: '256Mi' };
/** The server is slow when the machine is. */
const PATIENCE_MILLISECONDS = 120_000;

const shop = (name: string) => ({ namespace: 'shop', name });
const inShop = (name: string) => ({ namespace: 'shop', pod: name });

/** Every key on an object of a kind, so that each says something else. */
const tuned = (name: string) => ({
  ...shop(name),
  annotations: Object.fromEntries(TUNING_KEYS.map((key) => [`${KEY_PREFIX}${key}`, textOf(key, name)])),
  labels: { [`${KEY_PREFIX}sensitivity`]: '7' },
});
const VALUES: Readonly<Record<string, string>> = {
  ignore: 'false',
  sensitivity: '8',
  'mute-until': '2036-11-29T22:00:00Z',
};
/** Annotations may hold what has to be escaped. */
const textOf = (key: string, name: string) => VALUES[key] ?? `always; "${name}"\\\n{}`;

const OBJECTS = [
  deployment(shop('web')),
  deployment(shop(LONG), {}, { replicas: 1 }),
  replicaSet(shop('lonely')),
  statefulSet(shop('db')),
  daemonSet(shop('agent')),
  job(shop('import')),
  job(shop('index'), {}, { completions: 2, parallelism: 2, completionMode: 'Indexed' }),
  cronJob(shop('report'), '* * * * *', { annotations: { 'fake-nodes/run-seconds': '1' } }),
  cronJob(shop('parts'), '0 0 1 1 *', {}, { completions: 2, parallelism: 2, completionMode: 'Indexed' }),
  pod(shop('redis-1')),
  pod(shop('redis-2')),
  pod(shop('killed'), { containers: [{ name: 'app', image: 'registry.example.com/team/app:2.1' }] }),
  pod(shop('crashing'), { containers: [{ name: 'app' }, { name: 'other' }] }),
  pod(shop('stuck-init'), {
    initContainers: [{ name: 'prepare', limits: LIMITS }],
    containers: [{ name: 'app', limits: LIMITS }],
    annotations: { 'fake-nodes/init-seconds': '3600' },
  }),
  pod(shop('with-sidecar'), {
    initContainers: [
      { name: 'prepare', limits: { cpu: '4', memory: '4Gi' } },
      { name: 'proxy', restartPolicy: 'Always', limits: { cpu: '100m', memory: '128Mi' } },
    ],
    containers: [{ name: 'app', limits: LIMITS, requests: { cpu: '250m', memory: '128Mi' } }],
  }),
  pod(shop('unlimited-sidecar'), {
    initContainers: [{ name: 'proxy', restartPolicy: 'Always' }],
    containers: [{ name: 'app', limits: LIMITS }],
  }),
  pod(shop('resized'), { containers: [{ name: 'app', limits: LIMITS }] }),
  pod(shop('half-limited'), { containers: [{ name: 'app', limits: LIMITS }, { name: 'other' }] }),
  pod(shop('pod-limits'), { more: { resources: { limits: { cpu: '2', memory: '1Gi' } } } }),
  pod(shop('no-image'), { annotations: { 'fake-nodes/never-starts': 'ImagePullBackOff' } }),
  pod(shop('no-room'), { containers: [{ name: 'app', requests: { cpu: '1000' } }] }),
  pod(shop('done'), { restartPolicy: 'Never', annotations: { 'fake-nodes/run-seconds': '0' } }),
  pod(shop('failed'), {
    restartPolicy: 'Never',
    annotations: { 'fake-nodes/run-seconds': '0', 'fake-nodes/exit-code': '3' },
  }),
  pod({ ...shop('leaving'), finalizers: ['example.com/not-yet'] }),
  deployment(shop('evicted'), {}, { replicas: 1 }),
  namespace('tuned', tuned('namespace').annotations),
  ...[deployment, statefulSet, daemonSet].map((make) => make(tuned(`tuned-${make.name.toLowerCase()}`))),
  job(tuned('tuned-job')),
  cronJob(tuned('tuned-cronjob'), '0 0 1 1 *'),
  pod(tuned('tuned-pod')),
];

// Debian's Prometheus knows nothing of Kubernetes.
if (ON_NEWEST_RELEASE) {
  /** Each claim is what the exporter assumes of Kubernetes, of kube-state-metrics, or of the metrics of kubelets. */
  describe('what the exporter assumes of a cluster', function () {
    this.timeout(300_000);

    let world: ClusterWorld;
    let prometheus: RunningServer;
    let questions: ClusterQuestions;
    const closing: (() => Promise<unknown>)[] = [];

    /** As soon as Prometheus has scraped what is so. */
    const soon = <Value>(check: () => Promise<Value>) => eventually(check, PATIENCE_MILLISECONDS);
    const podsOf = async (selector: string) => {
      const path = `/api/v1/namespaces/shop/pods?labelSelector=${encodeURIComponent(selector)}`;
      return (await world.controlPlane.api.get<{ readonly items: readonly IPod[] }>(path)).items;
    };
    const namesOf = async (selector: string, count: number) =>
      soon(async () => {
        const names = (await podsOf(selector)).map(({ metadata }) => metadata?.name ?? '');
        expect(names).to.have.lengthOf(count);
        return names;
      });
    /** The workloads of pods as the exporter finds them. */
    const workloadsOf = async (names: readonly string[]) => {
      const owners = await questions.owners();
      return names.map((name) => owners.get(`shop/${name}`));
    };
    const requireWorkload = async (selector: string, count: number, workload: string) => {
      const names = await namesOf(selector, count);
      await soon(async () => expect(await workloadsOf(names)).to.deep.equal(names.map(() => workload)));
      return names;
    };
    const getPod = (name: string) => world.controlPlane.api.get<IPod>(`/api/v1/namespaces/shop/pods/${name}`);
    const requireRunning = (name: string, ...containers: string[]) =>
      soon(async () => {
        const there = world.nodes.pods().find((one) => one.name === name)?.containers ?? [];
        const running = there.filter(({ state }) => state.type === 'running').map((one) => one.name);
        expect(running).to.include.members(containers);
      });
    const seconds = (time: unknown) => Date.parse(String(time)) / 1000;

    before(async function () {
      requireClusterWorld(this);
      world = await startClusterWorld({
        nodes: NODES,
        loadOf: (_container, _pod, { start, now }) => ({
          cpuSeconds: CORES * (now - start),
          memoryBytes: MEMORY,
          throttled: 0.25,
          waiting: { cpu: 0.1, memory: 0.05, io: 0.2 },
          oomKills: 1,
        }),
      });
      closing.push(() => world.close());
      const { kubeconfig } = world.controlPlane;
      const configuration = {
        global: { scrape_interval: '1s', scrape_timeout: '1s' },
        scrape_configs: [...world.scrapeConfigs, ...(await shippedScrapeConfigs(kubeconfig, '127.0.0.1:1'))],
      };
      const file = join(world.directory, 'prometheus.yml');
      // JSON is YAML as well.
      await writeFile(file, JSON.stringify(configuration));
      prometheus = await startPrometheus({ directory: world.directory, port: await freePort(), configuration: file });
      closing.push(() => prometheus.close());
      questions = new ClusterQuestions(prometheus.url);
      await world.apply([namespace('shop')]);
      await world.apply(OBJECTS);
      // kubectl would warn of the name.
      await world.controlPlane.api.create('/apis/apps/v1/namespaces/shop/deployments', deployment(shop(ODD)));
    });
    after(async () => {
      for (const close of closing.reverse()) await close();
    });

    describe('about owners', () => {
      it('a Deployment owns its pods by a ReplicaSet, in a rollout those of both revisions', async () => {
        const before = await requireWorkload('app=web', 2, 'web');
        const revisions = (names: readonly string[]) => names.map((name) => revisionOf({ pod: name, workload: 'web' }));
        expect(new Set(revisions(before)).size).to.equal(1);
        // A pod counts as available after an hour, so that the rollout stays where it is.
        const path = '/apis/apps/v1/namespaces/shop/deployments/web';
        await world.controlPlane.api.patch(path, { spec: { minReadySeconds: 3600, progressDeadlineSeconds: 7200 } });
        await world.kubectl(['-n', 'shop', 'set', 'image', 'deployment/web', 'app=registry.example.com/app:2.0']);
        const during = await requireWorkload('app=web', 3, 'web');
        expect(during).to.include.members(before);
        const [fresh] = during.filter((name) => !before.includes(name));
        expect(revisions([fresh ?? ''])[0])
          .to.be.a('string')
          .and.not.to.equal(revisions(before)[0]);
        const { labels } = await questions.ask('kube_replicaset_owner{namespace="shop",owner_name="web"}');
        expect(labels).to.have.lengthOf(2);
        expect(labels[0]).to.include({ owner_kind: 'Deployment', owner_is_controller: 'true' });
      });

      it('a ReplicaSet without a Deployment is the workload itself, with an owner that is empty', async () => {
        await requireWorkload('app=lonely', 1, 'lonely');
        const { labels } = await questions.ask('kube_replicaset_owner{replicaset="lonely"}');
        expect(labels).to.have.lengthOf(1);
        expect(labels[0]?.owner_name).to.equal(undefined);
      });

      it('a StatefulSet, a DaemonSet and a Job own their pods', async () => {
        expect(await requireWorkload('app=db', 2, 'db')).to.have.members(['db-0', 'db-1']);
        await requireWorkload('app=agent', NODES.length, 'agent');
        await requireWorkload('app=import', 1, 'import');
      });

      it('pods of an Indexed Job have the index in their names', async () => {
        const names = await requireWorkload('app=index', 2, 'index');
        for (const name of names) expect(name).to.match(/^index-[01]-[a-z0-9]{5}$/);
      });

      it('a Job that somebody makes of a CronJob belongs to it, whatever its name', async () => {
        await world.kubectl(['-n', 'shop', 'create', 'job', '--from=cronjob/parts', 'by-hand']);
        await requireWorkload('batch.kubernetes.io/job-name=by-hand', 2, 'parts');
      });

      it('pods that somebody makes by hand are workloads of their own', async () => {
        const names = ['redis-1', 'redis-2'];
        await soon(async () => expect(await workloadsOf(names)).to.deep.equal(names));
      });

      it('a static pod is owned by its node, and named after it', async () => {
        const [node = ''] = NODES;
        const { metadata } = await world.controlPlane.api.get<INode>(`/api/v1/nodes/${node}`);
        const owner = { apiVersion: 'v1', kind: 'Node', name: node, uid: metadata?.uid, controller: true };
        const mirror = { 'kubernetes.io/config.mirror': 'hash', 'kubernetes.io/config.source': 'file' };
        const name = `etcd-${node}`;
        await world.controlPlane.api.create(
          '/api/v1/namespaces/shop/pods',
          pod({ ...shop(name), annotations: mirror, ownerReferences: [owner] }, { more: { nodeName: node } }),
        );
        await soon(async () => expect(await workloadsOf([name])).to.deep.equal(['etcd']));
        const { labels } = await questions.ask(`kube_pod_owner{pod="${name}"}`);
        expect(labels[0]).to.include({ owner_kind: 'Node', owner_name: node });
      });

      it('names with dots, and the longest ones, are those of the workload', async () => {
        await requireWorkload(`app=${ODD}`, 2, ODD);
        const [name = ''] = await requireWorkload(`app=${LONG}`, 1, LONG);
        expect(name).to.have.lengthOf(63).and.not.include(LONG);
        // As the pods of a question, they are patterns.
        await soon(async () => {
          const [odd = ''] = await namesOf(`app=${ODD}`, 2);
          expect((await questions.context(inShop(odd)))?.node).to.be.oneOf(NODES);
        });
      });

      it('without kube-state-metrics, the workload follows from the name that Kubernetes gives', async () => {
        const selectors = { web: 'web', [ODD]: ODD, db: 'db', agent: 'agent', import: 'import', index: 'index' };
        for (const [app, workload] of Object.entries(selectors)) {
          for (const { metadata } of await podsOf(`app=${app}`)) {
            const { name = '' } = metadata ?? {};
            // The ordinal of a StatefulSet cannot be told from a name with a number: it is left out of both.
            expect(workloadFromName(name), name).to.equal(workload);
          }
        }
        const [name = ''] = await namesOf(`app=${LONG}`, 1);
        expect(LONG, name).to.match(new RegExp(`^${workloadFromName(name)}`));
      });
    });

    describe('about containers that end', () => {
      it('one that ran out of memory is counted, with reason, status and time of its end', async () => {
        await requireRunning('killed', 'app');
        await world.nodes.endContainer(shop('killed'), 'app', { reason: 'OOMKilled' });
        await soon(async () => expect(await questions.feature('restarts', inShop('killed'))).to.deep.equal({ app: 1 }));
        const { status } = await getPod('killed');
        const finishedAt = status?.containerStatuses?.[0]?.lastState?.terminated?.finishedAt;
        await soon(async () => {
          const context = await questions.context(inShop('killed'));
          expect(context?.lastTermination).to.deep.equal({
            container: 'app',
            reason: 'OOMKilled',
            exitCode: 137,
            timeSeconds: seconds(finishedAt),
          });
          expect(context?.waiting).to.equal(undefined);
        });
      });

      it('one that waits before it starts again says why, and which one it is', async () => {
        await requireRunning('crashing', 'app', 'other');
        world.crash(shop('crashing'), 'other', { reason: 'Error', exitCode: 2 });
        await soon(async () => {
          const context = await questions.context(inShop('crashing'));
          expect(context?.waiting).to.deep.equal({ container: 'other', reason: 'CrashLoopBackOff' });
          expect(context?.lastTermination).to.include({ container: 'other', reason: 'Error', exitCode: 2 });
          // The pod counts as running, and its other container goes on.
          expect((await questions.idlePods()).get('shop/crashing')).to.equal(undefined);
        });
      });

      it('an init container that fails counts as a restart, and says why it waits, in a pod that is pending', async () => {
        await requireRunning('stuck-init', 'prepare');
        world.crash(shop('stuck-init'), 'prepare', { reason: 'Error' });
        await soon(async () => {
          expect(await questions.feature('restarts', inShop('stuck-init'))).to.deep.equal({ prepare: 1, app: 0 });
          const context = await questions.context(inShop('stuck-init'));
          expect(context?.waiting).to.deep.equal({ container: 'prepare', reason: 'CrashLoopBackOff' });
          expect(context?.lastTermination).to.include({ container: 'prepare', reason: 'Error', exitCode: 1 });
          expect((await questions.idlePods()).get('shop/stuck-init')).to.equal('pending');
        });
      });

      it('a native sidecar counts as the containers beside it, and an init container that is done as nothing', async () => {
        await requireRunning('with-sidecar', 'proxy', 'app');
        await world.nodes.endContainer(shop('with-sidecar'), 'proxy', { reason: 'OOMKilled' });
        await soon(async () => {
          const restarts = { prepare: 0, proxy: 1, app: 0 };
          expect(await questions.feature('restarts', inShop('with-sidecar'))).to.deep.equal(restarts);
          const context = await questions.context(inShop('with-sidecar'));
          expect(context?.lastTermination).to.include({ container: 'proxy', reason: 'OOMKilled', exitCode: 137 });
          // Usage has the sidecar in it. (That of an init container stays for the lookback, in which a pod is warming up.)
          expect(await questions.feature('memory', inShop('unlimited-sidecar'))).to.deep.equal({ '': 2 * MEMORY });
        });
      });
    });

    describe('about pods in which nothing runs', () => {
      for (const [name, reason] of [
        ['done', 'completed'],
        ['failed', 'completed'],
        ['no-image', 'pending'],
        ['no-room', 'pending'],
      ] as const) {
        it(`${name}: ${reason}`, () =>
          soon(async () => expect((await questions.idlePods()).get(`shop/${name}`)).to.equal(reason)));
      }

      it('one that finds no image says so, and one that finds no node has none', async () => {
        await soon(async () => {
          const [noImage, noRoom] = await Promise.all(
            ['no-image', 'no-room'].map((name) => questions.context(inShop(name))),
          );
          expect(noImage?.waiting).to.deep.equal({ container: 'app', reason: 'ImagePullBackOff' });
          expect(noImage?.node).to.be.oneOf(NODES);
          expect(noRoom?.createdSeconds).to.be.above(0);
          expect(noRoom?.node).to.equal(undefined);
        });
      });

      it('one that is evicted has failed, keeps its owner, and has no usage; another one takes its place', async () => {
        const [name = ''] = await namesOf('app=evicted', 1);
        await requireRunning(name, 'app');
        await soon(async () => expect(await questions.feature('memory', inShop(name))).to.have.property('', MEMORY));
        await world.nodes.evict(shop(name));
        const both = await namesOf('app=evicted', 2);
        await soon(async () => {
          const idle = await questions.idlePods();
          expect(both.map((one) => idle.get(`shop/${one}`))).to.have.members(['completed', undefined]);
          expect(await workloadsOf(both)).to.deep.equal(['evicted', 'evicted']);
          const { labels } = await questions.ask(`kube_pod_status_reason{pod="${name}",reason="Evicted"} == 1`);
          expect(labels).to.have.lengthOf(1);
        });
      });

      it('one that is being deleted has ended with its containers, and then kube-state-metrics knows it no more at once', async () => {
        await requireRunning('leaving', 'app');
        await soon(async () =>
          expect(await questions.feature('memory', inShop('leaving'))).to.have.property('', MEMORY),
        );
        await world.kubectl(['-n', 'shop', 'delete', 'pod', 'leaving', '--wait=false']);
        await soon(async () => {
          expect((await questions.ask('kube_pod_deletion_timestamp{pod="leaving"}')).labels).to.have.lengthOf(1);
          expect((await questions.idlePods()).get('shop/leaving')).to.equal('completed');
        });
        await world.controlPlane.api.patch('/api/v1/namespaces/shop/pods/leaving', { metadata: { finalizers: [] } });
        await soon(async () => expect((await questions.owners()).has('shop/leaving')).to.equal(false));
        // Usage has the time of its measurement, so that Prometheus shows the last one for five minutes.
        expect(await questions.feature('memory', inShop('leaving'))).to.have.property('', MEMORY);
      });
    });

    describe('about limits, nodes and images', () => {
      it('limits and requests of a pod are those of its containers and native sidecars', async () => {
        await soon(async () => {
          const context = await questions.context(inShop('with-sidecar'));
          expect(context?.limits).to.deep.equal({ cpu: 0.6, memory: (256 + 128) * MIB });
          expect(context?.requests).to.deep.equal({ cpu: 0.35, memory: (128 + 128) * MIB });
          expect(await questions.memoryLimit(inShop('with-sidecar'))).to.equal((256 + 128) * MIB);
        });
      });

      it('a pod with a container, or a native sidecar, that has no limit has none', async () => {
        for (const name of ['half-limited', 'unlimited-sidecar']) {
          await soon(async () => {
            const context = await questions.context(inShop(name));
            expect(context?.images, name).to.not.be.empty;
            expect(context?.limits, name).to.deep.equal({});
            expect(context?.requests, name).to.deep.equal({ cpu: 0.5, memory: 256 * MIB });
            expect(await questions.memoryLimit(inShop(name)), name).to.equal(undefined);
          });
        }
      });

      it('kube-state-metrics has no limit that is one of the pod as a whole', async () => {
        await soon(async () => {
          expect((await questions.context(inShop('pod-limits')))?.images).to.not.be.empty;
        });
        expect((await questions.context(inShop('pod-limits')))?.limits).to.deep.equal({});
        expect(await questions.memoryLimit(inShop('pod-limits'))).to.equal(undefined);
      });

      it('a pod that is resized in place has its new limit, and goes on', async () => {
        await soon(async () => expect(await questions.memoryLimit(inShop('resized'))).to.equal(256 * MIB));
        const resources = { limits: { memory: '512Mi' }, requests: { memory: '512Mi' } };
        const containers = [{ name: 'app', resources }];
        await world.controlPlane.api.patch(
          '/api/v1/namespaces/shop/pods/resized/resize',
          { spec: { containers } },
          'strategic',
        );
        await soon(async () => {
          expect(await questions.memoryLimit(inShop('resized'))).to.equal(512 * MIB);
          expect((await questions.context(inShop('resized')))?.limits.memory).to.equal(512 * MIB);
        });
        expect(await questions.feature('restarts', inShop('resized'))).to.deep.equal({ app: 0 });
      });

      it('node, image and age are those of the API server', async () => {
        const { metadata, spec } = await getPod('killed');
        await soon(async () => {
          const context = await questions.context(inShop('killed'));
          expect(context?.node).to.equal(spec?.nodeName).and.to.be.oneOf(NODES);
          expect(context?.images).to.deep.equal(['registry.example.com/team/app:2.1']);
          expect(context?.createdSeconds).to.equal(seconds(metadata?.creationTimestamp));
        });
      });
    });

    describe('about the metrics of kubelets, which Prometheus finds by asking the API server for nodes', () => {
      it('CPU and memory of a pod are those of its containers: not of its cgroup, its pause container or its node', async () => {
        await soon(async () => {
          expect(await questions.feature('memory', inShop('half-limited'))).to.deep.equal({ '': 2 * MEMORY });
          const { '': cores = Number.NaN } = await questions.feature('cpu', inShop('half-limited'));
          expect(cores).to.be.closeTo(2 * CORES, 0.1 * CORES);
        });
        const { labels } = await questions.ask('container_memory_usage_bytes{namespace="shop",pod="half-limited"}');
        expect(labels, 'a cgroup of the pod, a pause container, two containers').to.have.lengthOf(4);
        const { values } = await questions.ask('container_memory_usage_bytes{id="/"}');
        expect(values).to.have.lengthOf(NODES.length);
      });

      it('only a container with a CPU limit is throttled; processes that are killed and pressure are those of any', async () => {
        await soon(async () => {
          const [limited, free] = await Promise.all(
            ['resized', 'redis-1'].map((name) => questions.context(inShop(name))),
          );
          expect(limited?.throttledRatio).to.be.closeTo(0.25, 0.03);
          expect(free?.throttledRatio).to.equal(undefined);
          // Of a pod of some seconds, five minutes of which are looked at: only the proportions are there.
          for (const { cpu = 0, memory = 0, io = 0 } of [limited?.pressure, free?.pressure].map((one) => one ?? {})) {
            expect(memory).to.be.within(0.001, 0.06);
            expect(cpu / memory).to.be.closeTo(2, 0.1);
            expect(io / memory).to.be.closeTo(4, 0.2);
          }
        });
        const { values } = await questions.ask('machine_memory_bytes');
        expect([...values]).to.deep.equal(NODES.map(() => NODE_MEMORY_BYTES));
      });
    });

    describe('about annotations and labels, with the lists of the documents', () => {
      it('each key of each kind of object arrives under the name that is asked for, and as it was written', async () => {
        const objects: Readonly<Record<string, string>> = {
          ...Object.fromEntries(OBJECT_KINDS.map((kind) => [kind, `tuned-${kind}`])),
          namespace: 'tuned',
        };
        await soon(async () => {
          const keys = await questions.objectKeys();
          for (const kind of OBJECT_KINDS) {
            const own = keys.filter(
              (one) => one.kind === kind && one.name === objects[kind] && one.source === 'annotation',
            );
            const name = kind === 'namespace' ? 'namespace' : (objects[kind] ?? '');
            const values = Object.fromEntries(own.map(({ key, value }) => [key, value]));
            expect(values, kind).to.deep.equal(Object.fromEntries(TUNING_KEYS.map((key) => [key, textOf(key, name)])));
            const labels = keys.filter(
              (one) => one.kind === kind && one.name === objects[kind] && one.source === 'label',
            );
            const said = labels.map(({ key, value }) => `${key}=${value}`);
            expect(said, kind).to.deep.equal(kind === 'namespace' ? [] : ['sensitivity=7']);
          }
        });
      });

      it('objects without any of the keys cost one series each, and say nothing', async () => {
        const keys = await questions.objectKeys();
        expect(keys.filter(({ name }) => name === 'web')).to.deep.equal([]);
        const { labels } = await questions.ask('kube_deployment_annotations{deployment="web"}');
        expect(labels).to.have.lengthOf(1);
      });

      it('what is said of a Job of a CronJob counts for its pods, also for those of an Indexed Job', async () => {
        const name = 'by-hand';
        await world.kubectl(['-n', 'shop', 'annotate', 'job', name, `${KEY_PREFIX}sensitivity=12`]);
        const pods = await namesOf(`batch.kubernetes.io/job-name=${name}`, 2);
        await soon(async () => {
          const { layersOf } = tuningOfObjects(await questions.objectKeys());
          for (const one of pods) {
            const layers = layersOf({ namespace: 'shop', pod: one, workload: 'parts' });
            expect(
              layers.map(({ sensitivity }) => sensitivity),
              one,
            ).to.deep.equal([12]);
          }
        });
      });

      it('the newest kube-state-metrics takes a pattern of keys, as the page about tuning says', async () => {
        const wide = await startKubeStateMetrics(world.controlPlane.kubeconfig, [
          '--resources=pods',
          `--metric-annotations-allowlist=pods=[${KEY_PREFIX}*]`,
        ]);
        closing.push(() => wide.close());
        await eventually(async () => {
          const families = await wide.families();
          const samples = families.find(({ name }) => name === 'kube_pod_annotations')?.samples ?? [];
          const { labels } = samples.find((sample) => sample.labels.pod === 'tuned-pod') ?? {};
          expect(labels).to.include({ annotation_k8s_anomaly_detector_mute_until: VALUES['mute-until'] });
        });
      });
    });

    describe('about what takes its time', () => {
      it('a CronJob names its Jobs by the minute for which they are scheduled', async () => {
        const path = '/apis/batch/v1/namespaces/shop/jobs';
        const scheduled = await soon(async () => {
          const { items } = await world.controlPlane.api.get<{ readonly items: readonly IJob[] }>(path);
          const [first] = items.filter(({ metadata }) => metadata?.ownerReferences?.[0]?.name === 'report');
          expect(first, 'a Job within the minute').to.not.equal(undefined);
          return first;
        });
        const { name: jobName = '', annotations = {} } = scheduled?.metadata ?? {};
        const minute = seconds(annotations['batch.kubernetes.io/cronjob-scheduled-timestamp']) / 60;
        expect(jobName).to.equal(`report-${minute}`);
        const [name = ''] = await requireWorkload(`batch.kubernetes.io/job-name=${jobName}`, 1, 'report');
        expect(workloadFromName(name)).to.equal('report');
      });

      it('the shipped scrape configuration finds the exporter with the rights that it names', async () => {
        const { kubectl, directory, controlPlane } = world;
        await kubectl(['create', 'namespace', 'monitoring']);
        await kubectl(['apply', '--server-side', '-n', 'monitoring', '-k', 'deploy/kubernetes/base']);
        // What the comment in the file asks for, and nothing else.
        await kubectl(['-n', 'monitoring', 'create', 'serviceaccount', 'prometheus']);
        await kubectl([
          ...['create', 'clusterrole', 'prometheus', '--verb=list,watch'],
          '--resource=endpointslices.discovery.k8s.io,services,pods',
        ]);
        await kubectl([
          ...['create', 'clusterrolebinding', 'prometheus', '--clusterrole=prometheus'],
          '--serviceaccount=monitoring:prometheus',
        ]);
        const token = (await kubectl(['-n', 'monitoring', 'create', 'token', 'prometheus'])).trim();
        const own = join(directory, 'prometheus.kubeconfig');
        const config = JSON.parse(await kubectl(['config', 'view', '--raw', '-o', 'json'])) as { users: object[] };
        const users = config.users.map((user) => ({ ...user, user: { token } }));
        await writeFile(own, JSON.stringify({ ...config, users }), { mode: 0o600 });
        expect(controlPlane.kubeconfig).to.not.equal(own);

        const address = '127.0.0.1:1';
        const file = join(directory, 'shipped.yml');
        await writeFile(file, JSON.stringify({ scrape_configs: await shippedScrapeConfigs(own, address) }));
        await promisify(execFile)('promtool', ['check', 'config', file]);
        const shipped = await startPrometheus({
          directory: join(directory, 'shipped'),
          port: await freePort(),
          configuration: file,
        });
        closing.push(() => shipped.close());
        await soon(async () => {
          const response = await fetch(`${shipped.url}/api/v1/targets?state=active`, {
            signal: AbortSignal.timeout(20_000),
          });
          const { data } = (await response.json()) as {
            readonly data: {
              readonly activeTargets: readonly {
                readonly labels: Record<string, string>;
                readonly discoveredLabels: Record<string, string>;
              }[];
            };
          };
          expect(data.activeTargets.map(({ labels }) => labels)).to.deep.equal([
            { job: 'k8s-anomaly-detector', namespace: 'monitoring', instance: address },
          ]);
          expect(data.activeTargets[0]?.discoveredLabels.__address__).to.match(/^10\.244\.\d+\.\d+:8000$/);
        });
      });
    });
  });
}
