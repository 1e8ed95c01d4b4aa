import type { JSX } from 'preact';
import { Panel } from '../../parts/panel.tsx';

export interface KeyTableProps {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly tier: string; readonly key: string; readonly cells: readonly string[] }[];
}

/** Keys with some figures each. */
export function KeyTable({ title, columns, rows }: KeyTableProps): JSX.Element {
  return (
    <Panel title={title}>
      {rows.length === 0 ? (
        <p class="quiet">None yet.</p>
      ) : (
        <div class="scrolls" tabIndex={0} role="group" aria-label={`${title}, a table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">key</th>
                {columns.map((name) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ tier, key, cells }) => (
                <tr key={`${tier} ${key}`}>
                  <th scope="row" class="key">
                    {key}
                  </th>
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
      )}
    </Panel>
  );
}
