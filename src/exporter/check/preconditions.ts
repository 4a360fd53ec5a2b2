/** What has to be right before Prometheus can be asked anything, as findings. */

import type { PrometheusError } from '../prometheus/errors.js';
import { CHECKS } from './checks.js';
import type { CheckReport, Finding, NotChecked } from './finding.js';

/** Names of the checks that come before those of `CHECKS`, in their order. */
export const PRECONDITIONS = ['settings', 'features', 'prometheus'] as const;

export type Precondition = (typeof PRECONDITIONS)[number];

/** The settings were read. */
export function settingsFinding(settings: number, warnings: readonly string[]): Finding {
  const check = 'settings';
  if (warnings.length === 0) return { check, severity: 'ok', summary: `All ${settings} settings are valid.` };
  return {
    check,
    severity: 'warning',
    summary: warnings.join(' '),
    meaning: 'The default is used instead of the value that was probably meant.',
    advice: 'Correct the name of the variable, or remove it.',
  };
}

/** The settings, or the feature file, cannot be read. */
export function mistakesFinding(check: 'settings' | 'features', mistakes: readonly string[]): Finding {
  const one = mistakes.length === 1;
  return {
    check,
    severity: 'error',
    summary: `${one ? 'One mistake' : `${mistakes.length} mistakes`}:\n${mistakes.join('\n')}`,
    meaning: 'The exporter does not start.',
    advice: `Correct ${one ? 'it' : 'them'} and check again.`,
  };
}

/** Every feature has a query that can be parsed. */
export function featuresFinding(names: readonly string[], file: string): Finding {
  return {
    check: 'features',
    severity: 'ok',
    summary: `The features are ${names.join(', ')}${file === '' ? '' : ` (${file})`}; their queries are valid PromQL.`,
  };
}

/** Prometheus answered the first question. */
export function reachableFinding(url: string, seconds: number): Finding {
  return {
    check: 'prometheus',
    severity: 'ok',
    summary: `${url} answers queries, the first one in ${Math.max(1, Math.round(seconds * 1000))} ms.`,
  };
}

/** Prometheus did not answer it. The query is not shown: it is the check's own. */
export function unreachableFinding({ got, advice }: PrometheusError): Finding {
  return {
    check: 'prometheus',
    severity: 'error',
    summary: got,
    meaning: 'Scrapes have no scores, and no model is trained.',
    ...(advice !== undefined && { advice }),
  };
}

/** Prometheus answers, and has nothing for this shard. `message` says why. */
export function emptyShardFinding(message: string): Finding {
  return {
    check: 'prometheus',
    severity: 'warning',
    summary: message,
    meaning: 'This process is idle and scores no pod.',
    advice: 'Run fewer shards, or check another one.',
  };
}

/** Adds all checks behind the one that failed, as not made. `because` is a full sentence. */
export function stoppedAt(
  failed: Precondition,
  findings: readonly Finding[],
  because = BECAUSE[failed],
): CheckReport {
  const behind = PRECONDITIONS.slice(PRECONDITIONS.indexOf(failed) + 1);
  const notChecked: NotChecked[] = [...behind, ...CHECKS.map(({ id }) => id)].map((check) => ({
    check,
    because,
  }));
  return { findings, notChecked };
}

const BECAUSE: Readonly<Record<Precondition, string>> = {
  settings: 'The settings are invalid.',
  features: 'The features are invalid.',
  prometheus: 'Prometheus does not answer.',
};
