import { expect } from 'chai';
import type { CheckReport } from '../../../src/exporter/check/finding.js';
import { exitStatus, reportJson, reportText } from '../../../src/exporter/check/report.js';

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
        '1 ok, 0 warnings, 1 error, 2 not checked.',
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
