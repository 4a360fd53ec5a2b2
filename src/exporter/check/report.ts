/** The reports of a check: for a person at a terminal, and for programs. */

import { escapeControlCharacters } from '../../lib/text/control-characters.js';
import { counted, listed } from '../../lib/text/format.js';
import { type CheckReport, SEVERITIES, type Severity, worstSeverity } from './finding.js';

/** For programs. The names are stable; `meaning` and `advice` are absent where there is nothing to say. */
export function reportJson(
  { findings, notChecked }: CheckReport,
  about: { readonly version: string; readonly time: string },
): string {
  const report = { ...about, status: worstSeverity(findings), findings, not_checked: notChecked };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

/** ANSI: green, yellow, red, dim. */
const STYLES: Readonly<Record<Severity | 'dim', number>> = { ok: 32, warning: 33, error: 31, dim: 2 };

/** Room for the longest mark, with its space. */
const MARK_COLUMNS = 'warning '.length;

/** Narrower than this, wrapping helps nobody. */
const LEAST_COLUMNS = 60;

/**
 * Every finding with its mark, what it means and what to do; what was not checked; and the sum.
 *
 * @param options `columns` is the width to wrap at, in characters.
 */
export function reportText(
  { findings, notChecked }: CheckReport,
  options: { readonly colours: boolean; readonly columns: number },
): string {
  const paint = (style: keyof typeof STYLES, text: string) =>
    options.colours ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text;
  const names = [...findings, ...notChecked].map(({ check }) => check.length);
  const indent = MARK_COLUMNS + Math.max(0, ...names) + 2;
  const width = Math.max(LEAST_COLUMNS, options.columns) - indent;
  const entry = (style: keyof typeof STYLES, mark: string, check: string, texts: readonly string[]) => {
    const head = `${paint(style, mark.padEnd(MARK_COLUMNS))}${check.padEnd(indent - MARK_COLUMNS)}`;
    // Labels and versions are what a server says: a terminal must not obey them.
    const lines = texts.flatMap((text) => wrapped(escapeControlCharacters(text), width));
    const margin = (line: string) => (line === '' ? '' : ' '.repeat(indent));
    return lines.map((line, index) => `${index === 0 ? head : margin(line)}${line}\n`).join('');
  };
  const made = findings.map(({ check, severity, summary, meaning, advice }) => {
    const consequences = [meaning && `This means: ${meaning}`, advice && `To do: ${advice}`];
    const texts = [summary, ...consequences.filter((text) => text !== undefined)];
    return entry(severity, severity, check, texts);
  });
  const skipped = [...new Set(notChecked.map(({ because }) => because))].map((reason) => {
    const checks = notChecked.filter(({ because }) => because === reason).map(({ check }) => check);
    return entry('dim', '-', '', [`Not checked: ${listed(checks)}. ${reason}`]);
  });
  const of = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  const sum =
    `${of('ok')} ok, ${counted(of('warning'), 'warning')}, ${counted(of('error'), 'error')}, ` +
    `${notChecked.length} not checked.`;
  return `${[...made, ...skipped].join('')}\n${sum}\n`;
}

/** Lines of at most `width` characters; a longer word stands alone. Line breaks in the text stay. */
function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const [first = '', ...words] = paragraph.split(' ');
    const lines = [first];
    for (const word of words) {
      const line = lines.at(-1) as string;
      if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
      else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
    }
    return lines;
  });
}

/** The exit status: 0 all is well, 1 there are warnings, 2 there are errors. */
export function exitStatus({ findings }: CheckReport): number {
  return SEVERITIES.indexOf(worstSeverity(findings));
}
