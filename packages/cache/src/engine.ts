import type { Clock, Codec, Logger, Sealer } from '@tierkit/core';
import type { BackgroundLoads } from './loads/background-loads.ts';
import type { AccessLog } from './logging/access-log.ts';
import type { Troubles } from './logging/troubles.ts';
import type { Level1 } from './level1/level1.ts';
import type { CacheStore } from './stores/store.ts';
import type { ImpliedTags } from './tags/tag-names.ts';
import type { TagTables } from './tags/tag-tables.ts';
import type { TopKeys } from './top-keys.ts';
import type { KeyUsage } from './usage/key-usage.ts';
import type { WrittenBehind } from './write-behind/written-behind.ts';
import type { UnconfirmedChanges } from './writes/unconfirmed-changes.ts';

/** What all scopes of one instance share. */
export interface Engine {
  readonly store: CacheStore;
  readonly tags: TagTables;
  readonly impliedTags: ImpliedTags;
  readonly level1: Level1 | undefined;
  readonly codec: Codec;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Absent unless every access is to be logged. */
  readonly accessLog: AccessLog | undefined;
  readonly troubles: Troubles;
  readonly unconfirmed: UnconfirmedChanges;
  readonly behind: WrittenBehind;
  readonly sharing: LoadSharing;
  readonly background: BackgroundLoads;
  readonly topKeys: TopKeys;
  readonly usage: KeyUsage;
  /** Set by `close`: nothing waits or repeats from then on. */
  closed: boolean;
  /** The most that the store's time can be ahead of `clock.monotonic()`, in milliseconds; undefined while unknown. */
  storeOffsetMs(): number | undefined;
}

/** How a load is shared between processes; all in milliseconds. */
interface LoadSharing {
  /** A holder that is silent for this long loses the right to load to another process. */
  readonly leaseMs: number;
  /** The longest that a caller waits for another process's load before it loads for itself. */
  readonly waitTimeoutMs: number;
  /** The longest that nobody loads a key again after a load of it failed; 0 for no such time. */
  readonly backoffMs: number;
}
