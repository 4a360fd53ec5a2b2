/** Lines and fields of CSV text that may be damaged. */

/** A line longer than this is no row. */
const MAXIMUM_LINE_LENGTH = 64 * 1024;

/**
 * Cuts text that comes in pieces into lines, without their ends (LF or CRLF). A last line without an end counts.
 *
 * @param onOverlong called for each line that was left out because it is longer than 64 Ki characters.
 */
export async function* splitLines(
  pieces: AsyncIterable<string>,
  onOverlong: () => void,
): AsyncGenerator<readonly string[]> {
  let rest = '';
  let skipping = false;
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    // The first line ends the one that is being skipped.
    if (skipping && lines.length > 0) {
      lines.shift();
      skipping = false;
    }
    if (skipping || rest.length > MAXIMUM_LINE_LENGTH) {
      if (!skipping) onOverlong();
      skipping = true;
      rest = '';
    }
    yield lines.map(withoutCarriageReturn).filter((line) => {
      if (line.length > MAXIMUM_LINE_LENGTH) onOverlong();
      return line.length <= MAXIMUM_LINE_LENGTH;
    });
  }
  if (!skipping && rest !== '') yield [withoutCarriageReturn(rest)];
}

function withoutCarriageReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** The names in a header line. Its trimming takes off a byte order mark as well, as some spreadsheets write it. */
export function parseHeader(line: string): readonly string[] {
  return splitFields(line.trimStart()).map((name) => name.trim());
}

/** A field and what ends it: a quoted one, or anything without a comma. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^,]*))(,|$)/gy;

/**
 * The fields of a line; quotes around a whole field are taken off (RFC 4180), others stay. A quoted field ends with
 * its line at the latest.
 */
export function splitFields(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(',');
  const fields: string[] = [];
  for (const [, quoted, plain = '', end] of line.matchAll(FIELD)) {
    fields.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === '') break;
  }
  return fields;
}

/** A text as a field: in quotes where it needs them. */
export function quoteField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
