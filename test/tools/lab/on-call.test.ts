import { expect } from 'chai';
import type { Fault } from '../../../src/tools/lab/labels.js';
import { measureOnCall, tallyOnCall } from '../../../src/tools/lab/on-call.js';
import type { ChunkResult } from '../../../src/tools/replay/chunk-result.js';
import { faultOn, recordingOf } from './recording.js';

const MINUTES = 60 + 300;
const PODS = ['cart-0', 'cart-1', 'till-0', 'till-1', 'queue-0', 'queue-1'];
const recording = recordingOf(
  MINUTES,
  PODS.map((pod) => ({ pod, at: () => [1, 1] })),
);

/** What a replay found: pods that are flagged for these minutes of the case. A flag is known at the end of its minute. */
function chunk(flagged: Readonly<Record<string, readonly (readonly [from: number, to: number])[]>>): ChunkResult {
  return {
    startSeconds: recording.startSeconds + 61 * 60,
    minutes: MINUTES - 60,
    features: [{ name: 'cpu', unit: 'cores', isCounter: false }],
    pods: [...PODS].sort().map((pod) => ({
      namespace: 'ns',
      pod,
      workload: pod.split('-')[0] ?? '',
      scored: [0, MINUTES - 60],
      flagged: [(flagged[pod] ?? []).flatMap(([from, to]) => [from - 60, to - 60])],
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

function tally(flagged: Parameters<typeof chunk>[0], faults: readonly Fault[]) {
  const outcomes = faults.map((fault) => ({ fault, leftOut: undefined, delayMinutes: undefined }));
  return tallyOnCall(recording, [chunk(flagged)], outcomes, KINDS, 0);
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
    // Known a minute after it began, flagged in the fifth minute, and the wait of the group.
    expect(fault?.delayMinutes).to.equal(1 + 4.5 + 0.75);
    expect(fault).to.deep.include({ ended: 'recovered', heldShare: 1, pods: ['cart-0'], kind: 'web' });
  });

  it('says how much of the fault an alert was on for, and that it became usual', () => {
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
    // On from 105.5 to 141 and from 205.5 to 231, of the 134.5 minutes from the first alert to the end of the fault.
    expect(faults[0]?.heldShare).to.be.closeTo((35.5 + 25.5) / 134.5, 1e-9);
    expect(faults[0]?.ended).to.equal('became_usual');
  });

  it('counts an alert of the workload for the fault of a pod, and not that of another pod', () => {
    const both = tally({ 'cart-0': [[100, 140]], 'cart-1': [[100, 140]] }, [faultOn('cart-0', 100, 140)]);
    expect(both.messages.map(({ alerts }) => alerts.map(({ alert }) => alert))).to.deep.equal([['WorkloadAnomalous']]);
    expect(both.faults[0]?.delayMinutes).to.equal(6.25);
    const other = tally({ 'cart-1': [[100, 140]] }, [faultOn('cart-0', 100, 140)]);
    expect(other.faults[0]?.delayMinutes).to.equal(undefined);
    expect(other.messages[0]?.isOfFault).to.equal(true);
  });

  it('takes the labels of one fault together', () => {
    const faults = ['cart-0', 'cart-1', 'till-0'].map((pod) => faultOn(pod, 100, 140, { id: 'release' }));
    const found = tally({ 'till-0': [[110, 140]] }, faults).faults;
    expect(found).to.have.lengthOf(1);
    expect(found[0]).to.deep.include({ pods: ['cart-0', 'cart-1', 'till-0'], delayMinutes: 16.25 });
  });

  it('does not count an alert that was only kept firing when the fault began', () => {
    const late = faultOn('cart-0', 125, 135);
    expect(tally({ 'cart-0': [[100, 120]] }, [late]).faults[0]?.delayMinutes).to.equal(undefined);
    expect(tally({ 'cart-0': [[100, 128]] }, [late]).faults[0]?.delayMinutes).to.equal(0);
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
