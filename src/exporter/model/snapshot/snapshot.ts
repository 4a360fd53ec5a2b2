/** A model with what must be known before it is used again: the content of a snapshot file. */

import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { FeatureDefinition } from '../../features/catalog.js';
import { type ModelParameters, modelFingerprint } from '../fit.js';
import type { Model } from '../model.js';
import { decodeModel, MODEL_FORMAT_VERSION } from './codec.js';
import { SnapshotError } from './snapshot-error.js';

/** What a model is trained with. A model that was trained with anything else is another model. */
export interface TrainingConfiguration {
  readonly features: readonly FeatureDefinition[];
  readonly parameters: ModelParameters;
  readonly lookbackSeconds: number;
  readonly stepSeconds: number;
  /** What distinguishes the data's source from others, without secrets: its URL. */
  readonly source: readonly string[];
}

/** What stands in a snapshot beside the model. */
export interface SnapshotFacts {
  /** End of the training, Unix time in seconds. */
  readonly trainedSeconds: number;
  readonly configuration: TrainingConfiguration;
}

/** A model that was read from a snapshot. */
export interface Snapshot {
  readonly model: Model;
  /** End of its training, Unix time in seconds. */
  readonly trainedSeconds: number;
}

/** A name that a text editor or a transfer as text would spoil, as PNG has it. */
const MAGIC = Uint8Array.of(0x89, 0x4b, 0x38, 0x41, 0x44, 0x0d, 0x0a, 0x1a);

/** Magic, version (u32), length of the model (u32), time of training (f64), configuration and checksum (SHA-256). */
const VERSION_AT = 8;
const LENGTH_AT = 12;
const TRAINED_AT = 16;
const CONFIGURATION_AT = 24;
const CHECKSUM_AT = 56;

/** Bytes before the model. */
export const HEADER_BYTES = 88;

/** A clock may be set back by so much between two starts, in seconds. */
const CLOCK_TOLERANCE_SECONDS = 300;

/** What stands in a file before the model, which follows as `encodeModel` has written it. */
export function snapshotHeader(
  model: Uint8Array,
  { trainedSeconds, configuration }: SnapshotFacts,
): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set(MAGIC);
  view.setUint32(VERSION_AT, MODEL_FORMAT_VERSION, true);
  view.setUint32(LENGTH_AT, model.length, true);
  view.setFloat64(TRAINED_AT, trainedSeconds, true);
  header.set(configurationDigest(configuration), CONFIGURATION_AT);
  header.set(checksum(header, model), CHECKSUM_AT);
  return header;
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
  const model = requireWhole(bytes);
  const trainedSeconds = viewOf(bytes).getFloat64(TRAINED_AT, true);
  const digest = bytes.subarray(CONFIGURATION_AT, CHECKSUM_AT);
  if (Buffer.compare(digest, configurationDigest(expected.configuration)) !== 0) {
    throw new SnapshotError(
      'it was trained with other settings (features, queries, parameters, or the address of Prometheus)',
    );
  }
  requireRecent(trainedSeconds, expected);
  return { model: requireConfigured(decodeModel(model), expected.configuration), trainedSeconds };
}

/** The bytes of the model, once all is known to be as it was written. */
function requireWhole(bytes: Uint8Array): Uint8Array {
  const start = bytes.subarray(0, MAGIC.length);
  if (Buffer.compare(start, MAGIC.subarray(0, start.length)) !== 0) {
    throw new SnapshotError('it is no snapshot of this program');
  }
  const torn = (expected: number) =>
    new SnapshotError(`it has ${bytes.length} bytes where ${expected} are expected: its end was not written`);
  if (bytes.length < HEADER_BYTES) throw torn(HEADER_BYTES);
  const view = viewOf(bytes);
  const version = view.getUint32(VERSION_AT, true);
  if (version !== MODEL_FORMAT_VERSION) {
    const age = version > MODEL_FORMAT_VERSION ? 'a newer' : 'an older';
    throw new SnapshotError(
      `it is of ${age} version of this program (format ${version}, and this one reads ${MODEL_FORMAT_VERSION})`,
    );
  }
  const length = HEADER_BYTES + view.getUint32(LENGTH_AT, true);
  if (bytes.length < length) throw torn(length);
  if (bytes.length > length) {
    throw new SnapshotError(`it has ${bytes.length} bytes where ${length} are expected`);
  }
  const model = bytes.subarray(HEADER_BYTES);
  const found = bytes.subarray(CHECKSUM_AT, HEADER_BYTES);
  if (Buffer.compare(found, checksum(bytes, model)) !== 0) {
    throw new SnapshotError('its checksum is wrong: it was changed after it was written');
  }
  return model;
}

function requireRecent(
  trainedSeconds: number,
  { nowSeconds, maximumAgeSeconds }: Pick<SnapshotExpectation, 'nowSeconds' | 'maximumAgeSeconds'>,
): void {
  const age = nowSeconds - trainedSeconds;
  if (!(age >= -CLOCK_TOLERANCE_SECONDS)) {
    throw new SnapshotError(
      `it was trained in the future, as far as the clock tells (in ${inMinutes(-age)})`,
    );
  }
  if (age > maximumAgeSeconds) {
    throw new SnapshotError(
      `it was trained ${inMinutes(age)} ago, and counts for ${inMinutes(maximumAgeSeconds)}`,
    );
  }
}

/** A model may do without some of the features, as they had no data; those that it has are the configured ones. */
function requireConfigured(model: Model, { features, parameters }: TrainingConfiguration): Model {
  const known = features.filter((feature) => model.features.some(({ name }) => name === feature.name));
  const same =
    isDeepStrictEqual([...model.features], known) &&
    model.baseline.kind === parameters.baseline &&
    model.fingerprint === modelFingerprint(known, parameters);
  if (!same) throw new SnapshotError('it has other features or parameters than the settings');
  return model;
}

function checksum(header: Uint8Array, model: Uint8Array): Uint8Array {
  return createHash('sha256').update(header.subarray(0, CHECKSUM_AT)).update(model).digest();
}

function configurationDigest({
  features,
  parameters,
  lookbackSeconds,
  stepSeconds,
  source,
}: TrainingConfiguration): Uint8Array {
  const all = JSON.stringify({ features, parameters, lookbackSeconds, stepSeconds, source });
  return createHash('sha256').update(all).digest();
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const inMinutes = (seconds: number) => `${Math.round(seconds / 60)} minutes`;
