import type { CacheFigures, CacheStats } from '@tierkit/cache';
import type { JSX } from 'preact';
import * as format from '../../format.ts';
import { FigureTable, type FigureRow } from '../../parts/figure-table.tsx';
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
  const rows: FigureRow[] = [];
  const add = (name: string, figures: CacheFigures, within: boolean): void => {
    rows.push({ id: name, name, within, cells: COLUMNS.map(([, shown]) => shown(figures)) });
  };
  for (const [tier, { names, ...figures }] of Object.entries(tiers)) {
    add(tier, figures, false);
    for (const [name, own] of Object.entries(names)) add(`${tier} / ${name}`, own, true);
  }
  return (
    <Panel title="Tiers since the start" class="wide">
      <FigureTable label="Tiers" of="tier" columns={COLUMNS.map(([name]) => name)} rows={rows} />
    </Panel>
  );
}
