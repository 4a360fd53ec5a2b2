/** What the kubelets of all fake nodes do: they run pods by telling the API that they do. */

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IPod, IPodStatus } from 'kubernetes-models/v1';
import {
  annotationOf,
  type ContainerEnd,
  type ContainerOnNode,
  ended,
  isFinished,
  newPod,
  type PodOnNode,
  restarting,
  started,
  startsAgain,
  statusOf,
  withContainer,
} from './fake-pod.js';
import { ApiError, type ChangeType, type KubernetesApi } from './kubernetes-api.js';

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

export class FakeKubelet {
  readonly #api: KubernetesApi;
  readonly #nodes: ReadonlySet<string>;
  readonly #onFailure: (error: unknown) => void;
  /** By UID. */
  readonly #pods = new Map<string, RunningPod>();
  #addresses = 0;

  constructor(api: KubernetesApi, nodes: ReadonlySet<string>, onFailure: (error: unknown) => void) {
    this.#api = api;
    this.#nodes = nodes;
    this.#onFailure = onFailure;
  }

  /** Sorted by namespace and name. */
  pods(): readonly PodOnNode[] {
    const key = ({ namespace, name }: PodOnNode) => `${namespace}/${name}`;
    return [...this.#pods.values()].map(({ state }) => state).sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }

  /** A change of a pod of any node. */
  see(type: ChangeType, pod: IPod): void {
    const { uid = '' } = pod.metadata ?? {};
    const node = pod.spec?.nodeName ?? '';
    if (!this.#nodes.has(node)) return;
    const known = this.#pods.get(uid);
    if (type === 'DELETED') {
      known?.stop();
      this.#pods.delete(uid);
    } else if (known !== undefined) {
      if (known.see(pod)) this.#do(known.terminate());
    } else {
      const address = ++this.#addresses;
      const ip = `10.244.${address >> 8}.${address & 255}`;
      const running = new RunningPod(this.#api, newPod(pod, { node, ip, now: new Date() }));
      this.#pods.set(uid, running);
      this.#do(isTerminating(pod) ? running.terminate() : running.run());
    }
  }

  /** @throws Error if there is none */
  find({ namespace, name }: PodName): RunningPod {
    for (const pod of this.#pods.values()) {
      if (pod.state.namespace === namespace && pod.state.name === name) return pod;
    }
    throw new Error(`Expected the pod ${namespace}/${name} on a node, but it is on none.`);
  }

  /** What the API is being told is told. */
  async close(): Promise<void> {
    await Promise.all([...this.#pods.values()].map((pod) => pod.stop()));
  }

  #do(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!isAbort(error)) this.#onFailure(error);
    });
  }
}

/** A pod on a node and what happens to it. All that changes it gives a promise for when the API knows. */
class RunningPod {
  readonly #api: KubernetesApi;
  readonly #path: string;
  #state: PodOnNode;
  #reported: IPodStatus | undefined;
  #saving: Promise<void> = Promise.resolve();
  /** Aborted when what was planned is not to happen any more. */
  readonly #plans = new AbortController();

  constructor(api: KubernetesApi, state: PodOnNode) {
    this.#api = api;
    this.#path = `/api/v1/namespaces/${state.namespace}/pods/${state.name}`;
    this.#state = state;
    this.#reported = state.pod.status;
  }

  get state(): PodOnNode {
    return this.#state;
  }

  /** @returns whether it shall end now. */
  see(pod: IPod): boolean {
    const wasTerminating = isTerminating(this.#state.pod);
    this.#state = { ...this.#state, pod };
    return isTerminating(pod) && !wasTerminating;
  }

  /** Up to the start of the main containers; their end is planned then. */
  async run(): Promise<void> {
    const { phase } = this.#state.pod.status ?? {};
    if (phase === 'Succeeded' || phase === 'Failed') return;
    await this.#save();
    if (annotationOf(this.#state.pod, 'neverStarts') !== undefined) return;
    for (const { name, kind } of this.#state.containers) {
      if (kind === 'main') continue;
      this.#start(name);
      await this.#save();
      if (kind === 'sidecar') continue;
      await this.#pause(Number(annotationOf(this.#state.pod, 'initSeconds') ?? 0));
      this.#change(name, (one) => ended(one, { reason: 'Completed' }, new Date()));
    }
    const main = this.#state.containers.filter(({ kind }) => kind === 'main');
    for (const { name } of main) this.#start(name);
    await this.#save();
    await Promise.all(main.map(({ name }) => this.#endAsPlanned(name)));
  }

  /** @throws Error if it does not run */
  async endContainer(name: string, end: ContainerEnd): Promise<void> {
    this.#change(name, (one) => {
      if (one.state.type === 'running') return ended(one, end, new Date());
      throw new Error(`Expected ${name} of ${this.#path} to run, but it is ${one.state.type}.`);
    });
    const now = this.#state.containers.find((one) => one.name === name);
    if (now !== undefined && startsAgain(this.#state, now)) {
      this.#change(name, restarting);
      if (end.backOffSeconds !== undefined) {
        await this.#save();
        await this.#pause(end.backOffSeconds);
      }
      this.#start(name);
    } else if (isFinished(this.#state)) {
      this.#endAll({ reason: 'Completed' });
    }
    await this.#save();
  }

  async evict(message: string): Promise<void> {
    this.#plans.abort();
    this.#endAll({ reason: 'Error', exitCode: 137 });
    this.#state = { ...this.#state, evicted: message };
    await this.#save();
  }

  async setReady(isReady: boolean): Promise<void> {
    this.#state = { ...this.#state, isReady };
    await this.#save();
  }

  /** Someone has deleted it: it ends at once, and then it is gone. */
  async terminate(): Promise<void> {
    this.#plans.abort();
    this.#endAll({ reason: 'Completed' });
    await this.#save();
    const options = { gracePeriodSeconds: 0, preconditions: { uid: this.#state.uid } };
    await unlessGone(this.#api.delete(this.#path, options));
  }

  /** Nothing more happens to it. */
  async stop(): Promise<void> {
    this.#plans.abort();
    await this.#saving;
  }

  /** Again and again, where it starts again. */
  async #endAsPlanned(name: string): Promise<void> {
    const seconds = annotationOf(this.#state.pod, 'runSeconds');
    if (seconds === undefined) return;
    const exitCode = Number(annotationOf(this.#state.pod, 'exitCode') ?? 0);
    const isRunning = () => this.#state.containers.some((one) => one.name === name && one.state.type === 'running');
    while (isRunning()) {
      await this.#pause(Number(seconds));
      if (isRunning()) await this.endContainer(name, { reason: exitCode === 0 ? 'Completed' : 'Error', exitCode });
    }
  }

  #start(name: string): void {
    this.#plans.signal.throwIfAborted();
    const id = `containerd://${randomBytes(32).toString('hex')}`;
    this.#change(name, (one) => started(one, new Date(), id));
  }

  #endAll(end: ContainerEnd): void {
    for (const { name } of this.#state.containers) this.#change(name, (one) => ended(one, end, new Date()));
  }

  #change(name: string, change: (container: ContainerOnNode) => ContainerOnNode): void {
    this.#state = withContainer(this.#state, name, change);
  }

  #pause(seconds: number): Promise<void> {
    return sleep(seconds * 1000, undefined, { signal: this.#plans.signal });
  }

  /** One after the other, each with what is true then. */
  #save(): Promise<void> {
    const saving = this.#saving.then(() => unlessGone(this.#report()));
    // The caller is told of its failure.
    this.#saving = saving.catch(() => undefined);
    return saving;
  }

  async #report(): Promise<void> {
    const status = statusOf(this.#state, this.#reported, new Date());
    const changes = { metadata: { uid: this.#state.uid }, status };
    const pod = await this.#api.patch<IPod>(`${this.#path}/status`, changes, 'strategic');
    this.#reported = pod.status;
  }
}

function isTerminating(pod: IPod): boolean {
  return pod.metadata?.deletionTimestamp !== undefined;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** A pod that someone has deleted meanwhile, or that is another one now, is no failure. */
async function unlessGone(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error;
  }
}
