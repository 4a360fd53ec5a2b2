import { expect } from 'chai';
import {
  readTensors,
  type Tensor,
  writeTensors,
  writeTensorsInSteps,
} from '../../../../src/exporter/model/snapshot/safetensors.js';
import { SnapshotError } from '../../../../src/exporter/model/snapshot/snapshot-error.js';

const DOUBLES: Tensor = {
  dtype: 'F64',
  shape: [5],
  data: Float64Array.of(1.5, -0, Math.PI, -Infinity, 5e-324),
};
const SHORTS: Tensor = { dtype: 'U16', shape: [1, 3], data: Uint16Array.of(1, 0x0102, 0xfffe) };

const FILE = {
  metadata: { who: 'a "test"' },
  tensors: new Map<string, Tensor>([
    ['shorts', SHORTS],
    ['none', { dtype: 'U32', shape: [0, 4], data: new Uint32Array(0) }],
    ['doubles', DOUBLES],
    ['bytes', { dtype: 'U8', shape: [3], data: Uint8Array.of(7, 8, 9) }],
    ['floats', { dtype: 'F32', shape: [], data: Float32Array.of(0.5) }],
  ]),
};

/** What a processor of the other byte order has in memory for the same numbers. */
function foreign({ dtype, shape, data }: Tensor): Tensor {
  const copy = data.slice();
  const bytes = new Uint8Array(copy.buffer);
  for (let start = 0; start < bytes.length; start += copy.BYTES_PER_ELEMENT) {
    bytes.subarray(start, start + copy.BYTES_PER_ELEMENT).reverse();
  }
  return { dtype, shape, data: copy };
}

/** A file with any header, and as many bytes after it. */
function fileOf(header: unknown, dataBytes = 0): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return new Uint8Array(Buffer.concat([length, padded, Buffer.alloc(dataBytes)]));
}

describe('safetensors', () => {
  it('have the published layout, byte by byte', () => {
    const bytes = writeTensors(FILE);
    const view = new DataView(bytes.buffer);
    const headerLength = Number(view.getBigUint64(0, true));
    expect(headerLength % 8).to.equal(0);
    const text = new TextDecoder().decode(bytes.subarray(8, 8 + headerLength));
    expect(text).to.match(/^\{.*\} *$/);
    expect(JSON.parse(text)).to.deep.equal({
      __metadata__: { who: 'a "test"' },
      doubles: { dtype: 'F64', shape: [5], data_offsets: [0, 40] },
      floats: { dtype: 'F32', shape: [], data_offsets: [40, 44] },
      none: { dtype: 'U32', shape: [0, 4], data_offsets: [44, 44] },
      shorts: { dtype: 'U16', shape: [1, 3], data_offsets: [44, 50] },
      bytes: { dtype: 'U8', shape: [3], data_offsets: [50, 53] },
    });
    const start = 8 + headerLength;
    DOUBLES.data.forEach((number, index) => {
      expect(Object.is(view.getFloat64(start + 8 * index, true), number)).to.equal(true);
    });
    expect(view.getFloat32(start + 40, true)).to.equal(0.5);
    expect([...bytes.subarray(start + 44)]).to.deep.equal([1, 0, 2, 1, 0xfe, 0xff, 7, 8, 9]);
  });

  it('bring back what was written, wherever the bytes lie in memory', () => {
    const bytes = writeTensors(FILE);
    for (const offset of [0, 8, 3]) {
      const around = new Uint8Array(bytes.length + 20).fill(0xff);
      around.set(bytes, offset);
      expect(readTensors(around.subarray(offset, offset + bytes.length))).to.deep.equal(FILE);
    }
  });

  it('share memory with their bytes where these are aligned', () => {
    const bytes = writeTensors(FILE);
    expect(readTensors(bytes).tensors.get('doubles')?.data.buffer).to.equal(bytes.buffer);
  });

  it('are the same on a machine of the other byte order, and read there as here', () => {
    const tensors = new Map([...FILE.tensors].map(([name, tensor]) => [name, foreign(tensor)]));
    const bytes = writeTensors({ ...FILE, tensors }, false);
    expect(bytes).to.deep.equal(writeTensors(FILE));
    const read = readTensors(bytes, false);
    for (const [name, { data }] of tensors) {
      const found = read.tensors.get(name)?.data as Tensor['data'];
      const bytesOf = ({ buffer, byteOffset, byteLength }: Tensor['data']) =>
        Buffer.from(buffer, byteOffset, byteLength);
      expect(bytesOf(found), name).to.deep.equal(bytesOf(data));
    }
    expect(bytes, 'are not changed by reading').to.deep.equal(writeTensors(FILE));
  });

  it('are refused when they end anywhere, or go on', () => {
    const bytes = writeTensors(FILE);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readTensors(bytes.subarray(0, length)), `${length} bytes`).to.throw(
        SnapshotError,
        'its end was not written',
      );
    }
    expect(() => readTensors(Buffer.concat([bytes, Buffer.of(0)]))).to.throw(SnapshotError, 'bytes where');
  });

  const entry = (changes: object) => ({ a: { dtype: 'F64', shape: [1], data_offsets: [0, 8], ...changes } });
  const refused: readonly [what: string, bytes: Uint8Array, reason: string][] = [
    ['with a header longer than memory', new Uint8Array(8).fill(0xff), 'a header of 18446744073709552000'],
    ['with a header that is not JSON', fileOf('{"a"'), 'not JSON'],
    ['with a header that is not UTF-8', fileOf('{}').fill(0xff, 8), 'not JSON'],
    ['with a list for a header', fileOf([]), 'not a JSON object'],
    ['with a header of odd length', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d), 'not a multiple of 8'],
    ['with metadata that are not texts', fileOf({ __metadata__: { a: 1 } }), 'metadata'],
    ['with an array that is not described', fileOf({ a: 1 }), 'a, which is not an object'],
    ['of an unknown type', fileOf(entry({ dtype: 'BF16' }), 8), 'a of an unknown type'],
    ['of an inherited type', fileOf(entry({ dtype: 'toString' }), 8), 'a of an unknown type'],
    ['of a shape that is not a list', fileOf(entry({ shape: 1 }), 8), 'a of a wrong shape'],
    ['of a shape below 0', fileOf(entry({ shape: [-1] }), 8), 'a of a wrong shape'],
    ['of a part of a number', fileOf(entry({ shape: [0.5] }), 8), 'a of a wrong shape'],
    ['of more numbers than memory', fileOf(entry({ shape: [2 ** 50, 2 ** 50] }), 8), 'a of 8 bytes where'],
    ['with another number of offsets', fileOf(entry({ data_offsets: [0] }), 8), 'a at a wrong place'],
    ['that end before they begin', fileOf(entry({ data_offsets: [8, 0] }), 8), 'a of -8 bytes where 8'],
    ['that lie beyond the bytes', fileOf(entry({ data_offsets: [0, 8] }), 7), 'its end was not written'],
    ['that leave a gap', fileOf(entry({ data_offsets: [8, 16] }), 16), 'a at 8 where 0 is expected'],
    [
      'that overlap',
      fileOf({ ...entry({}), b: { dtype: 'F64', shape: [1], data_offsets: [4, 12] } }, 12),
      'b at 4 where 8 is expected',
    ],
    [
      'that are not aligned',
      fileOf({ b: { dtype: 'U8', shape: [1], data_offsets: [0, 1] }, ...entry({ data_offsets: [1, 9] }) }, 9),
      'a at 1, which is not aligned',
    ],
  ];
  for (const [what, bytes, reason] of refused) {
    it(`are refused ${what}`, () => {
      expect(() => readTensors(bytes)).to.throw(SnapshotError, reason);
    });
  }

  it('are written with a rest after every 4 MiB', () => {
    const numbers = Uint16Array.from({ length: 5 * 2 ** 20 }, (_, index) => index);
    const tensors = new Map<string, Tensor>([['numbers', { dtype: 'U16', shape: [numbers.length], data: numbers }]]);
    const steps = writeTensorsInSteps({ metadata: {}, tensors });
    let rests = 0;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) rests++;
    expect(rests).to.equal(3);
    expect(readTensors(step.value).tensors.get('numbers')?.data).to.deep.equal(numbers);
  });
});
