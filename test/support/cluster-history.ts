/** What a real cluster did within a minute, as hours of the past of a Prometheus, and days before them in which nothing happened. */

import { setTimeout as sleep } from 'node:timers/promises';
import { CONTAINER_METRICS, STATE_METRICS } from '../../src/exporter/context/queries.js';
import { PHASE_METRIC } from '../../src/exporter/features/pod-phase.js';
import { MEMORY_METRICS } from '../../src/exporter/features/queries/template.js';
import { HISTORY_STEP_SECONDS } from '../../src/exporter/history/grid.js';
import { HistoryText } from '../../src/tools/demo/history-text.js';
import type { MetricFamily } from '../../src/tools/demo/metric-family.js';
import type { ClusterWorld } from './cluster-world.js';
import type { PodOnNode } from './fake-pod.js';
import { cadvisorFamilies, type KubeletState } from './kubelet-metrics.js';
import { type Anchor, toldTime } from './stretched-time.js';
import { eventually } from './waiting.js';

/** A moment of a cluster. */
interface Frame {
  readonly realSeconds: number;
  readonly state: readonly MetricFamily[];
  readonly pods: readonly PodOnNode[];
}

const OWNERS = ['kube_pod_owner', 'kube_replicaset_owner', 'kube_job_owner'];
const RESTARTS = ['kube_pod_container_status_restarts_total', 'kube_pod_init_container_status_restarts_total'];
const CPU = 'container_cpu_usage_seconds_total';

/** What the exporter asks for. */
const KEPT: ReadonlySet<string> = new Set([
  CPU,
  MEMORY_METRICS.usage,
  MEMORY_METRICS.working_set,
  ...Object.values(CONTAINER_METRICS),
  ...Object.values(STATE_METRICS),
  ...OWNERS,
  ...RESTARTS,
  PHASE_METRIC,
  'kube_node_info',
]);

/** What it asks for of past days. */
const OF_DAYS: ReadonlySet<string> = new Set([...OWNERS, ...RESTARTS, CPU, MEMORY_METRICS.usage]);

/** Between two looks at the cluster. */
const PAUSE_MILLISECONDS = 300;

/** Scrapes before an instant of a past day that make the rate then, for a window of two minutes: so long before, in seconds. */
const RATE_SECONDS = [90, 60, 30];

/** Looks at a cluster again and again. */
export class ClusterRecording {
  readonly #frames: Frame[] = [];
  #running = false;
  #done: Promise<void> = Promise.resolve();

  constructor(private readonly world: Pick<ClusterWorld, 'stateFamilies' | 'nodes'>) {
    this.resume();
  }

  get frames(): readonly Frame[] {
    return this.#frames;
  }

  resume(): void {
    this.#running = true;
    this.#done = this.#run();
    // The one who stops it is told.
    this.#done.catch(() => undefined);
  }

  /** Until it has looked at what is now. */
  async seen(): Promise<void> {
    const { length } = this.#frames;
    await eventually(() => {
      // The next one may have begun before.
      if (this.#frames.length < length + 2) throw new Error('The recording of the cluster does not go on.');
    });
  }

  /** Once more, and then no more. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    await this.#look();
  }

  async #run(): Promise<void> {
    while (this.#running) {
      await this.#look();
      await sleep(PAUSE_MILLISECONDS);
    }
  }

  async #look(): Promise<void> {
    const realSeconds = Date.now() / 1000;
    const state = (await this.world.stateFamilies()).filter(({ name }) => KEPT.has(name));
    this.#frames.push({ realSeconds, state, pods: this.world.nodes.pods() });
  }
}

export interface PastOptions {
  readonly world: Pick<ClusterWorld, 'kubeletOf' | 'targetLabels'>;
  readonly nodes: readonly string[];
  readonly frames: readonly Frame[];
  readonly anchors: readonly Anchor[];
  /** Days before the start in which the cluster is as in the first frame, with what the exporter asks for of the past. */
  readonly daysBefore: number;
  /** From then on, all that it asks for is there at each step. Unix seconds. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly stepSeconds: number;
}

/** OpenMetrics text of that past, as scrapes of its kubelets and of kube-state-metrics would have brought it. */
export function* pastOf(options: PastOptions): Generator<string> {
  const { world, nodes, frames, anchors, daysBefore, startSeconds, endSeconds, stepSeconds } = options;
  const told = frames.map((frame) => ({ frame, seconds: toldTime(anchors, frame.realSeconds) }));
  const frameAt = (time: number) => (told.findLast(({ seconds }) => seconds <= time) ?? told[0])?.frame;
  const text = new HistoryText();
  const scrape = (time: number, isKept = (name: string) => KEPT.has(name)) => {
    const { state = [], pods = [] } = frameAt(time) ?? {};
    for (const node of nodes) {
      const there: KubeletState = { ...world.kubeletOf(node, time), pods: pods.filter((pod) => pod.node === node) };
      text.add(cadvisorFamilies(there, time), time, world.targetLabels(node), isKept);
    }
    text.add(state, time, world.targetLabels(), isKept);
  };
  const first = Math.ceil((startSeconds - daysBefore * 86_400) / HISTORY_STEP_SECONDS) * HISTORY_STEP_SECONDS;
  for (let time = first; time < startSeconds; time += HISTORY_STEP_SECONDS) {
    for (const before of RATE_SECONDS) scrape(time - before, (name) => name === CPU);
    scrape(time, (name) => OF_DAYS.has(name));
  }
  for (let time = startSeconds; time <= endSeconds; time += stepSeconds) scrape(time);
  yield* text.series();
  yield '# EOF\n';
}
