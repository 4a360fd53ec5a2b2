import { expect } from 'chai';
import type { Fault } from '../../../src/tools/lab/labels.js';
import { newReplicasOf } from '../../../src/tools/lab/new-replicas.js';
import { faultOn, recordingOf } from './recording.js';

const recording = recordingOf(200, [
  { pod: 'new', at: (minute) => (minute < 80 ? undefined : [1, 1]) },
  { pod: 'old', at: (minute) => (minute < 59 && minute > 0 ? undefined : [1, 1]) },
]);

/** What is found when the pod `new` is flagged for three minutes from this one of the case. */
function find(flaggedFrom: number | undefined, faults: readonly Fault[] = []) {
  const scores = recording.pods.map(({ minutes }) => new Float64Array(minutes).fill(-0.1));
  if (flaggedFrom !== undefined) scores[0]?.fill(0.1, flaggedFrom - 80, flaggedFrom - 77);
  return newReplicasOf(recording, scores, faults);
}

describe('healthy new replicas', () => {
  it('are pods that appear after the first hour', () => {
    expect(find(undefined)).to.deep.equal({ healthy: 1, alerted: [] });
  });

  it('are alerted on when an alert fires in their first hour', () => {
    expect(find(80).alerted).to.deep.equal([0]);
    expect(find(137).alerted).to.deep.equal([0]);
    expect(find(138).alerted).to.deep.equal([]);
  });

  it('have no fault of their own near their first hour; one elsewhere is no excuse', () => {
    expect(find(90, [faultOn('new', 90, 93)])).to.deep.equal({ healthy: 0, alerted: [] });
    expect(find(90, [faultOn('old', 90, 93)])).to.deep.equal({ healthy: 1, alerted: [0] });
    expect(find(90, [faultOn('new', 180, 183)])).to.deep.equal({ healthy: 1, alerted: [0] });
  });
});
