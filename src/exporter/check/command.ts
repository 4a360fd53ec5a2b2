/** `check`: tells what an installation of the exporter will meet, before it is installed. */

import { totalmem } from 'node:os';
import type { Writable } from 'node:stream';
import { withDeadline } from '../../lib/deadline.js';
import type { Environment } from '../config/environment.js';
import { parseSettings, SettingsError } from '../config/parse.js';
import type { Settings } from '../config/settings.js';
import { type ShardFlags, withShardFlags } from '../config/shard-flags.js';
import { openPrometheus } from '../connect.js';
import type { FeatureSet } from '../features/queries/feature-file.js';
import { FeatureFileError } from '../features/queries/feature-file-error.js';
import { loadFeatures } from '../features/queries/load-features.js';
import { PrometheusError } from '../prometheus/errors.js';
import { parseBaseUrl } from '../prometheus/url.js';
import { emptyShardMessage } from '../sharding/shard.js';
import { longestIntervalSeconds } from '../training/schedule.js';
import { DEFAULT_INTERVAL_SECONDS } from '../training/trainer.js';
import { VERSION } from '../version.js';
import { judgeFacts } from './checks.js';
import type { Conditions } from './facts.js';
import type { CheckReport, Finding } from './finding.js';
import { gatherFacts } from './gather.js';
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

/** All questions together may take so long, in seconds. */
const CHECK_TIMEOUT_SECONDS = 120;

/** Where nobody says how wide a line may be. */
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
    if (!(error instanceof SettingsError)) throw error;
    return stoppedAt('settings', [mistakesFinding('settings', error.mistakes)]);
  }
  let featureSet: FeatureSet;
  try {
    featureSet = await loadFeatures(settings.featuresFile, settings);
    const names = featureSet.features.map(({ name }) => name);
    findings.push(featuresFinding(names, settings.featuresFile));
  } catch (error) {
    if (!(error instanceof FeatureFileError)) throw error;
    return stoppedAt('features', [...findings, mistakesFinding('features', error.mistakes)]);
  }
  const now = () => Date.now() / 1000;
  const conditions = conditionsOf(settings, now());
  const { api, namespaces } = openPrometheus(settings, featureSet, { now: Date.now });
  try {
    const { features, ownerQueries } = featureSet;
    if (namespaces !== undefined && (await namespaces.get(signal)).length === 0) {
      const finding = emptyShardFinding(emptyShardMessage(namespaces.state.shard));
      return stoppedAt('prometheus', [...findings, finding], 'There is nothing that this shard watches.');
    }
    const facts = await gatherFacts({
      api,
      features,
      ownerQueries,
      training: conditions.training,
      queryOffsetSeconds: settings.queryOffsetSeconds,
      nowSeconds: now,
      signal,
    });
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

/** What facts are compared with. */
export function conditionsOf(settings: Settings, nowSeconds: number): Conditions {
  return {
    namespaceRegex: settings.namespaceRegex,
    podLabel: settings.podLabel,
    requestTimeoutSeconds: settings.requestTimeoutSeconds,
    training: {
      baseline: settings.baseline,
      lookbackSeconds: settings.trainingLookbackMinutes * 60,
      stepSeconds: settings.queryStepSeconds,
      untilNextTrainingSeconds:
        longestIntervalSeconds(settings.retrainSchedule, settings.retrainTimezone) ??
        DEFAULT_INTERVAL_SECONDS,
      maximumPods: settings.maximumPods,
    },
    explain: settings.explain,
    memoryLimitBytes: memoryLimitBytes(),
    nowSeconds,
  };
}

/** That of the container, or of the machine. */
function memoryLimitBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
