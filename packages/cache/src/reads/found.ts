import { copyValue } from '@tierkit/core';
import type { LoadedValue } from '../scope-state.ts';

/** What a read found, or undefined for a miss; the value undefined is a known absence. */
export type Found = LoadedValue | undefined;

/** Hands a found value to one more caller. */
export function handOut(found: LoadedValue, copy: boolean): unknown {
  if (found.own === true) return found.value;
  if (copy) return copyValue(found.value);
  return found.shareable ? found.value : copyValue(found.value, { frozen: true });
}
