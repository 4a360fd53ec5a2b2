import { expect } from 'chai';
import { type ContextPart, PART_LABEL } from '../../../src/exporter/context/queries.js';
import { readContexts } from '../../../src/exporter/context/read-answers.js';
import type { Labels } from '../../../src/exporter/prometheus/api.js';
import { seriesSet } from '../../support/tables.js';

const PODS = [{ namespace: 'shop', pod: 'cart-0' }];

/** A series of the pod in an answer. */
type Said = readonly [part: ContextPart, labels: Labels, value?: number];

const readAll = (...said: readonly Said[]) =>
  readContexts(
    [
      seriesSet(
        ...said.map(
          ([part, labels, value = 1]) =>
            [{ namespace: 'shop', pod: 'cart-0', ...labels, [PART_LABEL]: part }, [0, value]] as const,
        ),
      ),
    ],
    PODS,
    { podLabel: 'pod' },
  );

/** The same in either order: Prometheus answers in none. */
const read = (...said: readonly Said[]) => {
  const context = readAll(...said).get('shop/cart-0') ?? expect.fail('Nothing is known.');
  expect(readAll(...said.toReversed()).get('shop/cart-0')).to.deep.equal(context);
  return context;
};

const limit = (container: string, resource: string, value: number, uid = 'u'): Said => [
  'limit',
  { container, resource, uid },
  value,
];
const container = (name: string, image: string, uid = 'u'): Said => ['container', { container: name, image, uid }];

describe('the answers about pods', () => {
  it('say nothing of a pod that no series names, nor of others', () => {
    expect(readAll().size).to.equal(0);
    expect(readAll(['info', { pod: 'other', node: 'n1' }]).size).to.equal(0);
  });

  it('leave out what no series has', () => {
    expect(read(['info', { node: 'n1' }])).to.deep.equal({
      node: 'n1',
      images: [],
      limits: {},
      requests: {},
      pressure: {},
    });
    // A pod that waits for a node.
    expect(read(['info', { node: '' }, 1])).not.to.have.property('node');
  });

  it('give a limit where each container has one, and only then', () => {
    const containers = [container('app', 'app:1'), container('proxy', 'proxy:1')];
    const some = read(...containers, limit('app', 'memory', 100), limit('app', 'cpu', 2), limit('proxy', 'cpu', 0.5));
    expect(some.limits).to.deep.equal({ cpu: 2.5 });
    expect(some.images).to.deep.equal(['app:1', 'proxy:1']);
    // Which containers there are is not known.
    expect(read(limit('app', 'memory', 100)).limits).to.deep.equal({});
  });

  it('give the requests of the containers that have one', () => {
    const context = read(container('app', 'a'), container('proxy', 'p'), [
      'request',
      { container: 'app', resource: 'memory' },
      100,
    ]);
    expect(context.requests).to.deep.equal({ memory: 100 });
  });

  it('count a native sidecar as a container, but for its image, and other init containers not', () => {
    const given: Said[] = [
      container('app', 'app:1'),
      limit('app', 'memory', 100),
      ['sidecar', { container: 'proxy' }],
      ['init_limit', { container: 'prepare', resource: 'memory' }, 900],
      ['init_request', { container: 'prepare', resource: 'memory' }, 900],
      ['init_request', { container: 'proxy', resource: 'memory' }, 10],
    ];
    expect(read(...given)).to.deep.include({ images: ['app:1'], limits: {}, requests: { memory: 10 } });
    const limited = read(...given, ['init_limit', { container: 'proxy', resource: 'memory' }, 20]);
    expect(limited.limits).to.deep.equal({ memory: 120 });
  });

  it('say how an init container ended, and why it waits, as of other containers', () => {
    const context = read(
      ['waiting', { container: 'app', reason: 'PodInitializing' }],
      ['init_waiting', { container: 'prepare', reason: 'CrashLoopBackOff' }],
      ['init_ended_reason', { container: 'prepare', reason: 'Error' }],
      ['init_ended_exit_code', { container: 'prepare' }, 3],
      ['init_ended_time', { container: 'prepare' }, 200],
      ['ended_reason', { container: 'app', reason: 'OOMKilled' }],
      ['ended_time', { container: 'app' }, 100],
    );
    expect(context.waiting).to.deep.equal({ container: 'prepare', reason: 'CrashLoopBackOff' });
    const end = { container: 'prepare', reason: 'Error', exitCode: 3, timeSeconds: 200 };
    expect(context.lastTermination).to.deep.equal(end);
  });

  it('count what two servers report once', () => {
    const twice = ['a', 'b'].flatMap((instance): Said[] => [
      ['limit', { container: 'app', resource: 'memory', instance }, 100],
      ['container', { container: 'app', image: 'app:1', instance }],
    ]);
    expect(read(...twice)).to.deep.include({ limits: { memory: 100 }, images: ['app:1'] });
  });

  it('are those of the newest pod of the name', () => {
    const context = read(
      ['created', { uid: 'old' }, 100],
      ['created', { uid: 'new' }, 200],
      ['info', { uid: 'old', node: 'n1' }],
      ['info', { uid: 'new', node: 'n2' }],
      container('app', 'app:1', 'old'),
      container('app', 'app:2', 'new'),
      limit('app', 'memory', 900, 'old'),
      limit('app', 'memory', 100, 'new'),
      ['waiting', { container: 'app', reason: 'CrashLoopBackOff', uid: 'old' }],
      ['oom', {}, 3],
    );
    expect(context).to.deep.include({ node: 'n2', createdSeconds: 200, images: ['app:2'], oomEvents: 3 });
    expect(context.limits).to.deep.equal({ memory: 100 });
    expect(context).not.to.have.property('waiting');
  });

  it('say when a pod started where nothing says when it was created', () => {
    expect(read(['started', {}, 300]).createdSeconds).to.equal(300);
    expect(read(['started', {}, 300], ['created', {}, 200]).createdSeconds).to.equal(200);
  });

  it('give the latest end of a container, with what is known of it', () => {
    const ended = (name: string, reason: string): Said => ['ended_reason', { container: name, reason }];
    const withTimes = read(
      ended('app', 'OOMKilled'),
      ended('proxy', 'Completed'),
      ['ended_time', { container: 'app' }, 200],
      ['ended_time', { container: 'proxy' }, 100],
      ['ended_exit_code', { container: 'app' }, 137],
      ['ended_exit_code', { container: 'proxy' }, 0],
    );
    expect(withTimes.lastTermination).to.deep.equal({
      container: 'app',
      reason: 'OOMKilled',
      exitCode: 137,
      timeSeconds: 200,
    });
    expect(read(ended('b', 'Error'), ended('a', 'Completed')).lastTermination).to.deep.equal({
      container: 'a',
      reason: 'Completed',
    });
    // As version 1 of kube-state-metrics says that it is not so.
    expect(read(['ended_reason', { container: 'app', reason: 'Error' }, 0])).not.to.have.property('lastTermination');
  });

  it('prefer a wait that is a trouble to one that each start has', () => {
    const waits = (name: string, reason: string): Said => ['waiting', { container: name, reason }];
    expect(read(waits('a', 'ContainerCreating'), waits('b', 'ImagePullBackOff')).waiting).to.deep.equal({
      container: 'b',
      reason: 'ImagePullBackOff',
    });
  });

  it('give shares between 0 and 1, and none of a container without a quota', () => {
    const context = read(['throttled', {}, Number.NaN], ['pressure_cpu', {}, 1.02], ['pressure_io', {}, 0]);
    expect(context).not.to.have.property('throttledRatio');
    expect(context.pressure).to.deep.equal({ cpu: 1, io: 0 });
  });

  it('are read by the labels of the settings where they are about containers', () => {
    const labels = { ns: 'shop', pod_name: 'cart-0', [PART_LABEL]: 'oom' };
    const answer = seriesSet(
      [labels, [0, 2]],
      [{ namespace: 'shop', pod: 'cart-0', [PART_LABEL]: 'throttled' }, [0, 1]],
    );
    const contexts = readContexts([answer], PODS, { podLabel: 'pod_name', namespaceLabel: 'ns' });
    expect(contexts.get('shop/cart-0')?.oomEvents).to.equal(2);
    expect(contexts.get('shop/cart-0')).not.to.have.property('throttledRatio');
  });
});
