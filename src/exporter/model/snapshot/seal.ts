/** What all saved files begin with: a checksum, the version of their format, and the settings that they belong to. */

import { createHash } from 'node:crypto';
import { finish, finishInTurns } from '../../../lib/steps.js';
import { LENGTH_BYTES, readTensors, type TensorFile } from './safetensors.js';
import { check, SnapshotError } from './snapshot-error.js';

/** What a file must be to be used. */
export interface Seal {
  /** Of the format. Raise it whenever the arrays, or the meaning of anything in them, change. */
  readonly version: number;
  /** All that the content depends on, as plain data. */
  readonly configuration: unknown;
}

/** The header begins with it: the metadata come first, and of these the checksum. */
const BEGINNING = '{"__metadata__":{"sha256":"';
const CHECKSUM_AT = LENGTH_BYTES + BEGINNING.length;
const CHECKSUM_DIGITS = 64;

/** Bytes that are hashed at a stretch: a few milliseconds of work. */
const BYTES_PER_TURN = 2 ** 20;

/** The metadata to begin with; `withChecksum` completes them. */
export function sealOf({ version, configuration }: Seal): Readonly<Record<string, string>> {
  return {
    sha256: '0'.repeat(CHECKSUM_DIGITS),
    version: String(version),
    configuration: digestOf(configuration),
  };
}

/** Writes the SHA-256 of all other bytes into the header. */
export function withChecksum<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  return writeChecksum(bytes, checksumOf(bytes));
}

/** Does the same; `pause` is awaited every few milliseconds, so that other work has its turn. */
export async function withChecksumInTurns<Bytes extends Uint8Array>(
  bytes: Bytes,
  pause: () => Promise<unknown>,
): Promise<Bytes> {
  return writeChecksum(bytes, await finishInTurns(checksumInSteps(bytes), pause));
}

/**
 * Reads a file that was sealed.
 *
 * @param otherSettings the reason where it belongs to other settings.
 * @throws {SnapshotError} with the reason why it is not to be used; there is no other error.
 */
export function readSealed(bytes: Uint8Array, { version, configuration }: Seal, otherSettings: string): TensorFile {
  // Of a file that is cut short, as much is compared as there is.
  const beginning = Buffer.from(bytes.subarray(LENGTH_BYTES, CHECKSUM_AT)).toString('latin1');
  check(BEGINNING.startsWith(beginning), 'it is not a snapshot file of this program');
  const file = readTensors(bytes);
  requireVersion(Number(file.metadata.version), version);
  check(file.metadata.sha256 === checksumOf(bytes), 'its checksum is wrong: it was changed after it was written');
  check(file.metadata.configuration === digestOf(configuration), otherSettings);
  return file;
}

function requireVersion(version: number, expected: number): void {
  if (version === expected) return;
  const age = version > expected ? 'a newer' : 'an older';
  throw new SnapshotError(
    `it is of ${age} version of this program (format ${version}, and this one reads ${expected})`,
  );
}

const checksumOf = (bytes: Uint8Array): string => finish(checksumInSteps(bytes));

function* checksumInSteps(bytes: Uint8Array): Generator<undefined, string> {
  const hash = createHash('sha256').update(bytes.subarray(0, CHECKSUM_AT));
  for (let at = CHECKSUM_AT + CHECKSUM_DIGITS; at < bytes.length; at += BYTES_PER_TURN) {
    hash.update(bytes.subarray(at, at + BYTES_PER_TURN));
    yield;
  }
  return hash.digest('hex');
}

function writeChecksum<Bytes extends Uint8Array>(bytes: Bytes, checksum: string): Bytes {
  bytes.set(new TextEncoder().encode(checksum), CHECKSUM_AT);
  return bytes;
}

const digestOf = (configuration: unknown) => createHash('sha256').update(JSON.stringify(configuration)).digest('hex');
