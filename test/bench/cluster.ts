/** Names of a cluster of any size, formed as Kubernetes forms them: the same for the same number of pods. */

import { podSuffix, templateHash } from '../../src/tools/simulation/names.js';
import { hashText, uniform } from '../../src/tools/simulation/random.js';

/** A pod and the ReplicaSet and Deployment that made it. */
export interface BenchPod {
  readonly namespace: string;
  readonly pod: string;
  readonly replicaSet: string;
  readonly deployment: string;
}

const PODS_PER_NAMESPACE = 150;
const LARGEST_DEPLOYMENT = 12;
const TEAMS = ['checkout', 'payments', 'search', 'identity', 'logistics', 'analytics', 'media', 'platform'];
const APPS = ['api', 'gateway', 'worker', 'frontend', 'scheduler', 'consumer', 'exporter', 'cache-warmer'];

/** So many pods in Deployments of 1 to 12, sorted by namespace and pod as Prometheus sorts the series of a range. */
export function clusterOf(count: number): BenchPod[] {
  const pods: BenchPod[] = [];
  for (let group = 0; pods.length < count; group++) {
    const place = Math.floor(pods.length / PODS_PER_NAMESPACE);
    const namespace = `${TEAMS[place % TEAMS.length]}-${place}`;
    const deployment = `${namespace}-${APPS[group % APPS.length]}-${group}`;
    const replicaSet = `${deployment}-${templateHash(deployment)}`;
    const size = 1 + Math.floor(uniform(hashText(deployment), 0) * LARGEST_DEPLOYMENT);
    for (let replica = 0; replica < size && pods.length < count; replica++) {
      const pod = `${replicaSet}-${podSuffix(`${replicaSet} ${replica}`)}`;
      pods.push({ namespace, pod, replicaSet, deployment });
    }
  }
  const key = ({ namespace, pod }: BenchPod) => `${namespace}/${pod}`;
  return pods.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
