import { expect } from 'chai';
import { FairPlaces } from '../../src/lib/fair-places.js';

/** Places that these holders have taken one after the other; the first letter of a holder is its client. */
function taken(limit: number, ...holders: readonly string[]) {
  const places = new FairPlaces<string>(limit);
  for (const holder of holders) places.enter(holder, holder[0] as string);
  return places;
}

describe('FairPlaces', () => {
  it('is full at its limit, and not any more when one has left', () => {
    const places = taken(2, 'a1');
    expect(places.isFull).to.equal(false);
    places.enter('b1', 'b');
    expect(places.isFull).to.equal(true);
    places.leave('a1');
    places.leave('a1');
    expect(places.isFull).to.equal(false);
    expect([places.countOf('a'), places.countOf('b')]).to.deep.equal([0, 1]);
  });

  it('lets a newcomer claim a place of the client that has the most, the oldest first', () => {
    const places = taken(6, 'b1', 'a1', 'c1', 'a2', 'b2', 'a3');
    expect(places.rivalsOf('b')).to.deep.equal(['a1', 'a2', 'a3']);
    expect(places.rivalsOf('d')).to.deep.equal(['a1', 'a2', 'a3']);
  });

  it('lets a client that has the most claim places of its own only', () => {
    const places = taken(5, 'b1', 'a1', 'a2', 'b2', 'c1');
    expect(places.rivalsOf('a')).to.deep.equal(['a1', 'a2']);
    expect(places.rivalsOf('c'), 'the others have two each').to.deep.equal(['b1', 'a1', 'a2', 'b2']);
  });

  it('knows who would still have fewer places than another', () => {
    const places = taken(6, 'a1', 'a2', 'a3', 'b1', 'c1', 'c2');
    expect(['a', 'b', 'c', 'd'].filter((client) => places.hasFewer(client))).to.deep.equal(['b', 'd']);
    expect(taken(2, 'a1', 'b1').hasFewer('c'), 'nobody has more than one').to.equal(false);
    expect(taken(1, 'a1').hasFewer('b')).to.equal(false);
  });

  it('makes one who enters again the newest', () => {
    const places = taken(3, 'a1', 'a2', 'a3');
    places.enter('a1', 'a');
    expect(places.rivalsOf('a')).to.deep.equal(['a2', 'a3', 'a1']);
  });

  it('remembers nothing of clients that have left', () => {
    const places = new FairPlaces<number>(2);
    for (let client = 0; client < 1_000; client++) {
      places.enter(client, `client ${client}`);
      places.leave(client);
    }
    expect(places.rivalsOf('x')).to.deep.equal([]);
    expect(places.hasFewer('x')).to.equal(false);
  });
});
