import { expect } from 'chai';
import { longestIntervalSeconds, type Schedule, startSchedule } from '../../../src/exporter/training/schedule.js';
import { recordingLogger } from '../../support/recording-logger.js';
import { type Gate, gate } from '../../support/waiting.js';

const EVERY_SECOND = '* * * * * *';

const at = (text: string) => Date.parse(text);
const textOf = (milliseconds: number) => new Date(milliseconds).toISOString();

/** A clock that shows what it is told, and lets those who wait go on at their time. */
class Clock {
  #timers: { readonly milliseconds: number; readonly gate: Gate }[] = [];

  constructor(public time: number) {}

  readonly now = () => this.time;

  readonly delay = (milliseconds: number) => {
    const timer = { milliseconds: this.time + milliseconds, gate: gate() };
    this.#timers.push(timer);
    return timer.gate.opened;
  };

  /** Lets time pass, and all that is due meanwhile happen. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    for (;;) {
      const [next] = this.#timers.sort((a, b) => a.milliseconds - b.milliseconds);
      if (next === undefined || next.milliseconds > end) break;
      this.#timers.shift();
      this.time = Math.max(this.time, next.milliseconds);
      next.gate.open();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.time = end;
  }

  /** Sets the clock; who waits goes on waiting for as long as before. */
  set(time: number): void {
    const shift = time - this.time;
    this.#timers = this.#timers.map((timer) => ({ ...timer, milliseconds: timer.milliseconds + shift }));
    this.time = time;
  }
}

describe('training schedule', () => {
  let schedule: Schedule | undefined;

  function start(expression: string, timezone: string, from: string, work?: () => Promise<unknown>) {
    const logger = recordingLogger();
    const clock = new Clock(at(from));
    const runs: string[] = [];
    schedule = startSchedule({
      expression,
      timezone,
      work: (dueSeconds) => {
        runs.push(textOf(dueSeconds * 1000));
        return work?.() ?? Promise.resolve();
      },
      logger,
      now: clock.now,
      delay: clock.delay,
    });
    return { schedule, logger, clock, runs };
  }

  afterEach(() => schedule?.stop());

  it('calls the work whenever the expression says, with seconds as the first of six fields', async () => {
    const { clock, runs } = start(EVERY_SECOND, 'UTC', '2026-11-29T12:00:00.250Z');
    await clock.pass(3_000);
    expect(runs).to.deep.equal(['2026-11-29T12:00:01.000Z', '2026-11-29T12:00:02.000Z', '2026-11-29T12:00:03.000Z']);
  });

  it('goes on every quarter of an hour when clocks go back, and says so beforehand', async () => {
    const { clock, runs, schedule } = start('*/15 * * * *', 'Europe/Berlin', '2026-10-25T00:40:00Z');
    expect(schedule.intervalSeconds()).to.equal(900);
    await clock.pass(90 * 60_000);
    const times = ['00:45', '01:00', '01:15', '01:30', '01:45', '02:00'];
    expect(runs).to.deep.equal(times.map((time) => `2026-10-25T${time}:00.000Z`));
    expect(schedule.nextRun()?.toISOString()).to.equal('2026-10-25T02:15:00.000Z');
  });

  it('calls the daily work once when clocks go back or forward', async () => {
    for (const day of ['2026-10-25', '2026-03-29']) {
      const { clock, runs, schedule } = start('30 2 * * *', 'Europe/Berlin', `${day}T00:00:00Z`);
      await clock.pass(12 * 3600_000);
      schedule.stop();
      expect(runs, day).to.have.length(1);
    }
  });

  it('counts what was due since a time, also after a night without runs, and not without end', async () => {
    const { clock, schedule } = start('*/15 8-18 * * *', 'UTC', '2026-11-29T18:50:00Z');
    const since = (time: string) => schedule.dueSince(Date.parse(`2026-11-${time}Z`) / 1000);
    expect([since('29T18:45:01'), since('29T18:44:59'), since('29T18:00:00')]).to.deep.equal([0, 1, 3]);
    await clock.pass(12 * 3600_000);
    expect(since('29T18:45:01')).to.equal(0);
    await clock.pass(70 * 60_000 + 1);
    expect([since('29T18:45:01'), since('30T08:00:00')]).to.deep.equal([1, 0]);
    expect(since('20T00:00:00')).to.equal(10);
  });

  it('calls nothing any more once it is stopped', async () => {
    const { clock, runs, schedule } = start(EVERY_SECOND, 'UTC', '2026-11-29T12:00:00Z');
    await clock.pass(1_000);
    schedule.stop();
    await clock.pass(10_000);
    expect(runs).to.have.length(1);
  });

  it('does not call the work again before it has ended, and logs that', async () => {
    const busy = gate();
    const { clock, runs, logger } = start(EVERY_SECOND, 'UTC', '2026-11-29T12:00:00Z', () => busy.opened);
    await clock.pass(2_000);
    expect(runs).to.have.length(1);
    expect(logger.lines.map(({ level }) => level)).to.deep.equal(['warn']);
    busy.open();
    await clock.pass(1_000);
    expect(runs).to.have.length(2);
  });

  it('calls once, with the time of then, what was missed while the machine slept', async () => {
    const { clock, runs, logger } = start('*/15 * * * *', 'UTC', '2026-11-29T12:01:00Z');
    clock.set(at('2026-11-30T08:00:30Z'));
    await clock.pass(60_000);
    expect(runs).to.deep.equal(['2026-11-30T08:01:30.000Z']);
    expect(logger.lines).to.deep.equal([]);
    await clock.pass(15 * 60_000);
    expect(runs.slice(1)).to.deep.equal(['2026-11-30T08:15:00.000Z']);
  });

  it('does not wait for the time before when the clock is set back', async () => {
    const { clock, runs } = start('*/15 * * * *', 'UTC', '2030-01-01T00:01:00Z');
    await clock.pass(1_000);
    clock.set(at('2026-11-29T12:01:00Z'));
    await clock.pass(15 * 60_000);
    expect(runs).to.deep.equal(['2026-11-29T12:15:00.000Z']);
  });

  it('does not call twice what the clock shows twice when it is set right by a little', async () => {
    const { clock, runs } = start('*/15 * * * *', 'UTC', '2026-11-29T12:14:00Z');
    await clock.pass(60_010);
    clock.set(at('2026-11-29T12:14:58Z'));
    await clock.pass(120_000);
    expect(runs).to.deep.equal(['2026-11-29T12:15:00.000Z']);
  });

  it('waits for months', async () => {
    const { clock, runs, schedule } = start('0 4 29 2 *', 'UTC', '2028-01-01T00:00:00Z');
    expect(schedule.nextRun()?.toISOString()).to.equal('2028-02-29T04:00:00.000Z');
    await clock.pass(60 * 86_400_000);
    expect(runs).to.deep.equal(['2028-02-29T04:00:00.000Z']);
  }).timeout(60_000);

  it('has no next run where there is none', async () => {
    const { clock, runs, schedule } = start('0 4 31W 2 *', 'UTC', '2026-11-29T12:00:00Z');
    await clock.pass(3600_000);
    expect(schedule.nextRun()).to.equal(null);
    expect(schedule.intervalSeconds()).to.equal(undefined);
    expect(runs).to.deep.equal([]);
  });

  for (const [expression, seconds] of [
    [EVERY_SECOND, 1],
    ['*/10 * * * * *', 10],
    ['* * * * *', 60],
    ['*/15 * * * *', 900],
    ['30 * * * *', 3600],
    ['17 3 * * *', 24 * 3600],
    ['0,50 * * * *', 50 * 60],
    ['*/25 * * * *', 25 * 60],
    ['0 8,9 * * *', 23 * 3600],
    // A day that exists in leap years only.
    ['0 4 29 2 *', (4 * 365 + 1) * 24 * 3600],
  ] as const) {
    it(`tells that ${expression} is due after at most ${seconds} s`, () => {
      expect(longestIntervalSeconds(expression, 'UTC', at('2026-11-29T12:00:00Z') / 1000)).to.equal(seconds);
    });
  }

  for (const [timezone, expected] of [
    ['UTC', '2026-11-30T03:17:00.000Z'],
    ['Asia/Tokyo', '2026-11-29T18:17:00.000Z'],
    ['America/New_York', '2026-11-30T08:17:00.000Z'],
    ['Asia/Kathmandu', '2026-11-29T21:32:00.000Z'],
  ] as const) {
    it(`tells when the work is due next by the clock of ${timezone}`, () => {
      const { schedule } = start('17 3 * * *', timezone, '2026-11-29T12:00:00Z');
      expect(schedule.nextRun()?.toISOString()).to.equal(expected);
    });
  }
});
