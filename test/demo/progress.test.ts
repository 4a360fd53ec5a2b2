import { expect } from 'chai';
import type { Incident } from '../../src/demo/incidents.js';
import { advance, beginProgress, type FlaggedPod, type Progress } from '../../src/demo/progress.js';
import { events, quantity, reasons, screen, summary } from '../../src/demo/words.js';

const incident: Incident = {
  kind: 'memory-leak',
  speed: 1,
  namespace: 'payments',
  pod: 'checkout-1',
  startSeconds: 20,
  endSeconds: 100,
};
const GIB = 2 ** 30;
const flag = (namespace: string, pod: string): FlaggedPod => ({
  namespace,
  pod,
  anomaly_score: 0.21,
  features: [
    { feature: 'cpu', unit: 'cores', actual: 0.3, expected: 0.31, deviation: -0.3 },
    { feature: 'memory', unit: 'bytes', actual: 1.9 * GIB, expected: 0.6 * GIB, deviation: 21.7 },
    { feature: 'restarts', unit: 'restarts', actual: 2, expected: 0, deviation: 4 },
  ],
});
const leak = flag('payments', 'checkout-1');
const look = (progress: Progress, timeSeconds: number, flagged: readonly FlaggedPod[] | undefined) =>
  advance(progress, { timeSeconds, flagged, status: flagged ? 'Trained.' : 'No model yet.', pods: 41 });

const begin = beginProgress([incident], 0, 41);
const links = { exporter: 'http://127.0.0.1:8000', prometheus: 'http://127.0.0.1:9090' };
const textOf = (progress: Progress) =>
  screen(links, progress)
    .map(({ text }) => text)
    .join('\n');

describe('the progress of the demo', () => {
  it('goes from waiting to running, flagged and over', () => {
    const waiting = look(begin, 8, []);
    expect(textOf(waiting)).to.contain('begins in 0:12').and.to.contain('Flagged now: 0 pods');
    const running = look(waiting, 30, []);
    expect(textOf(running)).to.contain('running for 0:10');
    const flagged = look(running, 51, [leak]);
    expect(textOf(flagged)).to.contain('running for 0:31, FLAGGED after 0:31');
    expect(textOf(flagged)).to.contain('payments/checkout-1  score 0.21 (memory leak)');
    const over = look(flagged, 130, []);
    expect(textOf(over)).to.contain('over, FLAGGED after 0:31');
    expect(summary(over)).to.contain('1 of 1 incident detected; flagged now: 0 of 41 pods');
  });

  it('counts no flag from before the incident or after it', () => {
    expect(look(begin, 10, [leak]).incidents[0]?.flaggedSeconds).to.equal(undefined);
    expect(look(begin, 110, [leak]).incidents[0]?.flaggedSeconds).to.equal(undefined);
    expect(textOf(look(begin, 10, [leak]))).to.contain('(nothing that is scripted)');
  });

  it('says so for good when the database was flagged', () => {
    expect(textOf(look(begin, 10, []))).to.match(/postgres-0.*: never flagged/);
    const wrong = look(look(begin, 10, [flag('data', 'postgres-0')]), 20, []);
    expect(textOf(wrong)).to.match(/postgres-0.*: was FLAGGED 0:10 ago/);
  });

  it('tells events once', () => {
    const states = [begin, look(begin, 2, undefined)];
    const then = (time: number, flagged?: readonly FlaggedPod[]) =>
      states.push(look(states.at(-1) ?? begin, time, flagged));
    then(4, undefined);
    then(6, []);
    then(21, []);
    then(30, [leak]);
    then(32, [leak]);
    then(101, []);
    const told = states.slice(1).map((state, index) => events(states[index] ?? begin, state));
    const reason =
      'memory 1.9 GiB, usually 614 MiB (+22 spreads); restarts 2 restarts, usually 0 restarts (+4.0 spreads)';
    expect(told).to.deep.equal([
      ['No model yet.'],
      [],
      ['Trained.'],
      ['BEGINS   memory leak of payments/checkout-1'],
      [
        'DETECTED memory leak of payments/checkout-1, 0:10 after it began',
        `flagged  payments/checkout-1: ${reason}`,
      ],
      [],
      ['ENDS     memory leak of payments/checkout-1', 'cleared  payments/checkout-1'],
    ]);
  });

  it('names at least one reason, the strongest first', () => {
    expect(reasons(leak)[0]).to.match(/^memory/);
    const slight = { ...leak, features: leak.features.map((feature) => ({ ...feature, deviation: 1 })) };
    expect(reasons(slight)).to.have.lengthOf(1);
  });

  it('writes quantities for people', () => {
    expect(quantity(6.04, 'cores')).to.equal('6 cores');
    expect(quantity(0.0213, 'cores')).to.equal('0.021 cores');
    expect(quantity(515, 'restarts')).to.equal('515 restarts');
    expect(quantity(48.2 * GIB, 'bytes')).to.equal('48 GiB');
    expect(quantity(0.6 * GIB, 'bytes')).to.equal('614 MiB');
  });
});
