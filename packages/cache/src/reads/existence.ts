import { compilePattern } from '@tierkit/core';
import type { ScopeState } from '../scope-state.ts';
import { notRead } from './counted-reads.ts';
import { readLevel1 } from './level1-reads.ts';
import { findPending } from './pending-reads.ts';

/** Whether there is a value; false as well when nobody who knows can be asked. */
export async function exists(state: ScopeState, name: string): Promise<boolean> {
  const known = readLevel1(state, name, state.engine.clock.monotonic());
  if (known !== undefined) return known.value !== undefined;
  if ((await remainingMs(state, name)) !== undefined) return true;
  return (await findPending(state, [name], false))?.[0]?.value !== undefined;
}

/** Until the second level's entry ends, by its clock; undefined without one, or when it cannot be asked. */
export async function remainingMs(state: ScopeState, name: string): Promise<number | undefined> {
  const { engine, address } = state;
  if (engine.unconfirmed.covers(address, name)) return undefined;
  try {
    return await engine.store.ttl(address, state.keyOf(name));
  } catch (error) {
    notRead(state, error);
    return undefined;
  }
}

/** The encoded names of the second level's entries that match, in no order. */
export async function* existingNames(state: ScopeState, pattern: string): AsyncGenerator<string, void, undefined> {
  const { engine, address } = state;
  for await (const batch of engine.store.scan(address, compilePattern(pattern), false)) {
    for (const key of batch) {
      const name = key.slice(address.prefix.length);
      if (!engine.unconfirmed.covers(address, name)) yield name;
    }
  }
}
