import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { type ContextState, NO_CONTEXT, type PodContext } from '../../../../src/exporter/context/pod-context.js';
import type { PassOutcome } from '../../../../src/exporter/detection/detection.js';
import type { ForecastState } from '../../../../src/exporter/forecast/forecast-state.js';
import { passOf } from '../../../support/http-fixtures.js';
import { EXPECTED_CONTEXT } from '../../../support/pods-with-context.js';
import { incidentsOf, pageOf, SCORED_AT, wordsOf } from '../../../support/status-page.js';

const NOTHING: PodContext = { images: [], limits: {}, requests: {}, pressure: {} };

const contextOf = (pods: Readonly<Record<string, PodContext>>, more: Partial<ContextState> = {}) => ({
  context: (): ContextState => ({ ...NO_CONTEXT, pods: new Map(Object.entries(pods)), ...more }),
});

/** Everything that can be known, a while ago. */
const EVERYTHING: PodContext = {
  ...EXPECTED_CONTEXT,
  createdSeconds: SCORED_AT - 600,
  lastTermination: { ...EXPECTED_CONTEXT.lastTermination, timeSeconds: SCORED_AT - 120 },
};

const workloadOf = (workload: string, scores: readonly number[], namespace = 'shop') =>
  scores.map((score, index) => ({ namespace, workload, pod: `${workload}-${index}`, score }));

/** Of which the memory is in bytes, usually a quarter of what it is. */
function passIn(pods: Parameters<typeof passOf>[0]): PassOutcome {
  const outcome = passOf(pods, ['memory']);
  if (outcome.kind !== 'detection') throw new Error('Expected a detection.');
  const { detection } = outcome;
  const [feature] = detection.model.features;
  if (feature === undefined) throw new Error('Expected a feature.');
  detection.table.values.fill(960 * 2 ** 20);
  detection.expected.fill(240 * 2 ** 20);
  return {
    ...outcome,
    detection: { ...detection, model: { ...detection.model, features: [{ ...feature, unit: 'bytes' }] } },
  };
}

describe('the context of pods on the status page', () => {
  it('is in the entry of its workload, as far as it says something', async () => {
    const outcome = passIn(workloadOf('cart', [0.2]));
    const page = await pageOf({ outcome, ...contextOf({ 'shop/cart-0': EVERYTHING }) });
    const [words = ''] = incidentsOf(page);
    expect(words).to.contain('memory 960 MiB, 4 × usual, 94 % of its limit');
    for (const fact of [
      'Ended OOMKilled (exit code 137), container app, 7 min ago',
      'Waits CrashLoopBackOff',
      'Out of memory 2 times in the last hour',
      'CPU throttled 25 % of the time',
      'Waited for cpu 5 % of the time',
      'Started 23:50 UTC, 15 min ago',
      'Node node-1',
      'Image app:1.0',
    ]) {
      expect(words).to.contain(fact);
    }
    const quiet = contextOf({ 'shop/cart-0': { ...NOTHING, oomEvents: 0, throttledRatio: 0.04, createdSeconds: 1 } });
    expect(incidentsOf(await pageOf({ outcome, ...quiet }))[0]).to.equal(incidentsOf(await pageOf({ outcome }))[0]);
  });

  it('is that of most pods where a workload has several', async () => {
    const outcome = passIn(workloadOf('app', [0.3, 0.2, 0.1, 0.05]));
    const ended = (reason: string, exitCode: number) => ({ container: 'app', reason, exitCode });
    const page = await pageOf({
      outcome,
      ...contextOf({
        'shop/app-0': { ...NOTHING, lastTermination: ended('Error', 1), node: 'n1', images: ['a.example.org/x/app:2'] },
        'shop/app-1': { ...NOTHING, lastTermination: ended('OOMKilled', 137), node: 'n2', images: ['app:2'] },
        'shop/app-2': { ...NOTHING, lastTermination: ended('OOMKilled', 137), node: 'n3', images: ['app:2'] },
      }),
    });
    const [words = ''] = incidentsOf(page);
    expect(words).to.contain('Ended OOMKilled (exit code 137) (2 pods); Error (exit code 1) (1 pod)');
    expect(words).to.contain('Node n1 (1 pod); n2 (1 pod); 1 more').and.to.contain('Image app:2 (3 pods)');
  });

  it('brings up front what dies or does not start', async () => {
    const pods = [...workloadOf('busy', [0.3]), ...workloadOf('dying', [0.1])];
    const order = async (context: Partial<PodContext>) => {
      const replaced = contextOf({ 'shop/dying-0': { ...NOTHING, ...context } });
      const words = incidentsOf(await pageOf({ outcome: passIn(pods), ...replaced }));
      return words.map((each) => / (busy|dying) /.exec(each)?.[1]);
    };
    const ended = (reason: string, secondsAgo: number) => ({
      lastTermination: { container: 'app', reason, timeSeconds: SCORED_AT - secondsAgo },
    });
    for (const serious of [
      { oomEvents: 1 },
      { waiting: { container: 'app', reason: 'ImagePullBackOff' } },
      ended('OOMKilled', 600),
      ended('Error', 600),
    ]) {
      expect(await order(serious), JSON.stringify(serious)).to.deep.equal(['dying', 'busy']);
    }
    for (const usual of [
      {},
      { oomEvents: 0 },
      { waiting: { container: 'app', reason: 'ContainerCreating' } },
      ended('OOMKilled', 7200),
      ended('Completed', 600),
    ]) {
      expect(await order(usual), JSON.stringify(usual)).to.deep.equal(['busy', 'dying']);
    }
  });

  it('is all of it in the view of a pod', async () => {
    const replaced = { outcome: passIn(workloadOf('cart', [0.2])), ...contextOf({ 'shop/cart-0': EVERYTHING }) };
    const words = wordsOf(await pageOf(replaced, '/?namespace=shop&pod=cart-0'));
    expect(words).to.contain('Pod shop/cart-0 lasts memory 960 MiB, 4 × usual, 94 % of its limit');
    for (const fact of [
      'Waits CrashLoopBackOff, container app',
      'Waited for cpu 5 % of the time, memory 3 % of the time, io 1 % of the time',
      'Limits cpu 2 cores, memory 1 GiB',
      'Requests cpu 1 core, memory 512 MiB',
      'Image registry.example.com/app:1.0',
    ]) {
      expect(words).to.contain(fact);
    }
    const nothing = { ...replaced, ...contextOf({ 'shop/cart-0': NOTHING }) };
    expect(wordsOf(await pageOf(nothing, '/?namespace=shop&pod=cart-0'))).to.contain(
      'Limits none for all containers Requests none',
    );
    const { context: _, ...unknown } = replaced;
    expect(wordsOf(await pageOf(unknown, '/?namespace=shop&pod=cart-0'))).to.not.contain('Limits');
  });

  describe('and memory that runs full', () => {
    const forecastOf = (...pods: readonly (readonly [pod: string, minutes: number])[]) => ({
      forecast: (): ForecastState => ({
        succeeded: true,
        pods: new Map(
          pods.map(([pod, minutes]) => [
            `shop/${pod}`,
            {
              ...{ namespace: 'shop', workload: pod.slice(0, pod.indexOf('-')), pod },
              ...{ bytes: 480 * 2 ** 20, limitBytes: 512 * 2 ** 20 },
              ...{ forecastSeconds: SCORED_AT - 60, fullSeconds: SCORED_AT + 60 * minutes },
            },
          ]),
        ),
      }),
    });
    const pods = [
      ...workloadOf('busy', [0.3]),
      ...workloadOf('app', [0.1, 0.05, -0.1, -0.1]),
      ...workloadOf('till', [-0.2, -0.2]),
    ];

    it('says when it is full, and brings up front what is full within the hour', async () => {
      const outcome = passIn(pods);
      const [app = '', busy = ''] = incidentsOf(
        await pageOf({ outcome, ...forecastOf(['app-0', 95], ['app-1', 40], ['busy-0', 300]) }),
      );
      expect(app)
        .to.contain('2 of 4 pods of shop / app')
        .and.to.contain('Memory full in about 40 min , the first of 2 pods');
      expect(busy).to.contain('Memory full in about 5 h').and.to.not.contain('the first of');
      expect(incidentsOf(await pageOf({ outcome, ...forecastOf(['app-1', 61]) }))[0]).to.contain('busy');
      const view = await pageOf({ outcome, ...forecastOf(['till-0', 40]) }, '/?namespace=shop&pod=till-0');
      expect(wordsOf(view)).to.contain('Memory full in about 40 min');
    });

    it('names pods that are not flagged, the soonest first', async () => {
      const outcome = passIn(pods);
      const full = forecastOf(['app-0', 95], ['till-0', 300], ['till-1', 0]);
      const words = wordsOf(await pageOf({ outcome, ...full }));
      expect(words).to.match(
        /Memory runs full shop \/ till , till-1 : full now , at 00:00 UTC; 480 MiB of 512 MiB shop \/ till , till-0 : full in about 5 h , at 05:00 UTC/,
      );
      expect(words).to.not.match(/app-0 : full/);
      expect(words).to.contain('3 pods flagged of 7 pods scored; all of them last. The memory of 3 pods runs full.');
      expect(words).to.contain('Next: runbook PodMemoryFull');
      expect(wordsOf(await pageOf({ outcome, ...full }, '/?workload=busy'))).to.not.contain('Memory runs full');
      const many = forecastOf(...Array.from({ length: 12 }, (_, index) => [`x-${index}`, 100 + index] as const));
      expect(wordsOf(await pageOf({ outcome, ...many })))
        .to.contain('x-9 : full')
        .and.to.contain('And 2 more; /detect');
    });
  });

  it('says what the anomalies have in common: a node, a namespace, or everything', async () => {
    const shop = [...workloadOf('app', [0.3, 0.2, -0.1]), ...workloadOf('till', [0.3, 0.2])];
    const pods = [...workloadOf('quiet', new Array(60).fill(-0.2), 'calm'), ...shop];
    const nodeOf = new Map([
      ['shop/app-0', 'n7'],
      ['shop/app-1', 'n7'],
      ['shop/app-2', 'n7'],
      ['shop/till-0', 'n7'],
      ['shop/till-1', 'n8'],
      ['calm/quiet-0', 'n8'],
    ]);
    const page = await pageOf({ outcome: passIn(pods), ...contextOf({}, { nodeOf }) });
    expect(wordsOf(page)).to.contain(
      'What they have in common, by pods whose anomaly lasts: node n7 : 3 of 4 pods on it; runbook NodeAnomalous ' +
        'namespace shop : 4 of 5 pods in 2 workloads; runbook NamespaceAnomalous',
    );
    const mass = [...workloadOf('quiet', [0.1, 0.2, -0.1], 'calm'), ...shop];
    expect(wordsOf(await pageOf({ outcome: passIn(mass) }))).to.contain('75 % of all pods have an anomaly that lasts');
    for (const [, runbook = ''] of page.matchAll(/blob\/main\/(docs\/runbooks\/\w+\.md)/g)) {
      expect(existsSync(runbook), runbook).to.equal(true);
    }
    // One workload has it in common with nothing.
    const one = passIn([...workloadOf('app', [0.3, 0.2, 0.1, 0.1, 0.1]), ...workloadOf('quiet', [-0.1], 'calm')]);
    expect(wordsOf(await pageOf({ outcome: one }))).to.not.contain('in common');
  });
});
