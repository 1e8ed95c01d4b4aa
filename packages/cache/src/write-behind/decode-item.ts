import { decodeKey, TierkitError } from '@tierkit/core';
import type { Engine } from '../engine.ts';
import { scopeId, type ScopeAddress } from '../scope-address.ts';
import type { WriteBehindItem } from './options.ts';
import type { PendingWrite } from './pending-store.ts';

/**
 * A pending write as a sink gets it.
 *
 * @throws {TierkitError} `ERR_VALUE_CORRUPT`, `ERR_VALUE_KEY_MISSING`
 */
export function decodePendingItem(engine: Engine, scope: ScopeAddress, write: PendingWrite): WriteBehindItem {
  const { name, version, enqueuedAtMs, deleted } = write;
  const id = scopeId(scope);
  const item = {
    tier: scope.tier,
    scope: id === undefined ? undefined : decodeURIComponent(id),
    key: decodeKey(name),
    version,
    enqueuedAtMs,
  };
  if (deleted) return { ...item, deleted, value: undefined };
  const payload = engine.sealer.open(write, scope.prefix + name);
  if (payload === 'unknown') {
    throw new TierkitError('ERR_VALUE_KEY_MISSING', 'the key that a pending write was encrypted with is not here');
  }
  return { ...item, deleted, value: engine.codec.decode(payload) };
}
