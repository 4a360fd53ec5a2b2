import { expect } from 'chai';
import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IJob } from 'kubernetes-models/batch/v1';
import type { IPod } from 'kubernetes-models/v1';
import { type ControlPlane, requireControlPlane, startControlPlane } from '../support/control-plane.js';
import { type FakeNodes, startFakeNodes } from '../support/fake-nodes.js';
import { type PodOnNode, phaseOf } from '../support/fake-pod.js';
import { eventually } from '../support/waiting.js';

const NAMESPACE = 'shop';
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;

/** Its error, for one that fails. */
const outcomeOf = (work: Promise<void>) =>
  work.then(
    () => 'done',
    ({ message }: Error) => message,
  );

describe('fake nodes of a real control plane', function () {
  this.timeout(300_000);

  let plane: ControlPlane;
  let nodes: FakeNodes;

  before(async function () {
    requireControlPlane(this);
    plane = await startControlPlane();
    nodes = await startFakeNodes(plane.api, [{ name: 'node-a', kubeletPort: 12345 }, { name: 'node-b' }]);
    await plane.api.create('/api/v1/namespaces', { metadata: { name: NAMESPACE } });
    await eventually(() => plane.api.get(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts/default`));
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.error(plane?.logs());
  });
  after(async () => {
    await nodes?.close();
    await plane?.close();
  });

  const podsOf = async (app: string) =>
    (await plane.api.get<{ items: readonly IPod[] }>(`${PODS}?labelSelector=app%3D${app}`)).items;
  const onNodes = (app: string) => nodes.pods().filter(({ pod }) => pod.metadata?.labels?.app === app);
  const onlyOnNode = (app: string): PodOnNode => {
    const [pod, ...others] = onNodes(app);
    if (pod === undefined || others.length > 0)
      throw new Error(`Expected one pod of ${app}, got ${onNodes(app).length}.`);
    return pod;
  };
  const template = (app: string, spec: object = {}, annotations: Readonly<Record<string, string>> = {}) => ({
    metadata: { labels: { app }, annotations },
    spec: { containers: [{ name: 'main', image: 'example.org/main:1' }], ...spec },
  });
  const createDeployment = (app: string, pods: object, replicas = 1) =>
    plane.api.create<IDeployment>(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments`, {
      metadata: { name: app },
      spec: { replicas, selector: { matchLabels: { app } }, template: pods },
    });
  const createJob = (app: string, pods: object) =>
    plane.api.create<IJob>(`/apis/batch/v1/namespaces/${NAMESPACE}/jobs`, {
      metadata: { name: app },
      spec: { backoffLimit: 0, template: pods },
    });
  const readyPods = async (app: string) =>
    (await podsOf(app)).filter(({ status }) =>
      status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    );
  const untilReady = (app: string, count = 1) =>
    eventually(async () => expect(await readyPods(app), app).to.have.lengthOf(count));

  it('run what the scheduler binds to them, with init containers and native sidecars', async () => {
    const init = [
      { name: 'setup', image: 'example.org/setup:1' },
      { name: 'proxy', image: 'example.org/proxy:1', restartPolicy: 'Always' },
    ];
    await createDeployment('web', template('web', { initContainers: init }), 3);
    await untilReady('web', 3);
    const pods = onNodes('web');
    expect(pods.map(phaseOf)).to.deep.equal(['Running', 'Running', 'Running']);
    expect(new Set(pods.map(({ node }) => node))).to.deep.equal(new Set(['node-a', 'node-b']));
    expect(pods[0]?.containers.map(({ name, kind, state }) => [name, kind, state.type])).to.deep.equal([
      ['setup', 'init', 'ended'],
      ['proxy', 'sidecar', 'running'],
      ['main', 'main', 'running'],
    ]);
    for (const { status } of await podsOf('web')) {
      expect(status?.phase).to.equal('Running');
      expect(status?.initContainerStatuses?.map(({ ready }) => ready)).to.deep.equal([true, true]);
      expect(status?.conditions?.map(({ type, status }) => `${type} ${status}`)).to.include.members([
        'PodScheduled True',
        'Initialized True',
        'ContainersReady True',
        'Ready True',
      ]);
    }
  });

  it('restart containers, and say why', async () => {
    await createDeployment('api', template('api'));
    await untilReady('api');
    const first = onlyOnNode('api');
    await nodes.endContainer(first, 'main', { reason: 'OOMKilled' });
    const [pod] = await podsOf('api');
    const [status] = pod?.status?.containerStatuses ?? [];
    expect(status?.restartCount).to.equal(1);
    expect(status?.lastState?.terminated).to.include({ reason: 'OOMKilled', exitCode: 137 });
    expect(status?.state).to.have.property('running');
    expect(onlyOnNode('api').containers[0]?.id).to.not.equal(first.containers[0]?.id);

    const again = outcomeOf(nodes.endContainer(first, 'main', { reason: 'Error', backOffSeconds: 3600 }));
    await eventually(async () => {
      const [waiting] = (await podsOf('api'))[0]?.status?.containerStatuses ?? [];
      expect(waiting?.state?.waiting?.reason).to.equal('CrashLoopBackOff');
      expect(waiting).to.include({ restartCount: 2, ready: false });
    });
    await untilReady('api', 0);
    await plane.api.delete(`${PODS}/${first.name}`);
    expect(await again, 'what was to happen to it').to.match(/abort/);
    await eventually(() => expect(onlyOnNode('api').name).to.not.equal(first.name));
    await untilReady('api');
  });

  it('reject what they cannot do', async () => {
    await createDeployment('one', template('one'));
    await untilReady('one');
    const outcomeOf = (work: Promise<void>) =>
      work.then(
        () => 'done',
        ({ message }: Error) => message,
      );
    const end = { reason: 'Error' } as const;
    expect(await outcomeOf(nodes.endContainer(onlyOnNode('one'), 'man', end))).to.include('one of main, got man');
    const nobody = { namespace: NAMESPACE, name: 'nobody' };
    expect(await outcomeOf(nodes.endContainer(nobody, 'main', end))).to.include('pod shop/nobody on a node');
  });

  it('let pods of Jobs end by themselves', async () => {
    const annotations = { 'fake-nodes/run-seconds': '0.1' };
    await createJob('backup', template('backup', { restartPolicy: 'Never' }, annotations));
    const failing = { ...annotations, 'fake-nodes/exit-code': '3' };
    await createJob('import', template('import', { restartPolicy: 'Never' }, failing));
    const jobStatus = async (name: string) =>
      (await plane.api.get<IJob>(`/apis/batch/v1/namespaces/${NAMESPACE}/jobs/${name}`)).status;
    await eventually(async () => expect(await jobStatus('backup')).to.include({ succeeded: 1 }));
    await eventually(async () => expect(await jobStatus('import')).to.include({ failed: 1 }));
    expect(phaseOf(onlyOnNode('backup'))).to.equal('Succeeded');
    expect(onlyOnNode('import').containers[0]?.state).to.include({ type: 'ended', reason: 'Error', exitCode: 3 });
  });

  it('evict pods, which are replaced', async () => {
    await createDeployment('cache', template('cache'));
    await untilReady('cache');
    const victim = onlyOnNode('cache');
    await nodes.evict(victim);
    const { status } = await plane.api.get<IPod>(`${PODS}/${victim.name}`);
    expect(status).to.include({ phase: 'Failed', reason: 'Evicted' });
    await untilReady('cache');
    expect(onNodes('cache').map(phaseOf)).to.have.members(['Failed', 'Running']);
  });

  it('take pods out of service that are not ready', async () => {
    await createDeployment('slow', template('slow'));
    const untilAvailable = (count: number | undefined) =>
      eventually(async () => {
        const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/slow`;
        expect((await plane.api.get<IDeployment>(path)).status?.availableReplicas).to.equal(count);
      });
    await untilAvailable(1);
    await nodes.setReady(onlyOnNode('slow'), false);
    await untilAvailable(undefined);
    await nodes.setReady(onlyOnNode('slow'), true);
    await untilAvailable(1);
  });

  it('leave containers waiting whose image is not there', async () => {
    await createDeployment('typo', template('typo', {}, { 'fake-nodes/never-starts': 'ImagePullBackOff' }));
    await eventually(async () => {
      const [status] = (await podsOf('typo'))[0]?.status?.containerStatuses ?? [];
      expect(status?.state?.waiting?.reason).to.equal('ImagePullBackOff');
    });
    expect(phaseOf(onlyOnNode('typo'))).to.equal('Pending');
  });

  it('end pods that are deleted, and then there is nothing of them', async () => {
    await createDeployment('gone', template('gone'), 2);
    await untilReady('gone', 2);
    await plane.api.delete(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/gone`);
    await eventually(async () => {
      expect(await podsOf('gone')).to.deep.equal([]);
      expect(onNodes('gone')).to.deep.equal([]);
    });
  });
});
