import { printable } from './printable.ts';

export type Cell = string | number | bigint | boolean | undefined;

/** Columns of texts, as wide as what they hold; numbers to the right. Nothing in a cell can break out of it. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map(cellText));
  const widths = header.map((title, i) =>
    texts.reduce((most, row) => Math.max(most, (row[i] ?? '').length), title.length),
  );
  const line = (cells: readonly string[], source: readonly Cell[]): string =>
    cells
      .map((text, i) => (typeof source[i] === 'number' ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(header, rows[0] ?? []), ...texts.map((row, i) => line(row, rows[i] ?? []))].join('\n');
}

/** Names before values, one a line. */
export function facts(pairs: readonly (readonly [string, Cell])[]): string {
  const width = pairs.reduce((most, [name]) => Math.max(most, name.length), 0);
  return pairs.map(([name, value]) => `${printable(name).padEnd(width)}  ${cellText(value)}`).join('\n');
}

function cellText(value: Cell): string {
  if (value === undefined) return '-';
  if (typeof value === 'string') return value === '' ? '-' : printable(value);
  return String(value);
}
