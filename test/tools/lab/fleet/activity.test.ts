import { expect } from 'chai';
import { cpuAt, drawActivities, lastBegun, memoryAt, type Rhythm } from '../../../../src/tools/lab/fleet/activity.js';
import { Draw } from '../../../../src/tools/lab/fleet/draw.js';

const DAY = 1440;
const RHYTHM: Rhythm = {
  every: 60,
  minutes: 20,
  minutesSigma: 0.5,
  cpu: 3,
  cpuSigma: 0.3,
  memory: 0.5,
  decay: 30,
};
const drawn = (rhythm: Partial<Rhythm>, isWorkingTime = (_minute: number) => true) =>
  drawActivities({ ...RHYTHM, ...rhythm }, new Draw('test'), 20 * DAY, isWorkingTime);

describe('work that comes and goes', () => {
  it('comes irregularly: gaps and lengths vary around their medians, without overlaps', () => {
    const { list } = drawn({});
    const lengths = list.map(({ start, end }) => end - start).sort((a, b) => a - b);
    const gaps = list.slice(1).map(({ start }, i) => start - (list[i]?.end as number));
    expect(Math.min(...gaps)).to.be.at.least(0);
    expect(lengths[Math.floor(lengths.length / 2)]).to.be.within(16, 24);
    expect(Math.max(...lengths)).to.be.above(45);
    expect(gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)]).to.be.within(45, 80);
  });

  it('comes by the clock', () => {
    const { list } = drawn({ phase: 7, minutes: 3, minutesSigma: 0.1 });
    expect(list.length).to.equal(21 * 24);
    for (const { start } of list) expect((start + DAY) % 60).to.be.within(7, 7.3);
  });

  it('comes earlier or later than the clock says, by as much as it may', () => {
    const { list } = drawn({ every: DAY, phase: 600, wander: 5, minutes: 30, minutesSigma: 0.1 });
    const late = list.map(({ start }) => ((start + DAY) % DAY) - 600);
    expect(late.length).to.equal(21);
    expect(Math.min(...late)).to.be.within(-5, -2);
    expect(Math.max(...late)).to.be.within(2, 5.3);
  });

  it('comes in working hours, with few exceptions', () => {
    const isWorkingTime = (minute: number) => minute % DAY > 540 && minute % DAY < 1020;
    const { list } = drawn({ workingTime: true }, isWorkingTime);
    const off = list.filter(({ start }) => !isWorkingTime((start + DAY) % DAY)).length / list.length;
    expect(off).to.be.within(0.02, 0.3);
  });

  it('costs CPU for as long as it lasts: each minute has its share', () => {
    const { list } = drawn({});
    let total = 0;
    for (let minute = -DAY; minute < 20 * DAY; minute++) total += cpuAt(list, lastBegun(list, minute), minute);
    const before = list.filter(({ end }) => end < 20 * DAY - 1);
    const expected = before.reduce((sum, { start, end, cpu }) => sum + cpu * (end - start), 0);
    expect(total / expected).to.be.closeTo(1, 0.01);
  });

  it('takes memory that rises, stays and decays, without a jump', () => {
    const { list, rhythm } = drawn({});
    let previous = 0;
    let highest = 0;
    for (let minute = 0; minute < 5 * DAY; minute += 0.1) {
      const last = list[lastBegun(list, minute)];
      const memory = last === undefined ? 0 : memoryAt(last, rhythm, minute);
      if (minute > 0) expect(Math.abs(memory - previous)).to.be.below(0.05);
      previous = memory;
      highest = Math.max(highest, memory);
    }
    expect(highest).to.be.within(0.5, 1.5);
  });
});
