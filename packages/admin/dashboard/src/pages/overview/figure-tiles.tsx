import type { JSX } from 'preact';
import * as format from '../../format.ts';
import { Tiles } from '../../parts/tiles.tsx';
import type { Live } from '../../live/live.ts';
import type { DetailedHealth } from './health-panel.tsx';

export interface FigureTilesProps {
  readonly live: Live;
  readonly health: DetailedHealth | undefined;
}

/** The figures that one looks at first. */
export function FigureTiles({ live: { stats, history }, health }: FigureTilesProps): JSX.Element {
  const tiers = Object.values(stats?.tiers ?? {});
  const sum = (of: (tier: (typeof tiers)[number]) => number): number =>
    tiers.reduce((total, tier) => total + of(tier), 0);
  const hits = sum(({ l1Hits, l2Hits }) => l1Hits + l2Hits);
  const reads = hits + sum(({ misses, shared }) => misses + shared);
  const server = health?.checks.server;
  const tiles: readonly (readonly [string, string])[] = [
    ['Hit rate', reads === 0 ? 'no reads' : format.percent(hits / reads)],
    ['Reads per second', format.rate(history.readsPerSecond())],
    ['Loads in flight', format.count(sum(({ loading }) => loading))],
    ['Loads', format.count(sum(({ loads }) => loads))],
    ['Failed loads', format.count(sum(({ loadErrors }) => loadErrors))],
    ['Entries in process', format.count(sum(({ l1 }) => l1.entries))],
    ['Memory in process', format.bytes(sum(({ l1 }) => l1.bytes))],
    ...(server === null || server === undefined
      ? []
      : ([
          ['Keys in Redis', format.count(server.keys)],
          ['Memory of Redis', format.bytes(server.usedMemoryBytes)],
        ] as const)),
    ['Coherent', stats === undefined ? '' : stats.coherent ? 'yes' : 'no'],
  ];
  return <Tiles tiles={tiles} />;
}
