import type { ScopeAddress } from '../scope-address.ts';
import type { StampedTags, TagStamp } from './stamped-tags.ts';
import type { TagReading, TagSource } from './tag-source.ts';
import { TagTable, type NewsTrust, type Verdict } from './tag-table.ts';

/** Where an address's tags stood when a load began; undefined for a table that could not be asked. */
export interface TagsAtStart {
  readonly scope: TagStamp | undefined;
  readonly everywhere: TagStamp | undefined;
}

/** The tags of what one instance reads and writes: which are current, and with what to stamp new ones. */
export class TagTables {
  readonly everywhere: TagTable;
  readonly #source: TagSource;
  readonly #trust: { readonly live: boolean; era: number };
  /** A table lasts while its scope is in use, like the scope itself. */
  readonly #byKey = new Map<string, WeakRef<TagTable>>();
  readonly #collected = new FinalizationRegistry<string>((key) => {
    if (this.#byKey.get(key)?.deref() === undefined) this.#byKey.delete(key);
  });
  /** Tables with unconfirmed invalidations last until those are confirmed. */
  readonly #banned = new Set<TagTable>();

  /** @param news `live` while every announced invalidation is heard of */
  constructor(source: TagSource, everywhereKey: string, news: { readonly live: boolean }) {
    this.#source = source;
    this.#trust = {
      get live(): boolean {
        return news.live;
      },
      era: 0,
    };
    this.everywhere = new TagTable(everywhereKey, this.#trust satisfies NewsTrust);
  }

  of({ tagsKey }: ScopeAddress): TagTable {
    if (tagsKey === this.everywhere.key) return this.everywhere;
    const known = this.#byKey.get(tagsKey)?.deref();
    if (known !== undefined) return known;
    const made = new TagTable(tagsKey, this.#trust);
    this.#byKey.set(tagsKey, new WeakRef(made));
    this.#collected.register(made, tagsKey);
    return made;
  }

  /** What to stamp an entry with that is written now; undefined for one without tags. */
  async stamp(address: ScopeAddress, names: readonly string[], ttlMs: number): Promise<StampedTags | undefined> {
    if (names.length === 0) return undefined;
    const [scope, everywhere] = await Promise.all([
      this.#stampOf(this.of(address), ttlMs),
      this.#stampOf(this.everywhere, ttlMs),
    ]);
    return { names, scope, everywhere };
  }

  /** Where the tags stand, to be asked before a load begins; the claim tells it of a scope with a slot. Never rejects. */
  start(address: ScopeAddress): TagsAtStart | Promise<TagsAtStart> {
    const scope = address.scoped ? undefined : this.of(address).standing();
    const everywhere = this.everywhere.standing();
    return everywhere && (scope ?? address.scoped) ? { scope, everywhere } : this.#start(address);
  }

  /**
   * What to stamp a loaded entry with.
   *
   * @returns undefined for one without tags; `'outdated'` when a tag was invalidated since the load began, or may have
   *   been: what was loaded must not be stored
   */
  async stampLoaded(
    address: ScopeAddress,
    names: readonly string[],
    started: TagsAtStart,
    ttlMs: number,
  ): Promise<StampedTags | undefined | 'outdated'> {
    if (names.length === 0) return undefined;
    const [scope, everywhere] = await Promise.all([
      this.#sinceStart(this.of(address), started.scope, names, ttlMs),
      this.#sinceStart(this.everywhere, started.everywhere, names, ttlMs),
    ]);
    return scope && everywhere ? { names, scope, everywhere } : 'outdated';
  }

  /** Whether no tag was invalidated after the stamps; it asks only for what is not known. */
  isCurrent(address: ScopeAddress, tags: StampedTags, since?: number): boolean | Promise<boolean> {
    const inScope = this.#trusted(this.of(address), tags.scope, tags.names);
    const everywhere = this.#trusted(this.everywhere, tags.everywhere, tags.names);
    if (inScope === 'outdated' || everywhere === 'outdated') return false;
    if (inScope === 'current' && everywhere === 'current') return true;
    return this.areCurrent(address, [tags], since).then(([one]) => one === true);
  }

  /** As `isCurrent` for several entries, with one question a table at the most. */
  async areCurrent(address: ScopeAddress, all: readonly StampedTags[], since?: number): Promise<boolean[]> {
    const [scope, everywhere] = await Promise.all([
      this.#judge(this.of(address), all, ({ scope: stamp }) => stamp, since),
      this.#judge(this.everywhere, all, ({ everywhere: stamp }) => stamp, since),
    ]);
    return all.map((_, index) => scope[index] === true && everywhere[index] === true);
  }

  /** Invalidates the tags of an address; without tags, all of them. Until that succeeds, they are banned. */
  async invalidate(address: ScopeAddress, names: readonly string[]): Promise<void> {
    const table = this.of(address);
    const { bans } = table;
    const question = table.question();
    try {
      const stamp = await this.#source.invalidate(table.key, names);
      table.learn({ ...stamp, versions: names.map(() => stamp.at) }, names, question);
      table.moved(names, stamp);
      table.lift(names, bans);
      if (!table.banned) this.#banned.delete(table);
    } catch (error) {
      this.ban(address, names);
      throw error;
    }
  }

  /** Tags of an address whose invalidation is still to be made; without tags, all of them. */
  ban(address: ScopeAddress, names: readonly string[]): void {
    const table = this.of(address);
    table.ban(names);
    this.#banned.add(table);
  }

  /** Bans within the scopes whose keys begin so do not count any more, as nothing of them is served at all. */
  forgive(prefix: string): void {
    for (const table of this.#banned) {
      if (!table.key.startsWith(prefix)) continue;
      table.lift([], table.bans);
      this.#banned.delete(table);
    }
  }

  /** News of an invalidation elsewhere. */
  apply(tagsKey: string, names: readonly string[], stamp: TagStamp): void {
    const table = tagsKey === this.everywhere.key ? this.everywhere : this.#byKey.get(tagsKey)?.deref();
    table?.moved(names, stamp);
  }

  /** News may have been missed: nothing that is known says that a tag is current. */
  missed(): void {
    this.#trust.era++;
  }

  #trusted(table: TagTable, stamp: TagStamp, names: readonly string[]): Verdict {
    const verdict = table.verdict(stamp, names);
    return verdict === 'current' && table.standing() === undefined ? 'unknown' : verdict;
  }

  async #judge(
    table: TagTable,
    all: readonly StampedTags[],
    stampOf: (tags: StampedTags) => TagStamp,
    since: number | undefined,
  ): Promise<boolean[]> {
    const verdicts = all.map((tags) => this.#trusted(table, stampOf(tags), tags.names));
    if (!verdicts.includes('unknown')) return verdicts.map((verdict) => verdict === 'current');
    const names = [...new Set(all.flatMap((tags, index) => (verdicts[index] === 'unknown' ? tags.names : [])))];
    const reading = await this.#read(table, names, since);
    const versions = new Map(names.map((name, index) => [name, reading.versions[index] ?? reading.at]));
    return all.map((tags, index) => {
      if (verdicts[index] !== 'unknown') return verdicts[index] === 'current';
      const stamp = stampOf(tags);
      if (stamp.table !== reading.table || table.verdict(stamp, tags.names) === 'outdated') return false;
      return tags.names.every((name) => (versions.get(name) ?? reading.at) <= stamp.at);
    });
  }

  async #read(table: TagTable, names: readonly string[], since?: number): Promise<TagReading> {
    const question = table.question();
    const reading = await this.#source.read(table.key, names, since);
    table.learn(reading, names, question);
    return reading;
  }

  #stampOf(table: TagTable, ttlMs: number): TagStamp | Promise<TagStamp> {
    return table.stamp(ttlMs, (longestMs) => this.#source.stamp(table.key, longestMs));
  }

  async #start(address: ScopeAddress): Promise<TagsAtStart> {
    const [scope, everywhere] = await Promise.all([
      address.scoped ? undefined : this.#standing(this.of(address)),
      this.#standing(this.everywhere),
    ]);
    return { scope, everywhere };
  }

  async #standing(table: TagTable): Promise<TagStamp | undefined> {
    try {
      return table.standing() ?? (await this.#read(table, []));
    } catch {
      return undefined;
    }
  }

  async #sinceStart(
    table: TagTable,
    started: TagStamp | undefined,
    names: readonly string[],
    ttlMs: number,
  ): Promise<TagStamp | undefined> {
    if (started === undefined) return undefined;
    const { table: id } = await this.#stampOf(table, ttlMs);
    // What a table counts that was made after the load began, it counted after the load began.
    const stamp = started.table === 0 ? { table: id, at: 0 } : { table: started.table, at: started.at };
    return stamp.table === id && table.verdict(stamp, names) !== 'outdated' ? stamp : undefined;
  }
}
