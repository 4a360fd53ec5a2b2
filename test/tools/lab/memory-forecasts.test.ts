import { expect } from 'chai';
import { METHODS, type Method, measureForecasts, predictLinear } from '../../../src/tools/lab/memory-forecasts.js';

const never: Method = { name: 'never', forMinutes: 0, look: () => undefined };
const always: Method = { name: 'always', forMinutes: 0, look: () => 60 };
/** Far enough from the limit to be early, and near enough to know. */
const nearly: Method = {
  name: 'nearly full',
  forMinutes: 0,
  look: ({ memory, minute, limitBytes }) => ((memory[minute] as number) > 0.8 * limitBytes ? 480 : undefined),
};

describe('the measurement of forecasts', () => {
  it('predicts as PromQL does', () => {
    const line = Float64Array.from({ length: 100 }, (_, minute) => 5 + 2 * minute);
    expect(predictLinear(line, 80, 10)).to.be.closeTo(5 + 2 * 90, 1e-6);
    line[75] = Number.NaN;
    expect(predictLinear(line, 80, 10)).to.be.closeTo(5 + 2 * 90, 1e-6);
    expect(predictLinear(line.fill(Number.NaN), 80, 10)).to.be.NaN;
  });

  it('counts leaks that end at the limit, and the time from the first alert in them', function () {
    this.timeout(120_000);
    const [ofNever, ofAlways, ofNearly, ofForecast] = measureForecasts(1, 60, [
      never,
      always,
      nearly,
      METHODS[1] as Method,
    ]);
    const leaks = ofNever?.leaks ?? [];
    expect(leaks.length).to.be.at.least(2);
    for (const { leakMinutes, warningMinutes } of leaks) {
      expect(leakMinutes).to.be.above(0);
      expect(warningMinutes).to.equal(undefined);
    }
    expect(ofNever?.alerts).to.deep.equal([]);
    expect(ofNever?.podDays).to.be.above(60 * 5);
    // What says it all the time says nothing when a leak begins, and is wrong nearly always.
    expect(ofAlways?.leaks.filter(({ warningMinutes }) => warningMinutes !== undefined)).to.deep.equal([]);
    const right = ofAlways?.alerts.filter(({ cameTrue }) => cameTrue) ?? [];
    expect(right.length).to.be.below(0.1 * (ofAlways?.alerts.length ?? 0));
    for (const { leakMinutes, warningMinutes = Number.NaN } of ofNearly?.leaks ?? []) {
      expect(warningMinutes).to.be.within(0, leakMinutes / 2);
    }
    const warned = ofForecast?.leaks.filter(({ warningMinutes = 0 }) => warningMinutes > 0) ?? [];
    expect(warned.length).to.be.at.least(leaks.length / 2);
    const wrong = ofForecast?.alerts.filter(({ cameTrue }) => !cameTrue) ?? [];
    expect(wrong.length).to.be.at.most((ofForecast?.alerts.length ?? 0) / 3);
  });
});
