import { expect } from 'chai';
import { DetectionPass } from '../../../src/exporter/detection/pass.js';
import { advance, NO_EPISODES } from '../../../src/exporter/episodes/episodes.js';
import { fetchHours } from '../../../src/exporter/history/fetch-hours.js';
import { HOURS_PER_DAY, lastSettledHour } from '../../../src/exporter/history/grid.js';
import { WorkloadHistory } from '../../../src/exporter/history/workload-history.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { train, trainingRequest } from '../../../src/exporter/training/job.js';
import { worldQueries } from '../../../src/tools/demo/queries.js';
import { createWorld } from '../../../src/tools/simulation/cluster.js';
import type { IncidentKind } from '../../../src/tools/simulation/incidents.js';
import { BACKUP, DAILY_JOB, DATABASE, HEAVIER_RELEASE, ROLLOUTS } from '../../../src/tools/simulation/workloads.js';
import { fakeApi } from '../../support/fake-api.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { FEATURES, OWNER_QUERIES, PHASE_QUERIES } from '../../support/small-cluster.js';

const START = Date.UTC(2026, 0, 15, 9, 7) / 1000;
const MINUTE = 60;
const DAYS = 5;
const RETRAIN_SECONDS = 5 * MINUTE;
const LAST_MINUTE = 27;

describe('the demo in simulated time, with days of history', () => {
  const rollouts = [...ROLLOUTS, HEAVIER_RELEASE];
  const world = createWorld({ seed: 1, startSeconds: START, rollouts, dailyJob: DAILY_JOB });
  const resolve = worldQueries(world);
  const api = fakeApi((query, time) => [...(resolve(query)?.(time) ?? expect.fail(`unknown query ${query}`))]);
  /** Names of the flagged pods, minute by minute from the start of the demo. */
  const flagged: ReadonlySet<string>[] = [];
  let episodes = NO_EPISODES;

  before(async () => {
    const lastHour = lastSettledHour(START);
    const scope = { features: FEATURES, ownerQueries: OWNER_QUERIES };
    const gauges = FEATURES.filter(({ type }) => type === 'gauge').map(({ name }) => name);
    const history = new WorkloadHistory({ days: DAYS, gauges, counters: ['restarts'] });
    const firstHour = lastHour - DAYS * HOURS_PER_DAY + 1;
    for (const summary of await fetchHours(api, { ...scope, firstHour, lastHour })) history.add(summary);

    let model: Model | undefined;
    let now = START;
    const pass = new DetectionPass({
      api,
      ownerQueries: OWNER_QUERIES,
      phaseQueries: PHASE_QUERIES,
      model: () => model,
      timeoutSeconds: 10,
      now: () => 1000 * now,
      whyNoModel: () => '',
      onOutcome: () => {},
    });
    for (; now <= START + LAST_MINUTE * MINUTE; now += MINUTE) {
      if ((now - START) % RETRAIN_SECONDS === 0) {
        const times = { lookbackSeconds: 3600, stepSeconds: MINUTE };
        const occasion = { dueSeconds: now, untilNextTrainingSeconds: RETRAIN_SECONDS };
        const request = trainingRequest({ ...scope, ...times, parameters: QUICK_PARAMETERS }, occasion, {
          history: history.state(),
        });
        ({ model } = await train(api, request));
      }
      const outcome = await pass.run(undefined);
      if (outcome.kind !== 'detection') throw new Error(`Expected a detection, got ${outcome.kind}.`);
      episodes = advance(episodes, outcome.detection);
      const { scores, table } = outcome.detection;
      flagged.push(new Set(table.pods.flatMap(({ pod }, row) => ((scores[row] as number) > 0 ? [pod] : []))));
    }
  });

  const incidentOf = (kind: IncidentKind) => world.incidents.find((one) => one.kind === kind) ?? expect.fail();
  /** The minutes, counted from the start of the demo, in which a pod is flagged. */
  const minutesOf = (pod: string) => flagged.flatMap((pods, minute) => (pods.has(pod) ? [minute] : []));
  const minutesUpTo = (seconds: number) => [...flagged.keys()].filter((minute) => minute * MINUTE < seconds);

  it('never flags the daily job, nor the largest pod', () => {
    expect(minutesOf(BACKUP.pod)).to.deep.equal([]);
    expect(minutesOf(DATABASE.pod)).to.deep.equal([]);
  });

  it('flags the leak of hours until it ends, and for the minutes after which an hour is not unusual any more', () => {
    const { pod, endSeconds } = incidentOf('memory-leak');
    expect(minutesOf(pod)).to.include.members(minutesUpTo(endSeconds - START));
    expect(Math.max(...minutesOf(pod))).to.be.at.most((endSeconds - START) / MINUTE + 10);
  });

  it('flags the bad replica until it ends, but for the minute that its rate looks back', () => {
    const { pod, endSeconds } = incidentOf('bad-replica');
    expect(minutesOf(pod)).to.include.members(minutesUpTo(endSeconds - START));
    expect(Math.max(...minutesOf(pod))).to.be.at.most((endSeconds - START) / MINUTE + 1);
  });

  it('flags what begins during the demo within a minute, and what lasts when it has lasted', () => {
    const { pod, startSeconds } = incidentOf('runaway-cpu');
    const first = Math.ceil((startSeconds - START) / MINUTE);
    expect(minutesOf(pod)[0]).to.equal(first);
    expect(minutesOf(pod)).to.include.members([first + 6, first + 7, first + 8, first + 9]);
    const loop = incidentOf('crash-loop');
    expect(minutesOf(loop.pod)[0]).to.be.at.most((loop.startSeconds - START) / MINUTE + 1);
  });

  const heavier = (pod: string) => pod.startsWith(`${HEAVIER_RELEASE.workload}-`);

  it('flags a release that takes more memory until it is twelve hours old, and never after', () => {
    const pods = [...(flagged[0] as ReadonlySet<string>)].filter(heavier);
    expect(pods).to.have.lengthOf(2);
    for (const pod of pods) expect(minutesOf(pod)).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('tells how anomalies end: the replica recovers, and the release is accepted', () => {
    const reasonOf = (isIt: (pod: string) => boolean) => [
      ...new Set(episodes.ended.filter(({ pod }) => isIt(pod)).map(({ reason }) => reason)),
    ];
    expect(reasonOf(heavier)).to.deep.equal(['accepted']);
    expect(reasonOf((pod) => pod === incidentOf('bad-replica').pod)).to.deep.equal(['recovered']);
    expect(reasonOf((pod) => pod === incidentOf('memory-leak').pod)).to.deep.equal(['recovered']);
  });

  it('flags nothing else', () => {
    const hit = new Set([...world.incidents.map(({ pod }) => pod), ...[...(flagged[0] ?? [])].filter(heavier)]);
    expect([...new Set(flagged.flatMap((pods) => [...pods]))].filter((pod) => !hit.has(pod))).to.deep.equal([]);
  });
});
