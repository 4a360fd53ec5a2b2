import { expect } from 'chai';
import { lastRelease, revisionOf, revisionOfMost } from '../../../src/exporter/history/release.js';

describe('revision of a pod', () => {
  for (const [pod, workload, revision] of [
    ['cart-6c9f7d8b5-x2x8p', 'cart', '6c9f7d8b5'],
    ['cart-api-6c9f7d8b5-x2x8p', 'cart-api', '6c9f7d8b5'],
    // A Deployment with a name that looks like one with a hash.
    ['cart-6c9f7d8b5-x2x8p', 'cart-6c9f7d8b5', undefined],
    ['agent-x2x8p', 'agent', undefined],
    ['db-0', 'db', undefined],
    ['report-29412345-x2x8p', 'report', undefined],
    ['report-29442645-x2x8p', 'report', undefined],
    // Kubernetes cuts a name that is too long.
    ['a-workload-with-a-very-long-n6c9f7d8b5x2x8p', 'a-workload-with-a-very-long-name', undefined],
    ['lonely', 'lonely', undefined],
  ] as const) {
    it(`${pod} of ${workload}: ${revision ?? 'unknown'}`, () => {
      expect(revisionOf({ pod, workload })).to.equal(revision);
    });
  }
});

/** Two hours of five minutes; the second one counts. */
const HOURS = { first: 13, end: 24, hour: 12 };

/** Pods by revision, each with its first and last instant. */
type Lives = readonly (readonly [revision: string | undefined, first: number, last: number])[];

const releaseOf = (lives: Lives, span = HOURS) =>
  lastRelease(
    lives.map(([revision]) => revision),
    (pod, instant) => (lives[pod]?.[1] as number) <= instant && instant <= (lives[pod]?.[2] as number),
    span,
  );

const replicas = (count: number, ...life: Lives[number]): Lives => Array.from({ length: count }, () => life);

describe('release of a workload', () => {
  it('is when most pods are of another revision', () => {
    const rolling = Array.from(
      { length: 4 },
      (_, pod): Lives => [
        ['old', 0, 14 + pod],
        ['new', 14 + pod, 24],
      ],
    ).flat();
    // At 16, three new pods stand beside two old ones.
    expect(releaseOf(rolling)).to.equal(16);
  });

  it('is the last of several, a rollback as well', () => {
    expect(
      releaseOf([...replicas(2, 'old', 0, 14), ...replicas(2, 'bad', 15, 18), ...replicas(2, 'old', 19, 24)]),
    ).to.equal(19);
  });

  it('survives a time without pods', () => {
    expect(releaseOf([...replicas(2, 'old', 0, 12), ...replicas(2, 'new', 17, 24)])).to.equal(17);
  });

  it('counts only in its hour', () => {
    expect(releaseOf([...replicas(2, 'old', 0, 8), ...replicas(2, 'new', 9, 24)])).to.equal(-1);
    expect(releaseOf([...replicas(2, 'old', 0, 12), ...replicas(2, 'new', 13, 24)])).to.equal(13);
    expect(releaseOf([...replicas(2, 'old', 0, 23), ...replicas(2, 'new', 24, 24)])).to.equal(24);
  });

  it('depends on nothing before the hour before', () => {
    const late = { first: 25, end: 36, hour: 12 };
    // A first revision that no pod of those two hours has.
    expect(releaseOf([...replicas(2, 'old', 0, 10), ...replicas(2, 'new', 13, 36)], late)).to.equal(-1);
    expect(releaseOf([...replicas(3, undefined, 0, 12), ...replicas(3, undefined, 13, 36)], late)).to.equal(-1);
  });

  for (const [what, lives] of Object.entries<Lives>({
    'a steady workload': replicas(3, 'one', 0, 24),
    'a workload that has just come': replicas(3, 'one', 16, 24),
    'a scale-up': [...replicas(2, 'one', 0, 24), ...replicas(6, 'one', 15, 24)],
    'a scale-down': [...replicas(2, 'one', 0, 24), ...replicas(6, 'one', 0, 15)],
    'pods that are replaced by their like': [...replicas(3, 'one', 0, 15), ...replicas(3, 'one', 16, 24)],
    'a canary of less than half': [...replicas(3, 'old', 0, 24), ...replicas(2, 'new', 15, 24)],
    'a canary that was taken back': [...replicas(3, 'old', 0, 24), ...replicas(3, 'new', 15, 18)],
    'a single pod without a revision that is replaced': [
      [undefined, 0, 15],
      [undefined, 16, 24],
    ],
    'runs of a job': Array.from({ length: 8 }, (_, run): Lives => replicas(2, undefined, 3 * run, 3 * run + 1)).flat(),
    'one node of a DaemonSet': [...replicas(4, undefined, 0, 24), [undefined, 0, 15], [undefined, 16, 24]],
    'new nodes of a DaemonSet': [...replicas(4, undefined, 0, 24), ...replicas(8, undefined, 16, 24)],
  })) {
    it(`is not ${what}`, () => expect(releaseOf(lives)).to.equal(-1));
  }

  it('of a DaemonSet is when most pods are others than an hour before', () => {
    const rolling = Array.from(
      { length: 4 },
      (_, pod): Lives => [
        [undefined, 0, 13 + pod],
        [undefined, 14 + pod, 24],
      ],
    ).flat();
    expect(releaseOf(rolling)).to.equal(16);
  });
});

describe('revision of most pods', () => {
  const ofMost = (...revisions: (string | undefined)[]) => revisionOfMost(revisions, () => true, 0);
  it('is that of more than half', () => {
    expect(ofMost('a', 'b', 'a')).to.equal('a');
    expect(ofMost('b', 'c', 'a', 'a', 'a')).to.equal('a');
    expect(ofMost('a', 'b')).to.equal(undefined);
    expect(ofMost('a', 'b', 'c')).to.equal(undefined);
    expect(ofMost(undefined, undefined, 'a')).to.equal(undefined);
    expect(ofMost()).to.equal(undefined);
  });
});
