import { expect } from 'chai';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { train } from '../../../src/exporter/training/job.js';
import { History } from '../../../src/tools/replay/history.js';
import { gridBetween, toSlab } from '../../../src/tools/replay/range-matrix.js';
import { fakeApi } from '../../support/fake-api.js';
import { countOwnBaselines } from '../../support/models.js';
import { rejection } from '../../support/rejection.js';
import { type Answer, FEATURES, OWNER_QUERIES, SmallCluster } from '../../support/small-cluster.js';
import { hourRequest } from '../../support/training-request.js';

const END = 1_777_593_600;
const START = END - 4 * 3600;
const never = new AbortController().signal;

/** Everything that the cluster answers between two instants, in slabs of an hour. */
async function historyOf(answer: Answer): Promise<History> {
  const api = fakeApi(answer);
  const slabs = new Map();
  for (const query of [...FEATURES.map((feature) => feature.query), ...Object.values(OWNER_QUERIES)]) {
    const ofQuery = [];
    for (let start = START; start <= END; start += 3600) {
      const endSeconds = Math.min(END, start + 3600 - 60);
      const range = { query, startSeconds: start, endSeconds, stepSeconds: 60, signal: never };
      ofQuery.push(toSlab(await api.queryRange(range), gridBetween(start, endSeconds, 60)));
    }
    // As between threads.
    slabs.set(query, structuredClone(ofQuery));
  }
  return new History(slabs);
}

const CLUSTER = new SmallCluster([
  { namespace: 'shop', pod: 'cart-0', owner: 'cart' },
  { namespace: 'data', pod: 'postgres-0' },
  { namespace: 'shop', pod: 'cart-1', owner: 'cart', sinceSeconds: END - 5400, restartsAt: [END - 3000] },
]).answer;

describe('a history in memory', () => {
  it('answers a part of a range like the server', async () => {
    const history = await historyOf(CLUSTER);
    const api = fakeApi(CLUSTER);
    for (const { query } of FEATURES) {
      for (const [from, to, step] of [
        [END - 600, END, 60],
        [END - 7260, END - 6200, 60],
        [END - 3600, END, 300],
        [END, END, 60],
      ] as const) {
        const range = { query, startSeconds: from, endSeconds: to, stepSeconds: step, signal: never };
        const [own, other] = [await history.queryRange(range), await api.queryRange(range)];
        const plain = (answer: typeof own) => ({
          ...answer,
          labels: answer.labels.map((labels) => ({ ...labels })),
        });
        expect(plain(own), `${query} ${from} ${to}`).to.deep.equal(plain(other));
      }
    }
  });

  it('gives the service’s own training the same model as the server does', async () => {
    const request = hourRequest(END);
    const fromMemory = await train(await historyOf(CLUSTER), request, never);
    const fromServer = await train(fakeApi(CLUSTER), request, never);
    expect(fromMemory).to.deep.equal(fromServer);
    expect(countOwnBaselines(fromServer.model)).to.equal(3);
  });

  it('has nothing outside of its time, and says which query it does not have', async () => {
    const history = await historyOf(CLUSTER);
    const query = FEATURES[0]?.query ?? '';
    expect(history.range(query, START - 7200, START - 3600, 60).labels).to.deep.equal([]);
    const range = { query: 'other', startSeconds: START, endSeconds: END, stepSeconds: 60, signal: never };
    expect((await rejection(history.queryRange(range), PrometheusError)).message).to.include('`other`');
    expect(() => history.range(query, START + 30, END, 60)).to.throw(PrometheusError, 'grid');
  });

  it('keeps a value that is no finite number apart from one that is absent', () => {
    const answer = {
      labels: [{ pod: 'a' }],
      offsets: Uint32Array.of(0, 3),
      timestampsSeconds: Float64Array.of(0, 60, 119),
      values: Float64Array.of(1, Number.NaN, 5),
    };
    const history = new History(new Map([['q', [toSlab(answer, gridBetween(0, 180, 60))]]]));
    const { timestampsSeconds, values } = history.range('q', 0, 180, 60);
    // The third is not on the grid.
    expect([...timestampsSeconds]).to.deep.equal([0, 60]);
    expect([...values]).to.deep.equal([1, Number.POSITIVE_INFINITY]);
  });
});
