/** `check`: tells what an installation of the exporter will meet, before it is installed. */

import type { Writable } from 'node:stream';
import { withDeadline } from '../../lib/deadline.js';
import { MistakesError } from '../../lib/usage-error.js';
import { parseSettings } from '../config/parse.js';
import type { Environment } from '../config/settings.js';
import { type ShardFlags, withShardFlags } from '../config/sharding-rules.js';
import { openPrometheus } from '../connect.js';
import { loadFeatures } from '../features/queries/feature-file.js';
import { PrometheusError } from '../prometheus/errors.js';
import { parseBaseUrl } from '../prometheus/url.js';
import { emptyShardMessage } from '../sharding/shard.js';
import { loadTuningFile } from '../tuning/tuning-file.js';
import { VERSION } from '../version.js';
import { CHECKS, judgeFacts } from './checks.js';
import type { Conditions } from './facts.js';
import type { CheckReport, Finding } from './finding.js';
import { CHECK_TIMEOUT_SECONDS, inspect, NOT_RUNNING } from './gather.js';
import { exitStatus, reportJson, reportText } from './report.js';
import { brokenTuningFile } from './rules/tuning.js';

/** What is asked on the command line. */
export interface CheckOptions extends ShardFlags {
  readonly json: boolean;
}

/** What the command needs of its surroundings. */
export interface CheckSurroundings {
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly environment: Environment;
  /** Ends the check early. */
  readonly signal: AbortSignal;
}

/** Width of a line where the output is not a terminal. */
const USUAL_COLUMNS = 110;

/**
 * Makes all checks and writes the report.
 *
 * @returns the exit status: 0 all is well, 1 there are warnings, 2 there are errors.
 */
export async function runCheck(options: CheckOptions, surroundings: CheckSurroundings): Promise<number> {
  const { stdout, environment, signal } = surroundings;
  const limit = withDeadline(signal, CHECK_TIMEOUT_SECONDS);
  const report = await makeChecks(withShardFlags(environment, options), limit);
  if (options.json) {
    stdout.write(reportJson(report, { version: VERSION, time: new Date().toISOString() }));
  } else {
    const isTerminal = stdout.isTTY === true;
    const columns = (isTerminal ? stdout.columns : undefined) ?? USUAL_COLUMNS;
    stdout.write(reportText(report, { colours: isTerminal && !environment.NO_COLOR, columns }));
  }
  return exitStatus(report);
}

/** The checks that come before those of `CHECKS`, in their order, and why nothing behind them is checked. */
export const PRECONDITIONS = {
  settings: 'The settings are invalid.',
  features: 'The features are invalid.',
  prometheus: 'Prometheus does not answer.',
} as const;

/** Makes the checks in turn. One of `PRECONDITIONS` that fails ends them. */
async function makeChecks(environment: Environment, signal: AbortSignal): Promise<CheckReport> {
  const findings: Finding[] = [];
  /** Of later checks, what is known already. */
  const known: Finding[] = [];
  let check: keyof typeof PRECONDITIONS = 'settings';
  const stoppedBy = (result: Omit<Finding, 'check'>, because: string = PRECONDITIONS[check]): CheckReport => {
    const names = [...Object.keys(PRECONDITIONS), ...CHECKS.map(({ id }) => id)];
    const notChecked = names.slice(names.indexOf(check) + 1).flatMap((name) => {
      return known.some((finding) => finding.check === name) ? [] : { check: name, because };
    });
    return { findings: [...findings, { check, ...result }, ...known], notChecked };
  };
  try {
    const { settings, warnings } = parseSettings(environment);
    const { featuresFile } = settings;
    findings.push({ check, ...settingsResult(Object.keys(settings).length, warnings) });
    check = 'features';
    const featureSet = await loadFeatures(featuresFile, settings);
    const names = featureSet.features.map(({ name }) => name).join(', ');
    const file = featuresFile === '' ? '' : ` (${featuresFile})`;
    const parsed = `The features are ${names}${file}; their queries are valid PromQL.`;
    findings.push({ check, severity: 'ok', summary: parsed });
    const tuningFile = await tuningFileOf(settings.tuningFile);
    if (tuningFile?.failure !== undefined) {
      known.push({ check: 'tuning_file', ...brokenTuningFile(tuningFile.failure) });
    }
    check = 'prometheus';
    const { api, namespaces } = openPrometheus(settings, featureSet, { now: Date.now });
    if (namespaces !== undefined && (await namespaces.get(signal)).length === 0) {
      const idle = {
        severity: 'warning',
        summary: emptyShardMessage(namespaces.state.shard),
        meaning: 'This process is idle and scores no pod.',
        advice: 'Run fewer shards, or check another one.',
      } as const;
      return stoppedBy(idle, 'This shard has no namespaces.');
    }
    const { facts, conditions } = await inspect(settings, featureSet, api, Date.now, signal, () => ({
      ...NOT_RUNNING,
      tuningFile,
    }));
    const { display } = parseBaseUrl(settings.prometheusUrl);
    const firstSeconds = facts.clock.known ? 2 * facts.clock.value.uncertaintySeconds : 0;
    const milliseconds = Math.max(1, Math.round(firstSeconds * 1000));
    const answered = `${display} answers queries, the first one in ${milliseconds} ms.`;
    findings.push({ check, severity: 'ok', summary: answered });
    const judged = judgeFacts(facts, conditions);
    return { findings: [...findings, ...judged.findings], notChecked: judged.notChecked };
  } catch (error) {
    if (error instanceof MistakesError) return stoppedBy(mistakesResult(error.mistakes));
    if (!(error instanceof PrometheusError)) throw error;
    const { got, advice } = error;
    const meaning = 'Scrapes have no scores, and no model is trained.';
    // The query is not shown: it is the check's own.
    return stoppedBy({ severity: 'error', summary: got, meaning, ...(advice !== undefined && { advice }) });
  }
}

/** A mistake in the tuning file does not keep the other checks from being made. */
async function tuningFileOf(path: string): Promise<Conditions['tuningFile']> {
  if (path === '') return undefined;
  try {
    return { file: await loadTuningFile(path), failure: undefined };
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error;
    return { failure: error.message };
  }
}

function settingsResult(settings: number, warnings: readonly string[]): Omit<Finding, 'check'> {
  if (warnings.length === 0) return { severity: 'ok', summary: `All ${settings} settings are valid.` };
  return {
    severity: 'warning',
    summary: warnings.join(' '),
    meaning: 'The default is used instead of the value that was probably meant.',
    advice: 'Correct the name of the variable, or remove it.',
  };
}

function mistakesResult(mistakes: readonly string[]): Omit<Finding, 'check'> {
  const one = mistakes.length === 1;
  return {
    severity: 'error',
    summary: `${one ? 'One mistake' : `${mistakes.length} mistakes`}:\n${mistakes.join('\n')}`,
    meaning: 'The exporter does not start.',
    advice: `Correct ${one ? 'it' : 'them'} and check again.`,
  };
}
