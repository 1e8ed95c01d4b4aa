import type { CacheStats } from '@tierkit/cache';
import { safeLogger, type Clock, type ClockTimer, type Logger } from '@tierkit/core';
import type { RedisConnection } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { z } from 'zod';
import { beat, leave, present } from './presence-scripts.ts';

/** A kit that runs somewhere, on the same Redis, database and prefix. */
export interface InstanceInfo {
  /** Other for each kit that was ever made. */
  readonly id: string;
  /** Whether it is the one that was asked. */
  readonly own: boolean;
  readonly host: string;
  readonly pid: number;
  /** Milliseconds since 1970, by that machine's clock. */
  readonly startedMs: number;
  /** Milliseconds since it was heard of, by Redis's clock. */
  readonly ageMs: number;
  /** Whether it hears of changes elsewhere. */
  readonly coherent: boolean;
  /** Reads since it was made that either level answered, and that none did. */
  readonly hits: number;
  readonly misses: number;
  /** What its in-process level holds. */
  readonly l1: { readonly entries: number; readonly bytes: number };
}

const BEAT_MS = 5_000;
/** Silence after which an instance counts as gone. */
const LASTS_MS = 3 * BEAT_MS;

const count = z.number();
const Facts = z.object({
  host: z.string().max(300),
  pid: count,
  startedMs: count,
  coherent: z.boolean(),
  hits: count,
  misses: count,
  l1: z.object({ entries: count, bytes: count }),
});
const Replies = z.array(z.tuple([z.string(), z.string(), z.coerce.number()]));

export interface PresenceOptions {
  readonly redis: RedisConnection | undefined;
  readonly prefix: string;
  readonly stats: () => CacheStats;
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
}

/** Tells the others every five seconds that this instance is alive, and knows which of them are. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #id = randomBytes(9).toString('base64url');
  readonly #startedMs: number;
  readonly #keys: { readonly seen: string; readonly facts: string };
  readonly #stopWatching: (() => void) | undefined;
  #timer: ClockTimer | undefined;
  #closed = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#startedMs = options.clock.now();
    const own = `${options.prefix}{tierkit}instances`;
    this.#keys = { seen: `${own}:seen`, facts: `${own}:facts` };
    const { redis } = options;
    this.#stopWatching = redis?.onStateChange((state) => {
      if (state === 'up') this.#beat(redis);
    });
    if (redis !== undefined) this.#beat(redis);
  }

  /** @throws {TierkitError} `ERR_REDIS_*` */
  async list(): Promise<InstanceInfo[]> {
    const { redis } = this.#options;
    if (redis === undefined) return [{ id: this.#id, own: true, ageMs: 0, ...this.#facts() }];
    const replies = Replies.parse(await present.run(redis, this.#keys, { lastsMs: LASTS_MS }));
    return replies.flatMap(([id, said, ageMs]): InstanceInfo[] => {
      const facts = Facts.safeParse(parsed(said));
      if (id === this.#id) return [{ id, own: true, ageMs, ...this.#facts() }];
      return facts.success ? [{ id, own: false, ageMs, ...facts.data }] : [];
    });
  }

  /** Says that this instance ends, if Redis hears it in time. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#stopWatching?.();
    const { redis } = this.#options;
    // Otherwise the others find out within 15 seconds.
    if (redis !== undefined) await leave.run(redis, this.#keys, { id: this.#id }).catch(() => {});
  }

  #beat(redis: RedisConnection): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimeout(() => this.#beat(redis), BEAT_MS);
    if (redis.status !== 'ready') return;
    const said = JSON.stringify(this.#facts());
    beat.run(redis, this.#keys, { id: this.#id, said, lastsMs: LASTS_MS }).catch((error: unknown) => {
      safeLogger(this.#options.logger).debug({ error: String(error) }, 'no sign of life was given');
    });
  }

  #facts(): z.infer<typeof Facts> {
    const { tiers, coherent, l1 } = this.#options.stats();
    const sum = (pick: (tier: CacheStats['tiers'][string]) => number): number =>
      Object.values(tiers).reduce((all, tier) => all + pick(tier), 0);
    return {
      host: hostname().slice(0, 300),
      pid: process.pid,
      startedMs: this.#startedMs,
      coherent,
      hits: sum(({ l1Hits, l2Hits }) => l1Hits + l2Hits),
      misses: sum(({ misses, shared }) => misses + shared),
      l1: { entries: l1.entries, bytes: l1.bytes },
    };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
