/**
 * Named arrays as bytes, in the layout of safetensors (https://github.com/huggingface/safetensors): the length of the
 * header (u64), the header (JSON: name → dtype, shape, data_offsets), then the arrays, little-endian, without gaps. Not
 * compressed: most of it is numbers that do not shrink, and what is not inflated cannot explode.
 */

import { finish } from '../../../lib/steps.js';
import { check, SnapshotError } from './snapshot-error.js';

const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
} as const;

/** The types of numbers that are used, as safetensors calls them. */
export type Dtype = keyof typeof ARRAYS;

/** The array for a type of number. */
export type ArrayOf<Type extends Dtype> = (typeof ARRAYS)[Type]['prototype'];

/** An array, row by row. */
export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: ArrayOf<Dtype>;
}

/** What a file holds: arrays by their names, and texts by theirs. */
export interface TensorFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** An array of a type, all 0. */
export function newArray<Type extends Dtype>(dtype: Type, length: number): ArrayOf<Type> {
  return new ARRAYS[dtype](length) as ArrayOf<Type>;
}

/** The default of a parameter that only tests set. */
const HOST_IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Bytes of the length of the header. */
export const LENGTH_BYTES = 8;

/** The header ends at a multiple of this, so that no number lies across the boundary of its size. */
const ALIGNMENT = 8;

/** A feature file of 1 MiB, its placeholders filled, fits several times. */
const LONGEST_HEADER_BYTES = 8 * 2 ** 20;

/** Bytes that are copied in one step: a multiple of the size of every number. */
const BYTES_PER_STEP = 4 * 2 ** 20;

const METADATA = '__metadata__';

/**
 * Writes arrays: those of the widest numbers first, so that each is aligned, then by name.
 *
 * @returns an array that owns its buffer, so that it can be transferred to another thread.
 */
export function writeTensors(file: TensorFile, hostIsLittleEndian = HOST_IS_LITTLE_ENDIAN): Uint8Array<ArrayBuffer> {
  return finish(writeTensorsInSteps(file, hostIsLittleEndian));
}

/** Does the same in steps of a few milliseconds. */
export function* writeTensorsInSteps(
  { metadata, tensors }: TensorFile,
  hostIsLittleEndian = HOST_IS_LITTLE_ENDIAN,
): Generator<undefined, Uint8Array<ArrayBuffer>> {
  const sorted = [...tensors].sort(
    ([nameA, a], [nameB, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT || (nameA < nameB ? -1 : 1),
  );
  const header: Record<string, unknown> = { [METADATA]: metadata };
  let end = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    header[name] = { dtype, shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = LENGTH_BYTES + Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(start + end).fill(0x20, LENGTH_BYTES, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - LENGTH_BYTES), true);
  bytes.set(json, LENGTH_BYTES);
  let position = start;
  for (const [, { data }] of sorted) {
    const source = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at < source.length; at += BYTES_PER_STEP) {
      const target = bytes.subarray(position + at, position + Math.min(at + BYTES_PER_STEP, source.length));
      target.set(source.subarray(at, at + BYTES_PER_STEP));
      if (!hostIsLittleEndian) reverseEach(target, data.BYTES_PER_ELEMENT);
      yield;
    }
    position += source.length;
  }
  return bytes;
}

/**
 * Reads arrays. Nothing is taken on trust, and nothing is allocated that is larger than the bytes.
 *
 * @returns arrays that share memory with the bytes where that is possible.
 * @throws {SnapshotError} when the bytes do not have this layout.
 */
export function readTensors(bytes: Uint8Array, hostIsLittleEndian = HOST_IS_LITTLE_ENDIAN): TensorFile {
  const { header, dataStart } = readHeader(bytes);
  const { [METADATA]: metadata = {}, ...entries } = header;
  check(isRecordOfTexts(metadata), 'its header has metadata that are not texts');
  const described = Object.entries(entries).map(([name, entry]) => describe(name, entry));
  described.sort((a, b) => a.start - b.start || a.end - b.end);
  let end = 0;
  for (const { name, start, end: next } of described) {
    check(start === end, `its header has ${name} at ${start} where ${end} is expected`);
    end = next;
  }
  requireLength(bytes, dataStart + end);
  // A view needs an aligned start; numbers in the other byte order need a copy.
  const isUsable = hostIsLittleEndian && bytes.byteOffset % ALIGNMENT === 0;
  const own = isUsable ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
  const tensors = new Map<string, Tensor>();
  for (const { name, dtype, shape, start, length } of described) {
    const Numbers = ARRAYS[dtype];
    const size = Numbers.BYTES_PER_ELEMENT;
    const offset = own.byteOffset + dataStart + start;
    check(offset % size === 0, `its header has ${name} at ${start}, which is not aligned`);
    if (!hostIsLittleEndian) reverseEach(new Uint8Array(own.buffer, offset, length * size), size);
    tensors.set(name, { dtype, shape, data: new Numbers(own.buffer, offset, length) });
  }
  return { metadata, tensors };
}

function requireLength(bytes: Uint8Array, expected: number): void {
  const reason = `it has ${bytes.length} bytes where ${expected} are expected`;
  check(bytes.length >= expected, `${reason}: its end was not written`);
  check(bytes.length === expected, reason);
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < LENGTH_BYTES) requireLength(bytes, LENGTH_BYTES);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  check(
    length <= LONGEST_HEADER_BYTES,
    `it has a header of ${length} bytes where at most ${LONGEST_HEADER_BYTES} are expected`,
  );
  const dataStart = LENGTH_BYTES + length;
  if (bytes.length < dataStart) requireLength(bytes, dataStart);
  check(dataStart % ALIGNMENT === 0, `it has a header of ${length} bytes, which is not a multiple of ${ALIGNMENT}`);
  let header: unknown;
  try {
    header = JSON.parse(decodeText(bytes.subarray(LENGTH_BYTES, dataStart)));
  } catch {
    throw new SnapshotError('its header is not JSON');
  }
  check(isRecord(header), 'its header is not a JSON object');
  return { header, dataStart };
}

/** @throws {TypeError} when the bytes are not UTF-8. */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

function describe(name: string, entry: unknown) {
  const found = `its header has ${name}`;
  check(isRecord(entry), `${found}, which is not an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  check(isDtype(dtype), `${found} of an unknown type`);
  check(isListOfCounts(shape), `${found} of a wrong shape`);
  check(isListOfCounts(offsets) && offsets.length === 2, `${found} at a wrong place`);
  const [start, end] = offsets as [number, number];
  const length = shape.reduce((product, size) => product * size, 1);
  const expected = length * ARRAYS[dtype].BYTES_PER_ELEMENT;
  check(end - start === expected, `${found} of ${end - start} bytes where ${expected} are expected`);
  return { name, dtype, shape, start, end, length };
}

const isDtype = (value: unknown): value is Dtype => typeof value === 'string' && Object.hasOwn(ARRAYS, value);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isRecordOfTexts = (value: unknown): value is Record<string, string> =>
  isRecord(value) && Object.values(value).every((text) => typeof text === 'string');

const isListOfCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);

function reverseEach(bytes: Uint8Array, size: number): void {
  for (let start = 0; start < bytes.length; start += size) bytes.subarray(start, start + size).reverse();
}
