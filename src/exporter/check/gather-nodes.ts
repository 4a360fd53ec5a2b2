/** Asks on which nodes pods without usage are, and what these nodes are. */

import { idlePodsIn, type PhaseQueries } from '../features/pod-phase.js';
import { addMatchers } from '../features/queries/matchers.js';
import { podKey } from '../features/table.js';
import type { Asker } from './asker.js';
import { type Answered, podsWithoutUsage, unmeasuredPods } from './check-definition.js';
import type { Facts, NodeFacts } from './facts.js';

/** The pods in which nothing runs: asked for only where a pod has no usage. */
export async function gatherIdlePods(asker: Asker, { idle }: PhaseQueries, answers: readonly Answered[]) {
  if (podsWithoutUsage(answers).length === 0) return new Map();
  return idlePodsIn(await asker.instant(idle));
}

/**
 * The nodes of pods without usage; none where there are no such pods. Several kube-state-metrics count as one, and pods
 * before they have a node do not count.
 */
export async function gatherNodes(
  asker: Asker,
  { phaseQueries, matchers }: { readonly phaseQueries: PhaseQueries; readonly matchers: string },
  answers: readonly Answered[],
  idlePods: Facts['idlePods'],
): Promise<readonly NodeFacts[]> {
  const unmeasured = new Set(idlePods.known ? unmeasuredPods(answers, idlePods.value) : []);
  if (unmeasured.size === 0) return [];
  const measured = new Set(answers.flatMap(({ feature, pods }) => (feature.required ? [...pods] : [])));
  const [pods, infos] = await Promise.all([
    asker.instant(`max by (namespace, pod, node) (${phaseQueries.nodes})`),
    asker.instant(addMatchers('max by (node, os_image, container_runtime_version) (kube_node_info)', matchers)),
  ]);
  const nodes = new Map<string, { unmeasuredPods: string[]; measured: number }>();
  for (const { namespace = '', pod = '', node = '' } of pods.labels) {
    if (node === '') continue;
    const key = podKey(namespace, pod);
    const facts = nodes.get(node) ?? { unmeasuredPods: [], measured: 0 };
    nodes.set(node, facts);
    if (unmeasured.has(key)) facts.unmeasuredPods.push(key);
    else if (measured.has(key)) facts.measured++;
  }
  const described = new Map(infos.labels.map((labels) => [labels.node, labels]));
  return [...nodes]
    .filter(([, facts]) => facts.unmeasuredPods.length > 0)
    .map(([name, facts]) => {
      const { os_image: osImage = '', container_runtime_version: runtime = '' } = described.get(name) ?? {};
      return { name, osImage, runtime, ...facts };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
