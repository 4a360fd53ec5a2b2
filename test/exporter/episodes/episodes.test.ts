import { expect } from 'chai';
import type { Detection } from '../../../src/exporter/detection/detection.js';
import { advance, type EpisodesState, lastingSince, NO_EPISODES } from '../../../src/exporter/episodes/episodes.js';
import { passOf } from '../../support/http-fixtures.js';

const NOON = 1_767_268_800;

/** What a detection says of some pods: `lasts`, or `muted`, or `accepted`; otherwise they are usual. */
type Said = Readonly<Record<string, 'lasts' | 'usual' | 'muted' | 'accepted' | 'opted_out'>>;

function detectionOf(seconds: number, said: Said): Detection {
  const names = Object.keys(said).filter((pod) => said[pod] !== 'opted_out');
  const outcome = passOf(names.map((pod) => ({ namespace: 'shop', pod, score: said[pod] === 'usual' ? -1 : 1 })));
  if (outcome.kind !== 'detection') throw new Error('Expected a detection.');
  const columnOf = (what: string) => Uint8Array.from(names, (pod) => Number(said[pod] === what));
  const keysOf = (what: string) =>
    new Set(Object.keys(said).flatMap((pod) => (said[pod] === what ? `shop/${pod}` : [])));
  return {
    ...outcome.detection,
    timeSeconds: NOON + seconds,
    lasting: columnOf('lasts'),
    muted: columnOf('muted'),
    accepted: keysOf('accepted'),
    optedOut: new Map(
      [...keysOf('opted_out')].map((key) => {
        const pod = key.slice('shop/'.length);
        return [key, { namespace: 'shop', pod, workload: pod, by: 'namespace shop' }];
      }),
    ),
  };
}

/** Episodes after detections half a minute apart. */
const episodesAfter = (steps: readonly Said[], state: EpisodesState = NO_EPISODES, from = 0) =>
  steps.reduce((before, said, index) => advance(before, detectionOf(from + 30 * index, said)), state);

const times = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value);

const endsOf = ({ ended }: EpisodesState) =>
  ended.map(({ pod, sinceSeconds, endSeconds, reason }) => [pod, sinceSeconds - NOON, endSeconds - NOON, reason]);

const LASTS: Said = { 'cart-0': 'lasts' };
const USUAL: Said = { 'cart-0': 'usual' };

describe('episodes', () => {
  it('begin with the first detection that sees them, and go on', () => {
    const state = episodesAfter([USUAL, ...times(5, LASTS)]);
    expect(lastingSince(state, 'shop/cart-0')).to.equal(NOON + 30);
    expect(lastingSince(state, 'shop/cart-1')).to.equal(undefined);
    expect(state.ended).to.deep.equal([]);
  });

  it('end when the pod has been usual for two minutes, at the beginning of these', () => {
    const before = episodesAfter([LASTS, LASTS, ...times(4, USUAL)]);
    expect(before.ended).to.deep.equal([]);
    expect(lastingSince(before, 'shop/cart-0')).to.equal(undefined);
    const state = episodesAfter([LASTS, LASTS, ...times(5, USUAL)]);
    expect(endsOf(state)).to.deep.equal([['cart-0', 0, 60, 'recovered']]);
    expect(state.endedTotal).to.deep.equal({ recovered: 1, gone: 0, accepted: 0, muted: 0 });
    expect(state.open.size).to.equal(0);
  });

  it('do not end because a store does not answer, however long, and end when an answer is complete', () => {
    let state = episodesAfter([LASTS]);
    for (let minute = 1; minute <= 60; minute++) state = advance(state, detectionOf(60 * minute, {}), true);
    expect(lastingSince(state, 'shop/cart-0')).to.equal(NOON);
    expect(state.ended).to.deep.equal([]);
    // What a partial answer does say counts.
    for (const minute of [61, 62, 63, 64]) state = advance(state, detectionOf(60 * minute, USUAL), true);
    expect(endsOf(state)).to.deep.equal([['cart-0', 0, 3660, 'recovered']]);
    state = episodesAfter([LASTS, ...times(11, {})], state, 4000);
    expect(state.endedTotal).to.deep.equal({ recovered: 1, gone: 1, accepted: 0, muted: 0 });
  });

  it('go on where the anomaly comes again within that time', () => {
    const state = episodesAfter([LASTS, ...times(3, USUAL), LASTS, ...times(3, USUAL), LASTS]);
    expect(lastingSince(state, 'shop/cart-0')).to.equal(NOON);
    expect(state.ended).to.deep.equal([]);
  });

  for (const [what, steps, reason, endSeconds] of [
    ['a pod that is gone', times(11, {}), 'gone', 60],
    ['a pod without a score that is back and usual', [...times(8, {}), USUAL], 'recovered', 60],
    [
      'a model that accepts what the one before did not',
      [{ 'cart-0': 'accepted' }, ...times(4, USUAL)],
      'accepted',
      60,
    ],
    ['a pod that is muted, at once', [{ 'cart-0': 'muted' }], 'muted', 60],
    ['a pod that is opted out, at once', [{ 'cart-0': 'opted_out' }], 'muted', 60],
    ['a pod that is muted after it was usual', [USUAL, { 'cart-0': 'muted' }], 'muted', 60],
    ['a pod that is deleted after it was usual', [USUAL, USUAL, ...times(9, {})], 'gone', 60],
  ] as const satisfies readonly (readonly [string, readonly Said[], string, number])[]) {
    it(`end as ${reason}: ${what}`, () => {
      const all = [LASTS, LASTS, ...steps];
      expect(endsOf(episodesAfter(all.slice(0, -1)))).to.deep.equal([]);
      expect(endsOf(episodesAfter(all))).to.deep.equal([['cart-0', 0, endSeconds, reason]]);
    });
  }

  it('are told apart by pod and namespace', () => {
    const state = episodesAfter([
      { 'cart-0': 'lasts', 'cart-1': 'lasts', 'cart-2': 'lasts' },
      ...times(5, { 'cart-0': 'lasts', 'cart-1': 'usual', 'cart-2': 'lasts' } as const),
    ]);
    expect(endsOf(state).map(([pod]) => pod)).to.deep.equal(['cart-1']);
    expect([...state.open.keys()]).to.deep.equal(['shop/cart-0', 'shop/cart-2']);
  });

  it('begin anew after an end', () => {
    const state = episodesAfter([LASTS, ...times(6, USUAL), LASTS]);
    expect(lastingSince(state, 'shop/cart-0')).to.equal(NOON + 210);
    expect(endsOf(state)).to.have.lengthOf(1);
  });

  it('are shown for half an hour after their end, and counted for ever', () => {
    const ended = episodesAfter([LASTS, ...times(5, USUAL)]);
    const later = (seconds: number) => advance(ended, detectionOf(seconds, USUAL));
    expect(endsOf(later(30 + 1799))).to.have.lengthOf(1);
    expect(endsOf(later(30 + 1800))).to.have.lengthOf(0);
    expect(later(86_400).endedTotal.recovered).to.equal(1);
  });

  it('are the same where two passes are of the same time, or the older one ends last', () => {
    const state = episodesAfter([LASTS, LASTS, USUAL]);
    expect(advance(state, detectionOf(60, LASTS))).to.equal(state);
    expect(advance(state, detectionOf(30, LASTS))).to.equal(state);
  });

  it('begin anew where the clock was set back, and go on where it was set forward', () => {
    const state = episodesAfter([LASTS, LASTS]);
    const back = advance(state, detectionOf(-7200, LASTS));
    expect(lastingSince(back, 'shop/cart-0')).to.equal(NOON - 7200);
    const forward = advance(state, detectionOf(7200, LASTS));
    expect(lastingSince(forward, 'shop/cart-0')).to.equal(NOON);
  });

  it('have a bound', () => {
    const many = Object.fromEntries(Array.from({ length: 10_100 }, (_, pod) => [`pod-${pod}`, 'lasts' as const]));
    const state = episodesAfter([many, ...times(11, {})]);
    expect(state.ended).to.have.lengthOf(10_000);
    expect(state.endedTotal.gone).to.equal(10_100);
    expect(state.open.size).to.equal(0);
  });

  it('are the same objects as long as nothing changes in them', () => {
    const before = episodesAfter([LASTS]).open.get('shop/cart-0');
    const episode = (said: readonly Said[]) => episodesAfter(said, episodesAfter([LASTS]), 30).open.get('shop/cart-0');
    expect(episode([LASTS])).to.deep.equal(before);
    const state = episodesAfter([LASTS]);
    expect(episodesAfter([LASTS], state, 30).open.get('shop/cart-0')).to.equal(state.open.get('shop/cart-0'));
    expect(episode([USUAL, LASTS])).to.deep.equal(before);
  });
});
