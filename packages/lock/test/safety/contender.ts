import { createRedis } from '@tierkit/redis';
import { silentLogger, systemClock } from '@tierkit/core';
import { Redis } from 'ioredis';
import { sleep } from '../../../../test/support/sleep.ts';
import { createLocks, type Locks, type LocksOptions } from '../../src/index.ts';
import { RedisStore } from '../../src/stores/redis-store.ts';
import type { Stay } from './journal.ts';
import { latenessOf } from './lateness.ts';
import { WatchedHold, type HoldReport } from './watched-hold.ts';

/** What a contender does on its own for some time, and until it has been inside so many times. */
export interface Storm {
  readonly name: string;
  readonly ms: number;
  readonly atLeast: number;
  /** Callers that ask again and again. */
  readonly callers: number;
  readonly ttl: number;
  /** The longest a caller stays inside. */
  readonly holdMs: number;
  /** The share of waits that are given up after some moments. */
  readonly giveUp: number;
  /** Whether whoever is inside writes to the store with its token. */
  readonly writes?: boolean;
}

export interface Weather {
  readonly journal: readonly Stay[];
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Where it is that the locks protect. */
export interface StoreAddress {
  readonly url: string;
  readonly prefix: string;
}

const FENCED_WRITE = `
local known = redis.call('GET', KEYS[1])
if known and (#known > #ARGV[1] or (#known == #ARGV[1] and known > ARGV[1])) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
`;

/** One process of a safety test: locks of its own, and a client for the store that the locks protect. */
export class Contender {
  readonly #name: string;
  readonly #options: LocksOptions;
  readonly #locks: Locks;
  readonly #store: Redis;
  readonly #held = new Map<string, WatchedHold>();
  #closed = false;

  constructor(name: string, options: LocksOptions, store: StoreAddress) {
    this.#name = name;
    this.#options = options;
    this.#locks = createLocks({ ...options, instance: name });
    this.#store = new Redis(store.url, { protocol: 2, keyPrefix: store.prefix });
  }

  async ready(): Promise<void> {
    await this.#locks.ready('10s');
    await this.#store.ping();
  }

  /** Callers that take a lock over and over, and keep a journal of when they were inside; until the locks are closed. */
  async storm({ name, ms, atLeast, callers, ttl, holdMs, giveUp, writes = false }: Storm): Promise<Weather> {
    const untilMs = performance.now() + ms;
    const journal: Stay[] = [];
    const outcomes: Record<string, number> = {};
    const once = async (): Promise<void> => {
      const giveUpSoon = Math.random() < giveUp;
      const options = giveUpSoon
        ? { ttl, signal: AbortSignal.timeout(Math.floor(Math.random() * 12)) }
        : { ttl, timeout: 5_000 };
      const lock = await this.#locks.acquire(name, options);
      const fromNs = process.hrtime.bigint();
      let untilNs = fromNs;
      const leaveAtMs = performance.now() + Math.random() * holdMs;
      try {
        if (writes) await this.#write(name, lock.token);
        do {
          const nowNs = process.hrtime.bigint();
          lock.assertHeld();
          untilNs = nowNs;
          await new Promise(setImmediate);
        } while (performance.now() < leaveAtMs);
      } finally {
        journal.push({ by: this.#name, fromNs, untilNs, token: lock.token });
      }
      await lock.release();
    };
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (!this.#closed && (performance.now() < untilMs || journal.length < atLeast)) {
          const outcome = await once().then(
            () => 'done',
            (error: { code?: string; message: string }) => error.code ?? error.message,
          );
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
          if (outcome !== 'done' && outcome !== 'ERR_LOCK_ABORTED') await sleep(20);
        }
      }),
    );
    return { journal, outcomes };
  }

  /** Takes a lock, once Redis is there, and keeps it. @returns its token */
  async hold(name: string, ttl: number): Promise<bigint> {
    const untilMs = performance.now() + 10_000;
    for (;;) {
      try {
        const hold = new WatchedHold(this.#name, await this.#locks.acquire(name, { ttl }));
        this.#held.set(name, hold);
        return hold.lock.token;
      } catch (error) {
        if ((error as { code?: string }).code !== 'ERR_LOCK_UNAVAILABLE' || performance.now() > untilMs) throw error;
        await sleep(50);
      }
    }
  }

  /** As `hold`, of a lock that somebody has. @returns how late that was, as {@link latenessOf} says it */
  async takeOver(name: string, ttl: number): Promise<number> {
    return latenessOf(this.hold(name, ttl), this.#locks, name);
  }

  /** Asks for a lock once. @returns the code of the error, or `'held'` */
  async attempt(name: string, ttl: number): Promise<string> {
    return this.#locks.acquire(name, { ttl }).then(
      () => 'held',
      (error: { code?: string; message: string }) => error.code ?? error.message,
    );
  }

  /** Whether the signal was aborted; the lock is not asked, which would make it look at the clock. */
  async aborted(name: string): Promise<boolean> {
    return this.#of(name).aborted;
  }

  async report(name: string): Promise<HoldReport> {
    return this.#of(name).report();
  }

  /** Writes to the store with the token, without asking whether the lock is still held. @returns how often that was accepted */
  async write(name: string, times: number): Promise<number> {
    const { token } = this.#of(name).lock;
    const writes = Array.from({ length: times }, () => this.#write(name, token));
    return (await Promise.all(writes)).filter((accepted) => accepted).length;
  }

  async #write(name: string, token: bigint): Promise<boolean> {
    return (await this.#store.eval(FENCED_WRITE, 1, name, String(token))) === 1;
  }

  async release(name: string): Promise<boolean> {
    return this.#of(name).release();
  }

  /** Lets so many callers begin to wait, and leaves it at that. */
  async beginToWait(name: string, callers: number): Promise<void> {
    for (let i = 0; i < callers; i++) void this.#locks.acquire(name, { timeout: 60_000 }).catch(() => undefined);
    while ((await this.#locks.inspect(name)).waiting < callers) await sleep(1);
  }

  /**
   * Tries for some time to end or take over what others hold, with whatever of owner and token can be known from outside.
   *
   * @returns how many attempts there were at a lock that was held, and how many had an effect
   */
  async intrude(name: string, ms: number): Promise<{ readonly attempts: number; readonly effects: number }> {
    const redis = createRedis(this.#options.redis as string);
    await redis.ready('10s');
    const thief = { prefix: '', process: 'thief', logger: silentLogger, clock: systemClock };
    const store = new RedisStore(redis, thief);
    const resource = `lock:{${name}}`;
    let [attempts, effects] = [0, 0];
    const untilMs = performance.now() + ms;
    while (performance.now() < untilMs) {
      const [holder] = (await store.inspect(resource)).holders;
      if (holder?.token === undefined) continue;
      const own = { resource, owner: 'thief.0', shape: 'x', ttlMs: 60_000 } as const;
      const token = String(holder.token);
      const results = await Promise.all([
        store.release(own, token),
        store.release(own, 'g'),
        store.release({ ...own, owner: holder.owner }, String(holder.token - 1n)),
        store.release({ ...own, owner: holder.owner }, 'g'),
        store.extend(own, token),
        store.withdraw(own),
      ]);
      attempts += results.length;
      effects += results.filter((result) => result).length;
    }
    await store.close();
    await redis.close();
    return { attempts, effects };
  }

  async close(): Promise<number> {
    this.#closed = true;
    const begunMs = performance.now();
    await this.#locks.close();
    const took = performance.now() - begunMs;
    this.#store.disconnect();
    return took;
  }

  #of(name: string): WatchedHold {
    const held = this.#held.get(name);
    if (held === undefined) throw new Error(`${name} is not held here`);
    return held;
  }
}
