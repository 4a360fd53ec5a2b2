import { expect } from 'chai';
import { detect, detectInTurns, verdictOf } from '../../../src/exporter/detection/detect.js';
import type { Detection } from '../../../src/exporter/detection/detection.js';
import { FeatureTable } from '../../../src/exporter/features/table.js';
import { levelOf } from '../../../src/exporter/history/level.js';
import type { WorkloadHistory } from '../../../src/exporter/history/workload-history.js';
import { fitModel, type ModelParameters } from '../../../src/exporter/model/fit.js';
import type { Model } from '../../../src/exporter/model/model.js';
import type { Judgement } from '../../../src/exporter/model/views.js';
import { UNTUNED } from '../../../src/exporter/tuning/tuning.js';
import { SHIPPED_FOR_SECONDS, simulateAlerts } from '../../../src/tools/replay/alerts.js';
import { runsOf } from '../../../src/tools/replay/chunk-result.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { type Course, steadyHistory, steadyTable, TRAINED_AT } from '../../support/steady-cluster.js';
import { asBuilt, CATALOG, CPU, type WrittenPod } from '../../support/tables.js';

/** What pods do instead of what is usual: a factor of their CPU, by pod, at minutes since the training. */
type Loads = Readonly<Record<string, (minute: number) => number>>;

const coursesAt = (loads: Loads, minute: number): Record<string, Course> =>
  Object.fromEntries(
    Object.entries(loads).map(([pod, loadAt]) => [
      pod,
      ([cpu, memory, restarts], secondsAgo) => [cpu * loadAt(minute - secondsAgo / 60), memory, restarts],
    ]),
  );

/** Scores and shares of boundaries of a pod at a minute, and whether its anomaly lasts. */
function judgeAt(model: Model, loads: Loads, pod: WrittenPod['pod'], minute: number) {
  const table = steadyTable(TRAINED_AT + 60 * minute, 11, 60, coursesAt(loads, minute));
  const { table: scored, scores, judgement, lasting } = detect(model, asBuilt(table));
  const row = scored.pods.findIndex((own) => own.pod === pod);
  const width = CATALOG.length;
  const shares = [...(judgement?.shares.slice(row * width, (row + 1) * width) ?? [])];
  return { score: scores[row] as number, share: Math.max(0, ...shares.map(Math.abs)), lasts: lasting[row] === 1 };
}

const MINUTES = 60;
const minutesFrom = (from: number) => Array.from({ length: MINUTES }, (_, index) => from + index);

/** The minutes of an hour in which a pod is flagged. */
const flaggedMinutes = (model: Model, loads: Loads, pod: string, from = 1) =>
  minutesFrom(from).filter((minute) => judgeAt(model, loads, pod, minute).score > 0);

/** The minutes of an hour in which the anomaly of a pod lasts. */
const lastingMinutes = (model: Model, loads: Loads, pod: string, from = 1) =>
  minutesFrom(from).filter((minute) => judgeAt(model, loads, pod, minute).lasts);

/** A model that is trained some minutes after the history ends, on the hour before. */
function trainedAt(
  minute: number,
  history: WorkloadHistory | undefined,
  loads: Loads = {},
  parameters: Partial<ModelParameters> = {},
) {
  const window = steadyTable(TRAINED_AT + 60 * minute, 61, 60, coursesAt(loads, minute));
  return fitModel({ window, history: [] }, CATALOG, { ...QUICK_PARAMETERS, ...parameters }, history);
}

const since =
  (from: number, factor: number) =>
  (minute: number): number =>
    minute < from ? 1 : factor;

/** The alerts of a pod by the shipped rules. */
function alertsOf(lasting: readonly number[], closedRanges: boolean) {
  const minutes = Uint8Array.from({ length: MINUTES + 20 }, (_, minute) => Number(lasting.includes(minute)));
  const pod = {
    namespace: 'ns',
    pod: 'report-0',
    workload: 'report',
    scored: [0, minutes.length],
    muted: [],
    lasting: runsOf(minutes),
  };
  const others = Array.from({ length: 10 }, (_, index) => ({
    ...pod,
    pod: `other-${index}`,
    workload: `o-${index}`,
    lasting: [],
  }));
  return simulateAlerts([pod, ...others], minutes.length, { forSeconds: SHIPPED_FOR_SECONDS, closedRanges });
}

describe('verdicts with a history of days', () => {
  let history: WorkloadHistory;
  let model: Model;

  before(() => {
    history = steadyHistory(7);
    model = trainedAt(0, history);
  });

  describe('of what is usual at this time of the day', () => {
    // From 12:00 on, `report` takes ten times as much as in the hour before, as each day.
    it('flag it for at most three minutes, and make no alert', () => {
      const flagged = flaggedMinutes(model, {}, 'report-0');
      expect(flagged.length).to.be.within(1, 3);
      const lasting = lastingMinutes(model, {}, 'report-0');
      for (const closedRanges of [false, true]) expect(alertsOf(lasting, closedRanges)).to.deep.equal([]);
    });

    it('flag it again and again where it is over in between, and make no alert', () => {
      const loads = { 'report-0': (minute: number) => (minute % 9 < 5 ? 1 : 0.1) };
      const flagged = flaggedMinutes(model, loads, 'report-0', 10);
      expect(flagged.length).to.be.within(10, 3 * Math.ceil(MINUTES / 9));
      const lasting = lastingMinutes(model, loads, 'report-0', 10);
      for (const closedRanges of [false, true]) expect(alertsOf(lasting, closedRanges)).to.deep.equal([]);
    });

    it('flag it for longer without a history', () => {
      expect(flaggedMinutes(trainedAt(0, undefined), {}, 'report-0')).to.have.lengthOf.above(30);
    });

    it('last without a history once five of six minutes are flagged, and until then not', () => {
      const plain = trainedAt(0, undefined);
      const lasts = { 'web-1': (minute: number) => (minute >= 5 && minute !== 8 && minute < 20 ? 20 : 1) };
      const flagged = flaggedMinutes(plain, lasts, 'web-1');
      expect(flagged).to.include.members([5, 6, 7, 9, 10]).and.not.include(8);
      const inSixMinutes = (minute: number) => flagged.filter((own) => own > minute - 6 && own <= minute).length;
      const expected = flagged.filter((minute) => inSixMinutes(minute) >= 5);
      expect(expected[0]).to.be.within(10, 11);
      expect(lastingMinutes(plain, lasts, 'web-1')).to.deep.equal(expected);
    });
  });

  it('have boundaries that are farther for a pod with a sensitivity of its own', () => {
    const loads = coursesAt({ 'web-1': since(-90, 3) }, 30);
    const built = asBuilt(steadyTable(TRAINED_AT + 30 * 60, 11, 60, loads));
    const before = detect(model, built);
    const row = before.table.pods.findIndex(({ pod }) => pod === 'web-1');
    const cell = row * CATALOG.length;
    const factor = 2 * (before.judgement?.shares[cell] ?? 0);
    const sensitivity = factor * model.sensitivity;
    const after = detect(model, built, undefined, ({ pod }) =>
      pod === 'web-1' ? { ...UNTUNED, sensitivity } : UNTUNED,
    );
    const [own, tuned] = [before.judgement, after.judgement] as [Judgement, Judgement];
    expect(own.shares[cell]).to.be.above(1);
    // Less than half of it: what was beyond its boundary stays so down to a share of it, which counts here no more.
    expect(tuned.shares[cell]).to.be.within(0.3, 0.5);
    // On the scale of levels, which is about logarithmic.
    const distance = ({ boundaries, expected }: Judgement) =>
      levelOf(CPU, boundaries[cell] as number) - levelOf(CPU, expected[cell] as number);
    const deviation = (judgement: Judgement) => distance(judgement) * (judgement.shares[cell] as number);
    expect(deviation(tuned)).to.be.closeTo(deviation(own), 1e-9);
    expect([before.lasting[row], after.lasting[row]]).to.deep.equal([1, 0]);
    const others = (detection: Detection) => detection.scores.filter((_, other) => other !== row);
    expect(others(after)).to.deep.equal(others(before));
  });

  it('look back at many pods in turns', async () => {
    const one = steadyTable(TRAINED_AT + 120, 11, 60);
    const position = one.pods.findIndex(({ pod }) => pod === 'report-0');
    const many = Array.from({ length: 600 }, (_, index) => ({
      namespace: 'ns',
      pod: `report-${index}`,
      workload: 'report',
    }));
    const { features, timestampsSeconds } = one;
    const table = FeatureTable.fill({ features, timestampsSeconds, pods: many }, (_, cells) => {
      for (const [column] of features.entries()) {
        for (const [instant] of timestampsSeconds.entries()) {
          cells[instant * features.length + column] = one.at(position, instant, column);
        }
      }
    });
    let turns = 0;
    const signal = { throwIfAborted: () => void turns++ } as unknown as AbortSignal;
    const { scores } = await detectInTurns(model, asBuilt(table), signal);
    expect(scores.every((score) => score > 0)).to.equal(true);
    expect(turns).to.be.above(5);
  });

  describe('of what is not', () => {
    const loads = { 'web-1': since(5, 6) };

    it('flag it from the first minutes on, and from the fifth on for as long as it lasts', () => {
      const flagged = flaggedMinutes(model, loads, 'web-1');
      expect(flagged[0]).to.be.within(5, 6);
      expect(flagged).to.include.members(minutesFrom(10).filter((minute) => minute <= MINUTES));
      const lasting = lastingMinutes(model, loads, 'web-1');
      expect(lasting).to.deep.equal(minutesFrom(10).filter((minute) => minute <= MINUTES));
      for (const closedRanges of [false, true]) {
        const [alert, ...more] = alertsOf(lasting, closedRanges);
        expect(more).to.deep.equal([]);
        expect((alert?.startSeconds ?? 0) / 60).to.equal(11);
      }
    });

    it('flag it after trainings that have seen nothing else', () => {
      for (const hours of [1, 3]) {
        const trained = trainedAt(5 + 60 * hours, history, loads);
        expect(flaggedMinutes(trained, loads, 'web-1', 6 + 60 * hours), `${hours} hours`).to.have.lengthOf(MINUTES);
      }
      // The last hours alone take it for usual.
      expect(flaggedMinutes(trainedAt(65, undefined, loads), loads, 'web-1', 66)).to.have.lengthOf(0);
    });

    it('end with it', () => {
      const over = { 'web-1': (minute: number) => (minute >= 5 && minute < 30 ? 6 : 1) };
      const flagged = flaggedMinutes(model, over, 'web-1');
      expect(flagged.filter((minute) => minute >= 31)).to.deep.equal([]);
    });

    it('flag a fall to nothing as long as it lasts', () => {
      const fallen = { 'web-1': since(5, 0) };
      expect(flaggedMinutes(model, fallen, 'web-1')).to.include.members(
        minutesFrom(10).filter((minute) => minute <= MINUTES),
      );
      const later = trainedAt(65, history, fallen);
      expect(flaggedMinutes(later, fallen, 'web-1', 66)).to.have.lengthOf(MINUTES);
    });

    it('leave its siblings alone', () => {
      for (const pod of ['web-0', 'web-2', 'web-3']) expect(flaggedMinutes(model, loads, pod), pod).to.deep.equal([]);
    });
  });

  it('flag all that is beyond a boundary, and nothing else after the first minutes', () => {
    const loads = { 'web-1': since(5, 6), 'web-2': since(20, 1.2), 'web-3': since(30, 0.05) };
    for (const pod of ['web-0', 'web-1', 'web-2', 'web-3', 'report-0']) {
      for (const minute of minutesFrom(1)) {
        const { score, share } = judgeAt(model, loads, pod, minute);
        if (share > 1) expect(score, `${pod} at ${minute}`).to.be.above(0);
        else if (minute > 40) expect(score, `${pod} at ${minute}`).to.be.at.most(0);
      }
    }
  });

  for (const [what, parameters] of [
    ['BASELINE=cluster', { baseline: 'cluster' }],
    ['a share of the rows to flag', { contamination: 0.02 }],
  ] as const) {
    it(`take no notice of it with ${what}`, () => {
      const loads = { 'web-1': since(5, 6) };
      const [known, unknown] = [trainedAt(0, history, {}, parameters), trainedAt(0, undefined, {}, parameters)];
      expect(known.remembers).to.equal(false);
      for (const minute of [1, 4, 20, 45]) {
        for (const pod of ['web-1', 'report-0']) {
          expect(judgeAt(known, loads, pod, minute), `${pod} at ${minute}`).to.deep.equal(
            judgeAt(unknown, loads, pod, minute),
          );
        }
      }
    });
  }

  it('go by the last hours for some minutes where the history is empty', () => {
    const empty = trainedAt(0, steadyHistory(0));
    expect(empty.remembers).to.equal(true);
    expect(flaggedMinutes(empty, { 'web-1': since(5, 6) }, 'web-1').length).to.be.within(1, 3);
  });
});

describe('verdictOf', () => {
  const shares = (...all: number[]) => Float64Array.from(all);
  const never = () => expect.fail('needs no look back');

  it('is above 0, and lasts, where any feature is beyond its boundary, above or below', () => {
    for (const own of [shares(0, 1.01), shares(-1.01, 0.5), shares(40)]) {
      for (const margin of [-0.3, 0.02]) {
        const { score, lasts } = verdictOf(margin, own, never);
        expect(score).to.be.above(0);
        expect(lasts).to.equal(true);
      }
    }
  });

  it('is the larger, the further beyond, and no less than by the last hours', () => {
    expect(verdictOf(-0.3, shares(4), never).score).to.be.above(verdictOf(-0.3, shares(2), never).score);
    expect(verdictOf(0.4, shares(1.1), never).score).to.equal(0.4);
  });

  it('is that of the last hours within the boundaries, as long as it is brief, and does not last', () => {
    const unlasting = (score: number) => ({ score, lasts: false });
    expect(verdictOf(0.2, shares(1, -0.4), () => true)).to.deep.equal(unlasting(0.2));
    expect(verdictOf(0.2, shares(1, -0.4), () => false)).to.deep.equal(unlasting(0));
    expect(verdictOf(-0.2, shares(0.9), never)).to.deep.equal(unlasting(-0.2));
    expect(verdictOf(0, shares(0), never)).to.deep.equal(unlasting(0));
  });
});
