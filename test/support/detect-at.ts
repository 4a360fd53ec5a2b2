/** Trains on what a server knows, and detects, as the service does, at one moment. */

import { expect } from 'chai';
import { parseSettings } from '../../src/exporter/config/parse.js';
import { openPrometheus } from '../../src/exporter/connect.js';
import type { Detection } from '../../src/exporter/detection/detection.js';
import { DetectionPass } from '../../src/exporter/detection/pass.js';
import { loadFeatures } from '../../src/exporter/features/queries/feature-file.js';
import { WorkloadHistory } from '../../src/exporter/history/workload-history.js';
import { type TrainingScope, train, trainingRequest } from '../../src/exporter/training/job.js';
import { QUICK_PARAMETERS } from './parameters.js';

/**
 * The detection passes of a service that was trained once.
 *
 * @param environment settings, with the address of the server.
 * @param dueSeconds when the training was due, Unix time.
 * @param nowSeconds the time of a pass, Unix time.
 */
export async function trainedPass(
  environment: Readonly<Record<string, string>>,
  dueSeconds: number,
  nowSeconds: () => number,
): Promise<{ readonly pass: DetectionPass; readonly close: () => void }> {
  const { settings } = parseSettings(environment);
  const featureSet = await loadFeatures('', settings);
  const now = () => nowSeconds() * 1000;
  const { api, namespaces } = openPrometheus(settings, featureSet, { now });
  const scope: TrainingScope = {
    ...featureSet,
    parameters: QUICK_PARAMETERS,
    lookbackSeconds: 1800,
    stepSeconds: 60,
  };
  const occasion = { dueSeconds, untilNextTrainingSeconds: 900 };
  // Of a service that has just begun to remember: the forest alone, as it is drawn, may let a loop pass.
  const names = (wanted: string) => scope.features.filter(({ type }) => type === wanted).map(({ name: own }) => own);
  const history = new WorkloadHistory({ days: 8, gauges: names('gauge'), counters: names('counter') }).state();
  const { model } = await train(api, { ...trainingRequest(scope, occasion), history });
  const pass = new DetectionPass({
    ...featureSet,
    api,
    model: () => model,
    timeoutSeconds: 30,
    now,
    whyNoModel: () => '',
    onOutcome: () => {},
  });
  return { pass, close: () => namespaces?.close() };
}

/**
 * What is flagged at a moment, without a warning.
 *
 * @param environment settings, with the address of the server.
 * @param nowSeconds the moment, Unix time.
 * @param trainedAgo how long before it the training is, in seconds.
 */
export async function detectAt(
  environment: Readonly<Record<string, string>>,
  nowSeconds: number,
  trainedAgo: number,
): Promise<Detection> {
  const { pass, close } = await trainedPass(environment, nowSeconds - trainedAgo, () => nowSeconds);
  const outcome = await pass.run(undefined);
  close();
  if (outcome.kind !== 'detection') throw new Error(outcome.message);
  expect(outcome.warnings).to.deep.equal([]);
  return outcome.detection;
}

/** The names of the pods with a score above 0. */
export const flaggedIn = ({ table, scores }: Detection): readonly string[] =>
  table.pods.filter((_, row) => (scores[row] as number) > 0).map(({ pod }) => pod);
