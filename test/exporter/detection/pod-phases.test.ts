import { expect } from 'chai';
import { PodPhases } from '../../../src/exporter/detection/pod-phases.js';
import { type FakeApi, fakeApi } from '../../support/fake-api.js';
import { rejection } from '../../support/rejection.js';
import { PHASE_QUERIES, SmallCluster } from '../../support/small-cluster.js';

const NOON = 1_767_268_800;
const JOB = { namespace: 'shop', pod: 'job-1' };
const WEB = { namespace: 'shop', pod: 'web-1' };

describe('phases of pods', () => {
  let api: FakeApi;
  let cluster: SmallCluster;
  let phases: PodPhases;

  beforeEach(() => {
    cluster = new SmallCluster([{ ...JOB, endedSeconds: NOON }, WEB]);
    api = fakeApi(cluster.answer);
    phases = new PodPhases(api, PHASE_QUERIES.idle);
  });

  it('are those that Kubernetes reports as ended, among those without usage', async () => {
    await phases.lookUp([JOB, WEB], NOON);
    expect(phases.idleReasonOf(JOB)).to.equal('completed');
    expect(phases.idleReasonOf(WEB)).to.equal(undefined);
    expect(api.asked.map(({ kind, endSeconds }) => [kind, endSeconds])).to.deep.equal([['instant', NOON]]);
  });

  it('are not asked for where every pod has its usage', async () => {
    await phases.lookUp([], NOON);
    expect(api.asked).to.deep.equal([]);
  });

  it('are asked for once a minute while one pod has not ended', async () => {
    for (let seconds = 0; seconds <= 120; seconds += 15) await phases.lookUp([JOB, WEB], NOON + seconds);
    expect(api.asked.map(({ endSeconds }) => endSeconds - NOON)).to.deep.equal([0, 60, 120]);
  });

  it('are asked for every ten minutes while all have ended: a new pod may have an old name', async () => {
    for (let seconds = 0; seconds <= 1200; seconds += 30) await phases.lookUp([JOB], NOON + seconds);
    expect(api.asked.map(({ endSeconds }) => endSeconds - NOON)).to.deep.equal([0, 600, 1200]);
    cluster.pods[0] = JOB;
    await phases.lookUp([JOB], NOON + 1800);
    expect(phases.idleReasonOf(JOB)).to.equal(undefined);
  });

  it('are forgotten once they have usage again, or are gone', async () => {
    await phases.lookUp([JOB], NOON);
    await phases.lookUp([], NOON + 30);
    expect(phases.idleReasonOf(JOB)).to.equal(undefined);
  });

  it('stay known when the question fails, which is asked again after a minute', async () => {
    await phases.lookUp([JOB], NOON);
    api.before = () => Promise.reject(new Error('away'));
    expect((await rejection(phases.lookUp([JOB, WEB], NOON + 60), Error)).message).to.equal('away');
    expect(phases.idleReasonOf(JOB)).to.equal('completed');
    await phases.lookUp([JOB, WEB], NOON + 90);
    expect(api.asked).to.have.lengthOf(2);
  });

  it('stay known where a partial answer does not name the pod', async () => {
    await phases.lookUp([JOB, WEB], NOON);
    cluster.pods[0] = JOB;
    api.warnings = ['a store is down'];
    await phases.lookUp([JOB, WEB], NOON + 60);
    expect(phases.idleReasonOf(JOB)).to.equal('completed');
    api.warnings = ['PromQL warning: this metric is no counter'];
    await phases.lookUp([JOB, WEB], NOON + 120);
    expect(phases.idleReasonOf(JOB)).to.equal(undefined);
  });

  it('are asked for once a minute while one pod waits: it may start', async () => {
    cluster.pods[1] = { ...WEB, pendingUntilSeconds: NOON + 90 };
    const reasons: (string | undefined)[] = [];
    for (const seconds of [0, 60, 120]) {
      await phases.lookUp([JOB, WEB], NOON + seconds);
      reasons.push(phases.idleReasonOf(WEB));
    }
    expect(reasons).to.deep.equal(['pending', 'pending', undefined]);
  });

  it('are asked for when the clock was set back', async () => {
    await phases.lookUp([JOB, WEB], NOON + 7200);
    await phases.lookUp([JOB, WEB], NOON);
    expect(api.asked).to.have.lengthOf(2);
  });
});
