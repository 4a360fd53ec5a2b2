import { expect } from 'chai';
import { tuningAt, UNTUNED } from '../../../src/exporter/tuning/tuning.js';

const NOON = 1_767_268_800;
const until = (untilSeconds: number, by = 'somebody') => ({ window: { untilSeconds, location: 'UTC' }, by });

describe('the tuning of a pod', () => {
  it('is nothing where nobody says anything', () => {
    expect(tuningAt([], NOON)).to.equal(UNTUNED);
    expect(tuningAt([{}], NOON)).to.deep.equal(UNTUNED);
  });

  it('is what the most specific layer says, for each field on its own', () => {
    const layers = [
      { ignore: { value: true, by: 'tuning.yaml:3:5' }, sensitivity: 8 },
      { sensitivity: 2 },
      { ignore: { value: false, by: 'pod shop/cart-0' } },
    ];
    expect(tuningAt(layers, NOON)).to.deep.equal({ ...UNTUNED, sensitivity: 2 });
    expect(tuningAt(layers.slice(0, 2), NOON)).to.include({ ignoredBy: 'tuning.yaml:3:5', sensitivity: 2 });
  });

  it('is muted while any layer mutes, by the one that does so for longest', () => {
    const layers = [{ mutes: [until(NOON + 60, 'namespace shop')] }, { mutes: [until(NOON, 'pod shop/cart-0')] }];
    expect(tuningAt(layers, NOON - 1)).to.include({ mutedBy: 'namespace shop', mutedUntilSeconds: NOON + 60 });
    expect(tuningAt(layers.toReversed(), NOON - 1)).to.include({ mutedBy: 'namespace shop' });
    expect(tuningAt(layers, NOON + 60)).to.deep.equal(UNTUNED);
    const always = { window: { location: 'UTC' }, by: 'tuning.yaml:3:5' };
    expect(tuningAt([...layers, { mutes: [always] }], NOON)).to.deep.equal({ ...UNTUNED, mutedBy: 'tuning.yaml:3:5' });
  });
});
