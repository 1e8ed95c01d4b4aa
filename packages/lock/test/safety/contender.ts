import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLocks, type Lock, type Locks, type LocksOptions } from '../../src/index.ts';
import type { Stay } from './journal.ts';

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
}

export interface Weather {
  readonly journal: readonly Stay[];
  readonly outcomes: Readonly<Record<string, number>>;
}

export interface HoldReport {
  readonly held: boolean;
  readonly token: bigint;
  /** How long after the deadline the signal was aborted; `undefined` if it was not. */
  readonly abortedLateMs: number | undefined;
  readonly abortedWith: string | undefined;
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
  readonly #locks: Locks;
  readonly #store: Redis;
  readonly #held = new Map<string, { readonly lock: Lock; deadlineMs: number; abortedAtMs: number | undefined }>();

  constructor(name: string, options: LocksOptions, storeUrl: string) {
    this.#name = name;
    this.#locks = createLocks({ ...options, instance: name });
    this.#store = new Redis(storeUrl, { protocol: 2 });
  }

  async ready(): Promise<void> {
    await this.#locks.ready('10s');
    await this.#store.ping();
  }

  /** Callers that take a lock over and over, and keep a journal of when they were inside. */
  async storm({ name, ms, atLeast, callers, ttl, holdMs, giveUp }: Storm): Promise<Weather> {
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
        do {
          lock.assertHeld();
          untilNs = process.hrtime.bigint();
          await new Promise(setImmediate);
        } while (performance.now() < leaveAtMs);
      } finally {
        journal.push({ by: this.#name, fromNs, untilNs, token: lock.token });
      }
      await lock.release();
    };
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (performance.now() < untilMs || journal.length < atLeast) {
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

  /** Takes a lock, once Redis is there. */
  async hold(name: string, ttl: number): Promise<bigint> {
    const lock = await this.#acquire(name, ttl, performance.now() + 10_000);
    const held = { lock, deadlineMs: 0, abortedAtMs: undefined as number | undefined };
    lock.signal.addEventListener('abort', () => (held.abortedAtMs = performance.now()));
    this.#held.set(name, held);
    return lock.token;
  }

  async #acquire(name: string, ttl: number, untilMs: number): Promise<Lock> {
    try {
      return await this.#locks.acquire(name, { ttl });
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_LOCK_UNAVAILABLE' || performance.now() > untilMs) throw error;
      await sleep(50);
      return this.#acquire(name, ttl, untilMs);
    }
  }

  /** Notes the deadline as it is now, for `report` to compare with. */
  async noteDeadline(name: string): Promise<number> {
    const held = this.#of(name);
    const left = held.lock.remainingMs;
    held.deadlineMs = performance.now() + left;
    return left;
  }

  async report(name: string): Promise<HoldReport> {
    const { lock, deadlineMs, abortedAtMs } = this.#of(name);
    const reason = lock.signal.reason as { code?: string } | undefined;
    return {
      held: lock.held,
      token: lock.token,
      abortedLateMs: abortedAtMs === undefined ? undefined : abortedAtMs - deadlineMs,
      abortedWith: reason?.code,
    };
  }

  /** Writes to the store with the token, without asking whether the lock is still held. @returns whether it was accepted */
  async write(name: string): Promise<boolean> {
    const { lock } = this.#of(name);
    return (await this.#store.eval(FENCED_WRITE, 1, `store:${name}`, String(lock.token))) === 1;
  }

  async release(name: string): Promise<boolean> {
    return this.#of(name).lock.release();
  }

  /** Lets so many callers begin to wait, and leaves it at that. */
  async beginToWait(name: string, callers: number): Promise<void> {
    for (let i = 0; i < callers; i++) void this.#locks.acquire(name, { timeout: 60_000 }).catch(() => undefined);
    while ((await this.#locks.inspect(name)).waiting < callers) await sleep(1);
  }

  async close(): Promise<number> {
    const begunMs = performance.now();
    await this.#locks.close();
    const took = performance.now() - begunMs;
    this.#store.disconnect();
    return took;
  }

  #of(name: string): { readonly lock: Lock; deadlineMs: number; abortedAtMs: number | undefined } {
    const held = this.#held.get(name);
    if (held === undefined) throw new Error(`${name} is not held here`);
    return held;
  }
}
