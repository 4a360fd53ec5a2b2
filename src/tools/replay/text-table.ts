/** Tables of a report, which the text and the page show alike. */

/** A number that a page draws as a bar as well. */
export interface Bar {
  readonly text: string;
  /** Of the width, in [0, 1]. */
  readonly share: number;
  /** Above a limit. */
  readonly over: boolean;
}

export type Cell = string | Bar;

export interface TextColumn<Row> {
  /** Two lines above the column. */
  readonly head: readonly [string, string];
  readonly align: 'left' | 'right';
  readonly cell: (row: Row) => Cell;
}

/** A table whose cells are computed. */
export interface TextTable {
  readonly columns: readonly Pick<TextColumn<unknown>, 'head' | 'align'>[];
  readonly rows: readonly (readonly Cell[])[];
}

export function left<Row>(first: string, second: string, cell: (row: Row) => Cell): TextColumn<Row> {
  return { head: [first, second], align: 'left', cell };
}

export function right<Row>(first: string, second: string, cell: (row: Row) => Cell): TextColumn<Row> {
  return { head: [first, second], align: 'right', cell };
}

export function tableOf<Row>(columns: readonly TextColumn<Row>[], rows: readonly Row[]): TextTable {
  return { columns, rows: rows.map((row) => columns.map(({ cell }) => cell(row))) };
}

/** The lines of a table; each column is as wide as its widest cell. */
export function tableLines({ columns, rows }: TextTable): readonly string[] {
  const text = (cell: Cell) => (typeof cell === 'string' ? cell : cell.text);
  const texts = rows.map((row) => row.map(text));
  const padded = columns.map(({ head, align }, column) => {
    const cells = [...head, ...texts.map((row) => row[column] ?? '')];
    const width = Math.max(...cells.map(({ length }) => length));
    return cells.map((cell) => (align === 'left' ? cell.padEnd(width) : cell.padStart(width)));
  });
  return Array.from({ length: rows.length + 2 }, (_, line) =>
    padded
      .map((cells) => cells[line])
      .join('  ')
      .trimEnd(),
  );
}
