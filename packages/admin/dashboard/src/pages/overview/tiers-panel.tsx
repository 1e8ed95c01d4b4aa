import type { CacheFigures, CacheStats } from '@tierkit/cache';
import type { JSX } from 'preact';
import * as format from '../../format.ts';
import { Panel } from '../../parts/panel.tsx';

const COLUMNS: readonly (readonly [string, (figures: CacheFigures) => string])[] = [
  ['hit rate', ({ hitRate }) => format.percent(hitRate)],
  ['L1 hits', ({ l1Hits }) => format.count(l1Hits)],
  ['L2 hits', ({ l2Hits }) => format.count(l2Hits)],
  ['misses', ({ misses }) => format.count(misses)],
  ['loads', ({ loads }) => format.count(loads)],
  ['failed', ({ loadErrors }) => format.count(loadErrors)],
  ['stale', ({ staleServed }) => format.count(staleServed)],
  ['writes', ({ writes }) => format.count(writes)],
  ['deletes', ({ deletes }) => format.count(deletes)],
];

/** All counters since the instance was started, per tier and per name within it. */
export function TiersPanel({ tiers }: Pick<CacheStats, 'tiers'>): JSX.Element {
  const rows: Row[] = [];
  for (const [tier, { names, ...figures }] of Object.entries(tiers)) {
    rows.push({ name: tier, figures, within: false });
    for (const [name, own] of Object.entries(names))
      rows.push({ name: `${tier} / ${name}`, figures: own, within: true });
  }
  return (
    <Panel title="Tiers since the start" class="wide">
      <div class="scrolls" tabIndex={0} role="group" aria-label="Tiers, a wide table">
        <table>
          <thead>
            <tr>
              <th scope="col">tier</th>
              {COLUMNS.map(([name]) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, figures, within }) => (
              <tr key={name} class={within ? 'within' : ''}>
                <th scope="row">{name}</th>
                {COLUMNS.map(([column, shown]) => (
                  <td key={column} class="number">
                    {shown(figures)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

interface Row {
  readonly name: string;
  readonly figures: CacheFigures;
  readonly within: boolean;
}
