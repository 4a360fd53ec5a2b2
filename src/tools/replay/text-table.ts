/** Tables of text in columns. */

/** A column of a table. */
export interface TextColumn<Row> {
  /** Two lines above the column. */
  readonly head: readonly [string, string];
  readonly align: 'left' | 'right';
  readonly cell: (row: Row) => string;
}

/** A table whose cells are text. */
export interface TextTable {
  readonly columns: readonly Pick<TextColumn<unknown>, 'head' | 'align'>[];
  readonly rows: readonly (readonly string[])[];
}

const GAP = '  ';

export function tableOf<Row>(columns: readonly TextColumn<Row>[], rows: readonly Row[]): TextTable {
  return { columns, rows: rows.map((row) => columns.map(({ cell }) => cell(row))) };
}

/** The lines of a table; each column is as wide as its widest cell. */
export function tableLines({ columns, rows }: TextTable): readonly string[] {
  const lines = [0, 1]
    .map((line) => columns.map(({ head }) => head[line] ?? ''))
    .concat(rows.map((row) => [...row]));
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((text, column) =>
        columns[column]?.align === 'left'
          ? text.padEnd(widths[column] ?? 0)
          : text.padStart(widths[column] ?? 0),
      )
      .join(GAP)
      .trimEnd(),
  );
}

/** The lines of a table of these rows. */
export function textTable<Row>(columns: readonly TextColumn<Row>[], rows: readonly Row[]): readonly string[] {
  return tableLines(tableOf(columns, rows));
}
