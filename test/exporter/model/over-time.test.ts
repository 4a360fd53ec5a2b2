import { expect } from 'chai';
import { detect } from '../../../src/exporter/detection/detect.js';
import type { FeatureTable } from '../../../src/exporter/features/table.js';
import { fitModel } from '../../../src/exporter/model/fit.js';
import { historySlices } from '../../../src/exporter/model/hourly-pattern.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { DEFAULT_PARAMETERS } from '../../support/parameters.js';
import { createNormal } from '../../support/random-data.js';
import { CATALOG, featureTable, recentOf, sliceTable, type WrittenPod } from '../../support/tables.js';

const PARAMETERS = { ...DEFAULT_PARAMETERS, estimators: 50 };

const MEBIBYTE = 2 ** 20;
const RETRAIN_MINUTES = 15;

/** By what factors CPU and memory of a pod differ from usual at a minute. */
type Change = (minute: number) => readonly [cpu: number, memory: number];

const usual: Change = () => [1, 1];

/** Six noisy pods, two of each workload; pod `p0` changes. Minute 0 is a whole hour. */
function series(minutes: number, change: Change): FeatureTable {
  const pods = Array.from({ length: 6 }, (_, index): WrittenPod => {
    const normal = createNormal(index + 1);
    return {
      pod: `p${index}`,
      workload: `w${Math.floor(index / 2)}`,
      rows: Array.from({ length: minutes }, (_unused, minute) => {
        const [cpu, memory] = index === 0 ? change(minute) : [1, 1];
        return [0.1 * cpu * Math.exp(0.05 * normal()), 300 * MEBIBYTE * memory * (1 + 0.01 * normal()), 0];
      }),
    };
  });
  return featureTable(CATALOG, pods);
}

/** A model of the hour before a minute, with the slices of the hours before that unless told. */
function trainBefore(table: FeatureTable, minute: number, withHistory = true): Model {
  const endSeconds = table.timestampsSeconds[minute - 1] ?? Number.NaN;
  const slices = historySlices(endSeconds, 60 * RETRAIN_MINUTES).map(({ startSeconds, endSeconds: end }) =>
    sliceTable(table, startSeconds / 60, end / 60 + 1),
  );
  const tables = { window: sliceTable(table, minute - 60, minute), history: withHistory ? slices : [] };
  return fitModel(tables, CATALOG, PARAMETERS);
}

/** The minutes at which `p0` is flagged, trained every 15 minutes from `from` on. */
function flaggedFrom(table: FeatureTable, from: number, withHistory = true): number[] {
  const flagged: number[] = [];
  let model: Model | undefined;
  for (let minute = from; minute < table.timestampsSeconds.length; minute++) {
    if (model === undefined || (minute - from) % RETRAIN_MINUTES === 0) {
      model = trainBefore(table, minute, withHistory);
    }
    if ((detect(model, recentOf(table, minute)).scores[0] ?? Number.NaN) > 0) flagged.push(minute);
  }
  return flagged;
}

describe('Over time', () => {
  describe('an incident that lasts', () => {
    const FIRST = 195;
    for (const [what, cpu, memory] of [
      ['three times the CPU', 3, 1],
      ['three times the memory', 1, 3],
      ['three times both', 3, 3],
    ] as const) {
      for (const begin of [FIRST, FIRST + 7, FIRST + 13]) {
        it(`${what}, begun ${begin - FIRST} minutes after a training, stays flagged for 50 minutes, then is normal`, () => {
          const table = series(begin + 120, (minute) => (minute >= begin ? [cpu, memory] : [1, 1]));
          const flagged = flaggedFrom(table, FIRST).map((minute) => minute - begin);
          const inFirstHour = flagged.filter((minute) => minute >= 0 && minute < 60);
          expect(inFirstHour.length).to.be.at.least(50);
          expect(flagged.filter((minute) => minute >= 90)).to.deep.equal([]);
        });
      }
    }

    it('is forgotten sooner without the memory of earlier hours', () => {
      const table = series(FIRST + 60, (minute) => (minute >= FIRST ? [3, 3] : [1, 1]));
      expect(flaggedFrom(table, FIRST, false).length).to.be.below(50);
    });

    it('is over when it is over: the pod is not flagged for being itself again', () => {
      for (const length of [5, 20, 45]) {
        const table = series(FIRST + 120, (minute) => (minute >= FIRST && minute < FIRST + length ? [3, 3] : [1, 1]));
        const flagged = flaggedFrom(table, FIRST).map((minute) => minute - FIRST);
        expect(flagged.filter((minute) => minute < length).length, `${length} minutes`).to.equal(length);
        expect(
          flagged.filter((minute) => minute >= length + 1),
          `${length} minutes`,
        ).to.deep.equal([]);
      }
    });
  });

  it('repeated faults do not become usual', () => {
    const isFault = (minute: number) => minute % 15 >= 5 && minute % 15 < 9;
    const table = series(255, (minute) => (isFault(minute) ? [1, 3] : [1, 1]));
    const flagged = flaggedFrom(table, 195);
    const faults = Array.from({ length: 60 }, (_, index) => 195 + index).filter(isFault);
    expect(flagged).to.include.members(faults);
  });

  it('a quiet pod is hardly ever flagged', () => {
    expect(flaggedFrom(series(285, usual), 195).length).to.be.at.most(1);
  });

  describe('a job', () => {
    /** Two minutes of three times the CPU: ten spreads. */
    const job =
      (runs: readonly number[], factor = 3): Change =>
      (minute) =>
        runs.some((begin) => minute >= begin && minute < begin + 2) ? [factor, 1] : [1, 1];
    const flaggedDuring = (runs: readonly number[], factor?: number, withHistory = true) => {
      const table = series(272, (minute) => {
        const last = runs.at(-1) ?? 0;
        return job(runs, minute >= last ? factor : undefined)(minute);
      });
      return flaggedFrom(table, 255, withHistory);
    };

    const rows: readonly (readonly [what: string, runs: readonly number[], factor: number, flagged: boolean])[] = [
      ['at the same minute of each of the last two hours is not flagged', [145, 205, 265], 3, false],
      ['a minute early is not flagged', [145, 205, 264], 3, false],
      ['a minute late is not flagged', [145, 205, 266], 3, false],
      ['that ran in the last hour only is flagged', [205, 265], 3, true],
      ['that ran two hours ago only is flagged', [145, 265], 3, true],
      ['that never ran is flagged', [265], 3, true],
      ['at another minute is flagged', [145, 205, 258], 3, true],
      ['that is much larger than ever is flagged', [145, 205, 265], 9, true],
    ];
    for (const [what, runs, factor, flagged] of rows) {
      it(what, () => {
        const last = runs.at(-1) ?? 0;
        const minutes = flaggedDuring(runs, factor).filter((minute) => minute >= last && minute < last + 2);
        expect(minutes.length > 0).to.equal(flagged);
      });
    }

    it('is flagged where the hours before are not known', () => {
      expect(flaggedDuring([145, 205, 265], 3, false)).to.include.members([265, 266]);
    });

    it('that is excused keeps its deviation for people to see', () => {
      const table = series(272, job([145, 205, 265]));
      const model = trainBefore(table, 255);
      const { deviations, inputs, scores } = detect(model, recentOf(table, 266));
      expect(deviations[0]).to.be.above(5);
      expect(inputs[0]).to.be.below(1);
      expect(scores[0]).to.be.below(0);
    });

    it('is known to a model that went through structuredClone', () => {
      const table = series(272, job([145, 205, 265]));
      const model = trainBefore(table, 255);
      expect(model.baseline.patterns.cell).to.have.lengthOf.above(0);
      for (let minute = 255; minute < 272; minute++) {
        const { model: _, ...before } = detect(model, recentOf(table, minute));
        const { model: __, ...after } = detect(structuredClone(model), recentOf(table, minute));
        expect(after).to.deep.equal(before);
      }
    });

    it('that takes a sixth of the hour is trouble, and flagged', () => {
      const runs = [140, 200, 260].flatMap((begin) => [0, 2, 4, 6, 8].map((offset) => begin + offset));
      const table = series(272, job(runs));
      expect(flaggedFrom(table, 255)).to.include.members([261, 263, 265, 267]);
    });
  });
});
