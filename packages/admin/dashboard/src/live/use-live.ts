import type { CacheChange, CacheStats } from '@tierkit/cache';
import { useEffect, useState } from 'preact/hooks';
import type { LiveFigures } from '../../../src/live-telemetry.ts';
import type { Api } from '../api/api.ts';
import { serverEvents, type ServerEvent } from '../api/server-events.ts';
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

const NOTHING: Live = { connected: false, stats: undefined, history: new History(), changes: [], changeCount: 0 };
const CHANGES_KEPT = 100;
const [FIRST_RETRY_MS, LAST_RETRY_MS] = [500, 10_000];

/** Follows the live stream for as long as the component lives, and reconnects when it breaks. */
export function useLive(api: Api): Live {
  const [live, setLive] = useState(NOTHING);
  useEffect(() => {
    const stop = new AbortController();
    const follow = async (): Promise<void> => {
      for (let wait = FIRST_RETRY_MS; !stop.signal.aborted; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
        try {
          for await (const event of serverEvents(await api.stream('api/v1/live', stop.signal))) {
            wait = FIRST_RETRY_MS;
            setLive((before) => after(before, event));
          }
        } catch {
          // Said by `connected`.
        }
        if (stop.signal.aborted) return;
        setLive((before) => ({ ...before, connected: false }));
        await pause(wait, stop.signal);
      }
    };
    void follow();
    return () => stop.abort();
  }, [api]);
  return live;
}

function after(live: Live, { event, data }: ServerEvent): Live {
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

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
