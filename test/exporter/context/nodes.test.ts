import { expect } from 'chai';
import {
  MOST_NODES,
  nodesInCommon,
  nodesOfPods,
  podsByNode,
  podsOnNodesQuery,
} from '../../../src/exporter/context/nodes.js';
import { flaggedDetection } from '../../support/pods-with-context.js';

const on = (nodes: readonly (readonly [pod: string, node: string])[]) =>
  new Map(nodes.map(([pod, node]) => [`a/${pod}`, node]));

describe('the nodes that flagged pods have in common', () => {
  it('are those with two pods whose anomaly lasts, those with most first', () => {
    const pods = [
      ['a1', 'n1'],
      ['a2', 'n1'],
      ['b1', 'n2'],
      ['b2', 'n2'],
      ['b3', 'n2'],
      ['c1', 'n3'],
      ['c2', 'n3'],
    ] as const;
    const detection = flaggedDetection(pods.map(([pod]) => ({ namespace: 'a', pod, isBrief: pod === 'c1' })));
    const contexts = new Map([...on(pods)].map(([key, node]) => [key, { node }]));
    expect(nodesInCommon(detection, contexts)).to.deep.equal(['n2', 'n1']);
    expect(nodesInCommon(detection, new Map())).to.deep.equal([]);
  });

  it('are a few at most', () => {
    const pods = Array.from({ length: 100 }, (_, index) => [`p${index}`, `n${index % 50}`] as const);
    const detection = flaggedDetection(pods.map(([pod]) => ({ namespace: 'a', pod })));
    const contexts = new Map([...on(pods)].map(([key, node]) => [key, { node }]));
    expect(nodesInCommon(detection, contexts)).to.have.lengthOf(MOST_NODES);
  });

  it('are asked for all of their pods', () => {
    const query = podsOnNodesQuery(['ip-10-0-0-1.eu', 'n2'], { namespaceRegex: 'shop', matchers: 'cluster="x"' });
    expect(query).to.equal(String.raw`kube_pod_info{cluster="x",namespace=~"shop",node=~"ip-10-0-0-1\\.eu|n2"}`);
    const labels = [{ namespace: 'a', pod: 'x', node: 'n1' }, { namespace: 'a', pod: 'pending', node: '' }, {}];
    expect([...nodesOfPods({ labels })]).to.deep.equal([['a/x', 'n1']]);
  });

  it('count the scored pods on them that are not muted, and those that last', () => {
    const pods = [
      ['lasting-1', 'n1'],
      ['lasting-2', 'n1'],
      ['muted', 'n1'],
      ['calm', 'n1'],
      ['lasting-3', 'n2'],
      ['calm-2', 'n2'],
    ] as const;
    const detection = {
      ...flaggedDetection(
        pods.map(([pod]) => ({ namespace: 'a', pod, score: pod.startsWith('lasting') ? 0.1 : -0.1 })),
      ),
      // In the order of names.
      muted: Uint8Array.of(0, 0, 0, 0, 0, 1),
    };
    const nodeOf = on([...pods, ['gone', 'n1']]);
    expect(podsByNode(detection, nodeOf)).to.deep.equal([{ node: 'n1', scored: 3, lasting: 2 }]);
    expect(podsByNode(detection, new Map())).to.deep.equal([]);
  });
});
