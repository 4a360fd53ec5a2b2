import { expect } from 'chai';
import type { Case } from '../../../src/tools/lab/case.js';
import type { Fault } from '../../../src/tools/lab/labels.js';
import { ABSENT, classify, IGNORED, NORMAL, POSITIVE } from '../../../src/tools/lab/point-classes.js';
import { faultOn, recordingOf, START } from './recording.js';

const LETTERS = { [ABSENT]: '-', [NORMAL]: 'n', [POSITIVE]: 'p', [IGNORED]: 'i' };

/** The classes of each pod from minute 55 on, a letter a minute. */
function lettersOf(recording: Case, faults: readonly Fault[]): readonly string[] {
  return classify(recording, faults).map((classes, index) =>
    Array.from(classes, (of) => LETTERS[of as keyof typeof LETTERS])
      .join('')
      .slice(55 - (recording.pods[index]?.firstMinute ?? 0)),
  );
}

const two = recordingOf(90, [
  { pod: 'a', at: () => [1, 1] },
  { pod: 'b', at: (minute) => (minute === 65 ? undefined : [1, 1]) },
]);

describe('the class of a pod-minute', () => {
  it('is absent in the first hour and without data, else normal', () => {
    expect(lettersOf(two, [])).to.deep.equal([`-----${'n'.repeat(30)}`, `-----${'n'.repeat(5)}-${'n'.repeat(24)}`]);
  });

  it('is positive on the pod of a visible fault, and ignored around it on every pod', () => {
    // The fault is in the minutes 70 to 72; 69 is within a minute before, 73 to 78 within six minutes after.
    expect(lettersOf(two, [faultOn('a', 70, 73)])).to.deep.equal([
      `-----${'n'.repeat(9)}ipppiiiiii${'n'.repeat(11)}`,
      `-----nnnnn-nnn${'i'.repeat(10)}${'n'.repeat(11)}`,
    ]);
  });

  it('is only ignored where the fault is not visible, or on no pod of the case', () => {
    const ignored = `-----${'n'.repeat(9)}${'i'.repeat(10)}${'n'.repeat(11)}`;
    for (const fault of [
      faultOn('a', 70, 73, { visible: false }),
      faultOn('x', 70, 73),
      faultOn('a', 70, 73, { namespace: 'other' }),
      faultOn('a', 70, 73, { pod: undefined }),
    ]) {
      expect(lettersOf(two, [fault])[0]).to.equal(ignored);
    }
  });

  it('takes the pod by its name alone where the label names no namespace', () => {
    const [a] = lettersOf(two, [faultOn('a', 70, 73, { namespace: undefined })]);
    expect(a).to.contain('ppp');
  });

  it('needs at least half of the minute in the fault', () => {
    const shifted = (seconds: number) =>
      lettersOf(two, [
        faultOn('a', 0, 0, { startSeconds: START + 4200 + seconds, endSeconds: START + 4380 + seconds }),
      ])[0]?.replaceAll(/[^p]/g, '.');
    expect(shifted(30)?.indexOf('p')).to.equal(15);
    expect(shifted(31)?.indexOf('p')).to.equal(16);
    expect(shifted(31)?.lastIndexOf('p')).to.equal(18);
  });

  it('stays absent in the first hour even within a fault', () => {
    expect(lettersOf(two, [faultOn('a', 56, 62)])[0]?.slice(0, 9)).to.equal('-----ppii');
  });
});
