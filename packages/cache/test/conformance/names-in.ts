import type { Scope } from '../../src/index.ts';

/** The names of a scope's keys, as `keys()` lists them. */
export async function namesIn(scope: Scope, pattern?: string): Promise<unknown[]> {
  const found = [];
  for await (const key of scope.keys(pattern)) found.push(key);
  return found;
}
