/** A report for a person at a terminal. */

import { escapeControlCharacters } from '../../lib/text/control-characters.js';
import { counted, listed } from '../../lib/text/format.js';
import { type CheckReport, SEVERITIES, type Severity, worstSeverity } from './finding.js';

export interface TextOptions {
  readonly colours: boolean;
  /** Width to wrap at, in characters. */
  readonly columns: number;
}

/** ANSI: green, yellow, red, dim. */
const STYLES: Readonly<Record<Severity | 'dim', number>> = { ok: 32, warning: 33, error: 31, dim: 2 };

/** Room for the longest mark, with its space. */
const MARK_COLUMNS = 'warning '.length;

/** Narrower than this, wrapping helps nobody. */
const LEAST_COLUMNS = 60;

/** Every finding with its mark, what it means and what to do; what was not checked; and the sum. */
export function reportText({ findings, notChecked }: CheckReport, options: TextOptions): string {
  const paint = (style: keyof typeof STYLES, text: string) =>
    options.colours ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text;
  const names = [...findings, ...notChecked].map(({ check }) => check.length);
  const indent = MARK_COLUMNS + Math.max(0, ...names) + 2;
  // Labels and versions are what a server says: a terminal must not obey them.
  const body = (text: string) =>
    wrapped(escapeControlCharacters(text), Math.max(LEAST_COLUMNS, options.columns) - indent);
  const entry = (mark: string, check: string, texts: readonly string[]) =>
    texts
      .flatMap(body)
      .map((line, index) =>
        index === 0
          ? `${mark}${check.padEnd(indent - MARK_COLUMNS)}${line}\n`
          : `${line === '' ? '' : ' '.repeat(indent) + line}\n`,
      )
      .join('');
  const lines = findings.map(({ check, severity, summary, meaning, advice }) =>
    entry(paint(severity, severity.padEnd(MARK_COLUMNS)), check, [
      summary,
      ...(meaning === undefined ? [] : [`This means: ${meaning}`]),
      ...(advice === undefined ? [] : [`To do: ${advice}`]),
    ]),
  );
  const reasons = [...new Set(notChecked.map(({ because }) => because))];
  const skipped = reasons.map((reason) => {
    const checks = notChecked.filter(({ because }) => because === reason).map(({ check }) => check);
    return entry(paint('dim', '-'.padEnd(MARK_COLUMNS)), '', [`Not checked: ${listed(checks)}. ${reason}`]);
  });
  return `${[...lines, ...skipped].join('')}\n${sum({ findings, notChecked })}\n`;
}

function sum({ findings, notChecked }: CheckReport): string {
  const of = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  return (
    `${of('ok')} ok, ${counted(of('warning'), 'warning')}, ${counted(of('error'), 'error')}, ` +
    `${notChecked.length} not checked.`
  );
}

/** Lines of at most `width` characters; a longer word stands alone. Line breaks in the text stay. */
function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    return [...lines, line];
  });
}

/** The exit status: 0 all is well, 1 there are warnings, 2 there are errors. */
export function exitStatus({ findings }: CheckReport): number {
  return SEVERITIES.indexOf(worstSeverity(findings));
}
