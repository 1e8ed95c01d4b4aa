import {
  compilePattern,
  givenKey,
  givenSegment,
  PAYLOAD_COMPRESSED,
  PAYLOAD_ENCRYPTED,
  TierkitError,
} from '@tierkit/core';
import { unconfirmedError } from '../errors.ts';
import type { Instance } from '../instance.ts';
import { positiveInteger } from '../options.ts';
import { freshForMs, staleValue } from '../reads/stored-values.ts';
import { encodedScopeAddress, rootAddress, tierPrefix, type ScopeAddress } from '../scope-address.ts';
import type { ConfirmOptions } from '../scope-options.ts';
import type { ScopeState } from '../scope-state.ts';
import type { WriteBehindQueue } from '../write-behind/queue.ts';
import { clear, remove } from '../writes/writes.ts';
import type { TopKey } from '../top-keys.ts';
import type { HitHistory } from '../usage/hit-history.ts';
import type { CostlyKey, UnreadKey } from '../usage/key-usage.ts';
import type { CacheChange } from './cache-change.ts';
import { rootQuery, scopeQuery, tierQuery, type KeyQuery } from './key-query.ts';

/** Where keys are: in the global tier, in one scope of another tier, or in all of its scopes. */
export interface KeyPlace {
  /** @default 'global' */
  readonly tier?: string | undefined;
  /** The id of a scope, as it was listed or as it was given to the tier. @default all scopes */
  readonly scope?: string | undefined;
}

export interface ListKeysOptions extends KeyPlace {
  /** As of `deleteByPattern`. @default every key */
  readonly pattern?: string | undefined;
  /** Only entries with this tag. @default any */
  readonly tag?: string | undefined;
  /** The most keys of the page, up to 1,000. @default 100 */
  readonly limit?: number | undefined;
  /** The last page's, to go on behind it. */
  readonly cursor?: string | undefined;
}

export interface ListedKey {
  readonly tier: string;
  /** The scope's id as it stands in Redis; absent for the global tier. */
  readonly scope?: string;
  /** As it stands in Redis behind its scope. */
  readonly key: string;
  readonly tags: readonly string[];
}

export interface KeyPage {
  readonly keys: readonly ListedKey[];
  /** Absent on the last page. A page may have few keys, or none, and not be the last. */
  readonly cursor?: string;
}

export interface EntryPlace extends KeyPlace {
  /** As it was listed, or as it was given to `set`. */
  readonly key: string;
}

/** What is known of one entry of the second level. */
export interface InspectedEntry extends ListedKey {
  /** `'absent'` says that a loader found nothing and that this is kept. */
  readonly state: 'fresh' | 'stale' | 'absent';
  /** Milliseconds until it is stale; 0 for one that is. */
  readonly ttlMs: number;
  /** Milliseconds until it ends, its grace included. */
  readonly endsInMs: number;
  /** Of the value as it lies in Redis. */
  readonly bytes: number;
  readonly compressed: boolean;
  readonly encrypted: boolean;
  /** Whether this process's own level holds it as well. */
  readonly inProcess: boolean;
  /** Present if it was asked for, exists, and this process can decrypt it. */
  readonly value?: unknown;
}

/** How keys are used: what this instance saw of late, of which half fades in half an hour. */
export interface UsageReport {
  /** What is asked for most often. */
  readonly asked: readonly TopKey[];
  /** What costs most to load, by the time that all loads of a key took. */
  readonly costly: readonly CostlyKey[];
  /** What is kept in process again and again and never asked for there. */
  readonly unread: readonly UnreadKey[];
}

/** What operators ask a cache that its users do not. Nothing here counts as a read, or changes what is kept in process. */
export interface Inspection {
  /** Names of the tiers that this instance knows. */
  readonly tiers: readonly string[];
  /**
   * One page of the names of existing entries: stale ones and known absences too. It looks at 10,000 keys of Redis at
   * the most, whatever it finds.
   *
   * Memory gives names in order, each once. Redis gives them in no order; what exists all the time comes at least once.
   *
   * @throws {TierkitError} `ERR_CACHE_CURSOR`, `ERR_PATTERN_INVALID`, `ERR_KEY_INVALID`, `ERR_CACHE_OPTIONS`, `ERR_REDIS_*`
   */
  keys(options?: ListKeysOptions): Promise<KeyPage>;
  /**
   * What the second level has under a key; undefined if nothing exists there.
   *
   * @param options.value whether the value is wanted. @default false
   * @throws {TierkitError} `ERR_KEY_INVALID`, `ERR_CACHE_OPTIONS`, `ERR_REDIS_*`
   */
  entry(place: EntryPlace, options?: { readonly value?: boolean }): Promise<InspectedEntry | undefined>;
  /** As `scope.delete`, of a key as it was listed. @returns whether Redis confirmed */
  delete(place: EntryPlace): Promise<boolean>;
  /**
   * Ends all entries of all scopes of a tier and tells every instance. It reads the names of all keys in Redis.
   *
   * @returns whether Redis confirmed; if not, it is done when Redis returns
   */
  clearTier(tier: string, options?: ConfirmOptions): Promise<boolean>;
  /** The write-behind queues that were made here. */
  readonly queues: readonly WriteBehindQueue[];
  /** Which keys are worth a look. @param options.limit how many of each, up to 200. @default 20 */
  usage(options?: { readonly limit?: number }): UsageReport;
  /** Hits, misses and loads of each tier and name in each minute of the last hour. */
  history(): HitHistory;
  /**
   * Calls the listener for every change that this instance hears of, its own included, as it happens.
   *
   * @returns a function that ends it
   */
  onChange(listener: (change: CacheChange) => void): () => void;
}

const ROOT = 'global';

/** How the inspection comes by the state of a scope. */
export interface Scopes {
  tierNames(): string[];
  history(): HitHistory;
  /** The scope's state; one of its own, that nobody shares, for a tier that is not known. */
  stateOf(address: ScopeAddress): ScopeState;
}

export function createInspection(
  { engine, prefix, changes, writeBehind, scopes: inUse }: Instance,
  scopes: Scopes,
): Inspection {
  const addressOf = (place: KeyPlace): ScopeAddress => {
    const tier = checkedTier(place.tier ?? ROOT);
    if (tier === ROOT) return place.scope === undefined ? rootAddress(prefix, ROOT) : noScope('has no scopes');
    return place.scope === undefined
      ? noScope('needs a scope for this')
      : encodedScopeAddress(prefix, tier, givenSegment(place.scope, `${tier} id`));
  };
  const queryOf = ({ tier = ROOT, scope, pattern = '*', tag }: ListKeysOptions): KeyQuery => {
    const asked = { pattern, tag };
    if (tier === ROOT && scope === undefined) return rootQuery(prefix, ROOT, asked);
    return scope === undefined
      ? tierQuery(prefix, checkedTier(tier), asked)
      : scopeQuery(addressOf({ tier, scope }), asked);
  };

  return {
    get tiers() {
      return scopes.tierNames();
    },

    get queues() {
      return writeBehind.list();
    },

    async keys(options = {}) {
      const limit = positiveInteger(options.limit, 100, 'limit', 1_000);
      const page = await engine.store.page(queryOf(options), limit, options.cursor);
      const keys = page.keys.map(({ scope, key, tags }) => ({ ...named(scope, key.slice(scope.prefix.length)), tags }));
      return page.cursor === undefined ? { keys } : { keys, cursor: page.cursor };
    },

    async entry(place, { value = false } = {}) {
      const state = scopes.stateOf(addressOf(place));
      const name = givenKey(place.key);
      const key = state.keyOf(name);
      const stored = await engine.store.read(state.address, key);
      if (stored === undefined) await engine.store.refuseForeign(key);
      if (stored === undefined || engine.unconfirmed.covers(state.address, name)) return undefined;
      const { flags, payload, freshUntilMs, expiresAtMs } = stored;
      const leftMs = freshForMs(state, stored);
      const absent = flags === 0 && payload.length === 0;
      const found = value && !absent ? staleValue(state, stored) : undefined;
      return {
        ...named(state.address, name),
        tags: stored.tags?.names ?? [],
        state: absent ? 'absent' : leftMs > 0 ? 'fresh' : 'stale',
        ttlMs: Math.max(0, Math.round(leftMs)),
        endsInMs: Math.max(0, Math.round(leftMs + expiresAtMs - freshUntilMs)),
        bytes: payload.length,
        compressed: (flags & PAYLOAD_COMPRESSED) !== 0,
        encrypted: (flags & PAYLOAD_ENCRYPTED) !== 0,
        inProcess: state.level1.find(name) !== undefined,
        ...(found === undefined ? {} : { value: found.value }),
      };
    },

    async delete(place) {
      return remove(scopes.stateOf(addressOf(place)), [givenKey(place.key)], false);
    },

    async clearTier(tier, { required = false } = {}) {
      if (checkedTier(tier) === ROOT) return clear(scopes.stateOf(rootAddress(prefix, ROOT)), required);
      const address = encodedScopeAddress(prefix, tier, 'any');
      const scopePrefix = tierPrefix(address);
      const forget = (): void => inUse.apply({ kind: 'tier', prefix: scopePrefix }, compilePattern);
      forget();
      try {
        await engine.store.clearTier(scopePrefix);
        return true;
      } catch (error) {
        engine.unconfirmed.addTier(address);
        engine.logger.debug({ tier, operation: 'clearTier', error: String(error) }, 'Redis did not confirm a change');
        if (required) throw unconfirmedError(tier, 'clearTier', error);
        return false;
      } finally {
        forget();
      }
    },

    usage({ limit: given } = {}) {
      const limit = positiveInteger(given, 20, 'limit', 200);
      const { topKeys, usage } = engine;
      return { asked: topKeys.top(limit), costly: usage.costly(limit), unread: usage.unread(limit) };
    },

    history: () => scopes.history(),

    onChange: (listener) => changes.add(listener),
  };
}

function named(
  { tier, generationKey, scoped }: ScopeAddress,
  key: string,
): { tier: string; scope?: string; key: string } {
  if (!scoped) return { tier, key };
  return { tier, scope: generationKey.slice(generationKey.indexOf('{') + 1, -1), key };
}

function checkedTier(tier: string): string {
  if (/^[a-z][\w-]{0,63}$/i.test(tier)) return tier;
  throw new TierkitError('ERR_CACHE_OPTIONS', 'that is no name for a tier', { details: { option: 'tier' } });
}

function noScope(rule: string): never {
  throw new TierkitError('ERR_CACHE_OPTIONS', `the tier ${rule}`, { details: { option: 'scope' } });
}
