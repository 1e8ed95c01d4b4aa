import type { TagReading } from './tag-source.ts';
import type { TagStamp } from './stamped-tags.ts';

/** The longest that a known table is trusted without asking; it bounds how long a lost one goes unnoticed. */
const TRUST_MS = 3_000;
/** Tags of one table whose last invalidation is known at the most. */
const MAX_KNOWN = 10_000;

export type Verdict = 'current' | 'outdated' | 'unknown';

/** Whether all news is heard, and since which loss of it. */
export interface NewsTrust {
  readonly live: boolean;
  readonly era: number;
}

/** To be taken before the command is sent whose answer is to be learned. */
export interface TagQuestion {
  readonly era: number;
  readonly moves: number;
  readonly askedAtMs: number;
}

/** For how long a table was asked to live, and when. */
interface Life {
  readonly askedAtMs: number;
  readonly forMs: number;
}

interface Question extends Life {
  readonly answer: Promise<TagStamp>;
}

/**
 * What this instance knows of one tag table: all invalidations from some count on, as long as the news is heard, and of
 * earlier ones what it asked for.
 */
export class TagTable {
  readonly key: string;
  /** Moves on with everything that can make an entry outdated. */
  moves = 0;
  readonly #trust: NewsTrust;
  #table: number | undefined;
  #era = -1;
  #confirmedAtMs = -Infinity;
  #latest = 0;
  /** Of invalidations up to this count, only those in `#known` are known. */
  #base = 0;
  /** Of invalidations up to this count, some were known and are not any more. */
  #forgotten = 0;
  #known = new Map<string, number>();
  /** Tags whose invalidation is not confirmed, by when it failed. */
  readonly #banned = new Map<string, number>();
  /** When all tags were banned, if they are. */
  #allBanned: number | undefined;
  #bans = 0;
  #asking: Question | undefined;
  /** What was confirmed of the life of a table. */
  #covered: Life & { readonly table: number } = { table: 0, askedAtMs: 0, forMs: 0 };
  /** The longest life of what is stamped. */
  #longestMs = 0;

  constructor(key: string, trust: NewsTrust) {
    this.key = key;
    this.#trust = trust;
  }

  /** Whether all news since the table was last asked is known. */
  get heard(): boolean {
    return this.#trust.live && this.#era === this.#trust.era;
  }

  get bans(): number {
    return this.#bans;
  }

  get banned(): boolean {
    return this.#banned.size > 0 || this.#allBanned !== undefined;
  }

  /** Where the table stands, if that can be trusted without asking. */
  standing(): TagStamp | undefined {
    const trusted = this.heard && performance.now() - this.#confirmedAtMs < TRUST_MS;
    return trusted && this.#table !== undefined ? { table: this.#table, at: this.#latest } : undefined;
  }

  /** As `standing`, for a table that is there and outlives what is stored for `ttlMs`; otherwise it asks, once for all. */
  stamp(ttlMs: number, ask: (ttlMs: number) => Promise<TagStamp>): TagStamp | Promise<TagStamp> {
    const known = this.standing();
    const outlived = ({ askedAtMs, forMs }: Life): boolean => performance.now() - askedAtMs + ttlMs <= forMs;
    if (known !== undefined && known.table === this.#covered.table && outlived(this.#covered)) return known;
    if (this.#asking !== undefined && outlived(this.#asking)) return this.#asking.answer;
    this.#longestMs = Math.max(this.#longestMs, ttlMs);
    // Twice as long, so that it need not be asked for each entry.
    const forMs = 2 * this.#longestMs;
    const question = this.question();
    const answer = this.#learnFrom(ask(forMs), forMs, question);
    const asking = { askedAtMs: question.askedAtMs, forMs, answer };
    this.#asking = asking;
    const answered = (): void => {
      if (this.#asking === asking) this.#asking = undefined;
    };
    answer.then(answered, answered);
    return answer;
  }

  async #learnFrom(answer: Promise<TagStamp>, forMs: number, question: TagQuestion): Promise<TagStamp> {
    const stamp = await answer;
    this.#covered = { table: stamp.table, askedAtMs: question.askedAtMs, forMs };
    this.learn({ ...stamp, versions: [] }, [], question);
    return stamp;
  }

  /** What is known of an entry's tags, whether or not it can still be trusted. */
  verdict(stamp: TagStamp, names: readonly string[]): Verdict {
    if (this.banned && (this.#allBanned !== undefined || names.some((name) => this.#banned.has(name)))) {
      return 'outdated';
    }
    if (stamp.table !== this.#table) return 'unknown';
    let verdict: Verdict = 'current';
    for (const name of names) {
      const version = this.#known.get(name);
      if (version !== undefined && version > stamp.at) return 'outdated';
      if (version === undefined && stamp.at < this.#base) verdict = 'unknown';
    }
    return verdict;
  }

  /** Whether an entry that was current once may have been invalidated by something that was heard of. */
  ended(stamp: TagStamp, names: readonly string[]): boolean {
    if (stamp.table !== this.#table || stamp.at < this.#forgotten) return true;
    return this.verdict(stamp, names) === 'outdated';
  }

  question(): TagQuestion {
    return { era: this.#trust.era, moves: this.moves, askedAtMs: performance.now() };
  }

  /** What the source answered, unless news may have been missed since it was asked. */
  learn(reading: TagReading, names: readonly string[], question: TagQuestion): void {
    if (!this.#trust.live || question.era !== this.#trust.era) return;
    const another = reading.table !== this.#table;
    if (another || !this.heard) {
      // It may be older than news that came meanwhile.
      if (question.moves !== this.moves) return;
      if (another) this.moves++;
      this.#forgotten = another ? 0 : this.#latest;
      this.#table = reading.table;
      this.#era = question.era;
      this.#base = reading.at;
      this.#latest = reading.at;
      this.#known.clear();
    }
    this.#confirmedAtMs = Math.max(this.#confirmedAtMs, question.askedAtMs);
    this.#latest = Math.max(this.#latest, reading.at);
    for (const [index, name] of names.entries()) this.#note(name, reading.versions[index] ?? reading.at);
  }

  /** The tags were invalidated; without tags, all were. */
  moved(names: readonly string[], stamp: TagStamp): void {
    this.moves++;
    this.#asking = undefined;
    if (stamp.table !== this.#table) {
      this.#table = undefined;
      this.#confirmedAtMs = -Infinity;
      return;
    }
    this.#latest = Math.max(this.#latest, stamp.at);
    for (const name of names) this.#note(name, stamp.at);
  }

  /** Nothing with these tags, without any nothing with tags, exists for this instance until that is confirmed. */
  ban(names: readonly string[]): void {
    this.moves++;
    this.#bans++;
    for (const name of names) this.#banned.set(name, this.#bans);
    if (names.length === 0 || this.#banned.size > MAX_KNOWN) this.#allBanned = this.#bans;
  }

  /** An invalidation that was sent after so many bans was confirmed; without tags, of all. */
  lift(names: readonly string[], bans: number): void {
    if (names.length === 0 && (this.#allBanned ?? Infinity) <= bans) this.#allBanned = undefined;
    for (const name of names.length === 0 ? [...this.#banned.keys()] : names) {
      if ((this.#banned.get(name) ?? Infinity) <= bans) this.#banned.delete(name);
    }
  }

  #note(name: string, version: number): void {
    if (this.#known.size >= MAX_KNOWN && !this.#known.has(name)) {
      this.#known.clear();
      this.#base = this.#latest;
      this.#forgotten = this.#latest;
    }
    this.#known.set(name, Math.max(this.#known.get(name) ?? 0, version));
  }
}
