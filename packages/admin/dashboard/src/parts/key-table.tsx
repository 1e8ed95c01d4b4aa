import type { JSX } from 'preact';
import { FigureTable } from './figure-table.tsx';
import { Panel } from './panel.tsx';

export interface KeyTableProps {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly tier: string; readonly key: string; readonly cells: readonly string[] }[];
  readonly error?: string | undefined;
}

/** Keys with some figures each. */
export function KeyTable({ title, columns, rows, error }: KeyTableProps): JSX.Element {
  return (
    <Panel title={title}>
      {error !== undefined && <p role="alert">{error}</p>}
      {rows.length === 0 ? (
        <p class="quiet">None yet.</p>
      ) : (
        <FigureTable
          {...{ label: title, of: 'key', columns }}
          rows={rows.map(({ tier, key, cells }) => ({
            id: `${tier} ${key}`,
            name: <span class="key">{key}</span>,
            cells,
          }))}
        />
      )}
    </Panel>
  );
}
