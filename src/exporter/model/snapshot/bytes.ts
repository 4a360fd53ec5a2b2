/** Numbers and lines as bytes: little-endian on every machine, and nothing is taken on trust when they are read. */

import { SnapshotError } from './snapshot-error.js';

/** The typed arrays that are written. */
type Numbers = Float64Array | Float32Array | Uint32Array | Uint16Array;

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Collects parts. */
export class ByteWriter {
  readonly #parts: Uint8Array[] = [];
  readonly #swaps: boolean;

  /** @param hostIsLittleEndian is replaced by tests. */
  constructor(hostIsLittleEndian = HOST_IS_LITTLE_ENDIAN) {
    this.#swaps = !hostIsLittleEndian;
  }

  numbers(values: Numbers): void {
    const bytes = new Uint8Array(values.byteLength);
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    if (this.#swaps) reverseEach(bytes, values.BYTES_PER_ELEMENT);
    this.#parts.push(bytes);
  }

  /** A text, after its length in bytes. */
  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.numbers(Uint32Array.of(bytes.length));
    this.#parts.push(bytes);
  }

  /** Texts of any content, a line each. */
  lines(texts: readonly string[]): void {
    this.text(texts.map((text) => JSON.stringify(text).slice(1, -1)).join('\n'));
  }

  /** All parts as one array that owns its buffer. */
  finish(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#parts.reduce((sum, part) => sum + part.length, 0));
    let position = 0;
    for (const part of this.#parts) {
      bytes.set(part, position);
      position += part.length;
    }
    return bytes;
  }
}

/** Takes parts off, in the order in which they were written. What is read shares no memory with the bytes. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #swaps: boolean;
  #position = 0;

  /** @param hostIsLittleEndian is replaced by tests. */
  constructor(bytes: Uint8Array, hostIsLittleEndian = HOST_IS_LITTLE_ENDIAN) {
    // Of a Buffer, `slice` would be a view and not a copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#swaps = !hostIsLittleEndian;
  }

  float64s(count: number): Float64Array {
    return new Float64Array(this.#numbers(count, 8));
  }

  float32s(count: number): Float32Array {
    return new Float32Array(this.#numbers(count, 4));
  }

  uint32s(count: number): Uint32Array {
    return new Uint32Array(this.#numbers(count, 4));
  }

  uint16s(count: number): Uint16Array {
    return new Uint16Array(this.#numbers(count, 2));
  }

  /** @param longest bytes. */
  text(longest: number): string {
    const [length] = this.uint32s(1) as unknown as [number];
    if (length > longest) {
      throw new SnapshotError(`it has a text of ${length} bytes where at most ${longest} are expected`);
    }
    const bytes = this.#take(length);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new SnapshotError('it has a text that is not UTF-8');
    }
  }

  /** As many texts as `lines` has written. */
  lines(count: number): string[] {
    const text = this.text(this.#bytes.length);
    if (count === 0 && text === '') return [];
    // The limit keeps a long row of line ends from becoming a long list.
    const lines = text.split('\n', count + 1);
    if (lines.length !== count) {
      throw new SnapshotError(`it has a list of other than ${count} texts where as many are expected`);
    }
    return lines.map((line) => (line.includes('\\') ? unescaped(line) : line));
  }

  /** @throws {SnapshotError} when there is more. */
  end(): void {
    const rest = this.#bytes.length - this.#position;
    if (rest > 0) throw new SnapshotError(`it goes on for ${rest} bytes after its end`);
  }

  #numbers(count: number, size: number): ArrayBuffer {
    const bytes = this.#take(count * size);
    if (this.#swaps) reverseEach(bytes, size);
    return bytes.buffer;
  }

  /** The length is compared with what is there before anything is allocated. */
  #take(length: number): Uint8Array<ArrayBuffer> {
    const end = this.#position + length;
    if (!(end <= this.#bytes.length)) {
      throw new SnapshotError(`it ends after ${this.#bytes.length} bytes where at least ${end} are expected`);
    }
    const bytes = this.#bytes.slice(this.#position, end) as Uint8Array<ArrayBuffer>;
    this.#position = end;
    return bytes;
  }
}

function unescaped(line: string): string {
  let text: unknown;
  try {
    text = JSON.parse(`"${line}"`);
  } catch {
    text = undefined;
  }
  if (typeof text !== 'string') throw new SnapshotError('it has a text with a wrong escape');
  return text;
}

function reverseEach(bytes: Uint8Array, size: number): void {
  for (let start = 0; start < bytes.length; start += size) bytes.subarray(start, start + size).reverse();
}
