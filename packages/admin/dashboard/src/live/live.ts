import type { CacheChange, CacheStats } from '@tierkit/cache';
import type { LiveFigures } from '../../../src/live-telemetry.ts';
import type { ServerEvent } from '../api/server-events.ts';
import { History } from './history.ts';

type Stats = CacheStats & Partial<LiveFigures> & { readonly timestamp: string };
export type SeenChange = CacheChange & { readonly at: number; readonly id: number };

/** What the live stream has told since the page was opened. */
export interface Live {
  readonly connected: boolean;
  readonly stats: Stats | undefined;
  readonly history: History;
  /** The latest ones, those first. */
  readonly changes: readonly SeenChange[];
  /** How many changes there were, those that are no longer listed or were not told included. */
  readonly changeCount: number;
}

export const NOTHING: Live = {
  connected: false,
  stats: undefined,
  history: new History(),
  changes: [],
  changeCount: 0,
};
const CHANGES_KEPT = 100;

/** What is known once an event has told more. One of a kind that this page does not know changes nothing. */
export function after(live: Live, { event, data }: ServerEvent): Live {
  switch (event) {
    case 'stats': {
      const stats = JSON.parse(data) as Stats;
      const { tiers, latencies, decisions } = stats;
      const sample = { at: Date.parse(stats.timestamp), tiers, latencies, decisions };
      return { ...live, connected: true, stats, history: live.history.with(sample) };
    }
    case 'change': {
      const changeCount = live.changeCount + 1;
      const change = { ...(JSON.parse(data) as CacheChange), at: Date.now(), id: changeCount };
      return { ...live, changeCount, changes: [change, ...live.changes.slice(0, CHANGES_KEPT - 1)] };
    }
    case 'dropped':
      return { ...live, changeCount: live.changeCount + (JSON.parse(data) as { changes: number }).changes };
    default:
      return live;
  }
}
