/** A model with what must be known before it is used again: the content of a snapshot file. */

import { isDeepStrictEqual } from 'node:util';
import type { FeatureDefinition } from '../../features/catalog.js';
import { type ModelParameters, modelFingerprint } from '../fit.js';
import type { Model } from '../model.js';
import { decodeModel, encodeModel } from './codec.js';
import { readSealed, type Seal, sealOf, withChecksum } from './seal.js';
import { check } from './snapshot-error.js';

/** What a model is trained with. A model that was trained with anything else is another model. */
export interface TrainingConfiguration {
  readonly features: readonly FeatureDefinition[];
  readonly parameters: ModelParameters;
  readonly lookbackSeconds: number;
  readonly stepSeconds: number;
  /** What distinguishes the data's source from others, without secrets: its URL. */
  readonly source: readonly string[];
}

/** A model that was read from a snapshot. */
export interface Snapshot {
  readonly model: Model;
  /** The whole snapshot; the model shares its memory. */
  readonly bytes: Uint8Array;
  /** End of its training, Unix time in seconds. */
  readonly trainedSeconds: number;
}

/** Raise it whenever the columns, or the meaning of anything in them, change. */
const FORMAT_VERSION = 5;

/** By how many seconds a clock may be set back between two starts. */
const CLOCK_TOLERANCE_SECONDS = 300;

/**
 * A snapshot as bytes: the content of a file, and what a training sends to the thread that serves.
 *
 * @param trainedSeconds end of the training, Unix time in seconds.
 * @returns an array that owns its buffer, so that it can be transferred to another thread.
 */
export function encodeSnapshot(
  model: Model,
  trainedSeconds: number,
  configuration: TrainingConfiguration,
): Uint8Array<ArrayBuffer> {
  const metadata = { ...sealOf(sealFor(configuration)), trainedSeconds: String(trainedSeconds) };
  return withChecksum(encodeModel(model, metadata));
}

function sealFor({ features, parameters, lookbackSeconds, stepSeconds, source }: TrainingConfiguration): Seal {
  const configuration = { features, parameters, lookbackSeconds, stepSeconds, source };
  return { version: FORMAT_VERSION, configuration };
}

/** What a snapshot must be to be used. */
export interface SnapshotExpectation {
  readonly configuration: TrainingConfiguration;
  /** Unix time in seconds. */
  readonly nowSeconds: number;
  /** From the end of the training. */
  readonly maximumAgeSeconds: number;
}

/**
 * Reads a snapshot file.
 *
 * @throws {SnapshotError} with the reason why it is not to be used; there is no other error.
 */
export function readSnapshot(bytes: Uint8Array, expected: SnapshotExpectation): Snapshot {
  const { metadata } = readSealed(
    bytes,
    sealFor(expected.configuration),
    'it was trained with other settings (features, queries, parameters, or the address of Prometheus)',
  );
  const trainedSeconds = Number(metadata.trainedSeconds);
  requireRecent(trainedSeconds, expected);
  return { model: requireConfigured(decodeModel(bytes), expected.configuration), trainedSeconds, bytes };
}

function requireRecent(trainedSeconds: number, { nowSeconds, maximumAgeSeconds }: SnapshotExpectation): void {
  const age = nowSeconds - trainedSeconds;
  check(
    age >= -CLOCK_TOLERANCE_SECONDS,
    `it was trained in the future, as far as the clock tells (in ${inMinutes(-age)})`,
  );
  check(
    age <= maximumAgeSeconds,
    `it was trained ${inMinutes(age)} ago, and counts for ${inMinutes(maximumAgeSeconds)}`,
  );
}

/** A model may do without some of the features, as they had no data; those that it has are the configured ones. */
function requireConfigured(model: Model, { features, parameters }: TrainingConfiguration): Model {
  const known = features.filter((feature) => model.features.some(({ name }) => name === feature.name));
  check(
    isDeepStrictEqual([...model.features], known) &&
      model.baseline.kind === parameters.baseline &&
      model.fingerprint === modelFingerprint(known, parameters),
    'it has other features or parameters than the settings',
  );
  return model;
}

const inMinutes = (seconds: number) => `${Math.round(seconds / 60)} minutes`;
