import { expect } from 'chai';
import { parseMuteText } from '../../../src/exporter/tuning/mute-text.js';
import { MuteWindowSpec } from '../../../src/exporter/tuning/windows.js';

const NIGHT = { start_time: '22:00', end_time: '24:00' };

describe('the text of windows', () => {
  const rows: readonly (readonly [text: string, ...specs: object[]])[] = [
    ['always', {}],
    ['22:00-24:00', { times: [NIGHT] }],
    ['22:00-24:00,00:00-06:00', { times: [NIGHT, { start_time: '00:00', end_time: '06:00' }] }],
    ['saturday:sunday', { weekdays: ['saturday:sunday'] }],
    ['Monday,wednesday:friday 22:00-24:00', { weekdays: ['monday', 'wednesday:friday'], times: [NIGHT] }],
    [
      '  Europe/Berlin   22:00-24:00 saturday:sunday ',
      { weekdays: ['saturday:sunday'], times: [NIGHT], location: 'Europe/Berlin' },
    ],
    ['22:00-24:00 UTC;sunday', { times: [NIGHT] }, { weekdays: ['sunday'] }],
    [
      '2026-11-29T22:00:00Z/2026-11-30T02:00:00+01:00',
      { from: '2026-11-29T22:00:00Z', until: '2026-11-30T02:00:00+01:00' },
    ],
  ];
  for (const [text, ...specs] of rows) {
    it(`is read: ${text}`, () => {
      expect(parseMuteText(text)).to.deep.equal(specs.map((spec) => MuteWindowSpec.parse(spec)));
    });
  }

  for (const text of [
    '',
    ' ; ',
    'sunday;',
    'Europe/Berlin',
    'true',
    'always sunday',
    'caturday',
    'sunday monday',
    '22:00-06:00',
    '22-24',
    '22:00-24:00 Berlin',
    '22:00-24:00 UTC Europe/Berlin',
    '2026-11-29/2026-11-30',
    '2026-11-30T02:00:00Z/2026-11-29T22:00:00Z',
    '2026-11-29T22:00:00Z',
    `always${';always'.repeat(150)}`,
  ]) {
    it(`is invalid: ${JSON.stringify(text.slice(0, 80))}`, () => {
      expect(parseMuteText(text)).to.equal(undefined);
    });
  }
});
