/** `check`: tells what an installation of the exporter will meet, before it is installed. */

import type { Writable } from 'node:stream';
import { withDeadline } from '../../lib/deadline.js';
import { MistakesError } from '../../lib/usage-error.js';
import type { Environment } from '../config/environment.js';
import { parseSettings } from '../config/parse.js';
import type { Settings } from '../config/settings.js';
import { type ShardFlags, withShardFlags } from '../config/shard-flags.js';
import { openPrometheus } from '../connect.js';
import type { FeatureSet } from '../features/queries/feature-file.js';
import { loadFeatures } from '../features/queries/load-features.js';
import { PrometheusError } from '../prometheus/errors.js';
import { parseBaseUrl } from '../prometheus/url.js';
import { emptyShardMessage } from '../sharding/shard.js';
import { VERSION } from '../version.js';
import { judgeFacts } from './checks.js';
import type { CheckReport, Finding } from './finding.js';
import { CHECK_TIMEOUT_SECONDS, inspect } from './inspect.js';
import {
  emptyShardFinding,
  featuresFinding,
  mistakesFinding,
  reachableFinding,
  settingsFinding,
  stoppedAt,
  unreachableFinding,
} from './preconditions.js';
import { reportJson } from './report-json.js';
import { exitStatus, reportText } from './report-text.js';

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

async function makeChecks(environment: Environment, signal: AbortSignal): Promise<CheckReport> {
  const findings: Finding[] = [];
  let settings: Settings;
  try {
    const parsed = parseSettings(environment);
    settings = parsed.settings;
    findings.push(settingsFinding(Object.keys(settings).length, parsed.warnings));
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error;
    return stoppedAt('settings', [mistakesFinding('settings', error.mistakes)]);
  }
  let featureSet: FeatureSet;
  try {
    featureSet = await loadFeatures(settings.featuresFile, settings);
    const names = featureSet.features.map(({ name }) => name);
    findings.push(featuresFinding(names, settings.featuresFile));
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error;
    return stoppedAt('features', [...findings, mistakesFinding('features', error.mistakes)]);
  }
  const { api, namespaces } = openPrometheus(settings, featureSet, { now: Date.now });
  try {
    if (namespaces !== undefined && (await namespaces.get(signal)).length === 0) {
      const finding = emptyShardFinding(emptyShardMessage(namespaces.state.shard));
      return stoppedAt('prometheus', [...findings, finding], 'This shard has no namespaces.');
    }
    const { facts, conditions } = await inspect(settings, featureSet, api, Date.now, signal);
    const { display } = parseBaseUrl(settings.prometheusUrl);
    const firstSeconds = facts.clock.known ? 2 * facts.clock.value.uncertaintySeconds : 0;
    findings.push(reachableFinding(display, firstSeconds));
    const judged = judgeFacts(facts, conditions);
    return { findings: [...findings, ...judged.findings], notChecked: judged.notChecked };
  } catch (error) {
    if (!(error instanceof PrometheusError)) throw error;
    return stoppedAt('prometheus', [...findings, unreachableFinding(error)]);
  }
}
