import { expect } from 'chai';
import { outcomeOf, outcomeWithoutCase } from '../../../src/tools/lab/fault-outcomes.js';
import type { Fault } from '../../../src/tools/lab/labels.js';
import { faultOn, recordingOf } from './recording.js';

const recording = recordingOf(100, [
  { pod: 'a', at: (minute) => (minute < 5 ? undefined : [1, 1]) },
  { pod: 'b', at: () => [1, 1] },
]);

/** The outcome when pod a is flagged in these minutes of the case. */
function outcome(flagged: readonly number[], fault: Fault) {
  const scores = recording.pods.map(({ minutes }) => new Float64Array(minutes).fill(-0.1));
  const [first] = recording.pods;
  for (const minute of flagged) (scores[0] as Float64Array)[minute - (first?.firstMinute ?? 0)] = 0.1;
  const { leftOut, delayMinutes } = outcomeOf(recording, scores, fault);
  return leftOut ?? delayMinutes;
}

describe('the outcome of a fault', () => {
  const fault = faultOn('a', 70, 73);

  it('is the time from its start to the end of the minute of the first alert', () => {
    expect(outcome([70, 71, 72], fault)).to.equal(3);
    expect(outcome([71, 72, 74, 75], fault)).to.equal(5);
    expect(outcome([70, 71, 72], faultOn('a', 70.5, 73.5))).to.equal(2.5);
  });

  it('counts an alert up to 2 minutes after the end, and no later', () => {
    expect(outcome([72, 73, 74], fault)).to.equal(5);
    expect(outcome([73, 74, 75], fault)).to.equal(undefined);
    expect(outcome([], fault)).to.equal(undefined);
  });

  it('counts an alert that fires already', () => {
    expect(outcome([67, 68, 69], fault)).to.equal(1);
  });

  it('is left out for a reason', () => {
    expect(outcome([70, 71, 72], faultOn('x', 70, 73))).to.equal('no_data');
    expect(outcome([70, 71, 72], faultOn('a', 59.9, 73))).to.equal('learning');
    expect(outcome([70, 71, 72], faultOn('a', 100, 103))).to.equal('no_data');
    expect(outcome([70, 71, 72], faultOn('a', 70, 73, { visible: false }))).to.equal('not_visible');
    expect(outcomeWithoutCase(fault).leftOut).to.equal('no_such_case');
  });
});
