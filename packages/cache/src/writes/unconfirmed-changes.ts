import { compilePattern, TierkitError, type Logger } from '@tierkit/core';
import { tierPrefix, type ScopeAddress } from '../scope-address.ts';
import type { CacheStore } from '../stores/store.ts';
import type { TagTables } from '../tags/tag-tables.ts';
import { UnconfirmedScope } from './unconfirmed-scope.ts';

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;
/** Names, patterns, tags and scopes that are remembered in all; with more, a tier is invalidated as a whole. */
const MAX_REMEMBERED = 20_000;
/** Scopes that are invalidated at the same time. */
const AT_ONCE = 50;
/** A command that timed out may still take effect this long after, when a frozen server goes on. */
const LATE_MS = 60_000;

/**
 * Changes that Redis did not confirm: they may have been made, may still be made, or may be lost.
 *
 * Until Redis took an invalidation of what they touched, this instance answers those names with a miss, since what
 * Redis has may be older than the change. Other instances hear of it when the invalidation is made.
 *
 * Memory is bounded: what is too much to be remembered one by one is invalidated by the scope, and by the tier.
 */
export class UnconfirmedChanges {
  readonly #store: CacheStore;
  readonly #tags: TagTables;
  readonly #logger: Logger;
  readonly #byScope = new Map<string, UnconfirmedScope>();
  /** Tiers of which nothing is remembered but that all their scopes are in doubt, by what their scopes begin with. */
  readonly #tiers = new Map<string, number>();
  #remembered = 0;
  #moment = 0;
  #timer: NodeJS.Timeout | undefined;
  #delayMs = RETRY_MIN_MS;
  #replaying = false;
  #lastAtMs = -Infinity;
  #closed = false;
  /** Called for scopes that are in doubt as a whole, by what their keys begin with: the first level must not answer. */
  onWhole: (prefix: string) => void = () => {};

  constructor(store: CacheStore, tags: TagTables, logger: Logger) {
    this.#store = store;
    this.#tags = tags;
    this.#logger = logger;
  }

  /** Scopes in doubt; a tier that is in doubt as a whole counts as one. */
  get size(): number {
    return this.#byScope.size + this.#tiers.size;
  }

  /** Taken before a command is sent: if it is confirmed, it settles nothing that came after. */
  get moment(): number {
    return this.#moment;
  }

  /** Whether messages of this instance's own may tell of changes that it does not know to be made. */
  get recent(): boolean {
    return performance.now() - this.#lastAtMs < LATE_MS;
  }

  covers(scope: ScopeAddress, name: string): boolean {
    if (this.size === 0) return false;
    if (this.#tiers.has(tierPrefix(scope))) return true;
    const known = this.#byScope.get(scope.generationKey);
    if (known === undefined) return false;
    return known.all > 0 || known.names.has(name) || known.coveredByPattern(name);
  }

  /**
   * Before a write: an earlier change of these names or tags that was made up for later would undo it. What is
   * remembered by name is settled by the write itself.
   */
  async clearTheWay(scope: ScopeAddress, names: readonly string[], tags: readonly string[]): Promise<void> {
    if (this.size === 0) return;
    const tier = tierPrefix(scope);
    const tierMoment = this.#tiers.get(tier);
    if (tierMoment !== undefined) await this.#invalidateTier(tier, tierMoment);
    await this.#clear(this.#byScope.get(scope.generationKey), names, tags);
    if (tags.length > 0) await this.#clear(this.#byScope.get(this.#tags.everywhere.key), [], tags);
  }

  async #clear(known: UnconfirmedScope | undefined, names: readonly string[], tags: readonly string[]): Promise<void> {
    if (known === undefined) return;
    const inTheWay = (): boolean =>
      known.all > 0 || names.some((name) => known.coveredByPattern(name)) || known.coversTags(tags);
    // What began before may still be under way.
    if (known.invalidating === undefined && !inTheWay()) return;
    await this.#invalidate(known).catch((error: unknown) => {
      if (inTheWay()) throw error;
    });
    if (inTheWay()) throw new TierkitError('ERR_CACHE_UNCONFIRMED', 'an earlier change is still to be made up for');
  }

  addNames(scope: ScopeAddress, names: readonly string[]): void {
    this.#add(scope, (known, moment) => known.addNames(names, moment));
  }

  /** @param pattern as the user wrote it */
  addPattern(scope: ScopeAddress, pattern: string): void {
    this.#add(scope, (known, moment) => known.addPattern(pattern, moment));
  }

  addTags(scope: ScopeAddress, tags: readonly string[]): void {
    this.#add(scope, (known, moment) => known.addTags(tags, moment));
    if (this.#tiers.has(tierPrefix(scope))) this.#takeOver(scope.generationKey);
  }

  addAll(scope: ScopeAddress): void {
    this.#add(scope, (known, moment) => known.addAll(moment));
  }

  /** All scopes of the tier that this one belongs to. */
  addTier(scope: ScopeAddress): void {
    if (this.#closed) return;
    this.#lastAtMs = performance.now();
    this.#takeScopes(tierPrefix(scope), ++this.#moment);
    this.#schedule();
  }

  /** A write of these names that was sent at the moment was confirmed and announced: what came before does not count. */
  settle(scope: ScopeAddress, names: readonly string[], sent: number): void {
    const known = this.#byScope.get(scope.generationKey);
    if (known === undefined) return;
    this.#change(known, () => known.settle(names, sent));
  }

  /** As {@link settle}, for a clear of the scope. */
  settleAll(scope: ScopeAddress, sent: number): void {
    const known = this.#byScope.get(scope.generationKey);
    if (known === undefined) return;
    this.#change(known, () => known.settleAll(sent));
  }

  /** Tries to make the invalidations now; those that fail are tried again. */
  replay(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#replaying && !this.#closed && this.size > 0) void this.#run();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#byScope.clear();
    this.#tiers.clear();
    this.#remembered = 0;
  }

  #add(scope: ScopeAddress, touch: (known: UnconfirmedScope, moment: number) => void): void {
    if (this.#closed) return;
    this.#lastAtMs = performance.now();
    const moment = ++this.#moment;
    const tier = tierPrefix(scope);
    if (this.#tiers.has(tier)) {
      this.#tiers.set(tier, moment);
    } else {
      let known = this.#byScope.get(scope.generationKey);
      if (known === undefined) {
        known = new UnconfirmedScope(scope);
        this.#byScope.set(scope.generationKey, known);
        this.#remembered++;
      }
      const touched = known;
      this.#change(touched, () => touch(touched, moment));
      if (this.#remembered > MAX_REMEMBERED) this.#takeTier(tier, touched, moment);
    }
    this.#schedule();
  }

  #takeTier(tier: string, touched: UnconfirmedScope, moment: number): void {
    // Tags of all scopes together are no scope, and bounded by themselves.
    if (!touched.scope.scoped && touched.names.size + touched.patterns.size === 0) return;
    this.#logger.warn(
      { tier: touched.scope.tier },
      'too many unconfirmed changes: all of the tier will be invalidated',
    );
    if (!touched.scope.scoped) return this.#change(touched, () => touched.addAll(moment));
    this.#takeScopes(tier, moment);
  }

  #takeScopes(tier: string, moment: number): void {
    this.#tiers.set(tier, moment);
    for (const known of this.#byScope.values()) if (tierPrefix(known.scope) === tier) this.#forget(known);
    this.#takeOver(tier);
  }

  /** What is in doubt as a whole needs no memory of which of its tags are. */
  #takeOver(prefix: string): void {
    this.onWhole(prefix);
    this.#tags.forgive(prefix);
  }

  /** Every change of what is remembered of a scope, so that the sum of all holds. */
  #change(known: UnconfirmedScope, change: () => void): void {
    if (this.#byScope.get(known.scope.generationKey) !== known) return;
    const before = known.size;
    change();
    this.#remembered += known.size - before;
    if (known.empty) this.#forget(known);
  }

  #forget(known: UnconfirmedScope): void {
    if (this.#byScope.get(known.scope.generationKey) !== known) return;
    this.#byScope.delete(known.scope.generationKey);
    this.#remembered -= known.size;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#replaying || this.#closed) return;
    this.#timer = setTimeout(() => this.replay(), this.#delayMs * (0.5 + Math.random()));
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    this.#replaying = true;
    const done = await this.#invalidateAll();
    this.#replaying = false;
    if (done) this.#logger.info({}, 'unconfirmed changes were invalidated');
    this.#delayMs = done ? RETRY_MIN_MS : Math.min(this.#delayMs * 2, RETRY_MAX_MS);
    if (this.size > 0) this.#schedule();
  }

  /** Tries all of them, since one server of many may be away. @returns whether nothing failed */
  async #invalidateAll(): Promise<boolean> {
    const left = [...this.#byScope.values()].map((known) => () => this.#invalidate(known));
    for (const [tier, moment] of this.#tiers) left.push(() => this.#invalidateTier(tier, moment));
    let done = true;
    for (let batch = left.splice(0, AT_ONCE); batch.length > 0; batch = left.splice(0, AT_ONCE)) {
      const results = await Promise.allSettled(batch.map((invalidate) => invalidate()));
      done &&= results.every(({ status }) => status === 'fulfilled');
    }
    return done;
  }

  async #invalidateTier(tier: string, moment: number): Promise<void> {
    await this.#store.clearTier(tier);
    if (this.#tiers.get(tier) === moment) this.#tiers.delete(tier);
  }

  async #invalidateTags(known: UnconfirmedScope): Promise<void> {
    const sent = this.#moment;
    const tags = [...known.tags.keys()];
    await this.#tags.invalidate(known.scope, known.allTags > 0 ? [] : tags);
    this.#change(known, () => known.settleTags(tags, sent));
  }

  /** One at a time, so that none that began earlier ends later. */
  #invalidate(known: UnconfirmedScope): Promise<void> {
    known.invalidating ??= this.#invalidateNow(known).finally(() => (known.invalidating = undefined));
    return known.invalidating;
  }

  async #invalidateNow(known: UnconfirmedScope): Promise<void> {
    const { scope } = known;
    if (known.allTags > 0 || known.tags.size > 0) await this.#invalidateTags(known);
    const sent = this.#moment;
    if (known.all > 0) {
      await this.#store.clear(scope);
      this.settleAll(scope, sent);
      return;
    }
    const names = [...known.names.keys()];
    if (names.length > 0) {
      await this.#store.remove(
        scope,
        names.map((name) => scope.prefix + name),
      );
      this.settle(scope, names, sent);
    }
    for (const [pattern, moment] of known.patterns) {
      const compiled = compilePattern(pattern);
      await this.#store.voidLeases(scope, compiled);
      for await (const keys of this.#store.scan(scope, compiled, true)) {
        if (keys.length > 0) await this.#store.remove(scope, keys);
      }
      await this.#store.announcePattern(scope, pattern);
      if (known.patterns.get(pattern) === moment) this.#change(known, () => known.patterns.delete(pattern));
    }
  }
}
