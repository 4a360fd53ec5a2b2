/** `check`: tells what an installation of the exporter will meet, before it is installed. */

import { totalmem } from 'node:os';
import type { Writable } from 'node:stream';
import { judgeFacts } from '../check/checks.js';
import type { Conditions } from '../check/facts.js';
import type { CheckReport, Finding } from '../check/finding.js';
import { gatherFacts } from '../check/gather.js';
import {
  featuresFinding,
  mistakesFinding,
  reachableFinding,
  settingsFinding,
  stoppedAt,
  unreachableFinding,
} from '../check/preconditions.js';
import { reportJson } from '../check/report-json.js';
import { exitStatus, reportText } from '../check/report-text.js';
import { type Environment, parseSettings, SettingsError } from '../config/parse.js';
import type { Settings } from '../config/settings.js';
import type { FeatureSet } from '../features/feature-file.js';
import { FeatureFileError } from '../features/feature-file-error.js';
import { loadFeatures } from '../features/load-features.js';
import { createPrometheusClient } from '../prometheus/client.js';
import type { PrometheusConnection } from '../prometheus/connection.js';
import { PrometheusError } from '../prometheus/errors.js';
import { parseBaseUrl } from '../prometheus/url.js';
import { longestIntervalSeconds } from '../training/schedule.js';
import { DEFAULT_INTERVAL_SECONDS } from '../training/trainer.js';
import { VERSION } from '../version.js';
import { prometheusConnection } from './connection.js';

/** What is asked on the command line. */
export interface CheckOptions {
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

/** 64 MiB: the answers of a scrape on some 30,000 pods. */
export const CHECK_MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/** Where nobody says how wide a line may be. */
const USUAL_COLUMNS = 110;

/**
 * Makes all checks and writes the report.
 *
 * @returns the exit status: 0 all is well, 1 there are warnings, 2 there are errors.
 */
export async function runCheck(options: CheckOptions, surroundings: CheckSurroundings): Promise<number> {
  const { stdout, environment, signal } = surroundings;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(CHECK_TIMEOUT_SECONDS * 1000)]);
  const report = await makeChecks(environment, limit);
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
  const api = createPrometheusClient(checkConnection(settings));
  try {
    const { features, ownerQueries } = featureSet;
    const facts = await gatherFacts({
      api,
      features,
      ownerQueries,
      training: conditions.training,
      now,
      signal,
    });
    const { display } = parseBaseUrl(settings.prometheusUrl);
    const firstSeconds = facts.clock.known ? 2 * facts.clock.value.uncertaintySeconds : 0;
    findings.push(reachableFinding(display, firstSeconds));
    const judged = judgeFacts(facts, conditions);
    return { findings: [...findings, ...judged.findings], notChecked: judged.notChecked };
  } catch (error) {
    if (!(error instanceof PrometheusError)) throw error;
    return stoppedAt('prometheus', [...findings, unreachableFinding(error.message)]);
  }
}

/** The connection of the service, for small answers. */
export function checkConnection(settings: Settings): PrometheusConnection {
  const connection = prometheusConnection(settings);
  return {
    ...connection,
    maxResponseBytes: Math.min(connection.maxResponseBytes, CHECK_MAX_RESPONSE_BYTES),
  };
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
