import { LRUCache } from 'lru-cache';
import type { Level1Tags } from './level1-tags.ts';
import type { ScopeLevel1 } from './scope-level1.ts';

/** A hit moves its entry to the young end of the LRU list at most this often, which keeps the list off the hot path. */
export const TOUCH_MS = 1_000;
/** What an entry takes beside its value: the objects that hold it, measured with the `memory-per-entry` benchmark. */
const ENTRY_OVERHEAD_BYTES = 400;

export interface Level1Entry {
  readonly scope: ScopeLevel1;
  readonly name: string;
  readonly bytes: number;
  /** Valid only while equal to the scope's: `clear` moves the scope on. */
  readonly stamp: number;
  /** Trusted only while equal to the level's: a lost feed moves the level on. */
  readonly epoch: number;
  /** On the local monotonic clock, as the next three: until then a hit needs no second look. */
  readonly freshUntilMs: number;
  /** From then on the second level is asked. What lies between is due to be refreshed. */
  readonly askAgainMs: number;
  /** The end of the time to live: from then on the entry is stale. */
  readonly ttlEndMs: number;
  /** The entry's end in the second level. */
  readonly expiresAtMs: number;
  /** Asked at each hit; undefined for an entry without tags. */
  readonly tags: Level1Tags | undefined;
  touchedAtMs: number;
  /** Encoded by a local write and not read since. */
  payload: Buffer | undefined;
  value: unknown;
  /** Whether the frozen value may be handed to every caller; otherwise each gets a copy. */
  shareable: boolean;
  /** Made at the first hit, and handed to every caller from then on, so that a hit allocates nothing. */
  promise: Promise<unknown> | undefined;
  /** Whether anybody asked for it since it was put here. */
  hit: boolean;
}

export interface Level1Options {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** The longest that an entry is served without asking the second level, in milliseconds. */
  readonly ttlMs: number;
  /** Called for each entry that leaves the level. */
  readonly onLeft?: (entry: Level1Entry) => void;
}

/** The in-process level: what all scopes of one instance share, bounded in entries and bytes together. */
export class Level1 {
  readonly ttlMs: number;
  readonly maxEntryBytes: number;
  /** Moves on when the feed is lost: every entry from before is suspect. */
  epoch = 1;
  /** Whether changes elsewhere are sure to be heard of; without that nothing is added. */
  armed = false;
  readonly #lru: LRUCache<Level1Entry, Level1Entry>;

  constructor(options: Level1Options) {
    this.ttlMs = options.ttlMs;
    this.maxEntryBytes = Math.floor(options.maxBytes / 8);
    this.#lru = new LRUCache<Level1Entry, Level1Entry>({
      max: options.maxEntries,
      maxSize: options.maxBytes,
      onInsert: (entry) => hold(entry, 1),
      dispose: (entry) => {
        hold(entry, -1);
        options.onLeft?.(entry);
        entry.scope.forget(entry);
      },
    });
  }

  get entries(): number {
    return this.#lru.size;
  }

  get bytes(): number {
    return this.#lru.calculatedSize;
  }

  /** A read that was under way before this moment may not fill: what it missed was not heard of. */
  arm(): void {
    this.armed = true;
    this.epoch++;
  }

  suspect(): void {
    this.armed = false;
    this.epoch++;
  }

  /** @returns whether there is room for an entry of this size at all */
  add(entry: Level1Entry): boolean {
    this.#lru.set(entry, entry, { size: sizeOf(entry) });
    return this.#lru.has(entry);
  }

  touch(entry: Level1Entry, nowMs: number): void {
    entry.touchedAtMs = nowMs;
    this.#lru.get(entry);
  }

  remove(entry: Level1Entry): void {
    this.#lru.delete(entry);
  }

  clear(): void {
    this.#lru.clear();
  }
}

function sizeOf(entry: Level1Entry): number {
  return entry.bytes + ENTRY_OVERHEAD_BYTES;
}

/** Keeps count of what the level has of a tier. */
function hold(entry: Level1Entry, by: 1 | -1): void {
  const { held } = entry.scope;
  held.entries += by;
  held.bytes += by * sizeOf(entry);
}
