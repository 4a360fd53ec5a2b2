import { expect } from 'chai';
import { encodeModel } from '../../../src/exporter/model/snapshot/codec.js';
import type { QueryResult } from '../../../src/exporter/prometheus/api.js';
import { type TrainingRequest, train } from '../../../src/exporter/training/job.js';
import { buffersOfSamples, type KeptSamples, KnownSamples } from '../../../src/exporter/training/known-samples.js';
import { bytesOf } from '../../../src/exporter/training/sample-block.js';
import { type FakeApi, fakeApi, instantsOf } from '../../support/fake-api.js';
import { type Answer, namedPods, SmallCluster, topicOf } from '../../support/small-cluster.js';
import { hourRequest } from '../../support/training-request.js';

/** A multiple of an hour. */
const NOON = 1_767_268_800;
const QUARTER = 900;
const never = new AbortController().signal;

const asked = (startSeconds: number) => ({ startSeconds, stepSeconds: 60, instants: 1 });

/** A sample of each of some series. */
const answerAt = (seconds: number, series = 50): QueryResult => ({
  labels: Array.from({ length: series }, (_, pod) => ({ namespace: 'n', pod: `p-${pod}` })),
  offsets: Uint32Array.from({ length: series + 1 }, (_, index) => index),
  timestampsSeconds: new Float64Array(series).fill(seconds),
  values: Float64Array.from({ length: series }, (_, index) => index),
  warnings: [],
  infos: [],
});

const requestAt = (dueSeconds: number, overrides?: Partial<TrainingRequest>) =>
  hourRequest(dueSeconds - 15, { untilNextTrainingSeconds: QUARTER, ...overrides });

/** Instants of CPU that were asked for, in minutes before a training that was due then. */
const minutesAsked = (api: FakeApi, dueSeconds: number) =>
  api.asked
    .filter(({ kind, query }) => kind === 'range' && topicOf(query) === 'cpu')
    .flatMap(instantsOf)
    .map((time) => (dueSeconds - time) / 60);

/** Minutes from one to another, the oldest first. */
const minutes = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, index) => from - index);

/** As between two trainings: nothing but data, in buffers that are handed over. */
const handedOver = (kept: KeptSamples): KeptSamples => structuredClone(kept, { transfer: buffersOfSamples(kept) });

/** A process that trains again and again, of which each training has to make the model of one that has just begun. */
class Replica {
  #kept: KeptSamples | undefined;

  constructor(private readonly overrides: Partial<TrainingRequest> = {}) {}

  /** @returns the minutes that were asked for. */
  async train(answer: Answer, dueSeconds: number, warnings: string[] = []): Promise<number[]> {
    const known = new KnownSamples(this.#kept && handedOver(this.#kept));
    const [mine, other] = [fakeApi(answer), fakeApi(answer)];
    mine.warnings = warnings;
    other.warnings = warnings;
    const request = requestAt(dueSeconds, this.overrides);
    const { model } = await train(mine, request, never, undefined, known);
    expect(encodeModel(model)).to.deep.equal(encodeModel((await train(other, request, never)).model));
    this.#kept = known.keep(undefined);
    return minutesAsked(mine, dueSeconds);
  }
}

const ALL = [...minutes(61, 1), ...minutes(122, 105), ...minutes(182, 165)];
/** Those that came since the training of a quarter of an hour ago, and the two before that were too young then. */
const NEW = minutes(17, 1);

describe('samples that stay between trainings', () => {
  it('are not asked for again, and make the same model to the last byte', async () => {
    const cluster = new SmallCluster([
      ...namedPods(3).map((pod) => ({ ...pod, owner: 'cart', restartsAt: [NOON - 4000, NOON + 2000] })),
      ...namedPods(3, 'till'),
      { namespace: 'shop', pod: 'late-0', sinceSeconds: NOON + 1000 },
    ]);
    // Several series of a pod: copies of gauges, containers of a counter.
    const answer: Answer = (query, time) =>
      cluster.answer(query, time).flatMap((sample) => {
        const { labels, value } = sample;
        return [sample, { labels: { ...labels, container: 'second' }, value: Math.round(value * 1.5) }];
      });
    const replica = new Replica();
    expect(await replica.train(answer, NOON)).to.deep.equal(ALL);
    const asked: number[][] = [];
    for (let run = 1; run <= 13; run++) asked.push(await replica.train(answer, NOON + run * QUARTER));
    for (const one of asked) expect(one.slice(0, NEW.length)).to.deep.equal(NEW);
    // Earlier hours were in windows by then.
    expect(asked.slice(-4)).to.deep.equal([NEW, NEW, NEW, NEW]);
  });

  it('are asked for where pods are too many for the process, steps are shorter, and in whatever order series come', async () => {
    const cluster = new SmallCluster(namedPods(9));
    const replica = new Replica({ maximumPods: 5, stepSeconds: 30 });
    let turn = 0;
    const answer: Answer = (query, time) => {
      const samples = cluster.answer(query, time);
      return turn % 2 === 0 ? samples : samples.toReversed();
    };
    for (; turn < 3; turn++) await replica.train(answer, NOON + turn * QUARTER);
  });

  it('take no place of a pod that is there, where their own pod is gone and pods are too many', async () => {
    const [all, rest] = [new SmallCluster(namedPods(9)), new SmallCluster(namedPods(9).slice(4))];
    const answer: Answer = (query, time) => (time < NOON - 3000 ? all : rest).answer(query, time);
    const replica = new Replica({ maximumPods: 5 });
    for (let run = 0; run < 4; run++) await replica.train(answer, NOON + run * QUARTER);
  });

  it('count no series again', async () => {
    const api = fakeApi(new SmallCluster().answer);
    const known = new KnownSamples();
    await train(api, requestAt(NOON), never, undefined, known);
    api.asked.length = 0;
    await train(api, requestAt(NOON + QUARTER), never, undefined, new KnownSamples(known.keep(undefined)));
    const instants = api.asked.filter(({ kind }) => kind === 'instant').map(({ query }) => topicOf(query));
    expect(instants).to.deep.equal(['kube_pod_owner', 'kube_replicaset_owner', 'kube_job_owner']);
  });

  it('are read again while they may still come', async () => {
    const { answer } = new SmallCluster();
    const late: Answer = (query, time) => answer(query, time).slice(time > NOON - 140 ? 3 : 0);
    const replica = new Replica();
    await replica.train(late, NOON);
    expect((await replica.train(answer, NOON + QUARTER)).slice(0, NEW.length)).to.deep.equal(NEW);
  });

  it('are read again where many were missing for a while: they have come since', async () => {
    const { answer } = new SmallCluster();
    const down: Answer = (query, time) => answer(query, time).slice(time > NOON - 1200 ? 4 : 0);
    const replica = new Replica();
    await replica.train(down, NOON);
    expect(await replica.train(answer, NOON + QUARTER)).to.include.members(minutes(15 + 19, 15 + 3));
  });

  it('do not stay where an answer was partial', async () => {
    const { answer } = new SmallCluster();
    const replica = new Replica();
    await replica.train(answer, NOON, ['a store is down']);
    expect(await replica.train(answer, NOON + QUARTER)).to.deep.equal(ALL);
    await replica.train(answer, NOON + 2 * QUARTER, ['PromQL info: as expected']);
    expect(await replica.train(answer, NOON + 3 * QUARTER)).to.have.length.below(ALL.length);
  });

  it('do not count after the clock was set back, when there was nothing yet', async () => {
    const { answer } = new SmallCluster();
    const replica = new Replica();
    await replica.train((query, time) => (time > NOON + 60 ? [] : answer(query, time)), NOON + 600);
    expect(await replica.train(answer, NOON + 120)).to.deep.equal(ALL);
  });

  it('are forgotten when they are of no use any more, and so are the labels of series that are gone', async () => {
    const cluster = new SmallCluster([...namedPods(6), ...namedPods(30, 'gone')]);
    const known = new KnownSamples();
    await train(fakeApi(cluster.answer), requestAt(NOON), never, undefined, known);
    const kept = known.keep(undefined);
    expect(new TextDecoder().decode(kept.labels)).to.include('gone-29');
    cluster.pods.splice(6);
    const later = new KnownSamples(kept);
    const noon = NOON + 8 * 3600;
    await train(fakeApi(cluster.answer), requestAt(noon), never, undefined, later);
    const { labels, blocks } = later.keep(undefined);
    expect(new TextDecoder().decode(labels)).not.to.include('gone');
    const times = [...blocks.values()].flat().flatMap(({ instants }) => [...instants]);
    expect(Math.min(...times)).to.equal(noon - 182 * 60);
    // Settled, and so not asked for again.
    expect(Math.max(...times)).to.equal(noon - 180);
  });

  it('tell how many series there may be, also after an outage', () => {
    const known = new KnownSamples();
    expect(known.seriesOf('q')).to.equal(undefined);
    known.add('q', asked(60), answerAt(60));
    known.add('q', asked(120), answerAt(120, 2));
    expect(known.seriesOf('q')).to.equal(50);
  });

  it('take no more memory than they may: the oldest go first', () => {
    const known = new KnownSamples();
    for (const time of [180, 60, 120]) known.add('q', asked(time), answerAt(time));
    const grid = { grid: Float64Array.of(60, 120, 180), stepSeconds: 60 };
    known.limit(1000);
    expect(known.missing('q', grid)).to.deep.equal([{ startSeconds: 60, stepSeconds: 60, instants: 1 }]);
    const blocks = [...known.keep(undefined).blocks.values()].flat();
    expect(blocks.reduce((sum, block) => sum + bytesOf(block), 0)).to.be.within(500, 1000);
  });
});
