/** Three clusters in which ten things happen, and the one message that a person would want of each. */

import { createWorld, type World, type WorldOptions } from '../../src/tools/simulation/cluster.js';
import type { IncidentKind, ScriptedIncident } from '../../src/tools/simulation/incidents.js';
import { DAILY_JOB, WORKLOADS } from '../../src/tools/simulation/workloads.js';

/** Before dawn, as on-call knows it. */
export const START_SECONDS = Date.UTC(2026, 10, 29, 3) / 1000;
export const MINUTES = 25;

/** What happens, and which message there is. */
export interface ExpectedMessage {
  /** For people: `bad release`. */
  readonly incident: string;
  readonly cluster: string;
  readonly alertname: string;
  /** The labels of the alert besides. */
  readonly labels: Readonly<Record<string, string>>;
  /** What its title says. */
  readonly title: RegExp;
}

export interface IncidentCluster {
  readonly name: string;
  readonly world: World;
  readonly expected: readonly ExpectedMessage[];
}

const MINUTE_SECONDS = 60;
const SCALE = 2;
/** All clusters are the same one before. A job runs in it every night, also in this one. */
const USUAL: WorldOptions = {
  ...{ seed: 3, startSeconds: START_SECONDS, scale: SCALE, incidents: [], rollouts: [] },
  dailyJob: { ...DAILY_JOB, startOffsetSeconds: -25 * 60 },
};
export const PAST = createWorld(USUAL);
/** All begin at once, unless said otherwise, and last for longer than the tape. */
const BEGIN_SECONDS = MINUTE_SECONDS;

const incident = (
  kind: IncidentKind,
  path: string,
  replica: number,
  startOffsetSeconds = BEGIN_SECONDS,
): ScriptedIncident => {
  const [namespace = '', workload = ''] = path.split('/');
  return { kind, namespace, workload, replica, startOffsetSeconds, endOffsetSeconds: 4 * 3600 };
};

const replicasOf = (path: string) => {
  const spec = WORKLOADS.find(({ namespace, name }) => path === `${namespace}/${name}`);
  return Array.from({ length: (spec?.replicas ?? 0) * SCALE }, (_, replica) => replica);
};

/** The same for all pods of some workloads. */
const ofAll = (kind: IncidentKind, paths: readonly string[], start?: number) =>
  paths.flatMap((path) => replicasOf(path).map((replica) => incident(kind, path, replica, start)));

const LASTING = WORKLOADS.filter(({ kind }) => !/Job$/.test(kind)).map(({ namespace, name }) => `${namespace}/${name}`);

/** A cluster in which single pods go wrong, and one workload has a bad release. */
function singlePods(): IncidentCluster {
  const name = 'pods';
  const world = createWorld({
    ...USUAL,
    incidents: [
      incident('runaway-cpu', 'shop/cart', 1),
      incident('memory-leak', 'payments/ledger', 1, -30 * MINUTE_SECONDS),
      incident('oom-cycle', 'payments/checkout', 0),
      incident('crash-loop', 'platform/config-sync', 0),
      incident('hang', 'data/kafka', 2),
    ],
    rollouts: [{ namespace: 'shop', workload: 'recommender', startOffsetSeconds: BEGIN_SECONDS, memoryFactor: 1.8 }],
  });
  const podOf = (kind: IncidentKind) => world.incidents.find((own) => own.kind === kind)?.pod ?? '';
  const ofPod = (what: string, kind: IncidentKind, path: string, title: string): ExpectedMessage => {
    const [namespace = '', workload = ''] = path.split('/');
    const pod = podOf(kind);
    return {
      ...{ incident: what, cluster: name, alertname: 'PodAnomalous', labels: { namespace, workload, pod } },
      title: new RegExp(`^${namespace}/${pod}: ${title}`),
    };
  };
  return {
    name,
    world,
    expected: [
      ofPod('runaway', 'runaway-cpu', 'shop/cart', 'cpu \\S+ cores, \\S+ x usual.*; since 03:0'),
      ofPod(
        'leak',
        'memory-leak',
        'payments/ledger',
        'memory \\S+ GiB, 1\\.\\d x (usual|its siblings), \\d+% of its limit',
      ),
      ofPod('OOM cycle', 'oom-cycle', 'payments/checkout', 'memory .*'),
      ofPod('crash loop', 'crash-loop', 'platform/config-sync', '.*; last ended by Error.*'),
      ofPod('hang', 'hang', 'data/kafka', 'cpu \\S+ cores, (?:less than 1|\\S+)% of usual'),
      {
        ...{ incident: 'bad release', cluster: name, alertname: 'WorkloadAnomalous' },
        labels: { namespace: 'shop', workload: 'recommender' },
        title: /^shop\/recommender: \d of 4 pods, memory \S+ GiB, \S+ x (usual|its siblings)/,
      },
    ],
  };
}

/** A cluster in which a node hangs, with all that runs on it, and a workload loses its traffic. */
function nodeAndTraffic(): IncidentCluster {
  const [name, node] = ['nodes', 'node-7'];
  const all = ofAll('hang', LASTING);
  const everywhere = createWorld({ ...USUAL, incidents: all });
  const onNode = new Set(
    everywhere
      .pods(START_SECONDS)
      .filter((pod) => pod.node === node)
      .map(({ pod }) => pod),
  );
  const world = createWorld({
    ...USUAL,
    incidents: [
      ...all.filter((_, index) => onNode.has(everywhere.incidents[index]?.pod ?? '')),
      ...ofAll('lost-traffic', ['platform/ingress-nginx-controller']),
    ],
  });
  return {
    name,
    world,
    expected: [
      {
        ...{ incident: 'bad node', cluster: name, alertname: 'NodeAnomalous', labels: { node } },
        title: /^Node node-7: \d+ of \d+ pods \(cpu in \d+\); since 03:0/,
      },
      {
        ...{ incident: 'lost traffic', cluster: name, alertname: 'WorkloadAnomalous' },
        labels: { namespace: 'platform', workload: 'ingress-nginx-controller' },
        title: /^platform\/ingress-nginx-controller: \d of 4 pods, cpu \S+ cores, \d+% of usual/,
      },
    ],
  };
}

/** A cluster in which a job runs that never came before; then everything stands. */
function outage(): IncidentCluster {
  const name = 'outage';
  const world = createWorld({
    ...USUAL,
    incidents: [
      incident('unknown-job', 'platform/config-sync', 1),
      ...ofAll(
        'lost-traffic',
        LASTING.filter((path) => !/^(data|kube-system)/.test(path)),
        12 * MINUTE_SECONDS,
      ),
    ],
  });
  return {
    name,
    world,
    expected: [
      {
        ...{ incident: 'nightly job, the first time', cluster: name, alertname: 'PodAnomalous' },
        labels: { namespace: 'platform', workload: 'config-sync', pod: world.incidents[0]?.pod ?? '' },
        title: /^platform\/config-sync-\S+: (cpu|memory) \S+ \S+, \S+ x usual/,
      },
      {
        ...{ incident: 'mass outage', cluster: name, alertname: 'AnomalyMassFlagging', labels: {} },
        title: /^Cluster: \d+ of \d+ pods \(cpu in \d+/,
      },
    ],
  };
}

export const incidentClusters = (): readonly IncidentCluster[] => [singlePods(), nodeAndTraffic(), outage()];
