import { expect } from 'chai';
import { advance, beginProgress, type FlaggedPod, type Progress } from '../../../src/tools/demo/progress.js';
import { screen } from '../../../src/tools/demo/screen.js';
import { announcement, events, summary } from '../../../src/tools/demo/words.js';
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
const look = (
  progress: Progress,
  timeSeconds: number,
  flagged: readonly FlaggedPod[] | undefined,
  history: Progress['history'] = undefined,
  ended: Progress['ended'] = [],
) => {
  const status = flagged ? 'Trained.' : 'No model yet.';
  return advance(progress, { timeSeconds, flagged, ended, status, pods: 41, history });
};

const begin = beginProgress([incident], 0, 41);
const LARGE = { columns: 200, rows: 100 };
const links = { exporter: 'http://127.0.0.1:8000', prometheus: 'http://127.0.0.1:9090' };
const textOf = (progress: Progress) =>
  screen(links, progress, LARGE)
    .map(({ text }) => text)
    .join('\n');

describe('the progress of the demo', () => {
  it('says how anomalies ended, each once', () => {
    const end = (pod: string, reason: 'recovered' | 'accepted', seconds: number) => ({
      ...{ namespace: 'shop', pod, workload: 'cart', reason },
      ...{ since: new Date(0).toISOString(), end: new Date(1000 * seconds).toISOString() },
    });
    const before = look(begin, 90, [], undefined, [end('cart-1', 'recovered', 80)]);
    const after = look(before, 95, [], undefined, [end('cart-2', 'accepted', 93), ...before.ended]);
    expect(events(begin, before).at(-1)).to.equal('ended    shop/cart-1: recovered');
    expect(events(before, after)).to.deep.equal([
      'ended    shop/cart-2: accepted; it is where it was, and that is usual now',
    ]);
    expect(textOf(after)).to.match(
      /Ended\n {2}shop\/cart-2 +ACCEPTED as usual, 1:33 into the demo\n {2}shop\/cart-1 +RECOVERED, 1:20 into the demo/,
    );
    expect(textOf(begin)).to.not.contain('Ended');
  });

  it('goes from waiting to running, flagged and over', () => {
    const waiting = look(begin, 8, []);
    expect(textOf(waiting)).to.contain('starts in 0:12').and.to.contain('Flagged now: 0 pods');
    const running = look(waiting, 30, []);
    expect(textOf(running)).to.contain('running for 0:10');
    const flagged = look(running, 51, [leak]);
    expect(textOf(flagged)).to.contain('DETECTED after 0:31, running for 0:31');
    expect(textOf(flagged)).to.contain('payments/checkout-1  score 0.21 (memory leak)');
    const ended = look(flagged, 110, [leak]);
    expect(textOf(ended)).to.match(/DETECTED after 0:31, ended$/m);
    expect(ended.incidents[0]?.resolvedSeconds).to.equal(undefined);
    const over = look(look(ended, 120, undefined), 130, []);
    expect(textOf(over)).to.contain('RESOLVED after 0:30, detected 0:31 after its start');
    expect(summary(over)).to.contain('1 of 1 incident detected, 0 of 41 pods flagged now.');
  });

  it('counts no flag from before the incident or after it', () => {
    expect(look(begin, 10, [leak]).incidents[0]?.flaggedSeconds).to.equal(undefined);
    expect(look(begin, 110, [leak]).incidents[0]?.flaggedSeconds).to.equal(undefined);
    expect(textOf(look(begin, 10, [leak]))).to.contain('(no scripted incident)');
  });

  for (const healthy of ['postgres-0', 'backup-0']) {
    it(`says so for good when ${healthy} was flagged`, () => {
      expect(textOf(look(begin, 10, []))).to.match(new RegExp(`${healthy}.* was never flagged`));
      const wrong = look(look(begin, 10, [flag('data', healthy)]), 20, []);
      expect(textOf(wrong)).to.match(new RegExp(`${healthy}.* was FLAGGED 0:10 ago`));
      expect(textOf(wrong).match(/FLAGGED/g)).to.have.lengthOf(1);
    });
  }

  it('announces what is wrong already, and counts its detection from the start of the demo', () => {
    const earlier = beginProgress([{ ...incident, startSeconds: -7200 }, incident], 0, 41);
    expect(announcement(earlier)).to.deep.equal([
      'Under way: memory leak on payments/checkout-1, for 2 h.',
      '1 incident will start soon; watch the exporter detect them. Press Ctrl-C to stop.',
    ]);
    expect(textOf(look(earlier, 12, [leak]))).to.contain('DETECTED at 0:12, running for 2 h');
  });

  it('says how much of the days before is known, and when all of it was', () => {
    const day = look(begin, 4, [], { knownDays: 1.04, isComplete: false });
    expect(textOf(day)).to.contain('History: 1 day so far.');
    expect(events(begin, day)).to.include('History: 1 day so far.');
    const week = look(look(day, 5, undefined), 9, [], { knownDays: 7, isComplete: true });
    const all = 'History: 7 days, read within 9 s of the start.';
    expect(textOf(week)).to.contain(all);
    const told = events(day, week);
    expect(told).to.have.lengthOf(3);
    expect(told[0]).to.equal(all);
    expect(told[2]).to.equal('The daily job, data/backup-0 (since 23:35 UTC, as every day), was never flagged.');
    expect(textOf(look(week, 99, [], { knownDays: 7, isComplete: true }))).to.contain(all);
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
    then(40, []);
    then(50, [leak]);
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
      ['cleared  payments/checkout-1 (the memory leak goes on)'],
      [
        'flagged  payments/checkout-1',
        '         memory 1.9 GiB, usually 614 MiB at this time of day (3.17 × as much, +21.7 spreads, 88 % of the score)',
        '         restarts 2 within an hour, usually at most 1 (+5.3 spreads, 12 % of the score)',
      ],
      [
        'ENDED    memory leak on payments/checkout-1, after 1:20',
        'RESOLVED memory leak on payments/checkout-1, 0:01 after its end',
        'cleared  payments/checkout-1',
      ],
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
    for (const { text } of screen(links, look(begin, 30, [long]), LARGE)) {
      expect(text.length, text).to.be.below(120);
    }
  });

  describe('on a terminal of 80 columns and 24 rows', () => {
    // As `process.stdout` has it; one row is that of the cursor.
    const small = { columns: 79, rows: 23 };
    const names = ['ledger-1', 'catalog-589ddf48f7-s7msb', 'cart-647f9478f7-jt654', 'config-sync-5dff5b79fc-hcd2v'];
    const incidents = names.map((pod) => ({ ...incident, namespace: 'platform', pod }));
    const flags = names.map((pod) => flag('platform', pod));
    const wrong = look(look(beginProgress(incidents, 0, 45), 51, [...flags, flag('data', 'postgres-0')]), 60, flags);

    it('shows each incident with when it was detected, each flagged pod, and what is wrongly flagged', () => {
      const lines = screen(links, wrong, small).map(({ text }) => text);
      expect(lines.length).to.be.at.most(small.rows);
      for (const line of lines) expect(line.length, line).to.be.at.most(small.columns);
      const text = lines.join('\n').replace(/\s+/g, ' ');
      for (const name of names) {
        expect(text).to.include(`platform/${name} DETECTED after 0:31`);
        expect(text).to.include(`platform/${name} score 0.21`);
      }
      expect(text).to.include('was FLAGGED 0:09 ago, although it is healthy');
    });

    it('counts the pods for which there is no room', () => {
      const many = Array.from({ length: 30 }, (_, index) => flag('shop', `web-${index}`));
      const lines = screen(links, look(wrong, 61, many), small).map(({ text }) => text);
      expect(lines.length).to.be.at.most(small.rows);
      const shown = lines.filter((line) => line.includes('score')).length;
      expect(lines).to.include(`  and ${30 - shown} others`);
    });

    it('stays within any size', () => {
      for (const columns of [1, 2, 5, 20, 40, 120]) {
        for (const rows of [1, 3, 10, 50]) {
          const lines = screen(links, wrong, { columns, rows });
          expect(lines.length).to.be.at.most(rows);
          for (const { text } of lines) expect(text.length).to.be.at.most(columns);
        }
      }
    });
  });
});
