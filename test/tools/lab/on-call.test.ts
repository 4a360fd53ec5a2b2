import { expect } from 'chai';
import type { Fault } from '../../../src/tools/lab/labels.js';
import type { LevelChange } from '../../../src/tools/lab/level-changes.js';
import { measureOnCall, tallyOnCall } from '../../../src/tools/lab/on-call.js';
import type { ChunkResult } from '../../../src/tools/replay/chunk-result.js';
import { faultOn, recordingOf } from './recording.js';

const MINUTES = 60 + 300;
const PODS = ['cart-0', 'cart-1', 'till-0', 'till-1', 'queue-0', 'queue-1'];
const recording = recordingOf(
  MINUTES,
  PODS.map((pod) => ({ pod, at: () => [1, 1] })),
);

/**
 * What a replay found: pods whose anomalies last for these minutes of the case. They are known at the end of their minute.
 */
function chunk(lasting: Readonly<Record<string, readonly (readonly [from: number, to: number])[]>>): ChunkResult {
  return {
    startSeconds: recording.startSeconds + 61 * 60,
    minutes: MINUTES - 60,
    features: [{ name: 'cpu', unit: 'cores', isCounter: false }],
    pods: [...PODS].sort().map((pod) => ({
      namespace: 'ns',
      pod,
      workload: pod.split('-')[0] ?? '',
      scored: [0, MINUTES - 60],
      muted: [],
      flagged: [(lasting[pod] ?? []).flatMap(([from, to]) => [from - 60, to - 60])],
      lasting: [(lasting[pod] ?? []).flatMap(([from, to]) => [from - 60, to - 60])],
      readMinutes: [],
      readings: [],
    })),
    unscored: {},
    minutesWithoutModel: 0,
    rememberedHours: 0,
    expectedMessagesPerDay: null,
    trainings: 1,
    failedTrainings: 0,
    lastFailure: null,
    warnings: [],
  };
}

const KINDS = new Map([
  ['ns/cart', 'web'],
  ['ns/queue', 'queue'],
]);

function tally(lasting: Parameters<typeof chunk>[0], faults: readonly Fault[], changes: readonly LevelChange[] = []) {
  const outcomes = faults.map((fault) => ({ fault, leftOut: undefined, delayMinutes: undefined }));
  return tallyOnCall(recording, [chunk(lasting)], outcomes, changes, KINDS, 0);
}

describe('what on-call gets', () => {
  it('is a false message where there is no fault of the workload, per 1,000 pods and day', () => {
    const measures = measureOnCall([tally({ 'queue-0': [[100, 130]] }, [faultOn('cart-0', 100, 130)])]);
    expect(measures).to.deep.include({ falseMessages: 1, faultMessages: 0 });
    expect(measures.falsePer1000PodsAndDay).to.be.closeTo(1000 / ((6 * 300) / 1440), 1e-9);
    expect(measures.falsePerDay).to.be.closeTo(1 / (300 / 1440), 1e-9);
    expect(measures.byKind).to.deep.equal([
      { of: 'queue', messages: 1, per1000PodsAndDay: 1000 / ((2 * 300) / 1440) },
      { of: 'web', messages: 0, per1000PodsAndDay: 0 },
    ]);
    expect(measures.byWorkload.map(({ of, messages }) => [of, messages])).to.deep.equal([['ns/queue', 1]]);
    expect(measures.faults).to.deep.include({ faults: 1, caught: 0 });
  });

  it('is a caught fault, from its start to the message', () => {
    const [fault] = tally({ 'cart-0': [[100, 140]] }, [faultOn('cart-0', 100, 140)]).faults;
    // Known a minute after it began, confirmed by three readings, and the wait of the group.
    expect(fault?.delayMinutes).to.equal(1 + 1 + 0.75);
    expect(fault).to.deep.include({ ended: 'recovered', heldShare: 1, pods: ['cart-0'], kind: 'web' });
  });

  it('says how much of the fault an alert was on for, and that it was accepted', () => {
    const { messages, faults } = tally(
      {
        'cart-0': [
          [100, 130],
          [200, 220],
        ],
      },
      [faultOn('cart-0', 100, 240)],
    );
    expect(messages.map(({ isOfFault }) => isOfFault)).to.deep.equal([true, true]);
    // On from 102 to 140.5 and from 202 to 230.5, of the 138 minutes from the first alert to the end of the fault.
    expect(faults[0]?.heldShare).to.be.closeTo((38.5 + 28.5) / 138, 1e-9);
    expect(faults[0]?.ended).to.equal('accepted');
  });

  it('counts an alert of the workload for the fault of a pod, and not that of another pod', () => {
    const both = tally({ 'cart-0': [[100, 140]], 'cart-1': [[100, 140]] }, [faultOn('cart-0', 100, 140)]);
    expect(both.messages.map(({ alerts }) => alerts.map(({ alert }) => alert))).to.deep.equal([['WorkloadAnomalous']]);
    expect(both.faults[0]?.delayMinutes).to.equal(2.25);
    const other = tally({ 'cart-1': [[100, 140]] }, [faultOn('cart-0', 100, 140)]);
    expect(other.faults[0]?.delayMinutes).to.equal(undefined);
    expect(other.messages[0]?.isOfFault).to.equal(true);
  });

  it('takes the labels of one fault together', () => {
    const faults = ['till-0', 'till-1'].map((pod) => faultOn(pod, 100, 140, { id: 'release' }));
    const found = tally({ 'till-0': [[110, 140]] }, faults).faults;
    expect(found).to.have.lengthOf(1);
    expect(found[0]).to.deep.include({ pods: ['till-0', 'till-1'], delayMinutes: 12.75 });
  });

  it('does not count an alert that was only held when the fault began', () => {
    const late = faultOn('cart-0', 125, 135);
    expect(tally({ 'cart-0': [[100, 120]] }, [late]).faults[0]?.delayMinutes).to.equal(undefined);
    expect(tally({ 'cart-0': [[100, 128]] }, [late]).faults[0]?.delayMinutes).to.equal(0);
  });

  it('counts the messages of each fault, and those about the recovery', () => {
    const faults = [faultOn('cart-0', 100, 240), faultOn('till-0', 100, 140)];
    const flagged = {
      'cart-0': [
        [100, 130],
        [200, 220],
      ],
      // Back at 140, and flagged again for that.
      'till-0': [
        [100, 140],
        [165, 190],
      ],
    } as const;
    const found = tally(flagged, faults);
    expect(found.faults.map(({ messages, recoveryMessages }) => [messages, recoveryMessages])).to.deep.equal([
      [2, 0],
      [1, 1],
    ]);
    expect(measureOnCall([found]).faults).to.deep.include({
      meanMessages: 1.5,
      withOneMessage: 1,
      recoveryMessages: 1,
    });
    // Another fault begins.
    const next = tally(flagged, [faultOn('till-0', 100, 140, { id: 'a' }), faultOn('till-0', 160, 190, { id: 'b' })]);
    expect(next.faults.map(({ messages, recoveryMessages }) => [messages, recoveryMessages])).to.deep.equal([
      [1, 0],
      [1, 0],
    ]);
    // Two hours later, it is about something else.
    const late = tally({ 'till-0': [[265, 290]] }, [faultOn('till-0', 100, 140)]);
    expect(late.faults[0]).to.deep.include({ messages: 0, recoveryMessages: 0 });
  });

  it('does not count the alert of the whole fleet for a fault of one workload', () => {
    const all = Object.fromEntries(PODS.map((pod) => [pod, [[100, 140]] as const]));
    const one = tally(all, [faultOn('cart-0', 100, 140)]);
    expect(one.messages.map(({ namespace }) => namespace)).to.deep.equal(['']);
    expect(one.faults[0]).to.deep.include({ messages: 0 });
    const outage = tally(
      all,
      PODS.map((pod) => faultOn(pod, 100, 140, { id: 'outage' })),
    );
    expect(outage.faults[0]).to.deep.include({ messages: 1, heldShare: 1, ended: 'recovered' });
    // That of a workload says little of a fault of many, and what began before says nothing.
    const unseen = tally(
      { 'cart-0': [[105, 140]], 'till-0': [[80, 140]] },
      PODS.map((pod) => faultOn(pod, 100, 140, { id: 'outage' })),
    );
    expect(unseen.faults[0]).to.deep.include({ messages: 1, delayMinutes: undefined });
  });

  it('says whether the values tell how the last alert of a fault ended', () => {
    const usual = { 'cart-0': [[100, 130]] } as const;
    const [recovered, unseen] = [faultOn('cart-0', 100, 130), faultOn('cart-0', 100, 240)].map(
      (fault) => tally(usual, [fault]).faults[0],
    );
    expect(recovered).to.deep.include({ ended: 'recovered', isEndedRight: true });
    expect(unseen).to.deep.include({ ended: 'accepted', isEndedRight: false });
  });

  it('says of a level that changed for good how often it was reported, and until when', () => {
    const change = (workload: string, minute: number, changes: Partial<LevelChange> = {}): LevelChange => ({
      case: 'case',
      namespace: 'ns',
      workload,
      change: 'shift',
      startSeconds: recording.startSeconds + 60 * minute,
      cpuFactor: 2,
      memoryFactor: 1,
      ...changes,
    });
    const changes = [change('queue', 30), change('queue', 100), change('cart', 100, { change: 'release' })];
    const flagged = {
      'queue-0': [
        [110, 130],
        [200, 220],
      ],
    } as const;
    const found = tally(flagged, [], changes);
    // What comes while a case is only learned from is not judged.
    expect(found.changes.map(({ workload, messages }) => [workload, messages])).to.deep.equal([
      ['queue', 2],
      ['cart', 0],
    ]);
    expect(found.changes[0]?.hoursUntilQuiet).to.be.closeTo((221 - 100) / 60, 0.05);
    expect(measureOnCall([found]).byChange.map((row) => [row.change, row.changes, row.reportedAgain])).to.deep.equal([
      ['shift', 1, 1],
      ['release', 1, 0],
    ]);
    expect(found.messages.map(({ isOfChange }) => isOfChange)).to.deep.equal([true, true]);
    expect(measureOnCall([found])).to.deep.include({ falseMessages: 2, falseAboutChanges: 2 });
    // From the next change on, an alert is about that one.
    const again = tally(flagged, [], [change('queue', 100), change('queue', 150)]);
    expect(again.changes.map(({ messages }) => messages)).to.deep.equal([1, 1]);
    // An alert about a fault is about that.
    const faulty = tally(flagged, [faultOn('queue-0', 105, 230)], [change('queue', 100)]);
    expect(faulty.changes[0]).to.deep.include({ messages: 0, hoursUntilQuiet: undefined });
    const open = tally({ 'queue-0': [[200, 360]] }, [], [change('queue', 100)]);
    expect(open.changes[0]).to.deep.include({ messages: 1, hoursUntilQuiet: undefined, isStillOn: true });
  });

  it('adds up over cases', () => {
    const one = tally({ 'queue-0': [[100, 130]] }, [faultOn('cart-0', 100, 130)]);
    const measures = measureOnCall([one, one]);
    expect(measures.falseMessages).to.equal(2);
    expect(measures.podDays).to.equal((2 * 6 * 300) / 1440);
    expect(measures.faults.faults).to.equal(2);
    expect(measures.byKind[0]).to.deep.include({ of: 'queue', messages: 2 });
    expect(Number.isNaN(measureOnCall([]).falsePer1000PodsAndDay)).to.equal(true);
  });
});
