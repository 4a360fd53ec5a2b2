import { expect } from 'chai';
import { fetchHours } from '../../../src/exporter/history/fetch-hours.js';
import { HOUR_SECONDS, hourOf } from '../../../src/exporter/history/grid.js';
import { WorkloadHistory } from '../../../src/exporter/history/workload-history.js';
import {
  countHours,
  firstRememberedHour,
  GrowingHistory,
  type HoursReader,
  PastHoursSupply,
} from '../../../src/tools/replay/past-hours.js';
import { fakeApi } from '../../support/fake-api.js';
import { FEATURES, namedPods, OWNER_QUERIES, SmallCluster } from '../../support/small-cluster.js';

const START = Date.parse('2026-05-04T00:00:00Z') / 1000;
const DAYS = 1;
/** Every 15 minutes for twelve hours. */
const TRAININGS = Array.from({ length: 48 }, (_, index) => START + index * 900);
const shape = { days: DAYS, gauges: ['cpu', 'memory'], counters: ['restarts'] };

/** A workload comes within the range, and another pod has a bad hour. */
function api() {
  const late = { namespace: 'shop', pod: 'till-0', owner: 'till', sinceSeconds: START + 5 * HOUR_SECONDS };
  const cluster = new SmallCluster([...namedPods(4), ...namedPods(2, 'postgres', 'data'), late]);
  cluster.misbehave('cart-1', START + 7 * HOUR_SECONDS);
  return fakeApi(cluster.answer);
}

const read: HoursReader = (firstHour, lastHour) =>
  fetchHours(api(), { features: FEATURES, ownerQueries: OWNER_QUERIES, firstHour, lastHour });

/** The trainings in pieces, each with the last training before it, as chunks have them. */
function pieces(perPiece: number): number[][] {
  return Array.from({ length: Math.ceil(TRAININGS.length / perPiece) }, (_, index) =>
    TRAININGS.slice(Math.max(0, index * perPiece - 1), (index + 1) * perPiece),
  );
}

describe('the hours that a replay remembers', () => {
  it('are those that a service would have remembered at each training, in whatever pieces the replay goes', async () => {
    const service = new WorkloadHistory(shape);
    const hours = await read(hourOf(START) - DAYS * 24, hourOf(START) + 12);
    const expected = TRAININGS.map((time) => {
      for (const summary of hours) if ((summary.hour + 1) * HOUR_SECONDS + 120 < time) service.add(summary);
      return service.state();
    });
    for (const perPiece of [48, 7, 1]) {
      const supply = new PastHoursSupply(DAYS, FEATURES, firstRememberedHour(START, DAYS), read);
      for (const times of pieces(perPiece)) {
        // Threads get copies.
        const memory = new GrowingHistory(structuredClone(await supply.of(times)));
        for (const time of times) {
          const of = `${perPiece} a piece, training ${TRAININGS.indexOf(time)}`;
          expect(memory.at(time), of).to.deep.equal(expected[TRAININGS.indexOf(time)]);
        }
      }
    }
  });

  it('are read once, in order of time, and not before they are settled', async () => {
    const asked: number[] = [];
    const supply = new PastHoursSupply(DAYS, FEATURES, hourOf(START) - 5, (firstHour, lastHour) => {
      for (let hour = firstHour; hour <= lastHour; hour++) asked.push(hour - hourOf(START));
      return read(firstHour, lastHour);
    });
    const first = await supply.of([START, START + 900]);
    expect(asked).to.deep.equal([-5, -4, -3, -2, -1, 0]);
    expect(countHours(first.state)).to.equal(5);
    expect(first.later.map(({ hour }) => hour - hourOf(START))).to.deep.equal([0]);
    // The same piece again.
    expect(await supply.of([START, START + 900])).to.deep.equal(first);
    const second = await supply.of([START + 900, START + 4500]);
    expect(asked).to.deep.equal([-5, -4, -3, -2, -1, 0, 1]);
    expect(countHours(second.state)).to.equal(6);
  });
});
