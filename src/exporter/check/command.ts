/** `check`: tells what an installation of the exporter will meet, before it is installed. */

import { totalmem } from 'node:os';
import type { Writable } from 'node:stream';
import type { Environment } from '../config/environment.js';
import { parseSettings, SettingsError } from '../config/parse.js';
import type { Settings } from '../config/settings.js';
import { type ShardFlags, withShardFlags } from '../config/shard-flags.js';
import { prometheusConnection } from '../connect.js';
import type { FeatureSet } from '../features/queries/feature-file.js';
import { FeatureFileError } from '../features/queries/feature-file-error.js';
import { loadFeatures } from '../features/queries/load-features.js';
import { PrometheusClient } from '../prometheus/client.js';
import type { PrometheusConnection } from '../prometheus/connection.js';
import { PrometheusError } from '../prometheus/errors.js';
import { parseBaseUrl } from '../prometheus/url.js';
import { shardingPlanOf } from '../sharding/plan.js';
import { emptyShardMessage } from '../sharding/shard.js';
import { ShardNamespaces } from '../sharding/shard-namespaces.js';
import { ShardedPrometheus } from '../sharding/sharded-prometheus.js';
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
  const client = new PrometheusClient(checkConnection(settings));
  const plan = shardingPlanOf(settings, featureSet);
  const namespaces = plan && new ShardNamespaces(client, { plan, now: Date.now });
  const api = namespaces === undefined ? client : new ShardedPrometheus(client, namespaces);
  try {
    const { features, ownerQueries } = featureSet;
    if (plan !== undefined && (await namespaces?.get(signal))?.length === 0) {
      const finding = emptyShardFinding(emptyShardMessage(plan.shard));
      return stoppedAt('prometheus', [...findings, finding], 'There is nothing that this shard watches.');
    }
    const facts = await gatherFacts({
      api,
      features,
      ownerQueries,
      training: conditions.training,
      queryOffsetSeconds: settings.queryOffsetSeconds,
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
    return stoppedAt('prometheus', [...findings, unreachableFinding(error)]);
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
