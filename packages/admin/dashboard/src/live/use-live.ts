import { useEffect, useState } from 'preact/hooks';
import type { Api } from '../api/api.ts';
import { serverEvents } from '../api/server-events.ts';
import { after, NOTHING, type Live } from './live.ts';

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

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
