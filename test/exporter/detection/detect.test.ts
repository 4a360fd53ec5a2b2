import { expect } from 'chai';
import {
  detect,
  instantsUpTo,
  RECENT_INSTANTS,
  RECENT_STEP_SECONDS,
  recentSecondsOf,
  type TuningOf,
} from '../../../src/exporter/detection/detect.js';
import type { Detection } from '../../../src/exporter/detection/detection.js';
import type { FeatureDefinition } from '../../../src/exporter/features/catalog.js';
import { FeatureTable, type NamedPod } from '../../../src/exporter/features/table.js';
import { type BuiltTable, FeatureTableBuilder } from '../../../src/exporter/features/table-builder.js';
import { workloadFromName } from '../../../src/exporter/features/workload.js';
import { encodeLevel } from '../../../src/exporter/history/workload-history.js';
import { fitModel } from '../../../src/exporter/model/fit.js';
import { WARM_UP_SECONDS } from '../../../src/exporter/model/measure.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { marginsOf } from '../../../src/exporter/model/score.js';
import { SEASON_SLOTS } from '../../../src/exporter/model/season.js';
import { RISE_VIEW, VIEWS } from '../../../src/exporter/model/view-list.js';
import { train } from '../../../src/exporter/training/job.js';
import { type PodTuning, UNTUNED } from '../../../src/exporter/tuning/tuning.js';
import { fakeApi } from '../../support/fake-api.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { type Answer, type FakePod, FEATURES, namedPods, SmallCluster } from '../../support/small-cluster.js';
import { hourRequest } from '../../support/training-request.js';

const WARM_UP_MINUTES = WARM_UP_SECONDS / 60;

const NOON = 1_767_268_800;
const NOW = NOON + 90;

const REQUEST = hourRequest(NOON);

/** The last minutes of a cluster as a table, in the order in which the pods stand. */
async function tableOf(
  cluster: Pick<SmallCluster, 'answer'>,
  nowSeconds = NOW,
  isEnded: (pod: NamedPod) => boolean = () => false,
): Promise<BuiltTable> {
  const api = fakeApi(cluster.answer);
  const builder = new FeatureTableBuilder(FEATURES, instantsUpTo(nowSeconds));
  for (const feature of FEATURES) {
    const startSeconds = nowSeconds - recentSecondsOf(feature);
    const range = { startSeconds, endSeconds: nowSeconds, stepSeconds: RECENT_STEP_SECONDS };
    builder.add(feature, await api.queryRange({ query: feature.query, ...range }));
  }
  return builder.build((_, pod) => workloadFromName(pod), {
    idleReasonOf: (pod) => (isEnded(pod) ? 'completed' : undefined),
    warmUpSeconds: WARM_UP_SECONDS,
  });
}

const flaggedIn = ({ table, scores }: Detection): string[] =>
  table.pods.filter((_, row) => (scores[row] as number) > 0).map(({ pod }) => pod);

/** A detection with nothing but values, to compare with another one. */
const comparable = ({ model: _, ...rest }: Detection) => rest;

const podsInDisorder: readonly FakePod[] = [
  { namespace: 'shop', pod: 'till-1' },
  { namespace: 'bank', pod: 'vault-0' },
  { namespace: 'shop', pod: 'Cart-0' },
  { namespace: 'shop', pod: 'cart-10' },
  { namespace: 'shop', pod: 'cart-2' },
];

describe('detect', () => {
  let cluster: SmallCluster;
  let model: Model;

  beforeEach(async () => {
    cluster = new SmallCluster(podsInDisorder);
    ({ model } = await train(fakeApi(cluster.answer), REQUEST, new AbortController().signal));
  });

  it('gives the pods sorted by namespace, then name, whatever the order of the answers', async () => {
    const { table, scores, expected, deviations, timeSeconds } = detect(model, await tableOf(cluster));
    expect(table.pods.map(({ namespace, pod }) => `${namespace}/${pod}`)).to.deep.equal([
      'bank/vault-0',
      'shop/Cart-0',
      'shop/cart-10',
      'shop/cart-2',
      'shop/till-1',
    ]);
    expect(timeSeconds).to.equal(NOW);
    expect(scores).to.have.lengthOf(5);
    expect(expected).to.have.lengthOf(15);
    expect(deviations).to.have.lengthOf(15);
    cluster.pods.reverse();
    expect(detect(model, await tableOf(cluster)).scores).to.deep.equal(scores);
  });

  it('scores the pod that misbehaves above 0, and the others below', async () => {
    cluster.misbehave('cart-2', NOW);
    const detection = detect(model, await tableOf(cluster));
    const { table, scores, deviations, expected } = detection;
    expect(flaggedIn(detection)).to.deep.equal(['cart-2']);
    // Ten times the usual CPU, at a spread of a fifth of it.
    const cell = 3 * FEATURES.length;
    expect((table.values[cell] as number) / (expected[cell] as number)).to.be.closeTo(10, 1);
    expect(deviations[cell]).to.be.closeTo(45, 5);
    for (const score of scores) expect(score).to.be.within(-1, 1);
  });

  it('measures scores from the threshold of the model', async () => {
    const table = await tableOf(cluster);
    const unconditional = { ...model, minimumInput: Number.NEGATIVE_INFINITY };
    const { scores } = detect(unconditional, table);
    const stricter = detect({ ...unconditional, threshold: model.threshold - 0.25 }, table).scores;
    stricter.forEach((score, row) => {
      expect(score).to.be.closeTo((scores[row] as number) + 0.25, 1e-12);
    });
  });

  it('flags nothing that no feature deviates enough for, however low the threshold', async () => {
    cluster.misbehave('cart-2', NOW);
    const table = await tableOf(cluster);
    const low = detect({ ...model, threshold: 0 }, table);
    expect(flaggedIn(low)).to.deep.equal(['cart-2']);
    for (const [row, { pod }] of low.table.pods.entries()) {
      if (pod !== 'cart-2') expect(low.scores[row], pod).to.equal(0);
    }
  });

  it('scores each pod as if it were alone', async () => {
    cluster.misbehave('till-1', NOW);
    const together = detect(model, await tableOf(cluster));
    for (const [row, { namespace, pod }] of together.table.pods.entries()) {
      const alone = new SmallCluster([{ namespace, pod }]);
      if (pod === 'till-1') alone.misbehave(pod, NOW);
      const { scores } = detect(model, await tableOf(alone));
      expect([...scores], pod).to.deep.equal([together.scores[row]]);
    }
  });

  describe('with tuned pods', () => {
    const tuned =
      (name: string, tuning: Partial<PodTuning>): TuningOf =>
      ({ pod }) =>
        pod === name ? { ...UNTUNED, ...tuning } : UNTUNED;
    let built: BuiltTable;
    let untuned: Detection;

    beforeEach(async () => {
      for (const pod of ['cart-2', 'till-1']) cluster.misbehave(pod, NOW - 600);
      built = await tableOf(cluster);
      untuned = detect(model, built);
      expect(flaggedIn(untuned)).to.deep.equal(['cart-2', 'till-1']);
      expect([...untuned.lasting]).to.deep.equal([0, 0, 0, 1, 1]);
    });

    it('does not score an ignored pod, counts it, and changes nothing for the others', () => {
      const by = 'tuning.yaml:3:5';
      const { table, scores, unscored, optedOut } = detect(model, built, undefined, tuned('cart-2', { ignoredBy: by }));
      expect([...optedOut.values()].map(({ namespace, pod, by: who }) => [namespace, pod, who])).to.deep.equal([
        ['shop', 'cart-2', by],
      ]);
      expect(table.pods.map(({ pod }) => pod)).to.deep.equal(['vault-0', 'Cart-0', 'cart-10', 'till-1']);
      expect([...unscored]).to.deep.equal([['opted_out', 1]]);
      expect([...scores]).to.deep.equal([...untuned.scores].toSpliced(3, 1));
    });

    it('does not count an ignored pod that has gone', async () => {
      const before = cluster.answer;
      const answer: Answer = (query, time) =>
        before(query, time).filter(({ labels: { pod } }) => pod !== 'cart-2' || time < NOW - 120);
      const gone = await tableOf({ answer });
      expect([
        ...detect(model, gone, undefined, tuned('cart-2', { ignoredBy: 'tuning.yaml:3:5' })).unscored,
      ]).to.deep.equal([]);
    });

    it('scores a muted pod, and neither flags it nor lets it last', () => {
      const tuning = { mutedBy: 'pod shop/cart-2', mutedUntilSeconds: NOW + 60 };
      const { scores, flags, lasting, muted, tunings } = detect(model, built, undefined, tuned('cart-2', tuning));
      expect(scores).to.deep.equal(untuned.scores);
      expect([[...flags], [...lasting], [...muted]]).to.deep.equal([
        [0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1],
        [0, 0, 0, 1, 0],
      ]);
      expect([...tunings]).to.deep.equal([[3, { ...UNTUNED, ...tuning }]]);
    });

    it('measures a pod by the sensitivity of its own: twice as many spreads are half as far', () => {
      const { deviations, flags } = detect(model, built, undefined, tuned('cart-2', { sensitivity: 8 }));
      deviations.forEach((deviation, cell) => {
        const factor = Math.floor(cell / FEATURES.length) === 3 ? 2 : 1;
        expect(deviation).to.be.closeTo((untuned.deviations[cell] as number) / factor, 1e-9);
      });
      expect([...flags]).to.deep.equal([0, 0, 0, 1, 1]);
      // CPU is 45 spreads off, which is about one of a pod for which 40 count as one.
      const { scores, lasting } = detect(
        { ...model, sensitivity: 1 },
        built,
        undefined,
        tuned('cart-2', { sensitivity: 40 }),
      );
      expect(scores[3]).to.be.at.most(0);
      expect([...lasting]).to.deep.equal([0, 0, 0, 0, 1]);
      const same = detect(model, built, undefined, tuned('cart-2', { sensitivity: model.sensitivity }));
      for (const [row, score] of same.scores.entries())
        expect(score).to.be.closeTo(untuned.scores[row] as number, 1e-9);
    });

    it('looks back at a pod by the sensitivity of its own', () => {
      // Within reach of 20 spreads at each of the minutes before, and far beyond 4.
      const { lasting, scores } = detect(model, built, undefined, tuned('cart-2', { sensitivity: 30 }));
      expect(scores[3]).to.be.above(0);
      expect([...lasting]).to.deep.equal([0, 0, 0, 1, 1]);
    });

    it('does the same by the plain method', async () => {
      const request = { ...REQUEST, parameters: { ...QUICK_PARAMETERS, baseline: 'cluster' as const } };
      const plain = (await train(fakeApi(cluster.answer), request, new AbortController().signal)).model;
      const before = detect(plain, built);
      const after = detect(plain, built, undefined, tuned('cart-2', { sensitivity: 2 * plain.sensitivity }));
      for (let cell = 3 * FEATURES.length; cell < 4 * FEATURES.length; cell++) {
        expect(after.inputs[cell]).to.be.closeTo((before.inputs[cell] as number) / 2, 1e-12);
      }
    });
  });

  it('leaves pods without a required feature out, and counts them', async () => {
    const answer = cluster.answer;
    const withoutCpu = new SmallCluster();
    Object.defineProperty(withoutCpu, 'answer', {
      value: ((query, timeSeconds) =>
        answer(query, timeSeconds).filter(
          ({ labels }) => labels.pod !== 'till-1' || !query.includes('cpu_usage'),
        )) satisfies typeof answer,
    });
    const { table, scores, unscored } = detect(model, await tableOf(withoutCpu));
    expect(table.pods.map(({ pod }) => pod)).not.to.include('till-1');
    expect(scores).to.have.lengthOf(4);
    expect([...unscored]).to.deep.equal([['missing_cpu', 1]]);
  });

  it('passes on what was left out of the table', async () => {
    const built = await tableOf(cluster);
    const unscored = new Map([['completed', 3]]);
    const droppedSeries = new Map([['unlabelled', 7]]);
    const detection = detect(model, { ...built, unscored, droppedSeries });
    expect(detection).to.deep.include({ unscored, droppedSeries });
    expect(detection.model).to.equal(model);
  });

  it('scores a pod that the model has not seen, by its workload or else by the fleet', async () => {
    cluster.pods.push({ namespace: 'shop', pod: 'cart-7' }, { namespace: 'new', pod: 'thing-0' });
    const { table, scores } = detect(model, await tableOf(cluster));
    expect(table.pods.map(({ pod }) => pod)).to.include.members(['cart-7', 'thing-0']);
    for (const score of scores) expect(score).to.be.within(-1, 1);
  });

  it('gives one row for each pod, all of the last instant, with what the forest saw', async () => {
    cluster.misbehave('cart-2', NOW);
    const built = await tableOf(cluster);
    const { table, scores, inputs } = detect(model, built);
    expect([...table.timestampsSeconds]).to.deep.equal([NOW]);
    const last = built.table.timestampsSeconds.length - 1;
    for (const pod of table.pods.keys()) {
      expect(table.row(pod, 0)).to.deep.equal(built.table.row(pod, last));
    }
    expect(inputs).to.have.lengthOf(FEATURES.length * table.pods.length);
    expect(marginsOf(model, inputs)).to.deep.equal(scores);
  });

  it('takes an optional gauge that reads 0 for every pod for one that lost its source', async () => {
    const gauge = { ...(FEATURES[0] as FeatureDefinition), name: 'network', required: false };
    const features = [...FEATURES.slice(0, 2), gauge];
    const pods = podsInDisorder.map(({ namespace, pod }) => ({ namespace, pod, workload: pod }));
    const tableWith = (network: number, instants: number) =>
      new FeatureTable({
        features: features.map(({ name }) => name),
        pods,
        timestampsSeconds: Float64Array.from({ length: instants }, (_, instant) => NOON + 60 * instant),
        values: Float64Array.from(pods.flatMap(() => Array.from({ length: instants }, () => [1, 1e9, network]).flat())),
      });
    const trained = fitModel({ window: tableWith(50, 60), history: [] }, features, QUICK_PARAMETERS);
    const detectAt = (network: number) =>
      detect(trained, {
        table: tableWith(network, RECENT_INSTANTS),
        unscored: new Map(),
        incomplete: new Map(),
        droppedSeries: new Map(),
      });
    expect(flaggedIn(detectAt(0))).to.be.empty;
    expect([...detectAt(0).deviations].every((deviation) => deviation === 0)).to.equal(true);
    expect(flaggedIn(detectAt(500))).to.have.lengthOf(pods.length);
  });

  it('counts the warm-up by time, not by samples of the window', async () => {
    const born = NOON - 120;
    const late = new SmallCluster([...podsInDisorder, { namespace: 'shop', pod: 'cart-7', sinceSeconds: born }]);
    const trained = await train(fakeApi(late.answer), { ...REQUEST, stepSeconds: 15 }, new AbortController().signal);
    const { unscored } = detect(trained.model, await tableOf(late, NOON + 30));
    expect([...unscored]).to.deep.equal([['warmup', 1]]);
  });

  describe('a pod that just came', () => {
    const newcomer = (minutes: number): FakePod => ({
      namespace: 'shop',
      pod: 'cart-7',
      sinceSeconds: NOW - 60 * minutes,
    });
    const withNewcomer = async (minutes: number) =>
      detect(model, await tableOf(new SmallCluster([...podsInDisorder, newcomer(minutes)])));

    for (let minutes = 0; minutes < WARM_UP_MINUTES + 2; minutes++) {
      // The first and the last minute both have a sample.
      const isScored = minutes + 1 >= WARM_UP_MINUTES;
      it(`is ${isScored ? 'scored' : 'counted as warming up'} ${minutes} minutes after its first sample`, async () => {
        const { table, scores, unscored } = await withNewcomer(minutes);
        expect(table.pods.map(({ pod }) => pod).includes('cart-7')).to.equal(isScored);
        expect(scores).to.have.lengthOf(isScored ? 6 : 5);
        expect([...unscored]).to.deep.equal(isScored ? [] : [['warmup', 1]]);
      });
    }

    it('is counted with the others of its kind, beside other reasons', async () => {
      const others = ['cart-8', 'cart-9'].map((pod) => ({ ...newcomer(1), pod }));
      const built = await tableOf(new SmallCluster([...podsInDisorder, ...others]));
      const before = new Map([['completed', 3]]);
      const { unscored } = detect(model, { ...built, unscored: before });
      expect([...unscored]).to.have.deep.members([
        ['completed', 3],
        ['warmup', 2],
      ]);
      // What came in is left as it was.
      expect([...before]).to.deep.equal([['completed', 3]]);
    });

    it('does not change the scores of the others', async () => {
      const without = detect(model, await tableOf(cluster));
      const { table, scores } = await withNewcomer(1);
      expect(table.pods).to.deep.equal(without.table.pods);
      expect(scores).to.deep.equal(without.scores);
    });

    it('is scored at once when the model knows it, however short a time Prometheus does', async () => {
      const forgetful: typeof cluster.answer = (query, timeSeconds) =>
        timeSeconds < NOW ? [] : cluster.answer(query, timeSeconds);
      const { table, unscored } = detect(model, await tableOf({ answer: forgetful }));
      expect(table.pods).to.have.lengthOf(5);
      expect([...unscored]).to.deep.equal([]);
    });

    it('is scored at once by the plain method', async () => {
      const { model: plain } = await train(
        fakeApi(cluster.answer),
        { ...REQUEST, parameters: { ...QUICK_PARAMETERS, baseline: 'cluster' } },
        new AbortController().signal,
      );
      const built = await tableOf(new SmallCluster([...podsInDisorder, newcomer(0)]));
      const { table, unscored } = detect(plain, built);
      expect(table.pods.map(({ pod }) => pod)).to.include('cart-7');
      expect([...unscored]).to.deep.equal([]);
    });

    it('is not there any more when it has gone before the last instant', async () => {
      const gone: typeof cluster.answer = (query, timeSeconds) =>
        cluster.answer(query, timeSeconds).filter(({ labels }) => labels.pod !== 'till-1' || timeSeconds < NOW);
      const { table, unscored } = detect(model, await tableOf({ answer: gone }));
      expect(table.pods.map(({ pod }) => pod)).not.to.include('till-1');
      expect([...unscored]).to.deep.equal([]);
    });
  });

  describe('restarts', () => {
    const restartingAt = (...secondsAgo: number[]) =>
      new SmallCluster(
        podsInDisorder.map((pod) =>
          pod.pod === 'till-1' ? { ...pod, restartsAt: secondsAgo.map((seconds) => NOW - seconds) } : pod,
        ),
      );

    it('are free once', async () => {
      expect(flaggedIn(detect(model, await tableOf(restartingAt(30))))).to.deep.equal([]);
    });

    it('are flagged by two in ten minutes, whatever there was long ago', async () => {
      const detection = detect(model, await tableOf(restartingAt(430, 90)));
      expect(flaggedIn(detection)).to.deep.equal(['till-1']);
      const { table, expected, deviations } = detection;
      const row = table.pods.findIndex(({ pod }) => pod === 'till-1');
      const restarts = row * FEATURES.length + 2;
      expect(table.values[restarts]).to.equal(4);
      // Where the counter stood ten minutes ago.
      expect(expected[restarts]).to.equal(2);
      expect(deviations[restarts]).to.be.above(4);
    });

    it('hold for ten minutes after the last of two', async () => {
      expect(flaggedIn(detect(model, await tableOf(restartingAt(1000, 590))))).to.deep.equal(['till-1']);
      expect(flaggedIn(detect(model, await tableOf(restartingAt(1010, 660))))).to.deep.equal([]);
    });

    it('are free where the counter falls by one', async () => {
      const corrected: typeof cluster.answer = (query, timeSeconds) =>
        cluster
          .answer(query, timeSeconds)
          .map((sample) =>
            query.includes('restarts') && sample.labels.pod === 'till-1'
              ? { ...sample, value: timeSeconds < NOW - 120 ? 514 : 513 }
              : sample,
          );
      const { deviations, ...detection } = detect(model, await tableOf({ answer: corrected }));
      expect(flaggedIn({ deviations, ...detection })).to.deep.equal([]);
      expect(deviations.filter((_, cell) => cell % FEATURES.length === 2)).to.deep.equal(new Float64Array(5));
    });
  });

  describe('a pod that only its counters tell of', () => {
    const crashing = (pod: Partial<FakePod>) =>
      new SmallCluster(podsInDisorder.map((other) => (other.pod === 'till-1' ? { ...other, ...pod } : other)));
    const unmeasuredSeconds = NOW - 15 * 60;
    const [cpu, memory, restarts] = [0, 1, 2];
    const cellOf = ({ table }: Detection, column: number) =>
      table.pods.findIndex(({ pod }) => pod === 'till-1') * FEATURES.length + column;

    it('is flagged by two restarts, with everything else as usual', async () => {
      const restartsAt = [NOW - 500, NOW - 130];
      const detection = detect(model, await tableOf(crashing({ unmeasuredSeconds, restartsAt })));
      expect(flaggedIn(detection)).to.deep.equal(['till-1']);
      expect([...detection.unscored]).to.deep.equal([]);
      for (const column of [cpu, memory]) {
        const cell = cellOf(detection, column);
        expect(detection.table.values[cell]).to.equal(0);
        expect(detection.expected[cell]).to.equal(0);
        expect(detection.deviations[cell]).to.equal(0);
        expect(detection.inputs[cell]).to.equal(0);
      }
      expect(detection.table.values[cellOf(detection, restarts)]).to.equal(4);
      expect(detection.expected[cellOf(detection, restarts)]).to.equal(2);
      for (const numbers of [detection.scores, detection.expected, detection.deviations, detection.inputs]) {
        expect([...numbers].every(Number.isFinite)).to.equal(true);
      }
    });

    it('has a score after one restart, and no flag', async () => {
      const detection = detect(model, await tableOf(crashing({ unmeasuredSeconds, restartsAt: [NOW - 130] })));
      expect(detection.table.pods.map(({ pod }) => pod)).to.include('till-1');
      expect(flaggedIn(detection)).to.deep.equal([]);
    });

    it('has no score without a restart, or once the last one is ten minutes ago', async () => {
      for (const restartsAt of [[], [NOW - 1000, NOW - 700]]) {
        const { table, unscored } = detect(model, await tableOf(crashing({ unmeasuredSeconds, restartsAt })));
        expect(table.pods.map(({ pod }) => pod)).not.to.include('till-1');
        expect([...unscored]).to.deep.equal([['no_usage', 1]]);
      }
    });

    it('has no score once it has ended', async () => {
      const restartsAt = [NOW - 500, NOW - 130];
      const built = await tableOf(crashing({ unmeasuredSeconds, restartsAt }), NOW, ({ pod }) => pod === 'till-1');
      const { table, unscored } = detect(model, built);
      expect(table.pods.map(({ pod }) => pod)).not.to.include('till-1');
      expect([...unscored]).to.deep.equal([['completed', 1]]);
    });

    it('has no score where it is gone', async () => {
      const busy = crashing({ unmeasuredSeconds, restartsAt: [NOW - 500, NOW - 130] });
      const gone: typeof cluster.answer = (query, timeSeconds) =>
        busy.answer(query, timeSeconds).filter(({ labels }) => labels.pod !== 'till-1' || timeSeconds < NOW);
      const { table, unscored } = detect(model, await tableOf({ answer: gone }));
      expect(table.pods.map(({ pod }) => pod)).not.to.include('till-1');
      expect([...unscored]).to.deep.equal([]);
    });

    it('has no score by the plain method', async () => {
      const parameters = { ...QUICK_PARAMETERS, baseline: 'cluster' } as const;
      const { model: plain } = await train(fakeApi(cluster.answer), { ...REQUEST, parameters });
      const restartsAt = [NOW - 500, NOW - 130];
      const { table, unscored } = detect(plain, await tableOf(crashing({ unmeasuredSeconds, restartsAt })));
      expect(table.pods.map(({ pod }) => pod)).not.to.include('till-1');
      expect([...unscored]).to.deep.equal([['no_usage', 1]]);
    });

    it('does not change the scores of the others', async () => {
      const with_ = detect(model, await tableOf(crashing({ unmeasuredSeconds, restartsAt: [NOW - 500, NOW - 130] })));
      const without = detect(model, await tableOf(crashing({ unmeasuredSeconds })));
      const scoresOf = ({ table, scores }: Detection) =>
        table.pods.flatMap(({ pod }, row) => (pod === 'till-1' ? [] : [[pod, scores[row]]]));
      expect(scoresOf(with_)).to.deep.equal(scoresOf(without));
    });

    it('is flagged while it warms up, whatever its usage is', async () => {
      const sinceSeconds = NOW - 200;
      const newcomer = { namespace: 'shop', pod: 'cart-7', sinceSeconds, restartsAt: [NOW - 100, NOW - 40] };
      const busy = new SmallCluster([...podsInDisorder, newcomer]);
      busy.misbehave('cart-7', 0);
      const detection = detect(model, await tableOf(busy));
      expect(flaggedIn(detection)).to.deep.equal(['cart-7']);
      expect([...detection.unscored]).to.deep.equal([]);
      const row = detection.table.pods.findIndex(({ pod }) => pod === 'cart-7');
      const cells = detection.table.row(row, 0);
      expect(cells[cpu]).to.be.above(0);
      expect(detection.expected[row * FEATURES.length]).to.equal(cells[cpu]);
      expect([...detection.inputs.subarray(row * FEATURES.length, row * FEATURES.length + 2)]).to.deep.equal([0, 0]);
    });

    it('is warming up as long as its usage is still to come', async () => {
      const newcomer = { namespace: 'shop', pod: 'cart-7', sinceSeconds: NOW - 200, unmeasuredSeconds: 0 };
      const { unscored } = detect(model, await tableOf(new SmallCluster([...podsInDisorder, newcomer])));
      expect([...unscored]).to.deep.equal([['warmup', 1]]);
    });

    /** Flagged minutes of `till-1`, which restarts at those instants, with trainings once an hour. */
    async function flaggedMinutes(
      pod: Partial<FakePod>,
      minutes: number,
      adapt: (model: Model) => Model = (trained) => trained,
    ): Promise<number[]> {
      const busy = crashing(pod);
      // Memory of the last life lingers now and then, as Prometheus shows it for up to five minutes.
      const lingering: typeof cluster.answer = (query, timeSeconds) => {
        const samples = busy.answer(query, timeSeconds);
        const lingers = pod.unmeasuredSeconds !== undefined && query.includes('memory') && timeSeconds % 1200 < 300;
        return lingers && timeSeconds >= (pod.unmeasuredSeconds ?? 0)
          ? [...samples, { labels: { namespace: 'shop', pod: 'till-1' }, value: 1e7 }]
          : samples;
      };
      let current = adapt(model);
      const flagged: number[] = [];
      for (let minute = 0; minute < minutes; minute++) {
        const nowSeconds = NOW + minute * 60;
        if (minute > 0 && minute % 60 === 0) {
          current = adapt((await train(fakeApi(lingering), { ...REQUEST, nowSeconds })).model);
        }
        const detection = detect(current, await tableOf({ answer: lingering }, nowSeconds));
        for (const numbers of [detection.scores, detection.expected, detection.deviations, detection.table.values]) {
          expect([...numbers].every(Number.isFinite)).to.equal(true);
        }
        const found = flaggedIn(detection);
        expect(found.filter((name) => name !== 'till-1')).to.deep.equal([]);
        if (found.length > 0) flagged.push(minute);
      }
      return flagged;
    }
    const every = (seconds: number, count: number) =>
      Array.from({ length: count }, (_, index) => NOW + 30 + index * seconds);
    const remembering = (trained: Model): Model => ({ ...trained, remembers: true });
    /** Its workload rose by so much in an hour of the last days. */
    const knowing = (boundary: number) => (trained: Model) => {
      const width = FEATURES.length * VIEWS.length;
      const boundaries = new Float32Array(width).fill(Number.NaN);
      boundaries[restarts * VIEWS.length + RISE_VIEW] = boundary;
      const season = new Uint16Array(FEATURES.length * SEASON_SLOTS).fill(encodeLevel(Number.NaN));
      const knownLevels = { range: new Float32Array(FEATURES.length * 2), held: new Uint8Array(boundaries.length) };
      const limits = { keys: ['shop/till'], rows: new Map([['shop/till', 0]]), boundaries, season, ...knownLevels };
      return { ...trained, remembers: true, knownHours: 168, limits };
    };

    for (const [what, adapt] of [
      ['without a memory', (trained: Model) => trained],
      ['that remembers nothing yet', remembering],
      ['that remembers a workload without restarts', knowing(1.5)],
    ] as const) {
      for (const distanceSeconds of [310, 390, 450]) {
        it(`stays flagged while it restarts every ${distanceSeconds} s, by a model ${what}`, async () => {
          const restartsAt = every(distanceSeconds, 60);
          const flagged = await flaggedMinutes({ restartsAt, unmeasuredSeconds: NOW }, 200, adapt);
          expect(flagged[0]).to.be.below(15);
          expect(flagged).to.have.lengthOf(200 - (flagged[0] as number));
        });
      }

      it(`is not flagged while it restarts once an hour, by a model ${what}`, async () => {
        expect(await flaggedMinutes({ restartsAt: every(3600, 6) }, 200, adapt)).to.deep.equal([]);
      });
    }

    it('is flagged for some minutes only where its workload restarts as often on other days', async () => {
      const flagged = await flaggedMinutes({ restartsAt: every(390, 60), unmeasuredSeconds: NOW }, 200, knowing(11.5));
      expect(flagged).to.have.length.within(1, 6);
    });
  });

  it('remembers nothing: what was detected before makes no difference', async () => {
    const busy = new SmallCluster(podsInDisorder.map((pod) => ({ ...pod, restartsAt: [NOW - 500, NOW - 200] })));
    busy.misbehave('Cart-0', NOW - 250);
    const ranOn: Detection[] = [];
    for (let seconds = 300; seconds >= 0; seconds -= 15) {
      ranOn.push(detect(model, await tableOf(busy, NOW - seconds)));
    }
    const justStarted = detect(model, await tableOf(busy));
    expect(comparable(ranOn.at(-1) as Detection)).to.deep.equal(comparable(justStarted));
    expect(flaggedIn(justStarted)).to.have.lengthOf(5);
    expect(ranOn.map((detection) => flaggedIn(detection).length)).to.include.members([0, 1, 5]);
  });

  it('scores nothing when there is nothing', async () => {
    const { table, scores, timeSeconds } = detect(model, await tableOf(new SmallCluster([])));
    expect(table.pods).to.deep.equal([]);
    expect(scores).to.have.lengthOf(0);
    expect(timeSeconds).to.equal(NOW);
  });

  it('finds the same in a namespace of its own for two pods of the same name', async () => {
    const twins = new SmallCluster([...namedPods(1, 'vault', 'bank'), { namespace: 'shop', pod: 'vault-0' }]);
    const { table } = detect(model, await tableOf(twins));
    expect(table.pods.map(({ namespace }) => namespace)).to.deep.equal(['bank', 'shop']);
  });
});
