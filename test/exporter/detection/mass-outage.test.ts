import { expect } from 'chai';
import { detect } from '../../../src/exporter/detection/detect.js';
import type { FeatureDefinition } from '../../../src/exporter/features/catalog.js';
import { HISTORY_STEP_SECONDS, HOUR_SECONDS, LEAD_SECONDS } from '../../../src/exporter/history/grid.js';
import { summariseHour } from '../../../src/exporter/history/hour-summary.js';
import { WorkloadHistory } from '../../../src/exporter/history/workload-history.js';
import { fitModel } from '../../../src/exporter/model/fit.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { type PodRuns, SHIPPED_FOR_SECONDS, simulateAlerts } from '../../../src/tools/replay/alerts.js';
import { runsOf } from '../../../src/tools/replay/chunk-result.js';
import { notify } from '../../../src/tools/replay/messages.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { createNormal } from '../../support/random-data.js';
import {
  type Course,
  MEBIBYTE,
  STEADY_PODS,
  steadyHistory,
  steadyTable,
  TRAINED_AT,
} from '../../support/steady-cluster.js';
import { asBuilt, CATALOG, featureTable } from '../../support/tables.js';

const MINUTES = 110;

/** An outage of all pods in minutes since `TRAINED_AT`, with an onset of two minutes; both ends may be far away. */
interface Outage {
  readonly from: number;
  readonly to: number;
  /** What is left of the CPU. */
  readonly share: number;
}

const ONSET_MINUTES = 2;

/** What all pods do, seen from a minute. A rate of CPU over a minute is the mean of its beginning and its end. */
function coursesAt(minute: number, { from, to, share }: Outage): Readonly<Record<string, Course>> {
  const leftAt = (at: number) => {
    if (at < from || at >= to) return 1;
    return 1 - (1 - share) * Math.min(1, (at - from) / ONSET_MINUTES);
  };
  const course: Course = ([cpu, memory, restarts], secondsAgo) => {
    const at = minute - secondsAgo / 60;
    return [(cpu * (leftAt(at) + leftAt(at - 1))) / 2, memory, restarts];
  };
  return Object.fromEntries(STEADY_PODS.map((pod) => [pod, course]));
}

function modelAt(minute: number, outage: Outage, history: WorkloadHistory): Model {
  const window = steadyTable(TRAINED_AT + 60 * minute, 61, 60, coursesAt(minute, outage));
  return fitModel({ window, history: [] }, CATALOG, QUICK_PARAMETERS, history);
}

/** The pods over some time from `TRAINED_AT` on, as the rules read them. */
function replayed(model: Model, outage: Outage): PodRuns[] {
  const lasting = STEADY_PODS.map(() => new Uint8Array(MINUTES));
  for (let minute = 1; minute < MINUTES; minute++) {
    const found = detect(model, asBuilt(steadyTable(TRAINED_AT + 60 * minute, 11, 60, coursesAt(minute, outage))));
    found.table.pods.forEach(({ pod }, row) => {
      (lasting[STEADY_PODS.indexOf(pod)] as Uint8Array)[minute] = found.lasting[row] as number;
    });
  }
  return STEADY_PODS.map((pod, index) => ({
    namespace: 'ns',
    pod,
    workload: pod.replace(/-\d+$/, ''),
    scored: [0, MINUTES],
    muted: [],
    lasting: runsOf(lasting[index] as Uint8Array),
  }));
}

describe('an outage of all pods', () => {
  for (const share of [0.02, 0]) {
    describe(`that leaves ${100 * share} % of their CPU`, () => {
      for (const closedRanges of [false, true]) {
        it(`is one message within ten minutes, with ${closedRanges ? 'Prometheus 2' : 'Prometheus 3'}`, () => {
          const outage = { from: 30, to: 80, share };
          const pods = replayed(modelAt(0, outage, steadyHistory(7)), outage);
          const alerts = simulateAlerts(pods, MINUTES, { forSeconds: SHIPPED_FOR_SECONDS, closedRanges });
          const { messages } = notify(alerts);
          expect(messages.map((message) => message.alerts.map(({ name }) => name))).to.deep.equal([
            ['AnomalyMassFlagging'],
          ]);
          expect((messages[0]?.sentSeconds ?? 0) / 60 - outage.from).to.be.within(7, 10);
          const [mass, ...more] = alerts.filter(({ name }) => name === 'AnomalyMassFlagging');
          expect(more).to.deep.equal([]);
          // Until it is over, and twenty minutes more.
          expect((mass?.heldUntilSeconds ?? 0) / 60).to.be.within(outage.to, outage.to + 1);
          expect((mass?.endSeconds ?? 0) / 60).to.be.within(outage.to + 19, outage.to + 21);
        });
      }

      it('is not usual for trainings that have seen nothing else for ten hours, and its end is no news', () => {
        const outage = { from: -600, to: 40, share };
        const trainedHour = TRAINED_AT / HOUR_SECONDS;
        const history = steadyHistory(7, (hour) => {
          const minute = (hour + 1 - trainedHour) * 60;
          return minute > outage.from ? coursesAt(minute, outage) : {};
        });
        for (const { lasting } of replayed(modelAt(0, outage, history), outage)) {
          expect(lasting).to.have.lengthOf(2);
          expect(lasting[0]).to.equal(1);
          expect(lasting[1]).to.be.within(outage.to, outage.to + 1);
        }
      });
    });
  }
});

describe('an optional gauge that is lost for all pods', () => {
  const features = [...CATALOG, { ...(CATALOG[0] as FeatureDefinition), name: 'network', required: false }];

  /** Steady pods, whose gauge reads 0 from a time on. */
  function tableUpTo(endSeconds: number, instants: number, stepSeconds: number, lostAt: readonly number[] = []) {
    const startSeconds = endSeconds - (instants - 1) * stepSeconds;
    const pods = STEADY_PODS.map((pod, index) => {
      const normal = createNormal(startSeconds + index);
      const noise = () => 1 + 0.01 * normal();
      const rows = Array.from({ length: instants }, (_, instant) => {
        const isLost = startSeconds + instant * stepSeconds >= (lostAt[index] ?? Number.POSITIVE_INFINITY);
        return [0.2 * noise(), 200 * MEBIBYTE * noise(), 3, isLost ? 0 : 1000 * noise()];
      });
      return { pod, workload: pod.replace(/-\d+$/, ''), rows };
    });
    return featureTable(features, pods, { startSeconds, stepSeconds });
  }

  it('never lasts, however long it has been lost, unless a pod still has it', () => {
    const history = new WorkloadHistory({ days: 7, gauges: ['cpu', 'memory', 'network'], counters: ['restarts'] });
    const end = TRAINED_AT / HOUR_SECONDS;
    const instants = (HOUR_SECONDS + LEAD_SECONDS) / HISTORY_STEP_SECONDS + 1;
    for (let hour = end - 24 * 7; hour < end; hour++) {
      const table = tableUpTo((hour + 1) * HOUR_SECONDS, instants, HISTORY_STEP_SECONDS);
      history.add(summariseHour(table, features, hour));
    }
    const window = tableUpTo(TRAINED_AT, 61, 60);
    const model = fitModel({ window, history: [] }, features, QUICK_PARAMETERS, history);
    const lastingAfter = (minutes: number, pods: number) => {
      const now = TRAINED_AT + 1200;
      const lostAt = STEADY_PODS.slice(0, pods).map(() => now - 60 * (minutes - 1));
      return [...detect(model, asBuilt(tableUpTo(now, 11, 60, lostAt))).lasting];
    };
    for (let minutes = 1; minutes <= 11; minutes++) {
      expect(lastingAfter(minutes, 5), `${minutes} minutes`).to.deep.equal([0, 0, 0, 0, 0]);
    }
    expect(lastingAfter(8, 4)).to.deep.equal([1, 1, 1, 1, 0]);
  });
});
