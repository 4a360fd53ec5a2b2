/**
 * Nodes of a real control plane that only exist in the API: they run what the scheduler binds to them by saying so, as a
 * kubelet would. Nothing listens at the addresses of their pods. How a pod behaves is said by its annotations
 * (`fake-pod.ts`) and by the test.
 */

import type { ILease } from 'kubernetes-models/coordination.k8s.io/v1';
import type { INode, IPod } from 'kubernetes-models/v1';
import { FakeKubelet, type PodName } from './fake-kubelet.js';
import { type ContainerEnd, type PodOnNode, timeOf } from './fake-pod.js';
import type { KubernetesApi } from './kubernetes-api.js';
import { eventually } from './waiting.js';

const HEARTBEAT_MILLISECONDS = 10_000;
const LEASE_SECONDS = 40;
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

export interface FakeNode {
  readonly name: string;
  /** What pods may request: 16 unless given. */
  readonly cpu?: string;
  /** `64Gi` unless given. */
  readonly memory?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Where its kubelet would be, at 127.0.0.1: Prometheus finds it by `role: node`. */
  readonly kubeletPort?: number;
}

export interface FakeNodes {
  /** What is on the nodes, sorted by namespace and name; also pods that have ended and are not deleted yet. */
  pods(): readonly PodOnNode[];
  /**
   * Ends a container that runs. It starts again if its pod says so.
   *
   * @returns when the API has its end, and its new start unless it waits for that.
   * @throws Error if there is no such pod, or no such container that runs.
   */
  endContainer(pod: PodName, container: string, end: ContainerEnd): Promise<void>;
  /** As a kubelet that lacks memory or disk: the pod has failed, and its controller makes another one. */
  evict(pod: PodName, message?: string): Promise<void>;
  /** What readiness probes would say; pods are ready unless told. */
  setReady(pod: PodName, isReady: boolean): Promise<void>;
  /** Pods go on as they are, and nobody watches them. @throws AggregateError if the API has rejected something */
  close(): Promise<void>;
}

/** Registers the nodes, waits until the scheduler may use them, and runs their pods until it is closed. */
export async function startFakeNodes(api: KubernetesApi, nodes: readonly FakeNode[]): Promise<FakeNodes> {
  const end = new AbortController();
  const failures: unknown[] = [];
  const { gitVersion } = await api.get<{ gitVersion: string }>('/version');
  await Promise.all(nodes.map((node) => register(api, node, gitVersion)));
  const heartbeat = setInterval(() => {
    for (const { name } of nodes) renewLease(api, name).catch((error) => void failures.push(error));
  }, HEARTBEAT_MILLISECONDS);
  heartbeat.unref();

  const kubelet = new FakeKubelet(api, new Set(nodes.map(({ name }) => name)), (error) => void failures.push(error));
  const watching = api
    .watch<IPod>('/api/v1/pods?fieldSelector=spec.nodeName!%3D', (type, pod) => kubelet.see(type, pod), end.signal)
    .catch((error) => void failures.push(error));

  return {
    pods: () => kubelet.pods(),
    endContainer: async (pod, container, how) => kubelet.find(pod).endContainer(container, how),
    evict: async (pod, message = 'The node was low on resource: memory.') => kubelet.find(pod).evict(message),
    setReady: async (pod, isReady) => kubelet.find(pod).setReady(isReady),
    close: async () => {
      end.abort();
      clearInterval(heartbeat);
      await watching;
      await kubelet.close();
      if (failures.length > 0) throw new AggregateError(failures, 'The fake nodes could not do all of their work.');
    },
  };
}

async function register(
  api: KubernetesApi,
  { name, cpu = '16', memory = '64Gi', labels, kubeletPort }: FakeNode,
  kubeletVersion: string,
): Promise<void> {
  const resources = { cpu, memory, pods: '110', 'ephemeral-storage': '100Gi' };
  const now = timeOf(new Date());
  const condition = (type: string, status: string, reason: string) => ({
    type,
    status,
    reason,
    message: reason,
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  });
  const node: INode = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        ...labels,
      },
    },
  };
  const status: INode['status'] = {
    capacity: resources,
    allocatable: resources,
    addresses: [
      { type: 'InternalIP', address: '127.0.0.1' },
      { type: 'Hostname', address: name },
    ],
    conditions: [
      condition('Ready', 'True', 'KubeletReady'),
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
    ],
    nodeInfo: {
      architecture: 'amd64',
      operatingSystem: 'linux',
      bootID: '',
      machineID: '',
      systemUUID: '',
      containerRuntimeVersion: 'containerd://2.0.0',
      kernelVersion: '6.0.0',
      osImage: 'none',
      kubeletVersion,
      kubeProxyVersion: '',
    },
    ...(kubeletPort !== undefined && { daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } } }),
  };
  await api.create('/api/v1/nodes', node);
  await api.patch(`/api/v1/nodes/${name}/status`, { status });
  await api.create(LEASES, leaseOf(name));
  await eventually(async () => {
    const { spec } = await api.get<INode>(`/api/v1/nodes/${name}`);
    if (spec?.taints !== undefined) throw new Error(`Expected ${name} to be ready, but it has taints.`);
  });
}

function leaseOf(name: string): ILease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: 'kube-node-lease' },
    // Microseconds.
    spec: {
      holderIdentity: name,
      leaseDurationSeconds: LEASE_SECONDS,
      renewTime: new Date().toISOString().replace('Z', '000Z'),
    },
  };
}

async function renewLease(api: KubernetesApi, name: string): Promise<void> {
  await api.patch(`${LEASES}/${name}`, { spec: leaseOf(name).spec });
}
