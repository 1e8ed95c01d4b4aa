import { useCallback, useEffect, useState } from 'preact/hooks';
import { messageOf } from '../api/api.ts';

export interface Polled<T> {
  readonly data: T | undefined;
  readonly error: string | undefined;
  /** Asks again at once. */
  readonly refresh: () => void;
}

/**
 * Asks again and again while the component lives and the page is seen; the next time is counted from the answer.
 *
 * @param ask the same function from render to render, or it begins anew
 */
export function usePolled<T>(ask: (signal: AbortSignal) => Promise<T>, everyMs: number): Polled<T> {
  const [state, setState] = useState<Omit<Polled<T>, 'refresh'>>({ data: undefined, error: undefined });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const once = async (): Promise<void> => {
      try {
        const data = document.hidden ? undefined : await ask(stop.signal);
        if (stop.signal.aborted) return;
        if (data !== undefined) setState({ data, error: undefined });
      } catch (error) {
        if (stop.signal.aborted) return;
        setState((before) => ({ ...before, error: messageOf(error) }));
      }
      timer = setTimeout(() => void once(), everyMs);
    };
    void once();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [ask, everyMs, round]);
  const refresh = useCallback(() => setRound((before) => before + 1), []);
  return { ...state, refresh };
}
