/** What a kubelet says of a pod: its containers from the first wait to the last end, as data, and the status for the API. */

import type {
  IContainer,
  IContainerState,
  IContainerStatus,
  IPod,
  IPodCondition,
  IPodStatus,
} from 'kubernetes-models/v1';

/** Annotations of pods that say what their containers do; all are optional. */
export const ANNOTATIONS = {
  /** The main containers end by themselves after so many seconds. Without it they run until someone ends them. */
  runSeconds: 'fake-nodes/run-seconds',
  /** With which code they end then; 0 unless given. */
  exitCode: 'fake-nodes/exit-code',
  /** How long each init container takes that is no sidecar; 0 unless given. */
  initSeconds: 'fake-nodes/init-seconds',
  /** The containers wait for ever, for this reason, such as `ImagePullBackOff`. */
  neverStarts: 'fake-nodes/never-starts',
} as const;

export type EndReason = 'OOMKilled' | 'Error' | 'Completed';

const EXIT_CODES: Readonly<Record<EndReason, number>> = { OOMKilled: 137, Error: 1, Completed: 0 };

/** How a container ends. */
export interface ContainerEnd {
  readonly reason: EndReason;
  /** Unless given: 137 for OOMKilled, 1 for Error, 0 for Completed. */
  readonly exitCode?: number;
  /** It waits so long in `CrashLoopBackOff` before it starts again; 0 unless given. */
  readonly backOffSeconds?: number;
}

/** `sidecar`: an init container with restartPolicy Always. */
export type ContainerKind = 'main' | 'init' | 'sidecar';

interface Waiting {
  readonly type: 'waiting';
  readonly reason: string;
}

interface Running {
  readonly type: 'running';
  readonly startedAt: Date;
}

interface Ended {
  readonly type: 'ended';
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly reason: EndReason;
  readonly exitCode: number;
}

/** A container on a node. */
export interface ContainerOnNode {
  readonly name: string;
  readonly kind: ContainerKind;
  readonly image: string;
  /** Of the run of `state`, or of `last`: `containerd://` and 64 hexadecimal digits. Not set before the first run. */
  readonly id?: string;
  readonly state: Waiting | Running | Ended;
  /** The run before this one. */
  readonly last?: Ended;
  readonly restarts: number;
}

/** A pod on a node. */
export interface PodOnNode {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  /** Reached by nobody. */
  readonly ip: string;
  /** When the node saw it. */
  readonly startedAt: Date;
  /** As the API server had it last: labels, annotations, owners, spec. Its status is older than this object. */
  readonly pod: IPod;
  /** First the init containers, in their order. */
  readonly containers: readonly ContainerOnNode[];
  /** As by readiness probes. */
  readonly isReady: boolean;
  /** Why it was evicted, where it was. */
  readonly evicted?: string;
}

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** A pod that the scheduler has just bound. */
export function newPod(
  pod: IPod,
  { node, ip, now }: { readonly node: string; readonly ip: string; readonly now: Date },
): PodOnNode {
  const { namespace = '', name = '', uid = '' } = pod.metadata ?? {};
  const container = (kind: ContainerKind, reason: string, { name, image = '' }: IContainer): ContainerOnNode => ({
    name,
    kind,
    image,
    state: { type: 'waiting', reason },
    restarts: 0,
  });
  const init = pod.spec?.initContainers ?? [];
  const waiting = annotationOf(pod, 'neverStarts') ?? (init.length > 0 ? 'PodInitializing' : 'ContainerCreating');
  return {
    namespace,
    name,
    uid,
    node,
    ip,
    startedAt: now,
    pod,
    containers: [
      ...init.map((one) => container(one.restartPolicy === 'Always' ? 'sidecar' : 'init', waiting, one)),
      ...(pod.spec?.containers ?? []).map((one) => container('main', waiting, one)),
    ],
    isReady: true,
  };
}

export function annotationOf(pod: IPod, name: keyof typeof ANNOTATIONS): string | undefined {
  return pod.metadata?.annotations?.[ANNOTATIONS[name]];
}

/** With a container exchanged. @throws Error if there is none of this name */
export function withContainer(
  pod: PodOnNode,
  name: string,
  change: (container: ContainerOnNode) => ContainerOnNode,
): PodOnNode {
  if (!pod.containers.some((container) => container.name === name)) {
    const names = pod.containers.map((container) => container.name).join(', ');
    throw new Error(`Expected a container of ${pod.namespace}/${pod.name}, one of ${names}, got ${name}.`);
  }
  return { ...pod, containers: pod.containers.map((one) => (one.name === name ? change(one) : one)) };
}

/** @param id a new one. */
export function started(container: ContainerOnNode, now: Date, id: string): ContainerOnNode {
  return { ...container, id, state: { type: 'running', startedAt: now } };
}

/** What does not run stays as it is. */
export function ended(container: ContainerOnNode, { reason, exitCode }: ContainerEnd, now: Date): ContainerOnNode {
  if (container.state.type !== 'running') return container;
  const { startedAt } = container.state;
  return {
    ...container,
    state: { type: 'ended', startedAt, endedAt: now, reason, exitCode: exitCode ?? EXIT_CODES[reason] },
  };
}

/** It waits before it starts again. */
export function restarting(container: ContainerOnNode): ContainerOnNode {
  const { state } = container;
  return {
    ...container,
    state: { type: 'waiting', reason: 'CrashLoopBackOff' },
    ...(state.type === 'ended' && { last: state }),
    restarts: container.restarts + 1,
  };
}

/** Whether its node starts it again after it has ended. */
export function startsAgain({ pod, evicted }: PodOnNode, { kind, state }: ContainerOnNode): boolean {
  if (state.type !== 'ended' || evicted !== undefined || pod.metadata?.deletionTimestamp !== undefined) return false;
  const policy = pod.spec?.restartPolicy ?? 'Always';
  if (kind === 'sidecar' || (kind === 'main' && policy === 'Always')) return true;
  return policy !== 'Never' && state.exitCode !== 0;
}

/** Whether nothing of it will run any more: the main containers have ended for good. Init containers never fail here. */
export function isFinished(pod: PodOnNode): boolean {
  const main = pod.containers.filter(({ kind }) => kind === 'main');
  return main.every((one) => one.state.type === 'ended' && !startsAgain(pod, one));
}

export function phaseOf(pod: PodOnNode): PodPhase {
  if (pod.evicted !== undefined) return 'Failed';
  if (isFinished(pod)) {
    const failed = pod.containers.some(
      ({ kind, state }) => kind !== 'sidecar' && state.type === 'ended' && state.exitCode !== 0,
    );
    return failed ? 'Failed' : 'Succeeded';
  }
  const hasRun = ({ state, last }: ContainerOnNode) => state.type !== 'waiting' || last !== undefined;
  return isInitialized(pod) && pod.containers.every(hasRun) ? 'Running' : 'Pending';
}

/** Whether the containers before the main ones have done their work, or do it. */
function isInitialized({ containers }: PodOnNode): boolean {
  return containers.every(({ kind, state, last }) => {
    if (kind === 'main') return true;
    if (kind === 'sidecar') return state.type !== 'waiting' || last !== undefined;
    return state.type === 'ended' && state.exitCode === 0;
  });
}

/**
 * For the API, as a strategic merge patch: its conditions are added to those of the scheduler and of others.
 *
 * @param before what the API has now: a condition that has not changed keeps its time.
 */
export function statusOf(pod: PodOnNode, before: IPodStatus | undefined, now: Date): IPodStatus {
  const phase = phaseOf(pod);
  const runs = phase === 'Running' || phase === 'Pending';
  const isServing = ({ kind, state }: ContainerOnNode) =>
    kind === 'init' ? state.type === 'ended' : state.type === 'running' && pod.isReady;
  const containersReady = runs && pod.containers.every(isServing);
  const condition = (type: string, holds: boolean, reason?: string): IPodCondition => {
    const status = holds ? 'True' : 'False';
    const known = before?.conditions?.find((one) => one.type === type && one.status === status);
    const lastTransitionTime = known?.lastTransitionTime ?? timeOf(now);
    return { type, status, lastTransitionTime, ...(reason !== undefined && { reason }) };
  };
  const notReady = runs ? 'ContainersNotReady' : 'PodCompleted';
  const status = (kinds: readonly ContainerKind[]) =>
    pod.containers
      .filter(({ kind }) => kinds.includes(kind))
      .map((container) => ({
        ...containerStatusOf(container, isServing(container)),
        // Without it, the API server takes no resize.
        resources: resourcesOf(pod, container) ?? {},
      }));
  const init = status(['init', 'sidecar']);
  return {
    phase,
    hostIP: '127.0.0.1',
    podIP: pod.ip,
    podIPs: [{ ip: pod.ip }],
    startTime: timeOf(pod.startedAt),
    ...(pod.evicted !== undefined && { reason: 'Evicted', message: pod.evicted }),
    conditions: [
      condition('PodReadyToStartContainers', runs),
      condition('Initialized', isInitialized(pod)),
      condition('ContainersReady', containersReady, containersReady ? undefined : notReady),
      condition('Ready', containersReady, containersReady ? undefined : notReady),
      ...(pod.evicted === undefined ? [] : [condition('DisruptionTarget', true, 'TerminationByKubelet')]),
    ],
    ...(init.length > 0 && { initContainerStatuses: init }),
    containerStatuses: status(['main']),
  };
}

function resourcesOf({ pod: { spec } }: PodOnNode, { name }: ContainerOnNode): IContainer['resources'] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].find((one) => one.name === name)?.resources;
}

function containerStatusOf(
  { name, image, id, state, last, restarts }: ContainerOnNode,
  ready: boolean,
): IContainerStatus {
  return {
    name,
    image,
    imageID: image,
    ready,
    started: state.type === 'running',
    restartCount: restarts,
    ...(id !== undefined && { containerID: id }),
    state: stateOf(state, id),
    ...(last !== undefined && { lastState: stateOf(last, id) }),
  };
}

function stateOf(state: ContainerOnNode['state'], id: string | undefined): IContainerState {
  switch (state.type) {
    case 'waiting':
      return { waiting: { reason: state.reason } };
    case 'running':
      return { running: { startedAt: timeOf(state.startedAt) } };
    case 'ended':
      return {
        terminated: {
          startedAt: timeOf(state.startedAt),
          finishedAt: timeOf(state.endedAt),
          reason: state.reason,
          exitCode: state.exitCode,
          ...(id !== undefined && { containerID: id }),
        },
      };
  }
}

/** Times of the API have no fractions of seconds. */
export function timeOf(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}
