import { expect } from 'chai';
import { ByteReader, ByteWriter } from '../../../../src/exporter/model/snapshot/bytes.js';
import { SnapshotError } from '../../../../src/exporter/model/snapshot/snapshot-error.js';

const DOUBLES = Float64Array.of(1.5, -0, Math.PI, -Infinity, 5e-324);

/** What a processor of the other byte order has in memory for the same numbers. */
function foreign<Numbers extends Float64Array | Uint16Array | Uint32Array>(numbers: Numbers): Numbers {
  const copy = numbers.slice() as Numbers;
  const bytes = new Uint8Array(copy.buffer);
  for (let start = 0; start < bytes.length; start += copy.BYTES_PER_ELEMENT) {
    bytes.subarray(start, start + copy.BYTES_PER_ELEMENT).reverse();
  }
  return copy;
}

describe('bytes', () => {
  it('are little-endian', () => {
    const writer = new ByteWriter();
    writer.numbers(DOUBLES);
    writer.numbers(Uint16Array.of(0x0102));
    const view = new DataView(writer.finish().buffer);
    for (const [index, number] of DOUBLES.entries()) {
      expect(Object.is(view.getFloat64(8 * index, true), number)).to.equal(true);
    }
    expect([view.getUint8(40), view.getUint8(41)]).to.deep.equal([2, 1]);
  });

  it('are the same on a machine of the other byte order, and read there as here', () => {
    const here = new ByteWriter();
    here.numbers(DOUBLES);
    here.numbers(Uint32Array.of(1, 0xfffefdfc));
    const there = new ByteWriter(false);
    there.numbers(foreign(DOUBLES));
    there.numbers(foreign(Uint32Array.of(1, 0xfffefdfc)));
    expect(there.finish()).to.deep.equal(here.finish());
    const reader = new ByteReader(here.finish(), false);
    expect(new Uint8Array(reader.float64s(5).buffer)).to.deep.equal(new Uint8Array(foreign(DOUBLES).buffer));
    expect(reader.uint32s(2)).to.deep.equal(foreign(Uint32Array.of(1, 0xfffefdfc)));
  });

  it('do not change the arrays they are written from, and share no memory with those that are read', () => {
    const numbers = Float64Array.of(1, 2);
    const writer = new ByteWriter(false);
    writer.numbers(numbers);
    expect(numbers).to.deep.equal(Float64Array.of(1, 2));
    const bytes = Buffer.from(new Uint8Array(16));
    const read = new ByteReader(bytes).float64s(2);
    bytes.fill(0xff);
    expect(read).to.deep.equal(Float64Array.of(0, 0));
  });

  for (const texts of [
    [],
    [''],
    ['', ''],
    ['a', 'b\nc', '"', '\\', '\\n', '\u2028', '🐢', '\ud800', '\u0000', '\ufeff'],
  ]) {
    it(`keep the lines ${JSON.stringify(texts)}`, () => {
      const writer = new ByteWriter();
      writer.lines(texts);
      const reader = new ByteReader(writer.finish());
      expect(reader.lines(texts.length)).to.deep.equal(texts);
      reader.end();
    });
  }

  const text = (bytes: Uint8Array) =>
    Buffer.concat(
      [Uint32Array.of(bytes.length), bytes].map((part) =>
        Buffer.from(part.buffer, part.byteOffset, part.byteLength),
      ),
    );
  const refused: readonly [
    what: string,
    bytes: Uint8Array,
    read: (reader: ByteReader) => unknown,
    reason: string,
  ][] = [
    ['too many numbers', new Uint8Array(15), (reader) => reader.float64s(2), 'it ends after 15 bytes'],
    [
      'more numbers than there is memory',
      new Uint8Array(4),
      (reader) => reader.float64s(2 ** 50),
      'it ends after',
    ],
    ['less than no numbers', new Uint8Array(4), (reader) => reader.uint16s(Number.NaN), 'it ends after'],
    [
      'a text longer than allowed',
      text(Buffer.from('four')),
      (reader) => reader.text(3),
      'a text of 4 bytes',
    ],
    ['a text that is no UTF-8', text(Uint8Array.of(0xff)), (reader) => reader.text(3), 'not UTF-8'],
    ['fewer lines', text(Buffer.from('a\nb')), (reader) => reader.lines(3), 'other than 3'],
    ['more lines', text(Buffer.from('a\nb')), (reader) => reader.lines(1), 'other than 1'],
    ['a line where none is', text(Buffer.from('a')), (reader) => reader.lines(0), 'other than 0'],
    ['a wrong escape', text(Buffer.from('\\x')), (reader) => reader.lines(1), 'wrong escape'],
    [
      'a line that ends its quotes',
      text(Buffer.from('\\n","b')),
      (reader) => reader.lines(1),
      'wrong escape',
    ],
    ['a rest', new Uint8Array(3), (reader) => reader.end(), 'goes on for 3 bytes'],
  ];
  for (const [what, bytes, read, reason] of refused) {
    it(`refuse ${what}`, () => {
      expect(() => read(new ByteReader(bytes))).to.throw(SnapshotError, reason);
    });
  }
});
