import type { Flight, StaleValue } from './flight.ts';
import type { LoadPolicy } from './load-policy.ts';
import type { LoadedValue, ScopeState } from '../scope-state.ts';

/** What a caller gets of a load: the value, or a stale one when the load is slow or fails. */
export async function answer(state: ScopeState, flight: Flight, policy: LoadPolicy): Promise<LoadedValue> {
  const { stats } = state;
  const { graceMs, softTimeoutMs } = policy;
  const ahead = flight.request.hitAboveMs > 0;
  const waits = ahead || softTimeoutMs !== 0 || graceMs === 0;
  if (waits) flight.waiting++;
  if (graceMs === 0 && !ahead) return ended(state, flight, await flight.promise);

  await flight.looked();
  if (ahead) {
    const fresh = usableStale(state, flight, { graceMs: 0 });
    if (fresh !== undefined) {
      flight.waiting--;
      return fresh;
    }
  }
  const patient = softTimeoutMs === undefined || usableStale(state, flight, policy) === undefined;
  if (!patient && (await isSlow(flight, softTimeoutMs, state))) {
    const stale = usableStale(state, flight, policy);
    if (stale !== undefined && mayGoOn(state, flight)) {
      if (waits) flight.waiting--;
      stats.staleServed++;
      return stale;
    }
  }
  try {
    return ended(state, flight, await flight.promise);
  } catch (error) {
    const stale = usableStale(state, flight, policy);
    if (stale === undefined) throw error;
    stats.staleServed++;
    return stale;
  }
}

function ended({ stats }: ScopeState, flight: Flight, value: LoadedValue): LoadedValue {
  if (flight.endedStale) stats.staleServed++;
  return value;
}

/** Whether a load may go on although somebody no longer waits for it. */
function mayGoOn(state: ScopeState, flight: Flight): boolean {
  return !flight.loading || state.engine.background.adopt(state.keyOf(flight.request.name), flight);
}

function isSlow(flight: Flight, softTimeoutMs: number, { engine }: ScopeState): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = engine.clock.setTimeout(() => resolve(true), softTimeoutMs);
    const settled = (): void => {
      timer.cancel();
      resolve(false);
    };
    flight.promise.then(settled, settled);
  });
}

/** What a caller may get instead of the loaded value. */
export function usableStale(
  { engine }: ScopeState,
  { stale }: Flight,
  { graceMs }: Pick<LoadPolicy, 'graceMs'>,
): StaleValue | undefined {
  if (stale === undefined || stale.tags?.ended === true) return undefined;
  return engine.clock.monotonic() < stale.ttlEndMs + graceMs ? stale : undefined;
}
