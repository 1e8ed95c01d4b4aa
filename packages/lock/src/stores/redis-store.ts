import type { Clock, Logger } from '@tierkit/core';
import { scanPage, type RedisConnection } from '@tierkit/redis';
import { unavailable } from '../errors.ts';
import { censusScript } from '../scripts/census.ts';
import { extendScript } from '../scripts/extend.ts';
import { forceReleaseScript } from '../scripts/force-release.ts';
import { inspectScript } from '../scripts/inspect.ts';
import { releaseScript, type Release } from '../scripts/release.ts';
import { sweepScript } from '../scripts/sweep.ts';
import { takeScript } from '../scripts/take.ts';
import { withdrawScript } from '../scripts/withdraw.ts';
import {
  GRANT_MS,
  type Attendance,
  type LockRequest,
  type LockState,
  type LockStore,
  type Shape,
  type StoredLock,
  type StoredPage,
  type Taking,
} from './lock-store.ts';
import { isResource } from '../lock-name.ts';
import { TurnChecks } from './turn-checks.ts';
import { WakeUps } from './wake-ups.ts';

/** While wake-ups may be missed, waiters look for themselves. */
const RETRY_UNHEARD_MS = 100;
const CONNECT_MS = 1_000;

export interface RedisStoreOptions {
  readonly prefix: string;
  /** What owners of this process begin with. */
  readonly process: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

interface FoundLock extends StoredLock {
  readonly key: string;
}

interface Keys {
  readonly state: string;
  readonly holders: string;
  readonly queue: string;
}

/** Locks on one Redis, or on a Cluster with one slot for each lock. Each method is one script; time is the server's. */
export class RedisStore implements LockStore {
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #logger: Logger;
  readonly #wakeUps: WakeUps;
  readonly #turnChecks = new TurnChecks(async (resource) => {
    this.#released(resource, await sweepScript.run(this.#redis, this.#keys(resource), {}));
  });

  constructor(redis: RedisConnection, options: RedisStoreOptions) {
    this.#redis = redis;
    this.#prefix = options.prefix;
    this.#logger = options.logger;
    this.#wakeUps = new WakeUps(redis, {
      ...options,
      onStranger: (owner, shape, key) => this.#passOn(owner, shape, key),
    });
  }

  take(request: LockRequest, manner: 'try' | 'wait'): Promise<Taking> {
    if (manner === 'try') {
      if (this.#redis.status === 'connecting') return this.#connected(() => this.#take(request, ''));
      return this.#take(request, '').catch(refuse);
    }
    return this.#queue(request).catch(refuse);
  }

  async #queue(request: LockRequest): Promise<Taking> {
    const { resource, owner } = request;
    const taking = await this.#take(request, this.#wakeUps.wakeOf(resource));
    this.#wakeUps.asked(owner, taking);
    return this.#wakeUps.live(resource) ? taking : soon(taking);
  }

  #take({ resource, owner, shape, ttlMs }: LockRequest, wake: string): Promise<Taking> {
    return takeScript.run(this.#redis, this.#keys(resource), { me: owner, shape, ttl: String(ttlMs), wake });
  }

  /** Waits for a connection that was made a moment ago. */
  async #connected<T>(ask: () => Promise<T>): Promise<T> {
    try {
      if (this.#redis.status === 'connecting') await this.#redis.ready(CONNECT_MS);
      return await ask();
    } catch (error) {
      return refuse(error);
    }
  }

  extend({ resource, owner, shape, ttlMs }: LockRequest, token: string): Promise<boolean> {
    return extendScript.run(this.#redis, this.#keys(resource), { me: owner, shape, token, ttl: ttlMs }).catch(refuse);
  }

  release({ resource, owner, shape }: LockRequest, token: string): Promise<boolean> {
    return releaseScript
      .run(this.#redis, this.#keys(resource), { me: owner, shape, token })
      .then((release) => this.#released(resource, release), refuse);
  }

  withdraw({ resource, owner, shape }: LockRequest): Promise<boolean> {
    const wake = this.#wakeUps.wakeOf(resource);
    return withdrawScript
      .run(this.#redis, this.#keys(resource), { me: owner, shape, wake })
      .then((release) => this.#released(resource, release), refuse);
  }

  attend(request: LockRequest, wake: () => void): Attendance {
    return this.#wakeUps.attend(request, wake);
  }

  inspect(resource: string): Promise<LockState> {
    return this.#connected(() => inspectScript.run(this.#redis, this.#keys(resource), {}));
  }

  /** It looks at 10,000 keys of Redis at the most, in no order. */
  async list(limit: number, cursor: string | undefined): Promise<StoredPage | undefined> {
    const find = async (keys: readonly string[]): Promise<FoundLock[]> => {
      const states = keys.filter((key) => isResource(key.slice(this.#prefix.length)));
      const locks = await Promise.all(states.map((key) => this.#count(key)));
      return locks.filter(({ holders, waiting, foreign }) => holders + waiting > 0 || foreign);
    };
    const match = `${this.#prefix}*:{*}`;
    const page = await this.#connected(() => scanPage(this.#redis, { match, limit, cursor, find }));
    return page && { locks: page.found, cursor: page.cursor };
  }

  async #count(key: string): Promise<FoundLock> {
    const resource = key.slice(this.#prefix.length);
    return { key, resource, ...(await censusScript.run(this.#redis, this.#keys(resource), {})) };
  }

  async forceRelease(resource: string): Promise<boolean> {
    const release = await this.#connected(() => forceReleaseScript.run(this.#redis, this.#keys(resource), {}));
    if (release.foreign) this.#logger.warn({ lock: resource }, 'what stood under the name of a lock was none: removed');
    return this.#released(resource, release) || release.foreign;
  }

  ready(timeoutMs: number): Promise<void> {
    return this.#redis.ready(timeoutMs).catch(refuse);
  }

  async close(): Promise<void> {
    this.#turnChecks.close();
    this.#wakeUps.close();
  }

  #keys(resource: string): Keys {
    const key = this.#prefix + resource;
    return { state: key, holders: `${key}:holders`, queue: `${key}:queue` };
  }

  #released(resource: string, { held, granted }: Release): boolean {
    if (granted) this.#turnChecks.given(resource);
    return held;
  }

  /**
   * A turn for somebody who has left, or whose request arrived after its caller had given up. It may as well have been
   * confirmed before the news of it came: then it stays.
   */
  #passOn(owner: string, shape: Shape, key: string): void {
    const resource = key.slice(this.#prefix.length);
    // Should it fail, the turn runs out by itself.
    this.release({ resource, owner, shape, ttlMs: GRANT_MS }, 'g').catch(() => undefined);
  }
}

function soon(taking: Taking): Taking {
  if (taking.token !== undefined) return taking;
  return { token: undefined, retryInMs: Math.min(taking.retryInMs, RETRY_UNHEARD_MS) };
}

function refuse(error: unknown): never {
  throw unavailable(error);
}
