import { expect } from 'chai';
import { EndedPods } from '../../../src/exporter/detection/ended-pods.js';
import { type FakeApi, fakeApi } from '../../support/fake-api.js';
import { rejection } from '../../support/rejection.js';
import { PHASE_SELECTOR, SmallCluster } from '../../support/small-cluster.js';

const NOON = 1_767_268_800;
const JOB = { namespace: 'shop', pod: 'job-1' };
const WEB = { namespace: 'shop', pod: 'web-1' };

describe('ended pods', () => {
  let api: FakeApi;
  let cluster: SmallCluster;
  let endedPods: EndedPods;

  beforeEach(() => {
    cluster = new SmallCluster([{ ...JOB, endedSeconds: NOON }, WEB]);
    api = fakeApi(cluster.answer);
    endedPods = new EndedPods(api, PHASE_SELECTOR);
  });

  it('are those that Kubernetes reports as ended, among those without usage', async () => {
    await endedPods.lookUp([JOB, WEB], NOON);
    expect(endedPods.has(JOB)).to.equal(true);
    expect(endedPods.has(WEB)).to.equal(false);
    expect(api.asked.map(({ kind, endSeconds }) => [kind, endSeconds])).to.deep.equal([['instant', NOON]]);
  });

  it('are not asked for where every pod has its usage', async () => {
    await endedPods.lookUp([], NOON);
    expect(api.asked).to.deep.equal([]);
  });

  it('are asked for once a minute while one pod has not ended', async () => {
    for (let seconds = 0; seconds <= 120; seconds += 15) await endedPods.lookUp([JOB, WEB], NOON + seconds);
    expect(api.asked.map(({ endSeconds }) => endSeconds - NOON)).to.deep.equal([0, 60, 120]);
  });

  it('are asked for every ten minutes while all have ended: a new pod may have an old name', async () => {
    for (let seconds = 0; seconds <= 1200; seconds += 30) await endedPods.lookUp([JOB], NOON + seconds);
    expect(api.asked.map(({ endSeconds }) => endSeconds - NOON)).to.deep.equal([0, 600, 1200]);
    cluster.pods[0] = JOB;
    await endedPods.lookUp([JOB], NOON + 1800);
    expect(endedPods.has(JOB)).to.equal(false);
  });

  it('are forgotten once they have usage again, or are gone', async () => {
    await endedPods.lookUp([JOB], NOON);
    await endedPods.lookUp([], NOON + 30);
    expect(endedPods.has(JOB)).to.equal(false);
  });

  it('stay known when the question fails, which is asked again after a minute', async () => {
    await endedPods.lookUp([JOB], NOON);
    api.before = () => Promise.reject(new Error('away'));
    expect((await rejection(endedPods.lookUp([JOB, WEB], NOON + 60), Error)).message).to.equal('away');
    expect(endedPods.has(JOB)).to.equal(true);
    await endedPods.lookUp([JOB, WEB], NOON + 90);
    expect(api.asked).to.have.lengthOf(2);
  });

  it('are asked for when the clock was set back', async () => {
    await endedPods.lookUp([JOB, WEB], NOON + 7200);
    await endedPods.lookUp([JOB, WEB], NOON);
    expect(api.asked).to.have.lengthOf(2);
  });
});
