import { expect } from 'chai';
import { detect } from '../../../src/exporter/detection/detect.js';
import { HISTORY_STEP_SECONDS, HOUR_SECONDS } from '../../../src/exporter/history/grid.js';
import { summariseHour } from '../../../src/exporter/history/hour-summary.js';
import { WorkloadHistory } from '../../../src/exporter/history/workload-history.js';
import { fitModel } from '../../../src/exporter/model/fit.js';
import { createRandom } from '../../../src/exporter/model/random.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { createNormal } from '../../support/random-data.js';
import { asBuilt, CATALOG, featureTable } from '../../support/tables.js';

const HOUR = 60;
const DAY = 24 * HOUR;
const MEBIBYTE = 2 ** 20;

/** The ninth day is a Wednesday (UTC). */
const DAYS_BEFORE = 8;
const START_SECONDS = (20_444 - DAYS_BEFORE) * 86_400;
const TODAY = DAYS_BEFORE * DAY;
/** The hour that a job begins in, every day. */
const JOB_HOUR = 3;

/** A job inside a pod that runs all the time. */
interface Job {
  readonly feature: 'cpu' | 'memory';
  /** What the feature is multiplied by while it runs. */
  readonly factor: number;
  /** The minute of the hour in which it begins, and how long it runs. */
  readonly minute: number;
  readonly minutes: number;
}

const BEGINNINGS = [2, 4, 10, 29];
const JOBS: readonly Job[] = (['cpu', 'memory'] as const).flatMap((feature) =>
  [10, 0.1].flatMap((factor) =>
    BEGINNINGS.flatMap((minute) => [20, 60, 90].map((minutes) => ({ feature, factor, minute, minutes }))),
  ),
);

const nameOf = ({ feature, factor, minute, minutes }: Job) =>
  `${feature} × ${factor} from 3:${String(minute).padStart(2, '0')} for ${minutes} minutes`;

/** When a job runs on a day, in minutes from its usual beginning; `undefined`: it does not come. */
type Run = (job: Job, day: number, random: () => number) => readonly [begin: number, end: number] | undefined;

const byTheClock: Run = ({ minutes }) => [0, minutes];

/** Pods with a job each, and others without, whose CPU and memory waver, minute by minute. */
function podsWith(jobs: readonly Job[], run: Run) {
  const others = Array.from({ length: 20 }, (_, index) => ({ name: `other-${index}`, job: undefined }));
  return [...jobs.map((job) => ({ name: nameOf(job), job })), ...others].map(({ name, job }, index) => {
    const normal = createNormal(index + 1);
    const random = createRandom(index + 1);
    const noise = 0.02 + 0.02 * random();
    const runs = Array.from({ length: DAYS_BEFORE + 1 }, (_, day) => job && run(job, day, random));
    const values = Array.from({ length: TODAY + 6 * HOUR }, (_, minute) => {
      const usual = [0.1 * Math.exp(noise * normal()), 300 * MEBIBYTE * Math.exp(0.02 * normal())] as const;
      const now = runs[Math.floor(minute / DAY)];
      if (job === undefined || now === undefined) return usual;
      const sinceBeginning = (minute % DAY) - JOB_HOUR * HOUR - job.minute;
      // CPU is that of the minute before.
      const from = Math.max(now[0], sinceBeginning - (job.feature === 'cpu' ? 1 : 0.01));
      const share = Math.max(0, Math.min(now[1], sinceBeginning) - from) / (job.feature === 'cpu' ? 1 : 0.01);
      const factor = 1 + (job.factor - 1) * Math.min(1, share);
      return job.feature === 'cpu'
        ? ([factor * usual[0], usual[1]] as const)
        : ([usual[0], factor * usual[1]] as const);
    });
    return { name, values };
  });
}

/**
 * The minutes of today, as clock times, at which the anomaly of each pod with a job lasts; pods without one are left out.
 * The boundaries come from the days before, by the history that the exporter makes of them.
 */
function lastingToday(jobs: readonly Job[], run: Run): ReadonlyMap<string, readonly string[]> {
  const pods = podsWith(jobs, run);
  const tableAt = (first: number, last: number, stepMinutes: number) =>
    featureTable(
      CATALOG,
      pods.map(({ name, values }) => ({
        pod: `${name}-0`,
        workload: name,
        rows: Array.from({ length: (last - first) / stepMinutes + 1 }, (_, instant) => {
          const [cpu, memory] = values[first + instant * stepMinutes] as readonly [number, number];
          return [cpu, memory, 0];
        }),
      })),
      { startSeconds: START_SECONDS + 60 * first, stepSeconds: 60 * stepMinutes },
    );
  const history = new WorkloadHistory({ days: DAYS_BEFORE, gauges: ['cpu', 'memory'], counters: ['restarts'] });
  for (let hour = 1; hour < DAYS_BEFORE * 24 + 2; hour++) {
    const table = tableAt((hour - 1) * HOUR, (hour + 1) * HOUR, HISTORY_STEP_SECONDS / 60);
    history.add(summariseHour(table, CATALOG, START_SECONDS / HOUR_SECONDS + hour));
  }
  const trained = TODAY + (JOB_HOUR - 1) * HOUR + 55;
  const window = tableAt(trained - HOUR, trained, 1);
  const model = fitModel({ window, history: [] }, CATALOG, QUICK_PARAMETERS, history);
  const lasting = new Map<string, string[]>(jobs.map((job) => [nameOf(job), []]));
  for (let minute = trained + 1; minute < TODAY + (JOB_HOUR + 2) * HOUR + 30; minute++) {
    const detection = detect(model, asBuilt(tableAt(minute - 19, minute, 1)));
    for (const [row, { workload }] of detection.table.pods.entries()) {
      if (detection.lasting[row] === 0) continue;
      const clock = minute - TODAY;
      lasting.get(workload)?.push(`${Math.floor(clock / HOUR)}:${String(clock % HOUR).padStart(2, '0')}`);
    }
  }
  return lasting;
}

const thatLast = (lasting: ReadonlyMap<string, readonly string[]>) =>
  Object.fromEntries([...lasting].filter(([, minutes]) => minutes.length > 0));

describe('a job inside a long-lived pod, every day at the same time', () => {
  it('is usual from its first to its last minute, at whatever minute it begins and ends', () => {
    expect(thatLast(lastingToday(JOBS, byTheClock))).to.deep.equal({});
  });

  it('is usual when it begins some minutes earlier or later than on other days, and takes a bit longer or less', () => {
    const wandering: Run = ({ minutes }, _, random) => {
      const begin = 5 * (2 * random() - 1);
      return [begin, begin + minutes * (0.98 + 0.04 * random())];
    };
    expect(thatLast(lastingToday(JOBS, wandering))).to.deep.equal({});
  });

  it('is reported when it does not come, ten minutes after the half hour that it should have begun in', () => {
    const job: Job = { feature: 'cpu', factor: 10, minute: 4, minutes: 60 };
    const comes: Run = (own, day) => (day === DAYS_BEFORE ? undefined : byTheClock(own, day, Math.random));
    expect(lastingToday([job], comes).get(nameOf(job))?.[0]).to.equal('3:11');
  });

  it('is reported when it does not end, ten minutes after the half hour that it should have ended in', () => {
    const job: Job = { feature: 'memory', factor: 10, minute: 4, minutes: 60 };
    const ends: Run = (own, day) => (day === DAYS_BEFORE ? [0, DAY] : byTheClock(own, day, Math.random));
    expect(lastingToday([job], ends).get(nameOf(job))?.[0]).to.equal('4:11');
  });
});
