import { expect } from 'chai';
import { MOST_PODS, podsToAskFor } from '../../../src/exporter/context/asked-pods.js';
import { flaggedDetection } from '../../support/pods-with-context.js';

const namesIn = (...pods: Parameters<typeof flaggedDetection>[0]) =>
  podsToAskFor(flaggedDetection(pods)).map(({ pod }) => pod);

describe('the pods that are asked for', () => {
  it('are the flagged ones, those that last first, then by score', () => {
    expect(
      namesIn(
        { namespace: 'a', pod: 'calm', score: -0.1 },
        { namespace: 'a', pod: 'brief', score: 0.4, isBrief: true },
        { namespace: 'a', pod: 'lasting', score: 0.1 },
        { namespace: 'b', pod: 'worst', score: 0.3 },
      ),
    ).to.deep.equal(['worst', 'lasting', 'brief']);
  });

  it('are a hundred at most', () => {
    const many = Array.from({ length: 3 * MOST_PODS }, (_, index) => ({
      namespace: 'a',
      pod: `pod-${index}`,
      score: 0.1 + index / 10_000,
    }));
    const names = namesIn(...many);
    expect(names).to.have.lengthOf(100);
    expect(names[0]).to.equal('pod-299');
    expect(names.at(-1)).to.equal('pod-200');
  });
});
