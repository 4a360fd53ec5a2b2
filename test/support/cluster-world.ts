/**
 * A cluster as the exporter sees it: a real control plane with fake nodes, the metrics of their kubelets, the real
 * kube-state-metrics, and the configuration of a Prometheus that finds all of them by asking the API server.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from 'mocha';
import { parse } from 'yaml';
import type { RunningServer } from '../../src/tools/demo/listen.js';
import type { MetricFamily } from '../../src/tools/demo/metric-family.js';
import { clusterCommand } from './cluster-commands.js';
import { type ControlPlane, requireControlPlane, startControlPlane } from './control-plane.js';
import type { PodName } from './fake-kubelet.js';
import { type FakeNodes, startFakeNodes } from './fake-nodes.js';
import type { ContainerEnd, ContainerOnNode, PodOnNode } from './fake-pod.js';
import { startKubeStateMetrics } from './kube-state-metrics.js';
import { type KubeletState, type Load, startKubelet } from './kubelet-metrics.js';
import { requireTool } from './real-tools.js';
import { tuningLists } from './tuning-lists.js';

/** Each node has as many. */
export const NODE_CORES = 16;
export const NODE_MEMORY_BYTES = 64 * 2 ** 30;

const MACHINE = { cores: NODE_CORES, memoryBytes: NODE_MEMORY_BYTES };

export interface ClusterWorldOptions {
  /** Names of nodes. */
  readonly nodes: readonly string[];
  /** What a container has taken until an instant (Unix seconds), since it started then. */
  readonly loadOf: (container: ContainerOnNode, pod: PodOnNode, times: { start: number; now: number }) => Load;
  /** When a container started that started then; the same by default. Unix seconds. */
  readonly startOf?: (realSeconds: number) => number;
}

export interface ClusterWorld {
  readonly controlPlane: ControlPlane;
  readonly nodes: FakeNodes;
  /** An empty folder, which is removed at the end. */
  readonly directory: string;
  /** Runs kubectl as the administrator. @returns what it wrote; fails with what it said, also where that is a warning. */
  kubectl(parameters: readonly string[], input?: string): Promise<string>;
  /** `kubectl apply` of some objects. */
  apply(objects: readonly object[]): Promise<void>;
  /** Ends a container, which then waits in `CrashLoopBackOff` for as long as this world is there. */
  crash(pod: PodName, container: string, end: Omit<ContainerEnd, 'backOffSeconds'>): void;
  /** What kube-state-metrics exposes now. */
  stateFamilies(): Promise<readonly MetricFamily[]>;
  /** A kubelet with what is on the node now, and takes what it takes at that time (Unix seconds). */
  kubeletOf(node: string, timeSeconds: number): KubeletState;
  /** For the configuration of Prometheus: kubelets, as they are found in the API server, and kube-state-metrics. */
  readonly scrapeConfigs: readonly object[];
  /** The labels that these scrapes give to what a kubelet, and what kube-state-metrics exposes. */
  targetLabels(node?: string): Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** For `before`: skips loudly without the programs, fails in CI. */
export function requireClusterWorld(context: Pick<Context, 'skip'>): void {
  requireControlPlane(context);
  for (const tool of ['kube-state-metrics', 'kubectl', 'prometheus', 'promtool']) requireTool(context, tool);
}

/** Starts all of it, without Prometheus. Ready, with all nodes, when this resolves. */
export async function startClusterWorld(options: ClusterWorldOptions): Promise<ClusterWorld> {
  const closing: (() => Promise<unknown>)[] = [];
  const failures: unknown[] = [];
  const close = async () => {
    for (const part of closing.splice(0).reverse()) await part();
    if (failures.length > 0) throw new AggregateError(failures, 'Not every container could be ended.');
  };
  try {
    const directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-world-'));
    closing.push(() => rm(directory, { recursive: true, force: true }));
    const controlPlane = await startControlPlane();
    closing.push(() => controlPlane.close());
    const { kubeconfig } = controlPlane;

    let nodes: FakeNodes | undefined;
    const kubeletOf = (name: string, now: number): KubeletState => {
      const started = (container: ContainerOnNode) => {
        const real = startSecondsOf(container);
        return options.startOf?.(real) ?? real;
      };
      return {
        machine: { name, ...MACHINE },
        pods: nodes?.pods().filter(({ node }) => node === name) ?? [],
        startOf: started,
        loadOf: (container, pod) => options.loadOf(container, pod, { start: started(container), now }),
      };
    };
    const kubelets = new Map<string, RunningServer>();
    for (const name of options.nodes) {
      const kubelet = await startKubelet((now) => kubeletOf(name, now));
      closing.push(() => kubelet.close());
      kubelets.set(name, kubelet);
    }
    const portOf = ({ url }: RunningServer) => Number(new URL(url).port);
    nodes = await startFakeNodes(
      controlPlane.api,
      [...kubelets].map(([name, kubelet]) => ({
        name,
        cpu: String(NODE_CORES),
        memory: `${NODE_MEMORY_BYTES / 2 ** 30}Gi`,
        kubeletPort: portOf(kubelet),
      })),
    );
    const running = nodes;
    closing.push(() => running.close());

    const stateMetrics = await startKubeStateMetrics(kubeconfig, await tuningLists());
    closing.push(() => stateMetrics.close());
    const instance = new URL(stateMetrics.url).host;

    const command = clusterCommand(kubeconfig);
    const kubectl = async (parameters: readonly string[], input?: string) =>
      (await command('kubectl', parameters, input === undefined ? {} : { input })).stdout;
    return {
      controlPlane,
      nodes,
      directory,
      kubectl,
      apply: async (items) => {
        const list = { apiVersion: 'v1', kind: 'List', items };
        await kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(list));
      },
      crash: (pod, container, end) => {
        // It ends with its start, or where the nodes end.
        running.endContainer(pod, container, { ...end, backOffSeconds: 86_400 }).catch((error: unknown) => {
          if (!(error instanceof Error && error.name === 'AbortError')) failures.push(error);
        });
      },
      stateFamilies: () => stateMetrics.families(),
      kubeletOf,
      scrapeConfigs: [
        {
          job_name: 'kubelet',
          honor_labels: true,
          metrics_path: '/metrics/cadvisor',
          kubernetes_sd_configs: [{ role: 'node', kubeconfig_file: kubeconfig }],
          relabel_configs: [{ source_labels: ['__meta_kubernetes_node_name'], target_label: 'instance' }],
        },
        {
          job_name: 'kube-state-metrics',
          honor_labels: true,
          static_configs: [{ targets: [instance] }],
        },
      ],
      targetLabels: (node) =>
        node === undefined ? { job: 'kube-state-metrics', instance } : { job: 'kubelet', instance: node },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** When the run of a container began, Unix time in seconds; 0 for one that does not run. */
function startSecondsOf({ state }: ContainerOnNode): number {
  return state.type === 'running' ? state.startedAt.getTime() / 1000 : 0;
}

/**
 * The shipped configuration for a Prometheus in Kubernetes, for one that is outside and asks as somebody with that
 * kubeconfig.
 *
 * @param address where the exporter really listens: the addresses of fake pods lead nowhere.
 */
export async function shippedScrapeConfigs(kubeconfig: string, address: string): Promise<readonly object[]> {
  const text = await readFile('deploy/prometheus/scrape-configs/kubernetes.yaml', 'utf8');
  const { scrape_configs: shipped } = parse(text) as {
    readonly scrape_configs: readonly {
      readonly kubernetes_sd_configs: readonly object[];
      readonly relabel_configs: readonly object[];
    }[];
  };
  return shipped.map((job) => ({
    ...job,
    kubernetes_sd_configs: job.kubernetes_sd_configs.map((discovery) => ({
      ...discovery,
      kubeconfig_file: kubeconfig,
    })),
    relabel_configs: [...job.relabel_configs, { target_label: '__address__', replacement: address }],
  }));
}
