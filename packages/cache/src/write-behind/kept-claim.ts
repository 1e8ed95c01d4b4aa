import type { ScopeAddress } from '../scope-address.ts';
import type { PendingStore, QueueKeys } from './pending-store.ts';

/** Names of one scope that a worker holds until its lease is over. */
export interface Claim {
  readonly scope: ScopeAddress;
  readonly names: readonly string[];
  lease: number;
}

/** Renews claims until the returned function is called; `onLost` when somebody else may have some of the names. */
export function keepClaim(
  store: PendingStore,
  queue: QueueKeys,
  claims: readonly Claim[],
  leaseMs: number,
  onLost: () => void,
): () => void {
  let keptAtMs = performance.now();
  const renewal = setInterval(() => {
    const askedAtMs = performance.now();
    const renewing = claims.map(async (claim) => {
      const { lease, held } = await store.renew(queue, claim.scope, claim.lease, claim.names, leaseMs);
      claim.lease = lease;
      return held === claim.names.length;
    });
    Promise.all(renewing).then(
      (held) => {
        if (held.every(Boolean)) keptAtMs = askedAtMs;
        else onLost();
      },
      () => {
        if (performance.now() - keptAtMs > leaseMs) onLost();
      },
    );
  }, leaseMs / 3);
  renewal.unref();
  return () => clearInterval(renewal);
}
