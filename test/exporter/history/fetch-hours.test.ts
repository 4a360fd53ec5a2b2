import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { fetchHours, type HoursRequest, instantsOfHours } from '../../../src/exporter/history/fetch-hours.js';
import { HOUR_SECONDS } from '../../../src/exporter/history/grid.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { type FakeApi, fakeApi, instantsOf } from '../../support/fake-api.js';
import { rejection } from '../../support/rejection.js';
import {
  type Answer,
  type FakePod,
  FEATURES,
  OWNER_QUERIES,
  SmallCluster,
  topicOf,
} from '../../support/small-cluster.js';

const FIRST = 490_900;
const LAST = FIRST + 3;
const START = FIRST * HOUR_SECONDS;
const PODS: readonly FakePod[] = [
  { namespace: 'shop', pod: 'cart-0', owner: 'basket' },
  { namespace: 'shop', pod: 'cart-1', owner: 'basket' },
  { namespace: 'shop', pod: 'cart-2', owner: 'basket', sinceSeconds: START + 5000, restartsAt: [START + 9000] },
  { namespace: 'data', pod: 'db-0' },
];
const REQUEST: HoursRequest = {
  features: FEATURES,
  ownerQueries: OWNER_QUERIES,
  firstHour: FIRST,
  lastHour: LAST,
};

/** A cluster whose pods end, and whose restarts are not always there. */
const leaky: Answer = (query, timeSeconds) =>
  new SmallCluster(PODS).answer(query, timeSeconds).filter(({ labels: { pod } }) => {
    if (topicOf(query) === 'restarts') return timeSeconds < START + 2000 || timeSeconds > START + 8000;
    return pod !== 'cart-1' || timeSeconds < START + 2 * HOUR_SECONDS + 1500;
  });

const OWNER_TOPICS = ['kube_pod_owner', 'kube_replicaset_owner', 'kube_job_owner'];
const isOfOwners = (query: string) => OWNER_TOPICS.includes(topicOf(query));

describe('reading hours of the past', () => {
  let api: FakeApi;

  beforeEach(() => {
    api = fakeApi(leaky);
  });

  it('gives a summary of each hour, with the workloads that Prometheus names', async () => {
    const summaries = await fetchHours(api, REQUEST);
    expect(summaries.map(({ hour }) => hour)).to.deep.equal([FIRST, FIRST + 1, FIRST + 2, LAST]);
    expect(summaries.map(({ pods }) => pods)).to.deep.equal([3, 4, 4, 3]);
    // Also of the pod that ends within the third hour.
    expect(new Set(summaries.map(({ workloads }) => workloads.join()))).to.deep.equal(new Set(['data/db,shop/basket']));
    expect(summaries[0]).to.deep.include({ gauges: ['cpu', 'memory'], counters: ['restarts'] });
  });

  it('knows the restarts of a pod that has no usage, as it dies too soon, and no pod that has ended', async () => {
    const dying: FakePod = { namespace: 'shop', pod: 'till-0', owner: 'till', restartsAt: [START + 600, START + 1200] };
    const withoutUsage: Answer = (query, timeSeconds) =>
      new SmallCluster([...PODS, dying])
        .answer(query, timeSeconds)
        .filter(({ labels: { pod } }) => pod !== 'till-0' || ['restarts', 'podOwners'].includes(topicOf(query)));
    const [first, second, third] = await fetchHours(fakeApi(withoutUsage), REQUEST);
    const row = first?.workloads.findIndex((key) => key.startsWith('shop/till')) ?? -1;
    expect(first?.rises[row]).to.equal(2);
    expect(first?.bins[row * 2 * 2 * 5]).to.be.NaN;
    expect([...(second?.workloads ?? []), ...(third?.workloads ?? [])].join()).to.include('shop/till');
    expect(third?.pods).to.equal(4);
  });

  it('is the same for an hour alone as for one among others', async () => {
    // In pieces of 20 instants: an hour and its lead do not end with one.
    const together = await fetchHours(api, { ...REQUEST, maximumPods: 3, expectedPods: 10_000 });
    for (const [index, summary] of together.entries()) {
      const hour = FIRST + index;
      const [alone] = await fetchHours(api, { ...REQUEST, maximumPods: 3, firstHour: hour, lastHour: hour });
      expect(summary).to.deep.equal(alone);
    }
    expect(together[2]?.pods).to.equal(3);
  });

  it('asks for each instant once, on the grid, from an hour before on', async () => {
    await fetchHours(api, REQUEST);
    const ranges = api.asked.filter(({ query }) => !isOfOwners(query));
    const ofCpu = ranges.filter(({ query }) => topicOf(query) === 'cpu');
    expect(ofCpu[0]?.startSeconds).to.equal(START - HOUR_SECONDS);
    expect(ofCpu.at(-1)?.endSeconds).to.equal((LAST + 1) * HOUR_SECONDS);
    expect(new Set(ranges.map(({ stepSeconds }) => stepSeconds))).to.deep.equal(new Set([300]));
    const instants = ofCpu.reduce((sum, one) => sum + (one.endSeconds - one.startSeconds) / 300 + 1, 0);
    expect(instants).to.equal(instantsOfHours(REQUEST).instants);
  });

  it('asks for the owners at both ends of each hour at once, and never two questions at the same time', async () => {
    let open = 0;
    api.before = async () => {
      expect(++open).to.equal(1);
      await nextTurn();
      open--;
    };
    await fetchHours(api, REQUEST);
    const ofOwners = api.asked.filter(({ query }) => isOfOwners(query));
    expect(ofOwners.map(({ query }) => topicOf(query))).to.deep.equal(OWNER_TOPICS);
    const ends = [0, 1, 2, 3, 4].map((hour) => START + hour * HOUR_SECONDS);
    for (const asked of ofOwners) expect(instantsOf(asked)).to.deep.equal(ends);
  });

  it('asks for as much at a time as is known to be reasonable', async () => {
    const sizesWith = async (expectedPods?: number) => {
      api.asked.length = 0;
      await fetchHours(api, { ...REQUEST, expectedPods });
      const ofCpu = api.asked.filter(({ kind, query }) => kind === 'range' && topicOf(query) === 'cpu');
      return ofCpu.map(({ startSeconds, endSeconds }) => (endSeconds - startSeconds) / 300 + 1);
    };
    expect(await sizesWith()).to.deep.equal([60, 1]);
    expect(await sizesWith(4)).to.deep.equal([61]);
    expect(await sizesWith(10_000)).to.deep.equal([20, 20, 20, 1]);
  });

  it('knows hours without a pod', async () => {
    const [summary] = await fetchHours(
      fakeApi(() => []),
      { ...REQUEST, lastHour: FIRST },
    );
    expect(summary).to.deep.include({ hour: FIRST, pods: 0, workloads: [] });
  });

  it('fails when Prometheus does not answer, also for owners: other workloads would be another history', async () => {
    for (const isAsked of [isOfOwners, (query: string) => !isOfOwners(query)]) {
      api.before = ({ query }) => {
        if (isAsked(query)) throw new PrometheusError('unavailable', 'The disk is full.');
      };
      expect((await rejection(fetchHours(api, REQUEST), PrometheusError)).message).to.equal('The disk is full.');
    }
  });

  it('ends with its signal', async () => {
    const controller = new AbortController();
    api.before = () => {
      controller.abort();
      return new Promise(() => {});
    };
    expect((await rejection(fetchHours(api, REQUEST, controller.signal), PrometheusError)).kind).to.equal('aborted');
  });
});
