/** Why cAdvisor says nothing of the pods of a node. */

import { groupBy } from '../../../lib/group-by.js';
import { counted, examples } from '../../../lib/text/format.js';
import type { NodeFacts } from '../facts.js';

/** A node without usage of any pod counts when it has this many pods without: a young node has fewer. */
const LEAST_PODS = 3;

interface Cause {
  readonly of: (node: NodeFacts) => boolean;
  /** Follows the name of one node, or of several. */
  readonly says: readonly [one: string, several: string];
  readonly advice: string;
  /** Whether it explains even a node with few pods, together with others of the kind: serverless nodes have one each. */
  readonly isOfKind?: true;
}

const WITHOUT =
  'exclude their namespaces with NAMESPACE_REGEX, or ignore their pods by the tuning file or an annotation';

/** The first that applies is taken. */
const CAUSES: readonly Cause[] = [
  {
    of: ({ osImage }) => /windows/i.test(osImage),
    says: ['runs Windows', 'run Windows'],
    isOfKind: true,
    advice: `On Windows, cAdvisor has no containers: ${WITHOUT}.`,
  },
  {
    of: ({ name }) => /^fargate-|^virtual-(?:node|kubelet)/.test(name),
    says: ['is serverless', 'are serverless'],
    isOfKind: true,
    advice:
      'The kubelets of serverless nodes (Fargate, virtual nodes) are reached through the API server only, if at all: scrape ' +
      `/api/v1/nodes/NODE/proxy/metrics/cadvisor there, or ${WITHOUT}.`,
  },
  {
    of: ({ runtime }) => runtime.startsWith('docker:'),
    says: ['runs Docker', 'run Docker'],
    advice:
      'With Docker behind cri-dockerd, cAdvisor knows pods, but not their containers: set CONTAINER_LABEL to the label of the ' +
      'pod, which takes pods as a whole, or change the nodes to containerd or CRI-O.',
  },
  {
    of: () => true,
    says: ['has no usage of any pod', 'have no usage of any pod'],
    advice:
      'Let Prometheus scrape /metrics/cadvisor of every kubelet: the page of targets and `up == 0` show which of them fail ' +
      'or are missing.',
  },
];

/** A Collector asks the kubelet for what it reports of every node, whatever runs the containers. */
const LET_COLLECT = `Let a Collector with the receiver kubeletstats run there, or ${WITHOUT}.`;

const causeOf = (node: NodeFacts): Cause => CAUSES.find(({ of }) => of(node)) as Cause;

const countPods = (nodes: readonly NodeFacts[]) => nodes.reduce((sum, node) => sum + node.unmeasuredPods.length, 0);

/** Nodes of which nothing is measured, though pods run there for minutes. */
export function darkNodes(nodes: readonly NodeFacts[]): readonly NodeFacts[] {
  const silent = nodes.filter(({ measured }) => measured === 0);
  return [...groupBy(silent, causeOf)].flatMap(([{ isOfKind }, own]) =>
    isOfKind && countPods(own) >= LEAST_PODS ? own : own.filter((node) => countPods([node]) >= LEAST_PODS),
  );
}

/** What is said of dark nodes, a sentence for each cause, with the advice. */
export function explainNodes(
  dark: readonly NodeFacts[],
  isOfCollector: boolean,
): readonly (readonly [sentence: string, advice: string])[] {
  return [...groupBy(dark, causeOf)].map(
    ([
      {
        says: [one, several],
        advice,
      },
      own,
    ]) => {
      const names =
        own.length === 1
          ? `The node ${own[0].name} ${one}`
          : `${own.length} nodes ${several}: ${examples(own.map(({ name }) => name))}`;
      const sentence = `${names} (${counted(countPods(own), 'pod')} without usage).`;
      return [sentence, isOfCollector ? LET_COLLECT : advice];
    },
  );
}
