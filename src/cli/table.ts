// Rows under a heading, each column as wide as what stands in it. Pure: texts in, lines out.

import type { Line, Span } from "./printer.ts";

/** Paints a cell that was padded already. */
export type Paint = (padded: string, place: { readonly row: number; readonly column: number }) => Span;

/** The heading dimmed, then the rows; the last column is not padded. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  paint: Paint = (text) => text,
): readonly Line[] {
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] as string).length)),
  );
  const cell = (text: string, column: number): string =>
    column === heading.length - 1 ? text : `${text.padEnd(widths[column] as number)}  `;
  return [
    [["dim", heading.map(cell).join("")]],
    ...rows.map((row, index) =>
      row.map((text, column): Span => paint(cell(text, column), { row: index, column })),
    ),
  ];
}
