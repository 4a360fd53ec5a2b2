/** A report for programs. */

import { type CheckReport, worstSeverity } from './finding.js';

/** The names are stable; `meaning` and `advice` are absent where there is nothing to say. */
export function reportJson(
  report: CheckReport,
  about: { readonly version: string; readonly time: string },
): string {
  const { findings, notChecked } = report;
  return `${JSON.stringify(
    { ...about, status: worstSeverity(findings), findings, not_checked: notChecked },
    undefined,
    2,
  )}\n`;
}
