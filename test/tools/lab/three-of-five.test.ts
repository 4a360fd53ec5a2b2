import { expect } from 'chai';
import { ABSENT, IGNORED, NORMAL, POSITIVE } from '../../../src/tools/lab/point-classes.js';
import { episodesOf, isAlert } from '../../../src/tools/lab/three-of-five.js';

/** `x` flagged, `.` scored and not flagged, `?` without a score. */
const scoresOf = (flags: string) =>
  Float64Array.from(flags, (flag) => (flag === 'x' ? 0.1 : flag === '.' ? -0.1 : Number.NaN));
const alertsOf = (flags: string) =>
  Array.from(flags, (_, minute) => (isAlert(scoresOf(flags), minute) ? 'A' : '.')).join('');
/** `n` normal, `p` positive, `i` ignored, `-` absent. */
const classesOf = (text: string) =>
  Uint8Array.from(text, (of) => ({ n: NORMAL, p: POSITIVE, i: IGNORED })[of] ?? ABSENT);
const episodes = (flags: string, classes: string) => episodesOf(scoresOf(flags), classesOf(classes));

describe('an alert', () => {
  it('fires while 3 of the last 5 minutes are flagged', () => {
    expect(alertsOf('..xxx....')).to.equal('....AAA..');
    expect(alertsOf('x.x.x.x.x')).to.equal('....A.A.A');
    expect(alertsOf('x..x..x..x')).to.equal('..........');
    expect(alertsOf('xx...xx')).to.equal('.......');
    expect(alertsOf('xxxxxxx')).to.equal('..AAAAA');
  });

  it('takes a minute without a score for one without a flag', () => {
    expect(alertsOf('xx?x.')).to.equal('...AA');
    expect(alertsOf('x???x?x')).to.equal('.......');
  });

  it('lasts beyond the pod, and does not begin before it', () => {
    const scores = scoresOf('xxx');
    expect([-1, 0, 2, 3, 4, 5].map((minute) => isAlert(scores, minute))).to.deep.equal([
      false,
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it('does not fire at a score of exactly 0', () => {
    expect(isAlert(new Float64Array(5), 4)).to.equal(false);
  });
});

describe('the episodes', () => {
  it('are runs of alerts on normal time', () => {
    expect(episodes('xxx.......xxx', 'nnnnnnnnnnnnn')).to.deep.equal([2, 12]);
    expect(episodes('xxx...xxx', 'nnnnnnnnn')).to.deep.equal([2, 8]);
    expect(episodes('.........', 'nnnnnnnnn')).to.deep.equal([]);
  });

  it('do not count in fault windows, and begin anew behind them', () => {
    expect(episodes('xxxxxxxxx', 'ppppppppp')).to.deep.equal([]);
    expect(episodes('xxxxxxxxx', 'iiiiiinnn')).to.deep.equal([6]);
    expect(episodes('xxxxxxxxx', 'nnnniinnn')).to.deep.equal([2, 6]);
  });

  it('are not cut by a minute without data', () => {
    expect(episodes('xxx?xxx', 'nnn-nnn')).to.deep.equal([2]);
    expect(episodes('xx?xx', '-----')).to.deep.equal([]);
  });
});
