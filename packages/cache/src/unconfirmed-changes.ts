import { compilePattern, type Logger } from '@tierkit/core';
import type { ScopeAddress } from './scope-address.ts';
import type { CacheStore } from './store.ts';
import type { TagTables } from './tag-tables.ts';

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;
/** Names of one scope that are remembered one by one; a scope with more is cleared as a whole. */
const MAX_NAMES = 1_000;
/** Scopes that are remembered at the most. */
const MAX_SCOPES = 10_000;
/** A command that timed out may still take effect this long after, when a frozen server goes on. */
const LATE_MS = 60_000;

interface Unconfirmed {
  readonly scope: ScopeAddress;
  names: Set<string>;
  patterns: Set<string>;
  readonly tags: Set<string>;
  allTags: boolean;
  all: boolean;
}

/**
 * Changes that Redis did not confirm: they may have been made, may still be made, or may be lost.
 *
 * Until Redis took an invalidation of what they touched, this instance answers those names with a miss, since what
 * Redis has may be older than the change. Other instances hear of it when the invalidation is made.
 */
export class UnconfirmedChanges {
  readonly #store: CacheStore;
  readonly #tags: TagTables;
  readonly #logger: Logger;
  #byScope = new Map<string, Unconfirmed>();
  #timer: NodeJS.Timeout | undefined;
  #delayMs = RETRY_MIN_MS;
  #replaying = false;
  #lastAtMs = -Infinity;
  #closed = false;
  /** Called when more scopes had unconfirmed changes than can be remembered. */
  onOverflow: () => void = () => {};

  constructor(store: CacheStore, tags: TagTables, logger: Logger) {
    this.#store = store;
    this.#tags = tags;
    this.#logger = logger;
  }

  get size(): number {
    return this.#byScope.size;
  }

  /** Whether messages of this instance's own may tell of changes that it does not know to be made. */
  get recent(): boolean {
    return performance.now() - this.#lastAtMs < LATE_MS;
  }

  covers(scope: ScopeAddress, name: string): boolean {
    if (this.#byScope.size === 0) return false;
    const known = this.#byScope.get(scope.generationKey);
    if (known === undefined) return false;
    if (known.all || known.names.has(name)) return true;
    for (const pattern of known.patterns) if (compilePattern(pattern).matches(name)) return true;
    return false;
  }

  addNames(scope: ScopeAddress, names: readonly string[]): void {
    const known = this.#of(scope);
    if (known.all) return;
    for (const name of names) known.names.add(name);
    if (known.names.size > MAX_NAMES) this.addAll(scope);
  }

  /** @param pattern as the user wrote it */
  addPattern(scope: ScopeAddress, pattern: string): void {
    const known = this.#of(scope);
    if (!known.all) known.patterns.add(pattern);
    if (known.patterns.size > 16) this.addAll(scope);
  }

  /** A scope with more than can be remembered loses all that has tags. */
  addTags(scope: ScopeAddress, tags: readonly string[]): void {
    const known = this.#of(scope);
    for (const tag of tags) known.tags.add(tag);
    if (known.tags.size <= MAX_NAMES) return;
    known.tags.clear();
    known.allTags = true;
  }

  addAll(scope: ScopeAddress): void {
    const known = this.#of(scope);
    known.all = true;
    known.names = new Set();
    known.patterns = new Set();
  }

  /** A later write of these names was confirmed and announced, which settles what came before it. */
  settle(scope: ScopeAddress, names: readonly string[]): void {
    if (this.#byScope.size === 0) return;
    const known = this.#byScope.get(scope.generationKey);
    if (known === undefined) return;
    for (const name of names) known.names.delete(name);
    this.#dropEmpty(known);
  }

  settleAll(scope: ScopeAddress): void {
    const known = this.#byScope.get(scope.generationKey);
    if (known === undefined) return;
    known.all = false;
    known.names.clear();
    known.patterns.clear();
    this.#dropEmpty(known);
  }

  /** Tries to make the invalidations now; those that fail are tried again. */
  replay(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#replaying && !this.#closed && this.#byScope.size > 0) void this.#run();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#byScope.clear();
  }

  #of(scope: ScopeAddress): Unconfirmed {
    this.#lastAtMs = performance.now();
    let known = this.#byScope.get(scope.generationKey);
    if (known === undefined) {
      if (this.#byScope.size >= MAX_SCOPES) this.onOverflow();
      known = { scope, names: new Set(), patterns: new Set(), tags: new Set(), allTags: false, all: false };
      this.#byScope.set(scope.generationKey, known);
    }
    this.#schedule();
    return known;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#replaying || this.#closed) return;
    this.#timer = setTimeout(() => this.replay(), this.#delayMs * (0.5 + Math.random()));
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    this.#replaying = true;
    try {
      for (const known of Array.from(this.#byScope.values())) await this.#invalidate(known);
      this.#delayMs = RETRY_MIN_MS;
      this.#logger.info({}, 'unconfirmed changes were invalidated');
    } catch {
      this.#delayMs = Math.min(this.#delayMs * 2, RETRY_MAX_MS);
    } finally {
      this.#replaying = false;
      if (this.#byScope.size > 0) this.#schedule();
    }
  }

  async #invalidate(known: Unconfirmed): Promise<void> {
    const { scope } = known;
    const tags = [...known.tags];
    if (known.allTags || tags.length > 0) {
      await this.#tags.invalidate(scope, known.allTags ? [] : tags);
      known.allTags = false;
      for (const tag of tags) known.tags.delete(tag);
    }
    if (known.all) {
      await this.#store.clear(scope);
      this.settleAll(scope);
      return;
    }
    const names = [...known.names];
    if (names.length > 0) {
      await this.#store.remove(
        scope,
        names.map((name) => scope.prefix + name),
      );
      this.settle(scope, names);
    }
    for (const pattern of known.patterns) {
      const compiled = compilePattern(pattern);
      await this.#store.voidLeases(scope, compiled);
      for await (const keys of this.#store.scan(scope, compiled)) {
        if (keys.length > 0) await this.#store.remove(scope, keys);
      }
      await this.#store.announcePattern(scope, pattern);
      known.patterns.delete(pattern);
    }
    this.#dropEmpty(known);
  }

  #dropEmpty(known: Unconfirmed): void {
    if (known.all || known.allTags || known.names.size + known.patterns.size + known.tags.size > 0) return;
    if (this.#byScope.get(known.scope.generationKey) === known) this.#byScope.delete(known.scope.generationKey);
  }
}
