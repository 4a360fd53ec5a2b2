/** Tables of text in columns. */

/** A column of a table. */
export interface TextColumn<Row> {
  /** Two lines above the column. */
  readonly head: readonly [string, string];
  readonly align: 'left' | 'right';
  readonly cell: (row: Row) => string;
}

const GAP = '  ';

/** The lines of a table; each column is as wide as its widest cell. */
export function textTable<Row>(columns: readonly TextColumn<Row>[], rows: readonly Row[]): readonly string[] {
  const cells = columns.map(({ head, cell }) => [...head, ...rows.map(cell)]);
  const widths = cells.map((texts) => Math.max(...texts.map((text) => text.length)));
  return Array.from({ length: rows.length + 2 }, (_, line) =>
    columns
      .map(({ align }, column) => {
        const text = cells[column]?.[line] ?? '';
        const width = widths[column] ?? 0;
        return align === 'left' ? text.padEnd(width) : text.padStart(width);
      })
      .join(GAP)
      .trimEnd(),
  );
}
