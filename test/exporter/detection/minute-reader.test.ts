import { expect } from 'chai';
import { instantsUpTo } from '../../../src/exporter/detection/detect.js';
import { MinuteReader } from '../../../src/exporter/detection/minute-reader.js';
import { minuteOf } from '../../../src/exporter/detection/recent-minutes.js';
import type { FeatureDefinition } from '../../../src/exporter/features/catalog.js';
import { FeatureTableBuilder } from '../../../src/exporter/features/table-builder.js';
import { createRandom } from '../../../src/exporter/model/random.js';
import type { PrometheusApi, QueryResult, RangeQuery } from '../../../src/exporter/prometheus/api.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { type FakeApi, fakeApi, instantsOf } from '../../support/fake-api.js';
import { rejection } from '../../support/rejection.js';
import { FEATURES, SmallCluster } from '../../support/small-cluster.js';

const NOON = 1_767_268_800;
const { signal } = new AbortController();
const CPU = FEATURES[0] as FeatureDefinition;

describe('minute reader', () => {
  let api: FakeApi;
  let cluster: SmallCluster;
  let reader: MinuteReader;

  beforeEach(() => {
    cluster = new SmallCluster();
    api = fakeApi(cluster.answer);
    reader = new MinuteReader(api, () => 0);
  });

  const read = (minutes: number) => reader.read(CPU, NOON + 60 * minutes, signal);
  /** The minutes after noon that were asked for since the last call. */
  const asked = () => api.asked.splice(0).map((query) => instantsOf(query).map((seconds) => (seconds - NOON) / 60));
  const all = (newest: number) => Array.from({ length: 11 }, (_, index) => newest - 10 + index);

  it('asks for all minutes, then for the new ones and the one before', async () => {
    const first = await read(0);
    expect(first).to.include({ isFinal: true, isPartial: false, series: 6 });
    expect(await read(0)).to.equal(first);
    await read(1);
    await read(4);
    expect(asked()).to.deep.equal([all(0), [0, 1], [1, 2, 3, 4]]);
  });

  it('asks for all where too many have passed, and where the clock was set back', async () => {
    await read(0);
    await read(9);
    await read(19);
    await read(18);
    await read(19);
    expect(asked()).to.deep.equal([all(0), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], all(19), all(18), [18, 19]]);
  });

  it('asks again for what was not answered, or in part, and remembers what it had', async () => {
    await read(0);
    api.before = () => {
      throw new PrometheusError('refused', 'Nothing listens there.');
    };
    await rejection(read(1), PrometheusError);
    api.before = () => {};
    api.warnings = ['a store is down'];
    expect(await read(1)).to.include({ isPartial: true, isFinal: false });
    api.warnings = ['PromQL info: a hint'];
    expect(await read(1)).to.include({ isPartial: false, isFinal: true });
    await read(1);
    expect(asked()).to.deep.equal([all(0), [0, 1], [0, 1], [0, 1]]);
  });

  it('asks again for a minute that is not settled', async () => {
    await read(0);
    const late = cluster.pods.splice(0, 3);
    cluster.pods.unshift(...late.map((pod) => ({ ...pod, unmeasuredSeconds: NOON + 60 })));
    expect((await read(1)).isFinal).to.equal(false);
    cluster.pods.splice(0, 3, ...late);
    expect((await read(1)).isFinal).to.equal(true);
    await read(1);
    expect(asked()).to.deep.equal([all(0), [0, 1], [1]]);
  });

  it('asks for all at once where an answer shows that earlier minutes have changed', async () => {
    const gone = cluster.pods.splice(0, 3);
    for (const minute of [0, 1]) await read(minute);
    cluster.pods.push(...gone);
    const { series } = await read(2);
    expect(series).to.equal(6);
    expect(asked()).to.deep.equal([all(0), [0, 1], [1, 2], all(2)]);
  });

  it('hands out an answer as it is whose samples are at other times, and asks for all again', async () => {
    const { queryRange } = api;
    api.queryRange = async (request) => {
      const answer = await queryRange(request);
      return { ...answer, timestampsSeconds: answer.timestampsSeconds.map((seconds) => seconds - 7) };
    };
    for (const _ of [1, 2]) {
      const { pieces, isFinal } = await read(0);
      expect([...pieces()][0]?.timestampsSeconds[0]).to.equal(NOON - 607);
      expect(isFinal).to.equal(false);
    }
    expect(asked()).to.deep.equal([all(0), all(0)]);
  });

  it('does not remember the answer to one who gave up, nor those of other features', async () => {
    const controller = new AbortController();
    const stubborn = new MinuteReader(
      { ...api, queryRange: (request) => api.queryRange({ ...request, signal }) },
      () => 0,
    );
    const reading = stubborn.read(CPU, NOON, controller.signal);
    controller.abort();
    await reading;
    await stubborn.read(CPU, NOON, signal);
    stubborn.keep(FEATURES.slice(1));
    await stubborn.read(CPU, NOON, signal);
    expect(asked()).to.deep.equal([all(0), all(0), all(0)]);
  });

  it('asks for the new minutes also where jobs come and go in the order of their names', async () => {
    const jobs = Array.from({ length: 200 }, (_, job) => ({
      namespace: 'zoo',
      pod: `job-${1000 + job}`,
      sinceSeconds: NOON + 60 * Math.floor(job / 10),
      unmeasuredSeconds: NOON + 60 * Math.floor(job / 10) + 300,
    }));
    cluster.pods.push(...Array.from({ length: 1000 }, (_, pod) => ({ namespace: 'shop', pod: `web-${1000 + pod}` })));
    cluster.pods.push(...jobs);
    for (let minute = 10; minute < 20; minute++) await read(minute);
    expect(asked().map(({ length }) => length)).to.deep.equal([11, ...new Array(9).fill(2)]);
  });

  it('keeps a counter and a gauge apart that one query answers', async () => {
    const counter: FeatureDefinition = { ...CPU, name: 'events', type: 'counter' };
    for (const minute of [0, 1]) {
      for (const feature of [CPU, counter]) {
        reader.keep([CPU, counter]);
        const { pieces } = await reader.read(feature, NOON + 60 * minute, signal);
        const [piece] = [...pieces()];
        const times = piece?.timestampsSeconds.subarray(0, piece.offsets[1]);
        const count = feature === counter ? 20 : 11;
        expect([...(times ?? [])], `${feature.name} ${minute}`).to.deep.equal([
          ...instantsUpTo(NOON + 60 * minute, count),
        ]);
      }
    }
    expect(asked().map(({ length }) => length)).to.deep.equal([11, 20, 2, 2]);
  });

  describe('has the same as one that asks for all', () => {
    for (let seed = 1; seed <= 10; seed++) {
      it(`in random history ${seed}`, async () => {
        const { late, asks } = await live(seed);
        // Else nothing was tried.
        expect(late).to.be.above(0);
        expect(asks.few).to.be.above(asks.all / 4);
      });
    }
  });
});

/**
 * A cluster in which pods come, go, come again and change containers, with samples that come late, and now and then for
 * minutes not at all; and two exporters with different memories, with gaps, restarts, and clocks that are set back and right again.
 */
async function live(seed: number): Promise<{ late: number; asks: { few: number; all: number } }> {
  const random = createRandom(seed);
  const chance = (share: number) => random() < share;
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const hash = (...numbers: number[]) => {
    let state = 17;
    for (const number of numbers) state = Math.imul(state ^ number, 2_654_435_761) >>> 0;
    return state / 2 ** 32;
  };
  const pods = Array.from({ length: 100 }, (_, number) => {
    const start = chance(0.7) ? -100 : between(0, 80);
    return {
      number,
      start,
      end: chance(0.5) ? 1000 : start + between(1, 200),
      pause: between(10, 120),
      node: number % 4,
    };
  });
  /** From when to when nothing of a node comes, in minutes. */
  const backlogs = Array.from({ length: 3 }, () => {
    const start = between(10, 80);
    return { node: between(0, 3), start, end: start + between(1, 30) };
  });
  let late = 0;
  let nowSeconds = 0;
  const asks = { few: 0, all: 0 };
  const valueAt = ({ number, start, end, pause, node }: (typeof pods)[number], kind: number, timeSeconds: number) => {
    const minute = Math.round((timeSeconds - NOON) / 60);
    if (minute < start || minute >= end || (minute >= pause && minute < pause + 6)) return undefined;
    const held = backlogs.find((backlog) => backlog.node === node && minute >= backlog.start && minute < backlog.end);
    const delay = hash(number, minute, kind) < 0.1 ? 60 * hash(minute, number, kind) : 0;
    const arrival = held === undefined ? timeSeconds + delay : NOON + held.end * 60;
    if (arrival > timeSeconds) late++;
    if (arrival > nowSeconds) return undefined;
    if (hash(number, minute) < 0.001) return Number.NaN;
    return kind === 2 ? Math.floor(minute / (20 + number)) + 9 : hash(minute, number, kind);
  };
  const queryRange = async (request: RangeQuery): Promise<QueryResult> => {
    const instants = instantsOf(request);
    const kind = FEATURES.findIndex(({ query }) => query === request.query);
    asks[instants.length < 11 ? 'few' : 'all']++;
    const labels: Record<string, string>[] = [];
    const offsets = [0];
    const samples: (readonly [seconds: number, value: number])[] = [];
    for (const pod of pods) {
      for (const container of kind === 2 ? ['app', 'app-2', 'proxy'] : ['']) {
        const own = instants.flatMap((seconds) => {
          const isOld = seconds < NOON + pod.pause * 60;
          const value = container === (isOld ? 'app-2' : 'app') ? undefined : valueAt(pod, kind, seconds);
          return value === undefined ? [] : [[seconds, value] as const];
        });
        if (own.length === 0) continue;
        samples.push(...own);
        offsets.push(samples.length);
        const name = `pod-${String(pod.number).padStart(3, '0')}`;
        labels.push({ namespace: 'shop', pod: name, ...(container !== '' && { container }) });
      }
    }
    return {
      labels,
      offsets: Uint32Array.from(offsets),
      timestampsSeconds: Float64Array.from(samples, ([seconds]) => seconds),
      values: Float64Array.from(samples, ([, value]) => value),
      warnings: [],
      infos: [],
    };
  };
  const api: PrometheusApi = { queryRange, query: () => Promise.reject(new Error('No instant query is expected.')) };
  const tableOf = async (reader: MinuteReader, newestSeconds: number) => {
    const builder = new FeatureTableBuilder(FEATURES, instantsUpTo(newestSeconds), 90);
    reader.keep(FEATURES);
    for (const feature of FEATURES) {
      for (const piece of (await reader.read(feature, newestSeconds, signal)).pieces()) builder.add(feature, piece);
    }
    const {
      table,
      positions: _,
      ...rest
    } = builder.build((_, pod) => pod, { idleReasonOf: () => undefined, warmUpSeconds: 300 });
    const cells = table.pods.map(({ pod }, row) => `${pod} ${table.cellsOf(row).join(' ')}`);
    return { cells: cells.join('\n'), ...rest };
  };
  const lived = { few: 0, all: 0 };
  for (const exporter of [0, 1]) {
    let reader = new MinuteReader(api, () => 0);
    let clockSeconds = 0;
    nowSeconds = NOON + 7 * exporter;
    let last = Number.NaN;
    while (nowSeconds < NOON + 120 * 60) {
      nowSeconds += chance(0.03) ? between(60, 1800) : between(15, 60);
      if (chance(0.01)) reader = new MinuteReader(api, () => 0);
      if (chance(0.02)) clockSeconds = chance(0.5) ? 0 : between(-400, 0);
      const newest = minuteOf(nowSeconds + clockSeconds);
      Object.assign(asks, { few: 0, all: 0 });
      const own = await tableOf(reader, newest);
      lived.few += asks.few;
      lived.all += asks.all;
      // Within a minute a reading is shared, whatever comes meanwhile.
      if (newest === last) continue;
      last = newest;
      const other = await tableOf(new MinuteReader(api, () => 0), newest);
      expect(own, `minute ${(newest - NOON) / 60}`).to.deep.equal(other);
    }
  }
  return { late, asks: lived };
}
