import { expect } from 'chai';
import { advance, beginProgress, type FlaggedPod, type Progress } from '../../../src/tools/demo/progress.js';
import { events, screen, summary } from '../../../src/tools/demo/words.js';
import type { Incident } from '../../../src/tools/simulation/incidents.js';

const incident: Incident = {
  kind: 'memory-leak',
  speed: 1,
  namespace: 'payments',
  pod: 'checkout-1',
  startSeconds: 20,
  endSeconds: 100,
};
const GIB = 2 ** 30;
const TIME_OF_DAY = { comparison: 'time_of_day', boundary: null } as const;
const flag = (namespace: string, pod: string): FlaggedPod => ({
  namespace,
  pod,
  anomaly_score: 0.21,
  features: [
    { ...TIME_OF_DAY, feature: 'cpu', unit: 'cores', actual: 0.3, expected: 0.31, deviation: -0.3, share: 0 },
    {
      ...TIME_OF_DAY,
      feature: 'memory',
      unit: 'bytes',
      actual: 1.9 * GIB,
      expected: 0.6 * GIB,
      deviation: 21.7,
      share: 0.88,
    },
    {
      feature: 'restarts',
      unit: 'restarts',
      actual: 2,
      expected: 0,
      comparison: 'rise_in_an_hour',
      boundary: 1,
      deviation: 5.3,
      share: 0.12,
    },
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
    expect(textOf(waiting)).to.contain('starts in 0:12').and.to.contain('Flagged now: 0 pods');
    const running = look(waiting, 30, []);
    expect(textOf(running)).to.contain('running for 0:10');
    const flagged = look(running, 51, [leak]);
    expect(textOf(flagged)).to.contain('running for 0:31, DETECTED after 0:31');
    expect(textOf(flagged)).to.contain('payments/checkout-1  score 0.21 (memory leak)');
    const over = look(flagged, 130, []);
    expect(textOf(over)).to.contain('ended, DETECTED after 0:31');
    expect(summary(over)).to.contain('1 of 1 incident detected, 0 of 41 pods flagged now.');
  });

  it('counts no flag from before the incident or after it', () => {
    expect(look(begin, 10, [leak]).incidents[0]?.flaggedSeconds).to.equal(undefined);
    expect(look(begin, 110, [leak]).incidents[0]?.flaggedSeconds).to.equal(undefined);
    expect(textOf(look(begin, 10, [leak]))).to.contain('(no scripted incident)');
  });

  it('says so for good when the database was flagged', () => {
    expect(textOf(look(begin, 10, []))).to.match(/postgres-0.* was never flagged/);
    const wrong = look(look(begin, 10, [flag('data', 'postgres-0')]), 20, []);
    expect(textOf(wrong)).to.match(/postgres-0.* was FLAGGED 0:10 ago/);
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
    expect(told).to.deep.equal([
      ['No model yet.'],
      [],
      ['Trained.'],
      ['STARTED  memory leak on payments/checkout-1'],
      [
        'DETECTED memory leak on payments/checkout-1, 0:10 after its start',
        'flagged  payments/checkout-1',
        '         memory 1.9 GiB, usually 614 MiB at this time of day (3.17 × as much, +21.7 spreads, 88 % of the score)',
        '         restarts 2 within an hour, usually at most 1 (+5.3 spreads, 12 % of the score)',
      ],
      [],
      ['ENDED    memory leak on payments/checkout-1', 'cleared  payments/checkout-1'],
    ]);
  });

  it('names reasons in lines that a terminal has room for', () => {
    const far = { ...TIME_OF_DAY, deviation: -12_345, share: 1 };
    const long = {
      ...leak,
      features: [
        {
          feature: 'memory',
          unit: 'bytes',
          actual: 1000.4 * GIB,
          expected: 1000.4 * (GIB - 2 ** 20),
          ...far,
        },
        { feature: 'restarts', unit: 'restarts', actual: 123_456, expected: 123_456, ...far },
        { feature: 'cpu', unit: 'cores', actual: 0.00012345, expected: 123.45, ...far },
      ],
    };
    for (const { text } of screen(links, look(begin, 30, [long]))) {
      expect(text.length, text).to.be.below(120);
    }
  });
});
