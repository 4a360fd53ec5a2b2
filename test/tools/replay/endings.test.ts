import { expect } from 'chai';
import type { Alert } from '../../../src/tools/replay/alerts.js';
import type { Reading } from '../../../src/tools/replay/chunk-result.js';
import { countEndings, endingOf } from '../../../src/tools/replay/endings.js';
import type { PodHistory } from '../../../src/tools/replay/pod-history.js';

const FEATURES = [
  { name: 'cpu', unit: 'cores', isCounter: false },
  { name: 'restarts', unit: 'restarts', isCounter: true },
];

/** Score, then actual, expected, deviation and comparison of CPU and of restarts. */
const cpu = (actual: number): Reading => [0.1, actual, 1, 10 * (actual - 1), 0, 3, 3, 0, 0];
const restarts = (count: number): Reading => [0.1, 1, 1, 0, 0, count, 3, 10, 0];

/** A pod that is flagged from minute 30 to 50, with these readings by minute. */
function pod(readings: readonly (readonly [number, Reading])[], scored: readonly number[] = [0, 180]): PodHistory {
  return {
    namespace: 'shop',
    pod: 'cart-0',
    workload: 'cart',
    scored,
    muted: [],
    flagged: [[30, 50]],
    lasting: [[30, 50]],
    readings: new Map(readings),
  };
}

const ALERT: Alert = {
  name: 'PodAnomalous',
  namespace: 'shop',
  workload: 'cart',
  pod: 'cart-0',
  startSeconds: 35 * 60,
  heldUntilSeconds: 50 * 60,
  endSeconds: 60 * 60,
  open: false,
};
const ending = (own: PodHistory, alert = ALERT) => endingOf(alert, [own], 0, FEATURES);

describe('the end of an alert', () => {
  it('is a recovery where the feature that was furthest off is back, mostly', () => {
    expect(
      ending(
        pod([
          [35, cpu(3)],
          [50, cpu(1.1)],
        ]),
      ),
    ).to.equal('recovered');
    expect(
      ending(
        pod([
          [35, cpu(3)],
          [50, cpu(1.9)],
        ]),
      ),
    ).to.equal('recovered');
    expect(
      ending(
        pod([
          [35, cpu(0.1)],
          [50, cpu(1)],
        ]),
      ),
    ).to.equal('recovered');
  });

  it('is no recovery where the pod is as far off as before: that was accepted', () => {
    expect(
      ending(
        pod([
          [35, cpu(3)],
          [50, cpu(2.9)],
        ]),
      ),
    ).to.equal('accepted');
    expect(
      ending(
        pod([
          [35, cpu(3)],
          [50, cpu(7)],
        ]),
      ),
    ).to.equal('accepted');
    expect(
      ending(
        pod([
          [35, cpu(0.1)],
          [50, cpu(0.2)],
        ]),
      ),
    ).to.equal('accepted');
  });

  it('is a recovery where a counter no longer rises, however high it stands', () => {
    expect(
      ending(
        pod([
          [35, restarts(9)],
          [50, restarts(9)],
        ]),
      ),
    ).to.equal('recovered');
  });

  it('is that the pod is gone where it has no score for more than ten minutes', () => {
    expect(ending(pod([[35, cpu(3)]], [0, 50]))).to.equal('gone');
    expect(
      ending(
        pod(
          [
            [35, cpu(3)],
            [70, cpu(1)],
          ],
          [0, 50, 70, 180],
        ),
      ),
    ).to.equal('gone');
    expect(
      ending(
        pod(
          [
            [35, cpu(3)],
            [55, cpu(1)],
          ],
          [0, 50, 55, 180],
        ),
      ),
    ).to.equal('recovered');
  });

  it('has not come where the alert still fires', () => {
    expect(ending(pod([[35, cpu(3)]]), { ...ALERT, open: true })).to.equal('still_on');
  });

  it('is judged by the most anomalous pod of a workload', () => {
    const alert: Alert = { ...ALERT, name: 'WorkloadAnomalous', pod: '' };
    const worse = {
      ...pod([
        [35, [0.2, ...cpu(3).slice(1)]],
        [50, cpu(3)],
      ]),
      pod: 'cart-1',
    };
    expect(
      endingOf(
        alert,
        [
          pod([
            [35, cpu(3)],
            [50, cpu(1)],
          ]),
          worse,
        ],
        0,
        FEATURES,
      ),
    ).to.equal('accepted');
  });

  it('is counted by kind', () => {
    expect(countEndings(['gone', 'recovered', 'gone'])).to.deep.equal({
      recovered: 1,
      accepted: 0,
      gone: 2,
      still_on: 0,
    });
  });
});
