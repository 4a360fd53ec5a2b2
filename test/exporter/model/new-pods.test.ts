import { expect } from 'chai';
import { detect } from '../../../src/exporter/detection/detect.js';
import type { Detection } from '../../../src/exporter/detection/detection.js';
import { FeatureTableBuilder } from '../../../src/exporter/features/table-builder.js';
import { workloadFromName } from '../../../src/exporter/features/workload.js';
import { fitModel, type ModelParameters } from '../../../src/exporter/model/fit.js';
import { WARM_UP_SECONDS } from '../../../src/exporter/model/measure.js';
import type { Model } from '../../../src/exporter/model/model.js';
import type { SeriesSet } from '../../../src/exporter/prometheus/api.js';
import { DEFAULT_PARAMETERS } from '../../support/parameters.js';
import { createNormal } from '../../support/random-data.js';
import {
  CATALOG,
  CPU,
  featureTable,
  MEMORY,
  RESTARTS,
  recentOf,
  seriesSet,
  type WrittenPod,
  type WrittenSeries,
} from '../../support/tables.js';

const WARM_UP_MINUTES = WARM_UP_SECONDS / 60;

const MEBIBYTE = 2 ** 20;
const BLANK = [Number.NaN, Number.NaN, Number.NaN];
const WINDOW = 60;
const MINUTES = 90;

/** What a pod does: from when to when it is there, and by what factor it differs from its siblings. */
interface Life {
  readonly born?: number;
  readonly ended?: number;
  readonly cpu?: number;
  readonly memory?: number;
  /** Minutes at which it restarts. */
  readonly restarts?: readonly number[];
  readonly workload?: string;
}

/** 90 minutes of a pod that takes about 0.1 cores and 300 MiB. */
function live(pod: string, life: Life = {}, seed = 1): WrittenPod {
  const { born = 0, ended = MINUTES, cpu = 1, memory = 1, restarts = [], workload = 'web' } = life;
  const normal = createNormal(seed);
  const rows = Array.from({ length: MINUTES }, (_, minute) => {
    const row = [
      0.1 * cpu * (1 + 0.05 * normal()),
      300 * MEBIBYTE * memory * (1 + 0.02 * normal()),
      restarts.filter((at) => at <= minute).length,
    ];
    return minute >= born && minute < ended ? row : BLANK;
  });
  return { pod, workload, rows };
}

const SIBLINGS = ['web-a', 'web-b', 'web-c'].map((pod, index) => live(pod, {}, index + 10));
const OTHERS = ['db-0', 'db-1', 'db-2'].map((pod, index) =>
  live(pod, { workload: 'db', cpu: 3, memory: 4 }, index + 20),
);

/** Trains on the first hour of these pods; detects at a minute after it. */
function watch(
  pods: readonly WrittenPod[],
  changes: Partial<ModelParameters> = {},
): { readonly model: Model; readonly at: (minute: number) => Detection } {
  const trained = pods.filter(({ rows }) => rows.slice(0, WINDOW).some((row) => !Number.isNaN(row[0])));
  const window = featureTable(
    CATALOG,
    trained.map((pod) => ({ ...pod, rows: pod.rows.slice(0, WINDOW) })),
  );
  const model = fitModel({ window, history: [] }, CATALOG, { ...DEFAULT_PARAMETERS, ...changes });
  const table = featureTable(CATALOG, pods);
  return { model, at: (minute) => detect(model, recentOf(table, minute)) };
}

/** The score of a pod, `undefined` where it has none. */
function scoreIn({ table, scores }: Detection, name: string): number | undefined {
  const row = table.pods.findIndex(({ pod }) => pod === name);
  return row < 0 ? undefined : scores[row];
}

/** Minutes of the half hour after the training at which a pod is flagged. */
function flaggedMinutes(pods: readonly WrittenPod[], name: string, from = WINDOW): number {
  const { at } = watch(pods);
  let flagged = 0;
  for (let minute = from; minute < MINUTES; minute++) if ((scoreIn(at(minute), name) ?? 0) > 0) flagged++;
  return flagged;
}

describe('New pods', () => {
  describe('are compared with their siblings, upwards', () => {
    const rows: readonly (readonly [what: string, life: Life, flagged: boolean])[] = [
      ['as its siblings', {}, false],
      ['with a third of their load', { cpu: 0.3, memory: 0.3 }, false],
      ['with next to no load', { cpu: 0.01, memory: 0.1 }, false],
      ['with a tenth more', { cpu: 1.1, memory: 1.1 }, false],
      ['with three times their memory', { memory: 3 }, true],
      ['with four times their CPU', { cpu: 4 }, true],
      ['with three times their memory and next to no CPU', { cpu: 0.01, memory: 3 }, true],
    ];
    for (const [what, life, flagged] of rows) {
      for (const [when, born] of [
        ['after the training', 62],
        ['shortly before the training', 53],
        ['long enough ago to have a past of its own', 20],
      ] as const) {
        it(`${what}, born ${when}: ${flagged ? 'flagged all the time' : 'not flagged'}`, () => {
          const from = Math.max(WINDOW, born + WARM_UP_MINUTES - 1);
          const pods = [...SIBLINGS, live('web-d', { ...life, born })];
          expect(flaggedMinutes(pods, 'web-d', from)).to.equal(flagged ? MINUTES - from : 0);
        });
      }
    }

    it('while a pod that was there all the time is judged by its own past, and both ways', () => {
      const large = live('web-d', { memory: 3 });
      expect(flaggedMinutes([...SIBLINGS, large], 'web-d')).to.equal(0);
      const fallen = large.rows.map((row, minute) => (minute < 70 ? row : row.with(1, 0)));
      // A fall counts half: to nothing at all, it is five spreads.
      expect(flaggedMinutes([...SIBLINGS, { ...large, rows: fallen }], 'web-d')).to.be.at.least(10);
    });

    it('and the first of a workload by the fleet: by a factor far beyond any pod', () => {
      const alien = (memory: number) => live('new-0', { workload: 'new', born: 62, memory });
      const pods = [...SIBLINGS, ...OTHERS];
      expect(flaggedMinutes([...pods, alien(1)], 'new-0')).to.equal(0);
      expect(flaggedMinutes([...pods, alien(0.01)], 'new-0')).to.equal(0);
      expect(flaggedMinutes([...pods, alien(2000)], 'new-0', 67)).to.equal(23);
    });

    it('and one without siblings by its short past', () => {
      const alone = live('new-0', { workload: 'new', born: 20, memory: 9 });
      expect(flaggedMinutes([...SIBLINGS, alone], 'new-0')).to.equal(0);
      const rows = alone.rows.map((row, minute) => (minute < 70 ? row : row.with(1, 2 * (row[1] as number))));
      expect(flaggedMinutes([...SIBLINGS, { ...alone, rows }], 'new-0')).to.equal(20);
    });
  });

  describe('of a rollout are compared with those that they replace', () => {
    const rollout = (life: Life) => [
      ...OTHERS,
      ...SIBLINGS.map(({ pod }, index) => live(pod, { ended: 55 }, index + 10)),
      ...['web-x', 'web-y', 'web-z'].map((pod, index) => live(pod, { ...life, born: 54 + index }, index + 30)),
    ];
    for (const [what, life, flagged] of [
      ['as before', {}, 0],
      ['with less', { cpu: 0.5, memory: 0.4 }, 0],
      ['with three times the memory', { memory: 3 }, 28],
    ] as const) {
      it(`${what}: ${flagged === 0 ? 'not flagged' : 'flagged'}`, () => {
        for (const pod of ['web-x', 'web-y', 'web-z']) {
          expect(flaggedMinutes(rollout(life), pod, 62), pod).to.equal(flagged);
        }
      });
    }
  });

  describe('warm up', () => {
    const young = live('web-d', { born: 62, memory: 9 });
    const { at } = watch([...SIBLINGS, young]);

    it('for five minutes: they are counted, not scored', () => {
      for (let minute = 62; minute < 67; minute++) {
        const detection = at(minute);
        expect(scoreIn(detection, 'web-d'), `minute ${minute}`).to.equal(undefined);
        expect(Object.fromEntries(detection.unscored)).to.deep.equal({ warmup: 1 });
        expect(detection.scores).to.have.lengthOf(3);
      }
    });

    it('and are scored from their sixth minute on', () => {
      expect(scoreIn(at(67), 'web-d')).to.be.above(0);
      expect(Object.fromEntries(at(67).unscored)).to.deep.equal({});
    });

    it('not again when the training has seen them for six minutes, gap or not', () => {
      const rows = live('web-d', { born: 54 }).rows.map((row, minute) => (minute >= 60 && minute < 80 ? BLANK : row));
      const pods = [...SIBLINGS, { pod: 'web-d', workload: 'web', rows }];
      expect(scoreIn(watch(pods).at(80), 'web-d')).to.be.below(0);
      const later = rows.map((row, minute) => (minute < 55 ? BLANK : row));
      const five = watch([...SIBLINGS, { pod: 'web-d', workload: 'web', rows: later }]).at(80);
      expect(scoreIn(five, 'web-d')).to.equal(undefined);
    });

    it('but not in the plain method, nor when they are not there', () => {
      const plain = watch([...SIBLINGS, young], { baseline: 'cluster' });
      expect(scoreIn(plain.at(62), 'web-d')).to.be.a('number');
      expect(Object.fromEntries(at(61).unscored)).to.deep.equal({});
      const gone = watch([...SIBLINGS, live('web-d', { born: 62, ended: 64 })]);
      expect(Object.fromEntries(gone.at(64).unscored)).to.deep.equal({});
    });

    it('beside what the table says of other pods, which stays as it is', () => {
      const { model } = watch([...SIBLINGS]);
      const built = {
        ...recentOf(featureTable(CATALOG, [...SIBLINGS, young]), 63),
        unscored: new Map([
          ['missing_cpu', 4],
          ['warmup', 2],
        ]),
        droppedSeries: new Map([['duplicate', 3]]),
      };
      const detection = detect(model, built);
      expect(Object.fromEntries(detection.unscored)).to.deep.equal({ missing_cpu: 4, warmup: 3 });
      expect(Object.fromEntries(built.unscored)).to.deep.equal({ missing_cpu: 4, warmup: 2 });
      expect(detection.droppedSeries).to.equal(built.droppedSeries);
    });
  });

  it('are judged by restarts as the others, whatever they are compared with', () => {
    for (const [workload, born] of [
      ['web', 20],
      ['web', 62],
      ['alien', 62],
      ['alien', 20],
    ] as const) {
      const crashing = live('p', { workload, born, restarts: [75, 77, 80, 84, 88] });
      const { at } = watch([...SIBLINGS, ...OTHERS, crashing]);
      expect(scoreIn(at(75), 'p'), 'one restart').to.be.below(0);
      expect(scoreIn(at(80), 'p'), 'three restarts').to.be.above(0);
      expect(scoreIn(at(88), 'p'), 'more').to.be.above(0);
    }
  });
});

describe('The order of pods', () => {
  const pods = [...SIBLINGS, ...OTHERS, live('web-d', { born: 45, memory: 3 })];

  /** The answers of Prometheus to the queries, with the series in the order of these pods. */
  function builtFrom(ordered: readonly WrittenPod[], from: number, to: number) {
    const grid = Float64Array.from({ length: to - from }, (_, index) => 60 * (from + index));
    const builder = new FeatureTableBuilder(CATALOG, grid);
    [CPU, MEMORY, RESTARTS].forEach((feature, column) => {
      const series: SeriesSet = seriesSet(
        ...ordered.map(
          ({ pod, rows }): WrittenSeries => [
            { namespace: 'ns', pod },
            ...rows
              .slice(from, to)
              .flatMap((row, index) =>
                Number.isNaN(row[column]) ? [] : [[60 * (from + index), row[column] ?? 0] as const],
              ),
          ],
        ),
      );
      builder.add(feature, series);
    });
    return builder.build((_, pod) => workloadFromName(pod));
  }

  it('in the answers of Prometheus makes no difference to the model, nor to the scores', () => {
    const results = [pods, pods.toReversed(), [...pods.slice(3), ...pods.slice(0, 3)]].map((ordered) => {
      const { table } = builtFrom(ordered, 0, WINDOW);
      const model = fitModel(
        { window: table, history: [builtFrom(ordered, 5, 23).table] },
        CATALOG,
        DEFAULT_PARAMETERS,
      );
      return detect(model, builtFrom(ordered, 54, 65));
    });
    expect(results[0]?.scores).to.have.lengthOf(7);
    expect(results[1]).to.deep.equal(results[0]);
    expect(results[2]).to.deep.equal(results[0]);
  });

  it('in a table moves the scores with the pods, and changes none', () => {
    const { model } = watch(pods);
    const scoresBy = (ordered: readonly WrittenPod[]) => {
      const { table, scores } = detect(model, recentOf(featureTable(CATALOG, ordered), 70));
      return Object.fromEntries(table.pods.map(({ pod }, row) => [pod, scores[row]]));
    };
    const plain = scoresBy(pods);
    expect(scoresBy(pods.toReversed())).to.deep.equal(plain);
    // Each pod is judged by itself: the others in the table do not matter.
    for (const pod of pods) expect(scoresBy([pod])).to.deep.equal({ [pod.pod]: plain[pod.pod] });
  });
});
