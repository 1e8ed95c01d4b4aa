import type { ComponentChildren, JSX } from 'preact';

export interface FigureTableProps {
  /** For screen readers. */
  readonly label: string;
  /** What a row is of. */
  readonly of: string;
  readonly columns: readonly string[];
  readonly rows: readonly FigureRow[];
}

export interface FigureRow {
  /** Other for each row. */
  readonly id: string;
  readonly name: ComponentChildren;
  /** One for each column. */
  readonly cells: readonly string[];
  /** Whether it is a part of what stands above it. */
  readonly within?: boolean;
}

/** Names with some figures each, which scrolls by itself where it is too wide. */
export function FigureTable({ label, of, columns, rows }: FigureTableProps): JSX.Element {
  return (
    <div class="scrolls" tabIndex={0} role="group" aria-label={`${label}, a table`}>
      <table>
        <thead>
          <tr>
            <th scope="col">{of}</th>
            {columns.map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, name, cells, within = false }) => (
            <tr key={id} class={within ? 'within' : ''}>
              <th scope="row">{name}</th>
              {cells.map((cell, index) => (
                <td key={columns[index]} class="number">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
