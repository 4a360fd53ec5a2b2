/**
 * The simulated cluster: which pods are there at an instant, and what the kubelet and the API server know of them.
 *
 * A world is a pure function of time. Nothing is stored and nothing runs: any instant, past or future, can be
 * asked for in any order, and the same options give the same world.
 */

import type { Cause, Replacement, Scaling } from './changes.js';
import { type Incident, SCRIPT, type ScriptedIncident } from './incidents.js';
import { cronJobPods, lastingPods, type PodLife } from './lives.js';
import type { ContainerState, PodState } from './pod-state.js';
import { containerRuns, restartTimes } from './usage.js';
import { ROLLOUTS, type Rollout, WORKLOADS, type WorkloadSpec } from './workloads.js';

export interface WorldOptions {
  readonly seed: number;
  /** Unix time from which the offsets of incidents and changes count. */
  readonly startSeconds: number;
  /** Default: those of the demo. */
  readonly workloads?: readonly WorkloadSpec[];
  /** Default: the script of the demo. */
  readonly incidents?: readonly ScriptedIncident[];
  /** Default: those of the demo. */
  readonly rollouts?: readonly Rollout[];
  /** Default: none. */
  readonly scalings?: readonly Scaling[];
  /** Default: none. */
  readonly replacements?: readonly Replacement[];
  /** Incidents and changes come and develop so many times faster; the usual behaviour stays. Default 1. */
  readonly speed?: number;
  /** Times as many replicas for each workload. Default 1: about 40 pods. */
  readonly scale?: number;
}

/** A cluster over time. Times are Unix seconds. */
export interface World {
  /** What befalls pods, by start. */
  readonly incidents: readonly Incident[];
  /** The pods that a rollout, a scale-up or a replacement brings, by birth. */
  readonly births: readonly Birth[];
  /** The pods that the API server knows at an instant, completed ones included. */
  pods(timeSeconds: number): readonly PodState[];
}

/** A pod that a change brings. */
export interface Birth {
  readonly namespace: string;
  readonly pod: string;
  readonly cause: Exclude<Cause, 'start'>;
  /** Unix time. */
  readonly bornSeconds: number;
}

/** What the proxy beside the main container takes of a pod. */
const SIDECAR_SHARE = 0.08;

/** @throws {Error} if an incident names a replica that is not there when it begins. */
export function createWorld(options: WorldOptions): World {
  const { seed, startSeconds, speed = 1, scale = 1, rollouts = ROLLOUTS } = options;
  const { workloads = WORKLOADS, scalings = [], replacements = [] } = options;
  const specs = workloads.map((spec) => ({
    ...spec,
    replicas: Math.max(1, Math.round(spec.replicas * scale)),
  }));
  const changes = { seed, startSeconds, rollouts, scalings, replacements, speed };
  const lasting = specs.flatMap((spec) => lastingPods(spec, changes));
  const cronJobs = specs.filter((spec) => spec.kind === 'CronJob');
  const placed = (options.incidents ?? SCRIPT)
    .map((scripted) => placeIncident(scripted, lasting, startSeconds, speed))
    .sort((a, b) => a.incident.startSeconds - b.incident.startSeconds);
  // By life, as pods of a StatefulSet follow one another under one name.
  const incidentsOf = new Map<PodLife, Incident[]>();
  for (const { life, incident } of placed) {
    incidentsOf.set(life, [...(incidentsOf.get(life) ?? []), incident]);
  }

  return {
    incidents: placed.map(({ incident }) => incident),
    births: lasting.flatMap(birthOf).sort((a, b) => a.bornSeconds - b.bornSeconds),
    pods: (time) =>
      [...lasting, ...cronJobs.flatMap((spec) => cronJobPods(spec, seed, time))]
        .filter((life) => life.bornSeconds <= time && time < life.goneSeconds)
        .map((life) => podState(life, incidentsOf.get(life) ?? [], time)),
  };
}

function birthOf({ namespace, pod, cause, bornSeconds }: PodLife): Birth[] {
  return cause === 'start' ? [] : [{ namespace, pod, cause, bornSeconds }];
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
  const incident = {
    kind: scripted.kind,
    speed,
    namespace: life.namespace,
    pod: life.pod,
    startSeconds: start,
    endSeconds: startSeconds + scripted.endOffsetSeconds / speed,
  };
  return { life, incident };
}

/** The state of a pod that incidents hit in its first container. A second one is its proxy. */
function podState(life: PodLife, incidents: readonly Incident[], timeSeconds: number): PodState {
  const { namespace, pod, spec, owner, ownersOwner } = life;
  const running = timeSeconds < life.endSeconds;
  const share = spec.sidecar ? 1 - SIDECAR_SHARE : 1;
  const containers: ContainerState[] = [
    {
      name: spec.name,
      image: `registry.example.com/${spec.namespace}/${spec.name}:1.0`,
      restarts: life.restarts + restartTimes(incidents, timeSeconds).length,
      cgroups: running ? containerRuns(life, share, incidents, timeSeconds) : [],
    },
  ];
  if (spec.sidecar) {
    containers.push({
      name: 'proxy',
      image: 'registry.example.com/platform/proxy:1.0',
      restarts: 0,
      cgroups: running ? containerRuns(life, SIDECAR_SHARE, [], timeSeconds) : [],
    });
  }
  return { namespace, pod, uid: life.uid, owner, ownersOwner, containers };
}
