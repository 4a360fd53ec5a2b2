import { expect } from 'chai';
import type { CheckReport } from '../../../src/exporter/check/finding.js';
import { reportJson } from '../../../src/exporter/check/report-json.js';
import { exitStatus, reportText } from '../../../src/exporter/check/report-text.js';
import { bytes, counted, duration, examples, promDuration } from '../../../src/exporter/check/words.js';

const REPORT: CheckReport = {
  findings: [
    { check: 'clock', severity: 'ok', summary: 'The clocks agree.' },
    {
      check: 'rate_window',
      severity: 'error',
      summary: 'The rate is empty because the window is too short for the scrapes.',
      meaning: 'No pod is scored.',
      advice: 'Lengthen it.',
    },
  ],
  notChecked: [
    { check: 'history', because: 'Prometheus was away.' },
    { check: 'clusters', because: 'Prometheus was away.' },
  ],
};

describe('the report of a check', () => {
  it('is a line for each finding, what it means and what to do indented, and a sum', () => {
    expect(reportText(REPORT, { colours: false, columns: 60 })).to.equal(
      [
        'ok      clock        The clocks agree.',
        'error   rate_window  The rate is empty because the window is',
        '                     too short for the scrapes.',
        '                     This means: No pod is scored.',
        '                     To do: Lengthen it.',
        '-                    Not checked: history and clusters.',
        '                     Prometheus was away.',
        '',
        '1 ok, no warnings, 1 error, 2 not checked.',
        '',
      ].join('\n'),
    );
  });

  it('has colours on request only, and the same text with them', () => {
    const coloured = reportText(REPORT, { colours: true, columns: 60 });
    expect(coloured).to.include('\x1b[31merror');
    const control = String.fromCharCode(27);
    const plain = coloured.split(new RegExp(`${control}\\[\\d+m`)).join('');
    expect(plain).to.equal(reportText(REPORT, { colours: false, columns: 60 }));
  });

  it('has nothing of a label or a version that a terminal would obey', () => {
    const findings = [{ check: 'product', severity: 'ok', summary: 'It is \u001b[2J\u202e2.0.' } as const];
    const text = reportText({ findings, notChecked: [] }, { colours: false, columns: 60 });
    expect(text).to.include('It is \\u{1b}[2J\\u{202e}2.0.');
  });

  it('is JSON for programs', () => {
    const json = JSON.parse(reportJson(REPORT, { version: '1.2.3', time: '2026-01-01T00:00:00Z' }));
    expect(json).to.deep.equal({
      version: '1.2.3',
      time: '2026-01-01T00:00:00Z',
      status: 'error',
      findings: REPORT.findings,
      not_checked: REPORT.notChecked,
    });
  });

  it('ends with the status of the worst finding', () => {
    const [ok, error] = REPORT.findings;
    const warning = { check: 'x', severity: 'warning' as const, summary: 'Y.' };
    const of = (...findings: (typeof ok)[]) =>
      exitStatus({ findings: findings.flatMap((one) => (one === undefined ? [] : [one])), notChecked: [] });
    expect([of(), of(ok), of(ok, warning), of(warning, error, ok)]).to.deep.equal([0, 0, 1, 2]);
  });
});

describe('words', () => {
  it('count', () => {
    expect([0, 1, 41_000].map((count) => counted(count, 'pod'))).to.deep.equal([
      'no pods',
      '1 pod',
      '41,000 pods',
    ]);
  });

  it('tell durations', () => {
    const seconds = [0.1234, 9.96, 60, 119, 900, 7260, 7200, 200_000];
    expect(seconds.map(duration)).to.deep.equal([
      '0.12 s',
      '10 s',
      '60 s',
      '119 s',
      '15 min',
      '2 h 1 min',
      '2 h',
      '2 d 7 h',
    ]);
  });

  it('tell sizes', () => {
    expect([0, 999, 1000, 1024 * 1024 * 21, 1.4 * 2 ** 30].map(bytes)).to.deep.equal([
      '0 B',
      '999 B',
      '1.0 KiB',
      '21 MiB',
      '1.4 GiB',
    ]);
  });

  it('give examples', () => {
    expect(examples(['a', 'b', 'c'])).to.equal('a, b and c');
    expect(examples(['a', 'b', 'c', 'd', 'e'])).to.equal('a, b, c and 2 more');
  });

  it('write durations as Prometheus reads them', () => {
    expect([40, 60, 61.2, 119.5, 240, 250].map(promDuration)).to.deep.equal([
      '40s',
      '1m',
      '62s',
      '2m',
      '4m',
      '5m',
    ]);
  });
});
