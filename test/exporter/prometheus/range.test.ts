import { expect } from 'chai';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { instantsPerRequest, RangeFetcher } from '../../../src/exporter/prometheus/range.js';
import { type FakeApi, fakeApi } from '../../support/fake-api.js';
import { rejection } from '../../support/rejection.js';

const RANGE = { startSeconds: 0, stepSeconds: 60, instants: 600 };

const clusterOf = (series: number) =>
  fakeApi((_, time) => Array.from({ length: series }, (_one, pod) => ({ labels: { pod: String(pod) }, value: time })));

const lengths = (api: FakeApi) => api.asked.map(({ startSeconds, endSeconds }) => (endSeconds - startSeconds) / 60 + 1);

/** The times of all samples of the first series. */
async function fetched(ranges: RangeFetcher, signal?: AbortSignal): Promise<number[]> {
  const times: number[] = [];
  for await (const { part, answer } of ranges.fetch('q', RANGE, signal)) {
    expect(answer.timestampsSeconds[0]).to.equal(part.startSeconds);
    times.push(...answer.timestampsSeconds.subarray(0, answer.offsets[1]));
  }
  return times;
}

const ALL = Array.from({ length: 600 }, (_, instant) => instant * 60);
const OPTIONS = { pointsPerRequest: 400 };

describe('RangeFetcher', () => {
  it('asks for a little first, then for as much as fits, each instant once', async () => {
    const api = clusterOf(2);
    const ranges = new RangeFetcher(api, OPTIONS);
    expect(await fetched(ranges)).to.deep.equal(ALL);
    expect(lengths(api)).to.deep.equal([60, 200, 200, 140]);
    expect([ranges.requests, ranges.splits]).to.deep.equal([4, 0]);
  });

  it('begins with as much as fits where the number of series is known', async () => {
    const api = clusterOf(2);
    const ranges = new RangeFetcher(api, OPTIONS);
    ranges.expect('q', 4);
    await fetched(ranges);
    expect(lengths(api)).to.deep.equal(new Array(6).fill(100));
  });

  it('makes a request smaller that is too much, and remembers that', async () => {
    const api = clusterOf(1);
    api.before = ({ startSeconds, endSeconds }) => {
      if (endSeconds - startSeconds > 99 * 60) throw new PrometheusError('unprocessable', 'Too many samples.');
    };
    const ranges = new RangeFetcher(api, OPTIONS);
    expect(await fetched(ranges)).to.deep.equal(ALL);
    expect(lengths(api)).to.deep.equal([60, 400, 200, 100, 100, 100, 100, 100, 40]);
    expect(ranges.splits).to.equal(2);
    await fetched(ranges);
    expect(ranges.splits).to.equal(2);
  });

  it('gives up where even one instant is too much, on any other failure, and when it is aborted', async () => {
    for (const [kind, requests, signal] of [
      ['timeout', 6, undefined],
      ['bad_query', 1, undefined],
      ['timeout', 1, AbortSignal.abort()],
    ] as const) {
      const api = clusterOf(1);
      api.before = () => {
        throw new PrometheusError(kind, 'no');
      };
      await rejection(fetched(new RangeFetcher(api, OPTIONS), signal), PrometheusError);
      expect(api.asked, kind).to.have.lengthOf(requests);
    }
  });

  it('limits the time of each request', async () => {
    const api = clusterOf(1);
    api.before = () => new Promise(() => {});
    const ranges = new RangeFetcher(api, { ...OPTIONS, timeoutSeconds: 0.01 });
    expect((await rejection(fetched(ranges), PrometheusError)).kind).to.equal('timeout');
  });
});

describe('instantsPerRequest', () => {
  it('keeps answers small, by the number of series, and below the limit of Prometheus', () => {
    const instants = [0, 10_000, 100_000, 1, 10_000_000].map((series) => instantsPerRequest(series, 600_000));
    expect(instants).to.deep.equal([60, 60, 6, 11_000, 1]);
  });
});
