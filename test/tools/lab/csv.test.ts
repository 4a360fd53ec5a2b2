import { expect } from 'chai';
import { parseHeader, quoteField, splitFields, splitLines } from '../../../src/tools/lab/csv.js';

async function* inPieces(text: string, length: number): AsyncGenerator<string> {
  for (let start = 0; start < text.length; start += length) yield text.slice(start, start + length);
}

async function linesOf(text: string, pieceLength: number) {
  const lines: string[] = [];
  let overlong = 0;
  for await (const some of splitLines(inPieces(text, pieceLength), () => overlong++)) lines.push(...some);
  return { lines, overlong };
}

describe('the CSV reader', () => {
  it('gives the same lines however the text is cut, with LF, CRLF and no end at the end', async () => {
    for (const length of [1, 2, 3, 5, 100]) {
      expect(await linesOf('a,b\r\n\n1,2\n3,4', length)).to.deep.equal({
        lines: ['a,b', '', '1,2', '3,4'],
        overlong: 0,
      });
    }
  });

  it('leaves out a line without end and goes on with the next one', async () => {
    for (const length of [1000, 1_000_000]) {
      const { lines, overlong } = await linesOf(`first\n${'x'.repeat(300_000)}\nlast\n`, length);
      expect(lines).to.deep.equal(['first', 'last']);
      expect(overlong).to.equal(1);
    }
    expect(await linesOf('x'.repeat(300_000), 1000)).to.deep.equal({ lines: [], overlong: 1 });
  });

  it('takes quotes off, and leaves those in odd places', () => {
    expect(splitFields('1,"a,b","say ""x""",')).to.deep.equal(['1', 'a,b', 'say "x"', '']);
    expect(splitFields('"a",b')).to.deep.equal(['a', 'b']);
    expect(splitFields('1,a"b"c,2')).to.deep.equal(['1', 'a"b"c', '2']);
    expect(splitFields('1,"a"b,2')).to.deep.equal(['1', '"a"b', '2']);
    expect(splitFields('1,"a,2')).to.deep.equal(['1', '"a', '2']);
  });

  it('reads a header with a byte order mark, quotes and blanks', () => {
    expect(parseHeader('\ufefftimestamp, "pod" ,cpu')).to.deep.equal(['timestamp', '"pod"', 'cpu']);
    expect(parseHeader('\ufeff"timestamp","pod"')).to.deep.equal(['timestamp', 'pod']);
  });

  it('quotes what needs it', () => {
    expect(['a', 'a,b', 'a"b'].map(quoteField)).to.deep.equal(['a', '"a,b"', '"a""b"']);
  });
});
