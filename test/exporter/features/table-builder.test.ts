import { expect } from 'chai';
import { podKey } from '../../../src/exporter/features/table.js';
import { type BuiltTable, FeatureTableBuilder, podLimitWarning } from '../../../src/exporter/features/table-builder.js';
import { locatePodsInSteps } from '../../../src/exporter/model/rows.js';
import type { SeriesSet } from '../../../src/exporter/prometheus/api.js';
import { CATALOG, CPU, feature, MEMORY, RESTARTS, seriesSet, type WrittenSeries } from '../../support/tables.js';

const GRID = [600, 660, 720];

/** Builds a table of cpu, memory and restarts from the answers to each. */
function build(
  answers: { readonly cpu?: SeriesSet; readonly memory?: SeriesSet; readonly restarts?: SeriesSet },
  grid: readonly number[] = GRID,
): BuiltTable {
  const builder = new FeatureTableBuilder(CATALOG, Float64Array.from(grid));
  if (answers.cpu) builder.add(CPU, answers.cpu);
  if (answers.memory) builder.add(MEMORY, answers.memory);
  if (answers.restarts) builder.add(RESTARTS, answers.restarts);
  return builder.build((namespace, pod) => `${namespace}:${pod}`);
}

/** The rows of each pod: one for each instant. */
function rowsOf({ table }: BuiltTable): Record<string, number[][]> {
  return Object.fromEntries(
    table.pods.map(({ namespace, pod }, index) => [
      podKey(namespace, pod),
      Array.from(table.timestampsSeconds, (_, instant) => [...table.row(index, instant)]),
    ]),
  );
}

/** The same value at all instants of the grid. */
const constant = (pod: string, value: number, namespace = 'ns'): WrittenSeries => [
  { namespace, pod },
  ...GRID.map((seconds) => [seconds, value] as const),
];

const counts = (map: ReadonlyMap<string, number>) => Object.fromEntries(map);

const BLANK = [Number.NaN, Number.NaN, Number.NaN];

describe('FeatureTableBuilder', () => {
  it('lays pods × instants × features out', () => {
    const built = build({
      cpu: seriesSet([{ namespace: 'ns', pod: 'a' }, [600, 1], [660, 2], [720, 3]], constant('b', 7)),
      memory: seriesSet(constant('a', 10), [{ namespace: 'ns', pod: 'b' }, [600, 20], [660, 30], [720, 40]]),
      restarts: seriesSet(constant('a', 5), constant('b', 6)),
    });
    expect(built.table.features).to.deep.equal(['cpu', 'memory', 'restarts']);
    expect([...built.table.timestampsSeconds]).to.deep.equal(GRID);
    expect([...built.table.values]).to.deep.equal([
      ...[1, 10, 5, 2, 10, 5, 3, 10, 5],
      ...[7, 20, 6, 7, 30, 6, 7, 40, 6],
    ]);
    expect(counts(built.unscored)).to.deep.equal({});
    expect(counts(built.droppedSeries)).to.deep.equal({});
  });

  it('places samples by time, never by position: a late start', () => {
    const built = build({
      cpu: seriesSet([{ namespace: 'ns', pod: 'a' }, [660, 2], [720, 3]]),
      memory: seriesSet([{ namespace: 'ns', pod: 'a' }, [720, 30]]),
    });
    expect(rowsOf(built)).to.deep.equal({ 'ns/a': [BLANK, BLANK, [3, 30, 0]] });
  });

  it('places samples by time, never by position: a gap', () => {
    const built = build({
      cpu: seriesSet([{ namespace: 'ns', pod: 'a' }, [600, 1], [720, 3]]),
      memory: seriesSet(constant('a', 10)),
    });
    expect(rowsOf(built)).to.deep.equal({ 'ns/a': [[1, 10, 0], BLANK, [3, 10, 0]] });
  });

  it('blanks a whole instant that lacks a required feature, the optional one included', () => {
    const built = build({
      cpu: seriesSet([{ namespace: 'ns', pod: 'a' }, [600, 1]]),
      memory: seriesSet([{ namespace: 'ns', pod: 'a' }, [600, 10], [660, 11]]),
      restarts: seriesSet(constant('a', 4)),
    });
    expect(rowsOf(built)).to.deep.equal({ 'ns/a': [[1, 10, 4], BLANK, BLANK] });
  });

  describe('fills what is absent of an optional feature', () => {
    const NONE = Number.NaN;
    const rows: readonly (readonly [what: string, samples: readonly number[], filled: readonly number[]])[] = [
      ['with 0 where there is nothing', [NONE, NONE, NONE, NONE], [0, 0, 0, 0]],
      ['with the value before', [3, NONE, 4, NONE], [3, 3, 4, 4]],
      ['with the first value at the beginning', [NONE, NONE, 500, 501], [500, 500, 500, 501]],
      ['with 0 only where 0 was the value', [NONE, 0, NONE, 2], [0, 0, 0, 2]],
    ];
    for (const [what, samples, filled] of rows) {
      it(what, () => {
        const grid = [600, 660, 720, 780];
        const series = (values: readonly number[]): WrittenSeries => [
          { namespace: 'ns', pod: 'a' },
          ...values.flatMap((value, index) => (Number.isNaN(value) ? [] : [[grid[index] ?? 0, value] as const])),
        ];
        const required = [1, 1, 1, 1];
        const built = build(
          {
            cpu: seriesSet(series(required)),
            memory: seriesSet(series(required)),
            restarts: seriesSet(series(samples)),
          },
          grid,
        );
        expect(rowsOf(built)['ns/a']?.map((row) => row[2])).to.deep.equal(filled);
      });
    }

    it('from instants that lack a required feature as well', () => {
      const built = build({
        cpu: seriesSet([{ namespace: 'ns', pod: 'a' }, [660, 1], [720, 1]]),
        memory: seriesSet(constant('a', 10)),
        restarts: seriesSet([{ namespace: 'ns', pod: 'a' }, [600, 500]]),
      });
      expect(rowsOf(built)).to.deep.equal({ 'ns/a': [BLANK, [1, 10, 500], [1, 10, 500]] });
    });

    it('of each pod by itself', () => {
      const built = build({
        cpu: seriesSet(constant('a', 1), constant('b', 2)),
        memory: seriesSet(constant('a', 10), constant('b', 20)),
        restarts: seriesSet([{ namespace: 'ns', pod: 'b' }, [660, 3]]),
      });
      expect(rowsOf(built)['ns/a']).to.deep.equal(new Array(3).fill([1, 10, 0]));
      expect(rowsOf(built)['ns/b']).to.deep.equal(new Array(3).fill([2, 20, 3]));
    });
  });

  it('takes one feature in several parts, as training asks for slices of time', () => {
    const builder = new FeatureTableBuilder(CATALOG, Float64Array.from(GRID));
    builder.add(CPU, seriesSet([{ namespace: 'ns', pod: 'a' }, [600, 1]]));
    builder.add(MEMORY, seriesSet(constant('a', 10)));
    builder.add(
      CPU,
      seriesSet([{ namespace: 'ns', pod: 'a' }, [660, 2], [720, 3]], [{ namespace: 'ns', pod: 'b' }, [720, 4]]),
    );
    const built = builder.build(() => 'w');
    expect(rowsOf(built)).to.deep.equal({
      'ns/a': [
        [1, 10, 0],
        [2, 10, 0],
        [3, 10, 0],
      ],
    });
    expect(counts(built.droppedSeries)).to.deep.equal({});
    expect(counts(built.unscored)).to.deep.equal({ missing_memory: 1 });
  });

  it('keeps the larger of two values for one cell, whichever comes first, and counts the series', () => {
    const built = build({
      cpu: seriesSet(
        [{ namespace: 'ns', pod: 'a', replica: '1' }, [600, 1], [660, 9]],
        [{ namespace: 'ns', pod: 'a', replica: '2' }, [600, 5], [660, 2], [720, 3]],
        [{ namespace: 'ns', pod: 'b', replica: '1' }, [600, 1]],
        [{ namespace: 'ns', pod: 'b', replica: '2' }, [660, 2]],
      ),
      memory: seriesSet(constant('a', 10), constant('b', 10)),
    });
    expect(rowsOf(built)).to.deep.equal({
      'ns/a': [
        [5, 10, 0],
        [9, 10, 0],
        [3, 10, 0],
      ],
      // Two series that share no instant are no duplicates.
      'ns/b': [[1, 10, 0], [2, 10, 0], BLANK],
    });
    expect(counts(built.droppedSeries)).to.deep.equal({ duplicate: 1 });
  });

  describe('takes several series of a counter for one pod', () => {
    const required = { cpu: seriesSet(constant('a', 1)), memory: seriesSet(constant('a', 10)) };
    const containers = (...heights: readonly (readonly number[])[]) =>
      seriesSet(
        ...heights.map(
          (values, index): WrittenSeries => [
            { namespace: 'ns', pod: 'a', container: `c${index}` },
            ...values.map((value, instant) => [GRID[instant] as number, value] as const),
          ],
        ),
      );
    const restartsOf = (built: BuiltTable) => rowsOf(built)['ns/a']?.map((row) => row[2]);

    it('of which the largest rise counts, and none is a duplicate', () => {
      const built = build({ ...required, restarts: containers([5, 6, 6], [0, 1, 2], [7, 7, 8]) });
      expect(restartsOf(built)).to.deep.equal([14, 15, 16]);
      expect(counts(built.droppedSeries)).to.deep.equal({});
    });

    it('in several parts, as training asks for slices of time', () => {
      const builder = new FeatureTableBuilder(CATALOG, Float64Array.from(GRID));
      builder.add(CPU, required.cpu);
      builder.add(MEMORY, required.memory);
      for (const [instant, values] of [
        [5, 0],
        [6, 1],
        [6, 2],
      ].entries()) {
        const series = values.map(
          (value, index): WrittenSeries => [
            { namespace: 'ns', pod: 'a', container: `c${index}` },
            [GRID[instant] as number, value],
          ],
        );
        // In any order.
        builder.add(RESTARTS, seriesSet(...(instant === 1 ? series.reverse() : series)));
      }
      expect(restartsOf(builder.build(() => 'w'))).to.deep.equal([6, 7, 8]);
    });

    it('of which one has gaps: its end and its return are no rises', () => {
      const builder = new FeatureTableBuilder(CATALOG, Float64Array.from(GRID));
      builder.add(CPU, required.cpu);
      builder.add(MEMORY, required.memory);
      const series = (container: string, ...samples: (readonly [number, number])[]): WrittenSeries => [
        { namespace: 'ns', pod: 'a', container },
        ...samples,
      ];
      builder.add(
        RESTARTS,
        seriesSet(series('x', [600, 500], [720, 500]), series('y', [600, 14], [660, 14], [720, 14])),
      );
      expect(restartsOf(builder.build(() => 'w'))).to.deep.equal([514, 514, 514]);
    });

    it('and still the larger of two values of the same series', () => {
      const built = build({
        ...required,
        restarts: seriesSet(
          [{ namespace: 'ns', pod: 'a', container: 'x' }, [600, 1], [660, 1], [720, 2]],
          [{ namespace: 'ns', pod: 'a', container: 'x' }, [600, 1], [660, 2], [720, 2]],
        ),
      });
      expect(restartsOf(built)).to.deep.equal([1, 2, 2]);
      expect(counts(built.droppedSeries)).to.deep.equal({ duplicate: 1 });
    });

    it('and shows a pod that only a further container has a value of now', () => {
      const builder = new FeatureTableBuilder(CATALOG, Float64Array.from(GRID));
      builder.add(
        RESTARTS,
        seriesSet(
          [{ namespace: 'ns', pod: 'b', container: 'x' }, [600, 1]],
          [{ namespace: 'ns', pod: 'b', container: 'y' }, [720, 1]],
        ),
      );
      expect(builder.incompletePods()).to.deep.equal([{ namespace: 'ns', pod: 'b' }]);
    });

    it('of a pod that makes room for another, none is left', () => {
      const limited = new FeatureTableBuilder(CATALOG, Float64Array.from(GRID), 1);
      const two = (pod: string, rises: number): readonly WrittenSeries[] => [
        [{ namespace: 'ns', pod, container: 'x' }, [600, 0], [720, 0]],
        [{ namespace: 'ns', pod, container: 'y' }, [600, 0], [720, rises]],
      ];
      for (const pod of ['p3', 'p2', 'p1', 'p0']) {
        limited.add(CPU, seriesSet(constant(pod, 1)));
        limited.add(MEMORY, seriesSet(constant(pod, 10)));
        // Each pod has fewer than the one before.
        limited.add(RESTARTS, seriesSet(...two(pod, 6 + Number(pod.slice(1)))));
      }
      const { table } = limited.build(() => 'w');
      expect(table.pods).to.have.lengthOf(1);
      expect(table.pods[0]?.pod).not.to.equal('p3');
      expect(table.at(0, 2, 2)).to.equal(6 + Number(table.pods[0]?.pod.slice(1)));
    });
  });

  it('drops and counts series without a namespace or a pod', () => {
    const built = build({
      cpu: seriesSet(
        [{}, [600, 1]],
        [{ namespace: 'ns' }, [600, 1]],
        [{ pod: 'a' }, [600, 1]],
        [{ namespace: '', pod: 'a' }, [600, 1]],
        [{ namespace: 'ns', pod: '' }, [600, 1]],
        [{ namespace: 'ns', pod_name: 'a' }, [600, 1]],
        constant('a', 1),
      ),
      memory: seriesSet(constant('a', 10)),
    });
    expect(Object.keys(rowsOf(built))).to.deep.equal(['ns/a']);
    expect(counts(built.droppedSeries)).to.deep.equal({ unlabelled: 6 });
    expect(counts(built.unscored)).to.deep.equal({});
  });

  it('drops and counts series whose names would mix two pods up', () => {
    const built = build({
      cpu: seriesSet(
        [{ namespace: 'ns', pod: 'a/b' }, [600, 1]],
        [{ namespace: 'ns/a', pod: 'b' }, [600, 1]],
        [{ namespace: 'ns', pod: '\ud800' }, [600, 1]],
        [{ namespace: 'ns', pod: 'x'.repeat(65_536) }, [600, 1]],
        constant('a', 1),
      ),
      memory: seriesSet(constant('a', 10)),
    });
    expect(Object.keys(rowsOf(built))).to.deep.equal(['ns/a']);
    expect(counts(built.droppedSeries)).to.deep.equal({ bad_name: 4 });
  });

  it('reads the pod from the label of the feature', () => {
    const old = feature('old', { podLabel: 'pod_name' });
    const builder = new FeatureTableBuilder([old], Float64Array.from([600]));
    builder.add(old, seriesSet([{ namespace: 'ns', pod: 'cadvisor-x', pod_name: 'a' }, [600, 1]]));
    expect(builder.build(() => 'w').table.pods).to.deep.equal([{ namespace: 'ns', pod: 'a', workload: 'w' }]);
  });

  describe('unscored pods', () => {
    const whole = { cpu: seriesSet(constant('ok', 1)), memory: seriesSet(constant('ok', 10)) };
    const rows: readonly (readonly [
      what: string,
      answers: Parameters<typeof build>[0],
      unscored: Record<string, number>,
      droppedSeries: Record<string, number>,
    ])[] = [
      ['no cpu', { memory: seriesSet(constant('ok', 10), constant('x', 1)) }, { missing_cpu: 1 }, {}],
      ['no memory', { cpu: seriesSet(constant('ok', 1), constant('x', 1)) }, { missing_memory: 1 }, {}],
      [
        'no memory but restarts',
        { cpu: seriesSet(constant('ok', 1), constant('x', 1)), restarts: seriesSet(constant('x', 1)) },
        { missing_memory: 1 },
        {},
      ],
      [
        'only restarts',
        { restarts: seriesSet(constant('x', 1), constant('y', 1), constant('ok', 1)) },
        { no_usage: 2 },
        {},
      ],
      [
        'no memory any more, but cpu',
        {
          cpu: seriesSet(constant('ok', 1), [{ namespace: 'ns', pod: 'x' }, [720, 1]]),
          memory: seriesSet(constant('ok', 10), [{ namespace: 'ns', pod: 'x' }, [660, 1]]),
        },
        { missing_memory: 1 },
        {},
      ],
      [
        'nothing for a pod that has gone, though it never had cpu and memory at the same time',
        {
          cpu: seriesSet(constant('ok', 1), [{ namespace: 'ns', pod: 'x' }, [600, 1]]),
          memory: seriesSet(constant('ok', 10), [{ namespace: 'ns', pod: 'x' }, [660, 1]]),
        },
        {},
        {},
      ],
      [
        'nothing for a pod that has gone, though a value of it was no number before',
        {
          cpu: seriesSet(constant('ok', 1), [{ namespace: 'ns', pod: 'x' }, [600, Number.NaN], [601, 1]]),
          memory: seriesSet(constant('ok', 10), [{ namespace: 'ns', pod: 'x' }, [600, 1]]),
        },
        {},
        { not_finite: 1, misaligned: 1 },
      ],
      [
        'what is missing now, not what was no number before',
        {
          cpu: seriesSet(constant('ok', 1), [{ namespace: 'ns', pod: 'x' }, [600, Number.NaN], [720, 1]]),
          memory: seriesSet(constant('ok', 10), [{ namespace: 'ns', pod: 'x' }, [600, 1]]),
        },
        { missing_memory: 1 },
        { not_finite: 1 },
      ],
      [
        'NaN for cpu',
        {
          cpu: seriesSet(constant('ok', 1), constant('x', Number.NaN)),
          memory: seriesSet(constant('ok', 10), constant('x', 1)),
        },
        { not_finite: 1 },
        { not_finite: 1 },
      ],
      [
        'infinities',
        {
          cpu: seriesSet(constant('ok', 1), constant('x', Number.POSITIVE_INFINITY)),
          memory: seriesSet(constant('ok', 10), constant('x', Number.NEGATIVE_INFINITY)),
        },
        { not_finite: 1 },
        { not_finite: 2 },
      ],
      [
        'samples between the instants only',
        {
          cpu: seriesSet(constant('ok', 1), [{ namespace: 'ns', pod: 'x' }, [601, 1], [719.99, 1]]),
          memory: seriesSet(constant('ok', 10), [{ namespace: 'ns', pod: 'x' }, [630, 1]]),
        },
        { misaligned: 1 },
        { misaligned: 2 },
      ],
    ];
    for (const [what, answers, unscored, droppedSeries] of rows) {
      it(`says why: ${what}`, () => {
        const built = build({ ...whole, ...answers });
        expect(built.table.pods.map(({ pod }) => pod)).to.deep.equal(['ok']);
        expect(counts(built.unscored)).to.deep.equal(unscored);
        expect(counts(built.droppedSeries)).to.deep.equal(droppedSeries);
      });
    }

    it('adds pods up by reason', () => {
      const built = build({
        cpu: seriesSet(constant('a', 1), constant('b', 1)),
        memory: seriesSet(constant('c', 1)),
      });
      expect(counts(built.unscored)).to.deep.equal({ missing_memory: 2, missing_cpu: 1 });
      expect(built.table.pods).to.deep.equal([]);
      expect(built.table.values).to.have.lengthOf(0);
    });

    it('are those of the last instant: a pod that is in the table may be one of them', () => {
      const built = build({
        cpu: seriesSet([{ namespace: 'ns', pod: 'a' }, [600, Number.NaN], [660, 2], [700, 3]]),
        memory: seriesSet(constant('a', 10)),
      });
      expect(rowsOf(built)).to.deep.equal({ 'ns/a': [BLANK, [2, 10, 0], BLANK] });
      expect(counts(built.unscored)).to.deep.equal({ misaligned: 1 });
      expect(counts(built.droppedSeries)).to.deep.equal({ misaligned: 1, not_finite: 1 });
    });

    it('are none where the last instant is complete', () => {
      const built = build({
        cpu: seriesSet([{ namespace: 'ns', pod: 'a' }, [600, Number.NaN], [720, 2]]),
        memory: seriesSet([{ namespace: 'ns', pod: 'a' }, [630, 1], [720, 10]]),
      });
      expect(rowsOf(built)).to.deep.equal({ 'ns/a': [BLANK, BLANK, [2, 10, 0]] });
      expect(counts(built.unscored)).to.deep.equal({});
    });
  });

  describe('for scoring', () => {
    const NONE = Number.NaN;
    const grid = Array.from({ length: 8 }, (_, minute) => 600 + 60 * minute);
    const series = (pod: string, values: readonly number[]): WrittenSeries => [
      { namespace: 'ns', pod },
      ...values.flatMap((value, index) => (Number.isNaN(value) ? [] : [[grid[index] ?? 0, value] as const])),
    ];
    const always = (value: number) => new Array(8).fill(value);
    const scoring = (answers: Record<'cpu' | 'memory' | 'restarts', readonly WrittenSeries[]>, ended = '') => {
      const builder = new FeatureTableBuilder(CATALOG, Float64Array.from(grid));
      builder.add(CPU, seriesSet(...answers.cpu));
      builder.add(MEMORY, seriesSet(...answers.memory));
      builder.add(RESTARTS, seriesSet(...answers.restarts));
      const idleReasonOf = ({ pod }: { readonly pod: string }) =>
        pod === ended ? ('completed' as const) : pod.startsWith('waiting') ? ('pending' as const) : undefined;
      const context = { idleReasonOf, warmUpSeconds: 360 };
      return { built: builder.build(() => 'w', context), incompletePods: builder.incompletePods() };
    };
    const restarted = [1, 1, 1, 1, 2, 2, 3, 3];
    const restarts = { cpu: [], memory: [], restarts: [series('a', restarted)] };

    it('has pods that nothing but a rise of a counter tells of, with the counter alone', () => {
      const { built, incompletePods } = scoring(restarts);
      expect(rowsOf(built)).to.deep.equal({ 'ns/a': restarted.map((value) => [NONE, NONE, value]) });
      expect([...built.incomplete]).to.deep.equal([[0, 'no_usage']]);
      expect(counts(built.unscored)).to.deep.equal({});
      expect(incompletePods).to.deep.equal([{ namespace: 'ns', pod: 'a' }]);
    });

    it('has no pod whose counter stands still, fell or was corrected', () => {
      const corrected = series('c', [5, 4, 4, 5, 5, 5, 5, 5]);
      const fell = series('b', [5, 4, 4, 4, 4, 4, 4, 4]);
      const still = scoring({ ...restarts, restarts: [series('a', always(5)), fell, corrected] });
      expect(still.built.table.pods).to.deep.equal([]);
      expect(counts(still.built.unscored)).to.deep.equal({ no_usage: 3 });
      expect([...still.built.incomplete]).to.deep.equal([]);
    });

    it('has no pod that has ended, and counts it', () => {
      const { built } = scoring({ ...restarts, memory: [series('a', always(1))] }, 'a');
      expect(built.table.pods).to.deep.equal([]);
      expect(counts(built.unscored)).to.deep.equal({ completed: 1 });
    });

    it('has a pod that has ended as long as it has every required feature', () => {
      const { built, incompletePods } = scoring(
        { ...restarts, cpu: [series('a', always(1))], memory: [series('a', always(1))] },
        'a',
      );
      expect(built.table.pods).to.have.lengthOf(1);
      expect(counts(built.unscored)).to.deep.equal({});
      expect(incompletePods).to.deep.equal([]);
    });

    it('keeps counters where a required feature is missing, and nothing where a pod was not seen', () => {
      const { built } = scoring({
        cpu: [series('a', [NONE, NONE, NONE, 1, NONE, NONE, NONE, 1])],
        memory: [series('a', [NONE, NONE, NONE, 10, 10, NONE, NONE, 10])],
        restarts: [series('a', [NONE, 1, 1, 1, 2, NONE, 3, 3])],
      });
      expect(rowsOf(built)['ns/a']).to.deep.equal([
        BLANK,
        [NONE, NONE, 1],
        [NONE, NONE, 1],
        [1, 10, 1],
        [NONE, NONE, 2],
        BLANK,
        [NONE, NONE, 3],
        [1, 10, 3],
      ]);
      expect([...built.incomplete]).to.deep.equal([]);
    });

    it('counts pods as warming up until their usage is due', () => {
      const young = (minutes: number) => Array.from({ length: 8 }, (_, index) => (index >= 8 - minutes ? 0 : NONE));
      const reasons = (minutes: number) =>
        counts(scoring({ ...restarts, restarts: [series('a', young(minutes))] }).built.unscored);
      expect(reasons(1)).to.deep.equal({ warmup: 1 });
      expect(reasons(5)).to.deep.equal({ warmup: 1 });
      expect(reasons(6)).to.deep.equal({ no_usage: 1 });
    });

    const lives: readonly (readonly [
      what: string,
      cpu: readonly number[],
      memory: readonly number[],
      reason: object,
    ])[] = [
      [
        'ending, while memory outlives the rate for the lookback of Prometheus',
        [1, 1, 1, NONE, NONE, NONE, NONE, NONE],
        always(1),
        { ending: 1 },
      ],
      ['ending, while a long rate outlives memory', always(1), [1, 1, 1, 1, NONE, NONE, NONE, NONE], { ending: 1 }],
      [
        'ending after a short life',
        [NONE, NONE, NONE, 1, NONE, NONE, NONE, NONE],
        [NONE, NONE, 1, 1, 1, 1, 1, 1],
        { ending: 1 },
      ],
      [
        'ending after a life of seconds, too short for a rate',
        always(NONE),
        [NONE, NONE, 1, 1, 1, 1, 1, 1],
        { ending: 1 },
      ],
      ['without CPU after such a time', always(NONE), [NONE, 1, 1, 1, 1, 1, 1, 1], { missing_cpu: 1 }],
      [
        'without CPU once that lasts for longer',
        [1, 1, NONE, NONE, NONE, NONE, NONE, NONE],
        always(1),
        { missing_cpu: 1 },
      ],
      ['without CPU where that comes and goes', [1, 1, NONE, 1, NONE, 1, 1, NONE], always(1), { missing_cpu: 1 }],
      ['without CPU that never was', always(NONE), always(1), { missing_cpu: 1 }],
      [
        'warming up while memory is there and the rate is not',
        always(NONE),
        [NONE, NONE, NONE, NONE, NONE, NONE, 1, 1],
        { warmup: 1 },
      ],
    ];
    for (const [what, cpu, memory, reason] of lives) {
      it(`counts pods as ${what}`, () => {
        // Also where kube-state-metrics has known the pod for longer.
        for (const restartSeries of [[], [series('a', always(0))]]) {
          const { built } = scoring({
            cpu: [series('a', cpu)],
            memory: [series('a', memory)],
            restarts: restartSeries,
          });
          const reasons = { ...counts(built.unscored) };
          for (const own of built.incomplete.values()) reasons[own] = (reasons[own] ?? 0) + 1;
          expect(reasons).to.deep.equal(reason);
        }
      });
    }

    it('counts pods that have just lost all usage as ending, and as without usage later', () => {
      const until = (minutes: number) => [...new Array(minutes).fill(1), ...new Array(8 - minutes).fill(NONE)];
      const reasons = (minutes: number) => {
        const usage = [series('a', until(minutes))];
        return [
          ...scoring({ cpu: usage, memory: usage, restarts: [series('a', always(0))] }).built.incomplete.values(),
        ];
      };
      expect([3, 2].map(reasons)).to.deep.equal([['ending'], ['no_usage']]);
    });

    it('counts pods as ending for the window of a long rate, but never for as long as usage is looked at', () => {
      const times = Float64Array.from({ length: 12 }, (_, minute) => 600 + 60 * minute);
      /** The reasons of a pod whose memory ends at an instant of twelve, while its rate goes on. */
      const reasons = (window: string, end: number) => {
        const cpu = { ...CPU, query: `rate(container_cpu_usage_seconds_total[${window}])` };
        const builder = new FeatureTableBuilder([cpu, MEMORY], times);
        const until = (last: number): WrittenSeries => [
          { namespace: 'ns', pod: 'a' },
          ...[...times].slice(0, last + 1).map((seconds) => [seconds, 1] as const),
        ];
        builder.add(cpu, seriesSet(until(11)));
        builder.add(MEMORY, seriesSet(until(end)));
        const built = builder.build(() => 'w', { idleReasonOf: () => undefined, warmUpSeconds: 360 });
        return [...built.incomplete.values()];
      };
      expect([6, 5].map((end) => reasons('1m', end))).to.deep.equal([['ending'], ['missing_memory']]);
      expect([3, 2].map((end) => reasons('8m', end))).to.deep.equal([['ending'], ['missing_memory']]);
      expect([2, 1].map((end) => reasons('1h', end))).to.deep.equal([['ending'], ['missing_memory']]);
    });

    it('counts pods that wait to start, and no longer once they have usage', () => {
      const waiting = series('waiting-0', always(0));
      expect(counts(scoring({ ...restarts, restarts: [waiting] }).built.unscored)).to.deep.equal({ pending: 1 });
      const withMemory = scoring({ ...restarts, memory: [series('waiting-0', always(1))], restarts: [waiting] });
      expect(counts(withMemory.built.unscored)).to.deep.equal({ missing_cpu: 1 });
    });

    it('knows the positions of pods of the table without every required feature', () => {
      const { built } = scoring({
        cpu: [series('b', always(1))],
        memory: [series('b', always(1)), series('c', always(1))],
        restarts: [series('c', restarted), series('b', restarted), series('a', restarted)],
      });
      expect(built.table.pods.map(({ pod }) => pod)).to.deep.equal(['a', 'b', 'c']);
      expect([...built.incomplete]).to.deep.equal([
        [0, 'no_usage'],
        [2, 'missing_cpu'],
      ]);
    });
  });

  describe('alignment', () => {
    const rows: readonly (readonly [offset: number, aligned: boolean])[] = [
      [0, true],
      [0.0004, true],
      [-0.0004, true],
      [0.001, true],
      [0.002, false],
      [-0.002, false],
      [30, false],
      [-60, false],
      [180, false],
      [6e9, false],
    ];
    for (const [offset, aligned] of rows) {
      it(`${aligned ? 'takes' : 'leaves'} a sample ${offset} s off the first instant`, () => {
        const sample = seriesSet([{ namespace: 'ns', pod: 'a' }, [600 + offset, 1]]);
        const built = build({ cpu: sample, memory: sample });
        expect(built.table.pods).to.have.lengthOf(aligned ? 1 : 0);
        expect(counts(built.droppedSeries)).to.deep.equal(aligned ? {} : { misaligned: 2 });
      });
    }

    it('holds at a single instant with milliseconds, as in scoring', () => {
      const built = build(
        {
          cpu: seriesSet([{ namespace: 'ns', pod: 'a' }, [1_700_000_000.123, 1]]),
          memory: seriesSet([{ namespace: 'ns', pod: 'a' }, [1_700_000_000.123, 2]]),
        },
        [1_700_000_000.1234],
      );
      expect(rowsOf(built)).to.deep.equal({ 'ns/a': [[1, 2, 0]] });
    });

    it('holds to the end of a long window', () => {
      const grid = Array.from({ length: 20_161 }, (_, minute) => 1_700_000_000 + 60 * minute);
      const last = grid.at(-1) ?? 0;
      const sample = seriesSet([{ namespace: 'ns', pod: 'a' }, [last, 1]]);
      expect(rowsOf(build({ cpu: sample, memory: sample }, grid))['ns/a']?.at(-1)).to.deep.equal([1, 1, 0]);
    });
  });

  it('sorts by namespace, then pod, by code units', () => {
    const pods: readonly (readonly [namespace: string, pod: string])[] = [
      ['ns-b', 'a'],
      ['ns', 'b'],
      ['ns-a', 'z'],
      ['ns', 'a-10'],
      ['ns', 'a-2'],
      ['Ns', 'c'],
    ];
    const all = seriesSet(...pods.map(([namespace, pod]) => constant(pod, 1, namespace)));
    const { table } = build({ cpu: all, memory: all });
    expect(table.pods.map(({ namespace, pod }) => [namespace, pod])).to.deep.equal([
      ['Ns', 'c'],
      ['ns', 'a-10'],
      ['ns', 'a-2'],
      ['ns', 'b'],
      ['ns-a', 'z'],
      ['ns-b', 'a'],
    ]);
  });

  it('keeps pods of one name in two namespaces apart, and asks for the workload of each', () => {
    const both = seriesSet(constant('a', 1, 'x'), constant('a', 2, 'y'));
    expect(build({ cpu: both, memory: both }).table.pods).to.deep.equal([
      { namespace: 'x', pod: 'a', workload: 'x:a' },
      { namespace: 'y', pod: 'a', workload: 'y:a' },
    ]);
  });

  it('tells all pods that any series named', () => {
    const builder = new FeatureTableBuilder(CATALOG, Float64Array.from(GRID));
    builder.add(CPU, seriesSet(constant('a', 1)));
    builder.add(RESTARTS, seriesSet(constant('a', 1), constant('b', 1)));
    expect(builder.podsSeen().map(({ namespace, pod }) => podKey(namespace, pod))).to.have.members(['ns/a', 'ns/b']);
  });

  it('refuses a feature that is no column', () => {
    const builder = new FeatureTableBuilder([CPU], Float64Array.from(GRID));
    expect(() => builder.add(MEMORY, seriesSet())).to.throw('Feature memory is not a column of this table.');
  });

  it('makes an empty table of nothing', () => {
    const built = build({});
    expect(built.table.pods).to.deep.equal([]);
    expect(counts(built.unscored)).to.deep.equal({});
  });

  describe('with a limit of pods', () => {
    const pods = Array.from({ length: 50 }, (_, index) => `p${index}`);
    const limited = (maximumPods: number, order: readonly string[] = pods) => {
      const builder = new FeatureTableBuilder(CATALOG, Float64Array.from(GRID), maximumPods);
      builder.add(CPU, seriesSet(...order.map((pod) => constant(pod, 1))));
      builder.add(MEMORY, seriesSet(...order.toReversed().map((pod) => constant(pod, 2))));
      builder.add(RESTARTS, seriesSet(...order.map((pod) => constant(pod, 3))));
      return { seen: builder.podsSeen(), built: builder.build(() => 'w') };
    };

    it('keeps whole rows of some, and counts the others as max_pods', () => {
      const { seen, built } = limited(20);
      expect(seen).to.have.lengthOf(20);
      expect(built.table.pods).to.have.lengthOf(20);
      expect(Object.values(rowsOf(built)).flat()).to.deep.equal(new Array(60).fill([1, 2, 3]));
      expect(counts(built.unscored)).to.deep.equal({ max_pods: 30 });
      expect(podLimitWarning(built)).to.include('30 pods are left out').and.to.include('MAX_PODS');
    });

    it('keeps the same pods in any order', () => {
      const pass = limited(20);
      const reversed = limited(20, pods.toReversed());
      // Positions count in the order in which the pods came.
      const kept = ({ seen, built: { positions, ...built } }: typeof pass) => ({
        built,
        pods: Array.from(positions, (position) => seen[position]?.pod),
      });
      expect(kept(reversed)).to.deep.equal(kept(pass));
    });

    it('changes nothing where there are no more pods than that', () => {
      const { built } = limited(50);
      expect(built).to.deep.equal(limited(Number.POSITIVE_INFINITY).built);
      expect(counts(built.unscored)).to.deep.equal({});
      expect(podLimitWarning(built)).to.equal(undefined);
    });
  });

  it('is built, and its pods are looked up, with a rest after every 4,096 pods', () => {
    const names = Array.from({ length: 10_000 }, (_, pod) => `pod-${String(pod).padStart(5, '0')}`);
    const usage = seriesSet(...names.map((pod): WrittenSeries => [{ namespace: 'ns', pod }, [600, 1]]));
    const builder = new FeatureTableBuilder(CATALOG, Float64Array.from(GRID));
    builder.add(CPU, usage);
    builder.add(MEMORY, usage);
    const restsOf = (steps: Generator<undefined, unknown>) => {
      let rests = 0;
      while (steps.next().done !== true) rests++;
      return rests;
    };
    // Two in each of three passes over the pods, and one before and one after these are put in order.
    expect(restsOf(builder.buildInSteps(() => 'w'))).to.equal(8);
    expect(restsOf(locatePodsInSteps({ keys: [], rows: new Map() }, builder.podsSeen()))).to.equal(2);
    expect(builder.build(() => 'w').table.pods.map(({ pod }) => pod)).to.deep.equal(names);
  });
});
