import { expect } from 'chai';
import { ContextReader } from '../../../src/exporter/context/context-reader.js';
import { PART_LABEL } from '../../../src/exporter/context/queries.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { type FakeApi, fakeApi } from '../../support/fake-api.js';
import { flaggedDetection } from '../../support/pods-with-context.js';
import { type RecordingLogger, recordingLogger } from '../../support/recording-logger.js';
import type { FakeSample } from '../../support/small-cluster.js';
import { gate } from '../../support/waiting.js';

const NOON = 1_767_268_800;
const AWAY = new PrometheusError('refused', 'Got no answer from http://h.', { advice: 'Is it running?' });
const queryOptions = { namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' };

const on = (pod: string, node: string): FakeSample => ({
  labels: { namespace: 'a', pod, node, [PART_LABEL]: 'info' },
  value: 1,
});

describe('the context of flagged pods', () => {
  let answers: FakeSample[];
  let api: FakeApi;
  let narrowed: FakeApi;
  let logger: RecordingLogger;
  let reader: ContextReader;

  const ask = (minute: number, ...pods: string[]) =>
    reader.ask(
      flaggedDetection(
        pods.map((pod) => ({ namespace: 'a', pod })),
        NOON + 60 * minute,
      ),
    );
  const nodes = () => Object.fromEntries([...reader.state().pods].map(([key, { node }]) => [key, node]));

  beforeEach(() => {
    answers = [on('x', 'n1'), on('y', 'n2')];
    api = fakeApi(() => answers);
    narrowed = fakeApi(() => [on('x', 'n1'), on('other', 'n1')]);
    logger = recordingLogger();
    reader = new ContextReader({ api: narrowed, wholeApi: api, queryOptions, logger, now: () => NOON * 1000 });
  });

  afterEach(() => reader.stop());

  it('is asked for once a minute, at its instant, and only while pods are flagged', async () => {
    await ask(0);
    expect(api.asked).to.deep.equal([]);
    expect(reader.state()).to.include({ succeeded: undefined, askedSeconds: undefined });
    await ask(1, 'x');
    await ask(1, 'x', 'y');
    expect(api.asked.map(({ kind, endSeconds }) => [kind, endSeconds])).to.deep.equal([['instant', NOON + 60]]);
    expect(nodes()).to.deep.equal({ 'a/x': 'n1' });
    expect(reader.state()).to.include({ succeeded: true, askedSeconds: NOON + 60 });
    await ask(2, 'x', 'y');
    expect(nodes()).to.deep.equal({ 'a/x': 'n1', 'a/y': 'n2' });
    await ask(3);
    expect(nodes()).to.deep.equal({});
    expect(api.asked).to.have.lengthOf(2);
  });

  it('is asked for again after the clock was set back', async () => {
    await ask(60, 'x');
    await ask(0, 'x');
    expect(api.asked).to.have.lengthOf(2);
  });

  it('is asked for one query after the other, never twice at the same time', async () => {
    const held = gate();
    api.before = () => held.opened;
    const names = Array.from({ length: 90 }, (_, index) => `pod-with-a-rather-long-name-${index}`);
    const asking = ask(0, ...names);
    void ask(1, 'x');
    expect(api.asked).to.have.lengthOf(1);
    held.open();
    await asking;
    expect(api.asked).to.have.lengthOf.within(5, 20);
    expect(new Set(api.asked.map(({ endSeconds }) => endSeconds))).to.deep.equal(new Set([NOON]));
  });

  it('stays after a failure, which is logged once, and is known again later', async () => {
    await ask(0, 'x');
    api.before = () => Promise.reject(AWAY);
    await ask(1, 'x');
    await ask(2, 'x');
    expect(nodes()).to.deep.equal({ 'a/x': 'n1' });
    expect(reader.state()).to.deep.include({
      succeeded: false,
      askedSeconds: NOON,
      lastError: { message: AWAY.message, timeSeconds: NOON },
    });
    api.before = () => {};
    await ask(3, 'x');
    expect(reader.state().succeeded).to.equal(true);
    expect(logger.lines.map(({ level, message }) => [level, message])).to.deep.equal([
      ['warn', `Limits, nodes and ends of flagged pods are not known, or no longer up to date. ${AWAY.message}`],
      ['info', 'The context of flagged pods is known again.'],
    ]);
  });

  it('reports a bug of its own as one', async () => {
    api.before = () => Promise.reject(new TypeError('a is not a function'));
    await ask(0, 'x');
    expect(logger.lines.map(({ level }) => level)).to.deep.equal(['error']);
    expect(reader.state().lastError?.message).to.include('a is not a function');
  });

  it('loses nothing by an answer that lacks a part', async () => {
    const limit = { namespace: 'a', pod: 'x', container: 'app', image: 'app:1', resource: 'memory' };
    answers = [
      ...answers,
      { labels: { ...limit, [PART_LABEL]: 'container' }, value: 1 },
      { labels: { ...limit, [PART_LABEL]: 'limit' }, value: 100 },
    ];
    await ask(0, 'x', 'y');
    answers = [on('x', 'n3')];
    api.warnings = ['store 10.0.0.7 is down'];
    await ask(1, 'x', 'y');
    expect(nodes()).to.deep.equal({ 'a/x': 'n3', 'a/y': 'n2' });
    expect(reader.state().pods.get('a/x')).to.deep.include({ limits: { memory: 100 }, images: ['app:1'] });
    api.warnings = [];
    await ask(2, 'x', 'y');
    expect(nodes()).to.deep.equal({ 'a/x': 'n3' });
    expect(reader.state().pods.get('a/x')).to.deep.include({ limits: {} });
  });

  it('is asked of the shard where it is about whole nodes, which two flagged pods have in common', async () => {
    await ask(0, 'x', 'y');
    expect(narrowed.asked).to.deep.equal([]);
    answers = [on('x', 'n1'), on('y', 'n1')];
    await ask(1, 'x', 'y');
    expect(narrowed.asked.map(({ query }) => query)).to.deep.equal(['kube_pod_info{namespace=~".*",node=~"n1"}']);
    expect([...reader.state().nodeOf.keys()]).to.deep.equal(['a/x', 'a/other']);
    await ask(2);
    expect(reader.state().nodeOf.size).to.equal(0);
  });

  it('ends at once with the service, without a word', async () => {
    api.before = () => gate().opened;
    const asking = ask(0, 'x');
    await reader.stop();
    await asking;
    expect(logger.lines).to.deep.equal([]);
    await ask(5, 'x');
    expect(api.asked).to.have.lengthOf(1);
  });
});
