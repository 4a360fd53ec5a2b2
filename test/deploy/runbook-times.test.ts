import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { alertsOf, parseRules, RULES_FILE } from '../../scripts/prometheus-rules.js';
import { readRunbook } from '../support/runbooks.js';

const alerts = alertsOf(parseRules(readFileSync(RULES_FILE, 'utf8')));

const WORDS: Readonly<Record<number, string>> = { 5: 'five', 10: 'ten', 20: 'twenty' };
/** A number of minutes as a page may say it. */
const saying = (minutes: number) => new RegExp(`\\b(?:${minutes}|${WORDS[minutes] ?? minutes})\\s+minutes\\b`);

function sectionOf(alert: string, heading: string): string {
  const [, section] = new RegExp(`^## ${heading}\\n(.*?)^## `, 'ms').exec(readRunbook(alert)) ?? [];
  return section ?? expect.fail(`Expected a section “${heading}” of ${alert}.`);
}

describe('times in the runbooks', () => {
  const waiting = alerts.filter(({ for: waits }) => waits !== undefined);
  for (const { alert, for: waits } of waiting) {
    it(`${alert} fires after ${waits}`, () => {
      expect(sectionOf(alert, 'What happened')).to.match(saying(Number(/^(\d+)m$/.exec(waits ?? '')?.[1])));
    });
  }

  const held = alerts.filter(({ for: waits }) => waits === undefined);
  for (const { alert, expr } of held) {
    it(`${alert} is held for as long as its page says`, () => {
      const minutes = Number(/last_over_time\(.*?\[(\d+)m\]/.exec(expr)?.[1]);
      expect(sectionOf(alert, 'How it ends')).to.match(saying(minutes));
    });
  }
});
