import type { Level1Tags } from './level1-tags.ts';
import type { ScopeAddress } from '../scope-address.ts';
import type { Level1, Level1Entry } from './level1.ts';

/**
 * Permission to put what a read or write brings back into the first level.
 *
 * It is taken before the command is sent. Any change of the key that is heard of meanwhile, here or from elsewhere,
 * makes it invalid, with or without an entry in the first level: what the command brings back may then be the older
 * value.
 */
export interface FillToken {
  readonly name: string;
  readonly stamp: number;
  readonly epoch: number;
  valid: boolean;
  users: number;
}

export interface NewLevel1Entry {
  readonly bytes: number;
  /** On the local monotonic clock, as the other two: the entry ends in the second level. */
  readonly expiresAtMs: number;
  readonly tags: Level1Tags | undefined;
  /** From then on it is stale. @default its end */
  readonly ttlEndMs?: number;
  /** How long before that it is refreshed. @default not at all */
  readonly refreshMarginMs?: number;
  readonly payload?: Buffer;
  readonly value?: unknown;
  readonly shareable?: boolean;
}

/** One scope's part of the first level: its entries by name, and the commands in flight that may add some. */
export class ScopeLevel1 {
  readonly level: Level1 | undefined;
  /** What the level holds of this scope's tier, which the level counts. */
  readonly held: { entries: number; bytes: number };
  /** Whoever holds an entry holds this too: the registry alone would let go of the scope, and so of its entries. */
  readonly owner: { readonly address: ScopeAddress };
  /** Entries whose names are plain: what the user wrote is what is stored, so a lookup needs no encoding. */
  readonly plain: Map<string, Level1Entry> = new Map();
  /** Entries whose names hold an escape. They are apart, since a user's `a%20b` is not the name `a%20b`. */
  readonly #escaped = new Map<string, Level1Entry>();
  readonly #tokens = new Map<string, FillToken>();
  stamp = 0;

  constructor(level: Level1 | undefined, owner: ScopeLevel1['owner'], held: { entries: number; bytes: number }) {
    this.level = level;
    this.held = held;
    this.owner = owner;
  }

  find(name: string): Level1Entry | undefined {
    const entry = this.#index(name).get(name);
    return entry?.stamp === this.stamp ? entry : undefined;
  }

  begin(name: string): FillToken {
    const { stamp, level } = this;
    // Nothing is kept, so that nothing has to be voided.
    if (level === undefined) return { name, stamp, epoch: 0, valid: false, users: 1 };
    const { epoch } = level;
    let token = this.#tokens.get(name);
    if (token === undefined || token.epoch !== epoch) {
      token = { name, stamp, epoch, valid: true, users: 0 };
      this.#tokens.set(name, token);
    }
    token.users++;
    return token;
  }

  end(token: FillToken): void {
    if (this.level === undefined) return;
    if (--token.users === 0 && this.#tokens.get(token.name) === token) this.#tokens.delete(token.name);
  }

  /** @returns whether the entry was added: the token and its tags are still valid, the feed live, the entry not too large. */
  fill(token: FillToken, entry: NewLevel1Entry, nowMs: number): boolean {
    const { level } = this;
    if (level === undefined || !level.armed || !token.valid) return false;
    if (token.stamp !== this.stamp || token.epoch !== level.epoch) return false;
    if (entry.bytes > level.maxEntryBytes || entry.expiresAtMs <= nowMs) return false;
    if (entry.tags !== undefined && !entry.tags.current) return false;
    const ttlEndMs = entry.ttlEndMs ?? entry.expiresAtMs;
    const askAgainMs = Math.min(nowMs + level.ttlMs, ttlEndMs);
    const index = this.#index(token.name);
    const old = index.get(token.name);
    const added: Level1Entry = {
      scope: this,
      name: token.name,
      bytes: entry.bytes + (entry.tags?.bytes ?? 0),
      stamp: token.stamp,
      epoch: token.epoch,
      freshUntilMs: Math.min(askAgainMs, ttlEndMs - (entry.refreshMarginMs ?? 0)),
      askAgainMs,
      ttlEndMs,
      expiresAtMs: entry.expiresAtMs,
      tags: entry.tags,
      touchedAtMs: nowMs,
      payload: entry.payload,
      value: entry.value,
      shareable: entry.shareable ?? false,
      promise: undefined,
      hit: false,
    };
    if (old !== undefined) level.remove(old);
    if (!level.add(added)) return false;
    index.set(token.name, added);
    return true;
  }

  /** Drops the entry of a name and makes every command in flight for it unable to bring it back. */
  invalidate(name: string): void {
    const token = this.#tokens.get(name);
    if (token !== undefined) {
      token.valid = false;
      this.#tokens.delete(name);
    }
    const entry = this.#index(name).get(name);
    if (entry !== undefined) this.level?.remove(entry);
  }

  /** The second level has no entry: one that was in doubt when the token was taken must not be served again. */
  gone(token: FillToken): void {
    if (!token.valid || token.stamp !== this.stamp) return;
    const entry = this.#index(token.name).get(token.name);
    if (entry !== undefined && entry.epoch <= token.epoch) this.level?.remove(entry);
  }

  /** Drops all entries of the scope, at a cost that does not depend on their number. */
  invalidateAll(): void {
    this.stamp++;
    for (const token of this.#tokens.values()) token.valid = false;
    this.#tokens.clear();
  }

  invalidateMatching(matches: (name: string) => boolean): void {
    const names = [...this.plain.keys(), ...this.#escaped.keys(), ...this.#tokens.keys()];
    for (const name of names) if (matches(name)) this.invalidate(name);
  }

  /** Called when the level evicts or removes an entry. */
  forget(entry: Level1Entry): void {
    const index = this.#index(entry.name);
    if (index.get(entry.name) === entry) index.delete(entry.name);
  }

  /** The names and entries that would be served, for tests and inspection. */
  *served(): Iterable<Level1Entry> {
    for (const index of [this.plain, this.#escaped]) {
      for (const entry of index.values()) {
        if (entry.stamp === this.stamp && entry.epoch === this.level?.epoch && this.level.armed) yield entry;
      }
    }
  }

  #index(name: string): Map<string, Level1Entry> {
    return name.includes('%') ? this.#escaped : this.plain;
  }
}
