import { expect } from 'chai';
import { courseMinutes, LocalTime, replicasMinutes } from '../../../../src/tools/lab/fleet/course.js';

const DAY = 1440;
/** A Monday. */
const MONDAY = Date.UTC(2026, 0, 12) / 1000;
const clockOf = (zone: string, start = MONDAY, days = 7) => new LocalTime(zone, start, days * DAY);

describe('the local time of a fleet', () => {
  it('is what the clocks of a place show', () => {
    expect(clockOf('America/New_York').hour(0)).to.equal(19);
    expect(clockOf('Asia/Kolkata').hour(90)).to.equal(7);
    expect(clockOf('Asia/Tokyo').hour(61)).to.be.closeTo(10 + 1 / 60, 1e-9);
  });

  it('changes with the clocks', () => {
    // 2026-03-29, 01:00 UTC.
    const clock = clockOf('Europe/Berlin', Date.UTC(2026, 2, 28) / 1000, 2);
    expect(clock.hour(DAY + 59)).to.be.closeTo(1 + 59 / 60, 1e-9);
    expect(clock.hour(DAY + 60)).to.equal(3);
  });

  it('knows weekends and working hours where it is', () => {
    const clock = clockOf('America/Los_Angeles');
    expect(clock.isWeekend(0)).to.equal(true);
    expect([8.9, 9, 17.4, 17.6].map((hour) => clock.isWorkingTime(60 * (8 + hour)))).to.deep.equal([
      ...[false, true, true, false],
    ]);
    // Saturday at noon.
    expect(clock.isWorkingTime(5 * DAY + 60 * 20)).to.equal(false);
  });
});

describe('the course of a load', () => {
  const zone = 'Europe/London';
  const clocks = new Map([[zone, clockOf(zone)]]);
  const common = { zones: [zone], floor: 0.1, rampHours: 1, wander: 0 };
  const at = (load: Float32Array, day: number, hour: number) => load[day * DAY + hour * 60] as number;

  it('of people at work rises in the morning, and little on a weekend', () => {
    const load = courseMinutes({ ...common, shape: 'office', weekend: 0.2 }, 1, clocks, 7 * DAY);
    expect(at(load, 0, 4)).to.be.closeTo(0.1, 0.02);
    expect(at(load, 0, 10)).to.be.closeTo(1, 0.05);
    expect(at(load, 0, 9)).to.be.within(0.6, 0.95);
    expect(at(load, 5, 10)).to.be.closeTo(0.28, 0.03);
  });

  it('of people at home is highest in the evening', () => {
    const load = courseMinutes({ ...common, shape: 'consumer', weekend: 1.2 }, 1, clocks, 7 * DAY);
    expect(at(load, 2, 20)).to.be.above(1.3 * at(load, 2, 14));
    expect(at(load, 6, 20) / at(load, 2, 20)).to.be.closeTo(1.2, 0.03);
  });

  it('wanders from day to day', () => {
    const load = courseMinutes({ ...common, shape: 'office', weekend: 0.2, wander: 0.1 }, 1, clocks, 7 * DAY);
    const days = [0, 1, 2, 3, 4].map((day) => at(load, day, 11));
    expect(Math.max(...days) / Math.min(...days)).to.be.within(1.02, 1.8);
  });
});

describe('an autoscaler', () => {
  const limits = { minReplicas: 2, maxReplicas: 10 };

  it('follows the load at once upwards, and five minutes later downwards', () => {
    const load = Float32Array.from({ length: 60 }, (_, minute) => (minute >= 20 && minute < 40 ? 1 : 0.1));
    const replicas = replicasMinutes(load, limits);
    expect([...replicas.slice(18, 24)]).to.deep.equal([2, 2, 4, 8, 9, 9]);
    expect([...replicas.slice(38, 46)]).to.deep.equal([9, 9, 9, 9, 9, 9, 2, 2]);
  });

  it('stays within its limits, and does not react to little', () => {
    const replicas = replicasMinutes(Float32Array.from([9, 9, 9, 9, 0.5, 0.45, 0.5]), limits);
    expect(Math.max(...replicas)).to.equal(10);
    expect(Math.min(...replicasMinutes(new Float32Array(9), limits))).to.equal(2);
    const wobble = replicasMinutes(
      Float32Array.from({ length: 60 }, (_, i) => 0.5 + 0.03 * (i % 2)),
      limits,
    );
    expect(new Set(wobble.slice(10)).size).to.equal(1);
  });
});
