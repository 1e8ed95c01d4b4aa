import { undisturbed, type Logger } from '@tierkit/core';
import type { Invalidation } from '../stores/invalidation-message.ts';

/** What ended or changed in the cache, here or in another instance, by the names that keys have in Redis. */
export type CacheChange = {
  /** Whether this instance did it. */
  readonly own: boolean;
  /** The instance that did it, if it was another one: the same text for all that it does. */
  readonly origin?: string;
} & (
  | ({
      readonly kind: 'keys';
      /** 100 at the most. */
      readonly keys: readonly string[];
      /** How many there were. */
      readonly count: number;
    } & Place)
  | ({ readonly kind: 'scope' } & Place)
  | { readonly kind: 'tier'; readonly tier: string }
  | ({ readonly kind: 'pattern'; readonly pattern: string } & Place)
  /** Of one scope, or of all tiers if none is named; without tags, all tags. */
  | ({ readonly kind: 'tags'; readonly tags: readonly string[] } & Partial<Place>)
);

interface Place {
  readonly tier: string;
  /** The scope's id, encoded; absent for the global tier. */
  readonly scope?: string;
}

/** The most keys of one change that are told. */
const MAX_KEYS = 100;
const ROOT = 'global';

/** Who wants to know of changes. Nothing is done for nobody. */
export class ChangeListeners {
  readonly #prefix: string;
  readonly #logger: Logger;
  readonly #listeners = new Set<(change: CacheChange) => void>();

  constructor(prefix: string, logger: Logger) {
    this.#prefix = prefix;
    this.#logger = logger;
  }

  /** @returns a function that ends it */
  add(listener: (change: CacheChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @param originOf called only if somebody listens to what another instance did */
  tell(news: Invalidation, own: boolean, originOf?: () => string): void {
    if (this.#listeners.size === 0) return;
    const known = changeOf(this.#prefix, news, own);
    if (known === undefined) return;
    const change = own || originOf === undefined ? known : { ...known, origin: originOf() };
    for (const listener of this.#listeners) {
      undisturbed(
        () => listener(change),
        (error) => this.#logger.warn({ error: String(error) }, 'a listener to changes of the cache failed'),
      );
    }
  }
}

/** Undefined for what changes nothing. */
function changeOf(prefix: string, news: Invalidation, own: boolean): CacheChange | undefined {
  switch (news.kind) {
    case 'keys': {
      const [first = ''] = news.keys;
      // What one message names is of one scope.
      const { rest: _first, ...place } = placeOf(prefix, first);
      const keys = news.keys.slice(0, MAX_KEYS).map((key) => placeOf(prefix, key).rest);
      return { kind: 'keys', own, ...place, keys, count: news.keys.length };
    }
    case 'scope':
      return { kind: 'scope', own, ...scopeOf(prefix, news.generationKey) };
    case 'tier':
      return { kind: 'tier', own, tier: news.prefix.slice(prefix.length).replace(/:\{$/, '') };
    case 'pattern':
      return { kind: 'pattern', own, ...scopeOf(prefix, news.generationKey), pattern: news.pattern };
    case 'tags': {
      const everywhere = news.tagsKey === `${prefix}{tierkit}tags`;
      const place = everywhere ? {} : scopeOf(prefix, news.tagsKey.replace(/~tags$/, ''));
      return { kind: 'tags', own, ...place, tags: news.names };
    }
    case 'loaded':
    case 'behind':
      return undefined;
    default:
      return news satisfies never;
  }
}

function scopeOf(prefix: string, generationKey: string): Place {
  const { rest: _none, ...place } = placeOf(prefix, `${generationKey}:`);
  return place;
}

/** The part of a key behind its scope, and that scope. */
function placeOf(prefix: string, key: string): Place & { readonly rest: string } {
  const own = key.slice(prefix.length);
  const open = own.indexOf(':{');
  const close = own.indexOf('}', open);
  if (open <= 0 || close < 0) return { tier: ROOT, rest: own };
  return { tier: own.slice(0, open), scope: own.slice(open + 2, close), rest: own.slice(close + 2) };
}
