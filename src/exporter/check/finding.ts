/** What a check comes to. */

/** All severities, the least first. `warning`: something is worse than it could be. `error`: pods go unscored, or are scored wrongly. */
export const SEVERITIES = ['ok', 'warning', 'error'] as const;

export type Severity = (typeof SEVERITIES)[number];

/** The result of one check. Each text is one or more full sentences. */
export interface Finding {
  /** Stable name of the check: `rate_window`. */
  readonly check: string;
  readonly severity: Severity;
  readonly summary: string;
  /** What follows from it for the detector. */
  readonly meaning?: string;
  readonly advice?: string;
}

/** A check that could not be made, and why: the failure of what it needs, in a full sentence. */
export interface NotChecked {
  readonly check: string;
  readonly because: string;
}

/** The results of all checks, each of which is in one of the lists. */
export interface CheckReport {
  readonly findings: readonly Finding[];
  readonly notChecked: readonly NotChecked[];
}

/** The worst severity among findings. */
export function worstSeverity(findings: readonly Finding[]): Severity {
  return SEVERITIES.findLast((severity) => findings.some((finding) => finding.severity === severity)) ?? 'ok';
}
