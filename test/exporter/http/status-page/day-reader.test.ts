import { expect } from 'chai';
import { detect } from '../../../../src/exporter/detection/detect.js';
import { type DayCourse, type DayOutcome, DayReader } from '../../../../src/exporter/http/status-page/day-reader.js';
import { PrometheusError } from '../../../../src/exporter/prometheus/errors.js';
import { type FakeApi, fakeApi } from '../../../support/fake-api.js';
import { type FakeSample, FEATURES, topicOf } from '../../../support/small-cluster.js';
import { MEBIBYTE, steadyMinutes, steadyModel, TRAINED_AT } from '../../../support/steady-cluster.js';

const NOW = TRAINED_AT + 600;
const HOUR = 3600;

/** CPU of the pod rises by the hour and is one core higher on the last day; another namespace has a pod of its name. */
function answer(query: string, timeSeconds: number): readonly FakeSample[] {
  const hours = Math.floor((timeSeconds - (NOW - 48 * HOUR)) / HOUR);
  const value = topicOf(query) === 'memory' ? 300 * MEBIBYTE : (hours % 24) / 10 + (hours >= 24 ? 1 : 0);
  return ['ns', 'other'].map((namespace) => ({
    labels: { namespace, pod: 'report-0' },
    value: namespace === 'ns' ? value : 99 * value,
  }));
}

describe('DayReader', () => {
  const detection = detect({ ...steadyModel(), features: FEATURES }, steadyMinutes({}));
  const row = detection.table.pods.findIndex(({ pod }) => pod === 'report-0');
  let api: FakeApi;

  beforeEach(() => {
    api = fakeApi(answer);
  });

  const courseOf = (outcome: DayOutcome, feature: string): DayCourse => {
    if (outcome.kind !== 'day') throw new Error(outcome.message);
    return outcome.courses.find((course) => course.feature === feature) ?? expect.fail(feature);
  };

  it('has the last day of a pod beside the day before', async () => {
    const outcome = await new DayReader(api).read(detection, row);
    if (outcome.kind !== 'day') return expect.fail(outcome.message);
    expect(detection.timeSeconds).to.equal(NOW);
    expect(outcome.courses.map(({ feature }) => feature)).to.deep.equal(['cpu', 'memory']);
    expect([outcome.timestampsSeconds[0], outcome.timestampsSeconds.at(-1)]).to.deep.equal([NOW - 24 * HOUR, NOW]);
    const { today, yesterday } = courseOf(outcome, 'cpu');
    expect(today).to.have.length(145);
    expect([yesterday[0], yesterday[6 * 5], yesterday[6 * 23]]).to.deep.equal([0, 0.5, 2.3]);
    expect([today[6 * 5], today[6 * 23]]).to.deep.equal([1.5, 3.3]);
    expect(yesterday.at(-1)).to.equal(today[0]);
  });

  it('has what is usual for the workload at each time of day', async () => {
    const outcome = await new DayReader(api).read(detection, row);
    const cpu = courseOf(outcome, 'cpu');
    // The report runs from 12:00 to 15:00.
    const at = (hour: number) => Math.round((((hour * HOUR - NOW) % 86_400) + 86_400) / 600) % 144;
    expect(cpu.lower[at(14)]).to.be.within(1, 1.95);
    expect(cpu.upper[at(14)]).to.be.within(2.05, 4);
    expect(cpu.upper[at(9)]).to.be.within(0.21, 1);
    const { upper } = courseOf(outcome, 'memory');
    expect(upper[0]).to.be.within(205 * MEBIBYTE, 300 * MEBIBYTE);
  });

  it('asks one question a gauge, about that pod', async () => {
    await new DayReader(api).read(detection, row);
    expect(api.asked.map(({ query }) => topicOf(query))).to.deep.equal(['cpu', 'memory']);
    for (const { query, startSeconds, endSeconds, stepSeconds } of api.asked) {
      expect(query).to.contain('namespace=~"ns",pod=~"report-0"');
      expect([startSeconds, endSeconds, stepSeconds]).to.deep.equal([NOW - 48 * HOUR, NOW, 600]);
    }
  });

  it('knows nothing of a time at which the pod was not there', async () => {
    const young = fakeApi((query, seconds) => (seconds < NOW - 2 * HOUR ? [] : answer(query, seconds)));
    const { today, yesterday } = courseOf(await new DayReader(young).read(detection, row), 'cpu');
    expect(yesterday.every(Number.isNaN)).to.equal(true);
    expect(today.filter(Number.isFinite)).to.have.length(13);
    const gone = courseOf(await new DayReader(fakeApi(() => [])).read(detection, row), 'memory');
    expect(gone.today.every(Number.isNaN)).to.equal(true);
  });

  it('shares an answer, asks again after a failure, and asks for two pods at a time', async () => {
    const reader = new DayReader(api);
    api.before = () => {
      throw new PrometheusError('unavailable', 'The disk is full.');
    };
    expect(await reader.read(detection, row)).to.deep.equal({ kind: 'failed', message: 'The disk is full.' });
    api.before = () => {};
    api.asked.length = 0;
    const [first, second] = await Promise.all([reader.read(detection, row), reader.read(detection, row)]);
    expect(first).to.equal(second);
    expect(api.asked).to.have.length(2);
    const outcomes = await Promise.all([0, 1, 2].map((other) => reader.read(detection, other)));
    expect(outcomes.map(({ kind }) => kind)).to.deep.equal(['day', 'day', 'failed']);
  });

  it('gives up after its time and says why', async () => {
    api.before = () => new Promise(() => {});
    expect(await new DayReader(api, 0.02).read(detection, row)).to.deep.equal({
      kind: 'failed',
      message: 'The fake gave up on its signal.',
    });
  });
});
