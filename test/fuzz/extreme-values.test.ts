import { expect } from 'chai';
import fc from 'fast-check';
import { detect } from '../../src/exporter/detection/detect.js';
import { explain } from '../../src/exporter/detection/explain.js';
import { describeReason } from '../../src/exporter/detection/reasons.js';
import { FeatureTableBuilder, LARGEST_VALUE } from '../../src/exporter/features/table-builder.js';
import { HISTORY_STEP_SECONDS, HOUR_SECONDS, LEAD_SECONDS } from '../../src/exporter/history/grid.js';
import { summariseHour } from '../../src/exporter/history/hour-summary.js';
import { WorkloadHistory } from '../../src/exporter/history/workload-history.js';
import type { BaselineKind } from '../../src/exporter/model/baseline.js';
import { fitModel } from '../../src/exporter/model/fit.js';
import { WARM_UP_SECONDS } from '../../src/exporter/model/measure.js';
import { decodeModel, encodeModel } from '../../src/exporter/model/snapshot/codec.js';
import { holds } from '../support/fuzz.js';
import { DEFAULT_PARAMETERS, QUICK_PARAMETERS } from '../support/parameters.js';
import { createNormal } from '../support/random-data.js';
import { CATALOG, seriesSet } from '../support/tables.js';

const NOON = 1_767_268_800;
const PODS = ['web-0', 'web-1', 'web-2', 'web-3', 'report-0', 'database-0'];
const USUAL = [0.2, 2e8, 3];

/** What no pod measures, and what stands just at the end of what counts. */
const extreme = fc.constantFrom(
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  1e307,
  1e154,
  LARGEST_VALUE,
  -LARGEST_VALUE,
  LARGEST_VALUE * 1.001,
  3.5e38,
  1e25,
  Number.MIN_VALUE,
  -Number.MIN_VALUE,
  0,
  -0,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
);

/** Where it stands: one sample, one pod for a while, or a feature of all pods. */
const place = fc.record({
  value: extreme,
  column: fc.nat(CATALOG.length - 1),
  pod: fc.oneof(fc.nat(PODS.length - 1), fc.constant(undefined)),
  from: fc.nat(60),
  length: fc.constantFrom(1, 2, 10, 61),
});
type Place = typeof place extends fc.Arbitrary<infer Value> ? Value : never;

/** A table of minutes or of history steps up to a time, with extreme values put in. */
function tableOf(endSeconds: number, instants: number, stepSeconds: number, places: readonly Place[]) {
  const grid = Float64Array.from({ length: instants }, (_, at) => endSeconds - (instants - 1 - at) * stepSeconds);
  const builder = new FeatureTableBuilder(CATALOG, grid);
  for (const [column, feature] of CATALOG.entries()) {
    const series = PODS.map((pod, row) => {
      const normal = createNormal(row + column * 10);
      const samples = [...grid].map((seconds, at) => {
        const hit = places.find(
          (one) =>
            one.column === column &&
            (one.pod ?? row) === row &&
            at >= one.from % instants &&
            at < (one.from % instants) + one.length,
        );
        const usual = USUAL[column] as number;
        return [seconds, hit?.value ?? (column === 2 ? usual : usual * (1 + 0.02 * normal()))] as const;
      });
      return [{ namespace: 'shop', pod }, ...samples] as const;
    });
    builder.add(feature, seriesSet(...series));
  }
  const workloadOf = (_: string, pod: string) => pod.replace(/-\d$/, '');
  return builder.build(workloadOf, { idleReasonOf: () => undefined, warmUpSeconds: WARM_UP_SECONDS });
}

/** The history of two days, with the same extreme values in its last hours. */
function historyOf(places: readonly Place[]): WorkloadHistory {
  const history = new WorkloadHistory({ days: 2, gauges: ['cpu', 'memory'], counters: ['restarts'] });
  const last = NOON / HOUR_SECONDS - 1;
  const instants = (HOUR_SECONDS + LEAD_SECONDS) / HISTORY_STEP_SECONDS + 1;
  for (let hour = last - 29; hour <= last; hour++) {
    const { table } = tableOf(
      (hour + 1) * HOUR_SECONDS,
      instants,
      HISTORY_STEP_SECONDS,
      hour > last - 27 ? places : [],
    );
    history.add(summariseHour(table, CATALOG, hour));
  }
  return history;
}

describe('extreme values', () => {
  const input = fc.record({
    learned: fc.array(place, { maxLength: 4 }),
    seen: fc.array(place, { maxLength: 4 }),
    baseline: fc.constantFrom<BaselineKind>('pod', 'workload', 'cluster'),
    contamination: fc.constantFrom<'auto' | number>('auto', 'auto', Number.MIN_VALUE, 0.01, 0.5),
    sensitivity: fc.constantFrom(1, DEFAULT_PARAMETERS.sensitivity, 40),
    alertBudgetPerDay: fc.constantFrom(0.1, DEFAULT_PARAMETERS.alertBudgetPerDay, 1000),
    acceptHours: fc.constantFrom(2, 24),
    remembers: fc.boolean(),
  });

  it('leave scores finite or absent, and models that can be saved', () => {
    let scored = 0;
    holds(
      input,
      ({ learned, seen, remembers, acceptHours, ...settings }) => {
        const { table: window } = tableOf(NOON, 61, 60, learned);
        if (window.countPresent() < 10) return;
        const acceptance = { acceptReleaseHours: acceptHours, acceptLevelHours: acceptHours };
        const parameters = { ...QUICK_PARAMETERS, ...settings, ...acceptance };
        const model = fitModel(
          { window, history: [] },
          CATALOG,
          parameters,
          remembers ? historyOf(learned) : undefined,
        );
        expect(model.threshold).to.satisfy(Number.isFinite);
        expect(decodeModel(encodeModel(model)).samples).to.equal(model.samples);
        const detection = detect(model, tableOf(NOON + 120, 11, 60, seen));
        const { table, scores, deviations, expected } = detection;
        scored += table.pods.length;
        expect([...scores].every(Number.isFinite), `scores ${scores.join()}`).to.equal(true);
        for (const values of [deviations, expected]) {
          // What is not known is NaN; nothing is without end.
          expect([...values].some((value) => Math.abs(value) === Number.POSITIVE_INFINITY)).to.equal(false);
        }
        for (const explanation of explain(detection, [...table.pods.keys()]).flat()) {
          const { actual, expected: usual, boundary, deviation, contribution, share } = explanation;
          const numbers = [actual, usual, boundary ?? 0, deviation, contribution, share];
          expect(numbers.every(Number.isFinite), JSON.stringify(explanation)).to.equal(true);
          expect(describeReason(explanation)).not.to.match(/NaN|Infinity|unknown/);
        }
      },
      60,
    );
    expect(scored, 'else nothing was tried').to.be.above(50);
  });

  it('of one sample do not keep the other pods from being scored', () => {
    for (const contamination of ['auto', 0.05] as const) {
      for (const baseline of ['pod', 'workload', 'cluster'] as const) {
        const places: Place[] = [{ value: 1e307, column: 1, pod: 5, from: 30, length: 1 }];
        const { table: window } = tableOf(NOON, 61, 60, places);
        const model = fitModel({ window, history: [] }, CATALOG, { ...QUICK_PARAMETERS, baseline, contamination });
        const { table, scores } = detect(model, tableOf(NOON + 120, 11, 60, []));
        expect(table.pods, baseline).to.have.lengthOf(PODS.length);
        expect([...scores].every(Number.isFinite), baseline).to.equal(true);
        const flagged = table.pods.filter((_, row) => (scores[row] as number) > 0);
        if (contamination === 'auto' && baseline !== 'cluster') expect(flagged, baseline).to.deep.equal([]);
      }
    }
  });
});
