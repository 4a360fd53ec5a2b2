import { expect } from 'chai';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { Fetcher } from '../../../src/tools/replay/fetch.js';
import { gridBetween, lastOf } from '../../../src/tools/replay/range-matrix.js';
import { fakeApi } from '../../support/fake-api.js';
import { rejection } from '../../support/rejection.js';

const never = new AbortController().signal;
const GRID = gridBetween(0, 599 * 60, 60);

/** As many series as asked, whose values are their times. */
const clusterOf = (series: number) =>
  fakeApi((_, time) => Array.from({ length: series }, (_one, pod) => ({ labels: { pod: String(pod) }, value: time })));

const lengths = (api: ReturnType<typeof clusterOf>) =>
  api.asked.map(({ startSeconds, endSeconds }) => (endSeconds - startSeconds) / 60 + 1);

describe('fetching a stretch of the past', () => {
  it('asks for a little first, then for as much as is reasonable, each instant once', async () => {
    const api = clusterOf(2);
    const fetcher = new Fetcher(api);
    const slabs = await fetcher.fetch('q', GRID, never);
    expect(lengths(api)).to.deep.equal([60, 540]);
    expect(slabs.map(({ grid }) => [grid.startSeconds, lastOf(grid)])).to.deep.equal([
      [0, 59 * 60],
      [60 * 60, 599 * 60],
    ]);
    expect(slabs[1]?.values[0]).to.equal(3600);
    expect(fetcher.traffic).to.include({ requests: 2, points: 1200, splits: 0 });
    expect(fetcher.traffic.bytes / fetcher.traffic.points).to.be.within(18, 24);
  });

  it('keeps answers below 300,000 points', async () => {
    const api = clusterOf(2000);
    await new Fetcher(api).fetch('q', gridBetween(0, 299 * 60, 60), never);
    expect(lengths(api)).to.deep.equal([60, 150, 90]);
  });

  it('makes a question smaller that is too much, and remembers', async () => {
    const api = clusterOf(1);
    api.before = ({ startSeconds, endSeconds }) => {
      if (endSeconds - startSeconds >= 100 * 60) throw new PrometheusError('timeout', 'too slow');
    };
    const fetcher = new Fetcher(api);
    await fetcher.fetch('q', GRID, never);
    expect(lengths(api)).to.deep.equal([60, 540, 270, 135, 67, 67, 67, 67, 67, 67, 67, 67, 4]);
    expect(fetcher.traffic.splits).to.equal(3);
  });

  it('gives up where even one instant is too much, and on any other failure', async () => {
    for (const [kind, requests] of [
      ['timeout', 6],
      ['bad_query', 1],
    ] as const) {
      const api = clusterOf(1);
      api.before = () => {
        throw new PrometheusError(kind, 'no');
      };
      await rejection(new Fetcher(api).fetch('q', GRID, never), PrometheusError);
      expect(api.asked, kind).to.have.lengthOf(requests);
    }
  });

  it('collects what Prometheus warns of, once', async () => {
    const api = clusterOf(1);
    api.warnings.push('a store is down');
    const fetcher = new Fetcher(api);
    await fetcher.fetch('q', GRID, never);
    expect(fetcher.remarks.texts).to.deep.equal(['a store is down']);
  });

  it('knows that an answer was partial, also after many other remarks', async () => {
    const api = clusterOf(1);
    api.warnings = Array.from({ length: 100 }, (_, index) => `PromQL warning: number ${index}`);
    const fetcher = new Fetcher(api);
    await fetcher.fetch('q', GRID, never);
    expect(fetcher.remarks.isPartial).to.equal(false);
    api.warnings = ['a store is down'];
    await fetcher.fetch('q', GRID, never);
    expect(fetcher.remarks.isPartial).to.equal(true);
  });
});
