/**
 * The simulated cluster: which pods exist at an instant, and what the kubelet and the API server report about them.
 *
 * A world is a pure function of time. Nothing is stored and nothing runs: any instant, past or future, can be
 * computed in any order, and the same options give the same world.
 */

import { type Incident, SCRIPT, type ScriptedIncident } from './incidents.js';
import { cronJobPods, lastingPods, type PodLife } from './lives.js';
import type { PodState } from './pod-state.js';
import { uniform } from './random.js';
import { mainResources, PROXY_RESOURCES } from './resources.js';
import { containerEnds, containerRuns, restartTimes } from './usage.js';
import { type DailyJob, ROLLOUTS, type Rollout, WORKLOADS } from './workloads.js';

export interface WorldOptions {
  readonly seed: number;
  /** Unix time. The offsets of incidents and changes are relative to it. */
  readonly startSeconds: number;
  /** Default: the script of the demo. */
  readonly incidents?: readonly ScriptedIncident[];
  /** Default: those of the demo. */
  readonly rollouts?: readonly Rollout[];
  /** Default: none. */
  readonly dailyJob?: DailyJob;
  /** Factor by which incidents and changes are faster; normal behaviour is not affected. Default 1. */
  readonly speed?: number;
  /** Multiplies the replicas of each workload. Default 1: about 40 pods. */
  readonly scale?: number;
}

/** A cluster over time. Times are Unix seconds. */
export interface World {
  /** In the order of their start. */
  readonly incidents: readonly Incident[];
  /** The pods that the API server knows at an instant, completed ones included. */
  pods(timeSeconds: number): readonly PodState[];
}

/** The share of a pod's resources that its proxy container uses. */
const SIDECAR_SHARE = 0.08;

/** @throws {Error} if an incident names a replica that does not run when it begins. */
export function createWorld(options: WorldOptions): World {
  const { seed, startSeconds, speed = 1, scale = 1, rollouts = ROLLOUTS, dailyJob } = options;
  const specs = WORKLOADS.map((spec) => ({
    ...spec,
    replicas: Math.max(1, Math.round(spec.replicas * scale)),
  }));
  // A DaemonSet has a pod on each.
  const nodes = Math.max(1, ...specs.filter(({ kind }) => kind === 'DaemonSet').map(({ replicas }) => replicas));
  const changes = { seed, startSeconds, rollouts, dailyJob, speed };
  const lasting = specs.flatMap((spec) => lastingPods(spec, changes));
  const cronJobs = specs.filter((spec) => spec.kind === 'CronJob');
  const placed = (options.incidents ?? SCRIPT)
    .map((scripted) => placeIncident(scripted, lasting, startSeconds, speed))
    .sort((a, b) => a.incident.startSeconds - b.incident.startSeconds);
  // By life, as pods of a StatefulSet follow one another under one name.
  const incidentsOf = (life: PodLife) => placed.flatMap((one) => (one.life === life ? one.incident : []));
  return {
    incidents: placed.map(({ incident }) => incident),
    pods: (time) =>
      [...lasting, ...cronJobs.flatMap((spec) => cronJobPods(spec, seed, time))]
        .filter((life) => life.bornSeconds <= time && time < life.goneSeconds)
        .map((life) => podState(life, nodeOf(life, nodes), incidentsOf(life), time)),
  };
}

function placeIncident(
  scripted: ScriptedIncident,
  lives: readonly PodLife[],
  startSeconds: number,
  speed: number,
): { readonly life: PodLife; readonly incident: Incident } {
  const start = startSeconds + scripted.startOffsetSeconds / speed;
  const life = lives.find(
    ({ spec, replica, bornSeconds, endSeconds }) =>
      spec.namespace === scripted.namespace &&
      spec.name === scripted.workload &&
      replica === scripted.replica &&
      bornSeconds <= start &&
      start < endSeconds,
  );
  if (life === undefined) {
    throw new Error(
      `Expected an incident to name a replica that runs when it begins, ` +
        `got ${scripted.namespace}/${scripted.workload}, replica ${scripted.replica}.`,
    );
  }
  const { kind } = scripted;
  const { namespace, pod } = life;
  const endSeconds = startSeconds + scripted.endOffsetSeconds / speed;
  return { life, incident: { kind, speed, namespace, pod, startSeconds: start, endSeconds } };
}

/** A pod of a DaemonSet has a node of its own, others any. */
function nodeOf({ spec, replica, key }: PodLife, nodes: number): string {
  const index = spec.kind === 'DaemonSet' ? replica : Math.floor(uniform(key, 11) * nodes);
  return `node-${index + 1}`;
}

/** The state of a pod. Incidents hit its first container; the second one, if any, is its proxy. */
function podState(life: PodLife, node: string, incidents: readonly Incident[], timeSeconds: number): PodState {
  const { namespace, pod, spec, owner, ownersOwner, revision } = life;
  const share = spec.sidecar ? 1 - SIDECAR_SHARE : 1;
  const restarts = restartTimes(life, incidents, timeSeconds);
  const ends = containerEnds(life, incidents, restarts, timeSeconds);
  const isRunning = timeSeconds < life.endSeconds;
  const main = {
    name: spec.name,
    image: `registry.example.com/${spec.namespace}/${spec.name}:1.${revision}`,
    resources: mainResources(spec),
    restarts: life.restarts + restarts.length,
    ends,
    isWaiting: isRunning && (ends.at(-1)?.timeSeconds ?? -Infinity) > (restarts.at(-1) ?? Infinity),
    cgroups: isRunning ? containerRuns(life, share, incidents, restarts, ends, timeSeconds) : [],
  };
  const proxy = () => ({
    name: 'proxy',
    image: 'registry.example.com/platform/proxy:1.0',
    resources: PROXY_RESOURCES,
    restarts: 0,
    ends: [],
    isWaiting: false,
    cgroups: isRunning ? containerRuns(life, SIDECAR_SHARE, [], [], [], timeSeconds) : [],
  });
  const containers = spec.sidecar ? [main, proxy()] : [main];
  const createdSeconds = life.bornSeconds;
  return { namespace, pod, uid: life.uid, node, createdSeconds, owner, ownersOwner, containers };
}
