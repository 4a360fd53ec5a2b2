import { expect } from 'chai';
import { type Floors, forecastLimit, type MemoryCourse } from '../../../src/exporter/forecast/time-to-limit.js';

const MIB = 2 ** 20;
const HOUR = 3600;

/** Bytes some hours ago, negative for those after now. */
type Course = (hoursAgo: number) => number;

/** Floors every some seconds: the lowest of the minutes since the one before. */
function floorsOf(course: Course, stepSeconds: number, instants: number, aliveHours: number): Floors {
  const bytes = Float64Array.from({ length: instants }, (_, instant) => {
    const end = (instants - 1 - instant) * stepSeconds;
    const minutes = Array.from({ length: stepSeconds / 60 }, (_, minute) => (end + 60 * minute) / HOUR);
    const known = minutes.filter((hoursAgo) => hoursAgo <= aliveHours).map(course);
    return known.length === 0 ? Number.NaN : Math.min(...known);
  });
  return { bytes, stepSeconds };
}

const courseOf = (course: Course, aliveHours = Number.POSITIVE_INFINITY): MemoryCourse => ({
  day: floorsOf(course, 600, 144, aliveHours),
  hour: floorsOf(course, 300, 12, aliveHours),
});

/** Hours until the limit; `undefined` without a forecast. */
function hoursToLimit(course: Course, limit: number, { usual = Number.NaN, aliveHours = Infinity } = {}) {
  const forecast = forecastLimit(courseOf(course, aliveHours), limit * MIB, usual * MIB);
  return forecast && forecast.seconds / HOUR;
}

/** A level in MiB until some hours ago, and growth by so much an hour since then. */
const leak =
  (level: number, perHour: number, sinceHours: number): Course =>
  (hoursAgo) =>
    MIB * (level + perHour * Math.max(0, sinceHours - hoursAgo));

const steady = leak(500, 0, 0);

describe('the time until memory is at its limit', () => {
  it('is that of the slope of a leak, soon after it began and after hours', () => {
    expect(hoursToLimit(leak(500, 200, 1), 1000)).to.be.closeTo(1.5, 0.2);
    expect(hoursToLimit(leak(500, 100, 3), 1000)).to.be.closeTo(2, 0.2);
    expect(hoursToLimit(leak(500, 40, 6), 1000)).to.be.closeTo(6.5, 0.3);
    expect(hoursToLimit(leak(500, 20, 24), 1100)).to.be.closeTo(6, 0.3);
  });

  it('comes with the memory of now, and is 0 at the limit', () => {
    const forecast = forecastLimit(courseOf(leak(500, 100, 3)), 1000 * MIB, Number.NaN);
    expect(forecast?.bytes).to.be.closeTo(800 * MIB, 10 * MIB);
    expect(hoursToLimit(leak(500, 100, 5), 1000)).to.be.below(0.2);
    expect(hoursToLimit(leak(500, 100, 6), 1000)).to.equal(0);
  });

  it('is not there without growth, for less memory, or without samples', () => {
    expect(hoursToLimit(steady, 600)).to.equal(undefined);
    expect(hoursToLimit((hoursAgo) => MIB * (500 + 10 * hoursAgo), 600)).to.equal(undefined);
    expect(hoursToLimit(() => Number.NaN, 600)).to.equal(undefined);
  });

  it('is not there where the limit is more than a day away', () => {
    expect(hoursToLimit(leak(500, 20, 24), 1440)).to.be.closeTo(23, 1);
    expect(hoursToLimit(leak(500, 20, 24), 1520)).to.equal(undefined);
  });

  it('extends what grew for an hour to four hours, and no further', () => {
    expect(hoursToLimit(leak(500, 200, 1), 1400)).to.be.closeTo(3.5, 0.3);
    expect(hoursToLimit(leak(500, 200, 1), 1700)).to.equal(undefined);
  });

  it('is not there for a sawtooth of any period, whatever its phase', () => {
    for (const period of [0.1, 0.4, 1, 2.5, 5, 7]) {
      for (let phase = 0; phase < 1; phase += 0.05) {
        const sawtooth: Course = (hoursAgo) => MIB * (500 + 400 * ((((-hoursAgo / period + phase) % 1) + 1) % 1));
        expect(hoursToLimit(sawtooth, 1000), `period ${period} h, phase ${phase}`).to.equal(undefined);
      }
    }
  });

  it('sees the floor of a heap rise, where the teeth are shorter than a part of the window', () => {
    const heap: Course = (hoursAgo) => leak(500, 60, 6)(hoursAgo) + MIB * 100 * ((((-hoursAgo / 0.15) % 1) + 1) % 1);
    expect(hoursToLimit(heap, 1000)).to.be.within(1.5, 3.5);
  });

  it('is not there for a container that fills up, slower and slower', () => {
    for (const hours of [0.3, 1, 3, 8]) {
      for (const aliveHours of [1, 2, 4, 6, 12, 20]) {
        const filling: Course = (hoursAgo) => MIB * 900 * (1 - 0.9 * Math.exp((hoursAgo - aliveHours) / hours));
        expect(hoursToLimit(filling, 1000, { aliveHours }), `${hours} h, alive for ${aliveHours} h`).to.equal(
          undefined,
        );
      }
    }
  });

  it('is not there in the first hour of a pod', () => {
    expect(hoursToLimit(leak(500, 200, 0.8), 1000, { aliveHours: 0.8 })).to.equal(undefined);
  });

  it('is not there after a jump, however long ago', () => {
    for (const hoursAgo of [0.1, 0.3, 0.5, 0.7, 0.9, 2, 5, 12]) {
      expect(
        hoursToLimit((hours) => MIB * (hours > hoursAgo ? 400 : 800), 1000),
        `${hoursAgo} h`,
      ).to.equal(undefined);
    }
  });

  it('is not there once growth has stopped', () => {
    const stopped: Course = (hoursAgo) => leak(500, 60, 6)(Math.max(hoursAgo, 1.2));
    expect(hoursToLimit(stopped, 1000)).to.equal(undefined);
  });

  it('is not there for what was there before: yesterday, or on other days of the workload', () => {
    const ramp: Course = (hoursAgo) => MIB * (hoursAgo > 15 ? 900 : 500 + 100 * Math.max(0, 4 - hoursAgo));
    expect(hoursToLimit(ramp, 1200)).to.equal(undefined);
    expect(hoursToLimit(leak(500, 100, 4), 1200)).to.be.closeTo(3, 0.3);
    expect(hoursToLimit(leak(500, 100, 4), 1200, { usual: 850 })).to.equal(undefined);
    expect(hoursToLimit(leak(500, 100, 4), 1000, { usual: 600 })).to.be.closeTo(1, 0.3);
  });

  it('begins anew after a restart', () => {
    const restarted: Course = (hoursAgo) =>
      hoursAgo > 0.5 ? leak(500, 100, 5)(hoursAgo) : MIB * (500 + 100 * (0.5 - hoursAgo));
    expect(hoursToLimit(restarted, 1000)).to.equal(undefined);
  });
});
