import { expect } from 'chai';
import type { Message } from '../../../src/tools/replay/messages.js';
import { recurrenceOf } from '../../../src/tools/replay/recurrence.js';

const HOUR = 3600;
const DAY = 24 * HOUR;
const message = (workload: string, sentSeconds: number): Message => ({
  sentSeconds,
  namespace: 'shop',
  workload,
  alerts: [],
});

describe('what comes every day', () => {
  it('is about the same workload at the same time of day, half an hour more or less, on most days before', () => {
    const messages = [
      ...[0, 1, 2, 3].map((day) => message('backup', day * DAY + 2 * HOUR + day * 500)),
      ...[2, 3].map((day) => message('rare', day * DAY + 5 * HOUR)),
      ...[0, 1, 2, 3].map((day) => message('roams', day * DAY + (3 + 2 * day) * HOUR)),
      ...[0, 1, 2].map((day) => message('other', day * DAY + 9 * HOUR)),
    ];
    expect(recurrenceOf(messages, 4 * DAY)).to.deep.equal({ today: 3, every_day: 1, days_before: 3 });
  });

  it('finds what comes shortly after midnight on some days and before it on others', () => {
    const messages = [-600, 300, -200, 500].map((offset, day) => message('nightly', (day + 1) * DAY + offset));
    expect(recurrenceOf(messages, 5 * DAY)).to.deep.equal({ today: 1, every_day: 1, days_before: 4 });
  });

  it('is not known from fewer than three days', () => {
    expect(recurrenceOf([message('backup', HOUR)], 3 * DAY - 1)).to.equal(undefined);
    expect(recurrenceOf([], 3 * DAY)).to.deep.equal({ today: 0, every_day: 0, days_before: 2 });
  });
});
