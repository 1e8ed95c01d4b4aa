import type { Clock, Logger } from '@tierkit/core';
import type { RedisConnection } from '@tierkit/redis';
import { unavailable } from '../errors.ts';
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
  type Taking,
} from './lock-store.ts';
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

interface Keys {
  readonly state: string;
  readonly holders: string;
  readonly queue: string;
}

/** Locks on one Redis, or on a Cluster with one slot for each lock. Each method is one script; time is the server's. */
export class RedisStore implements LockStore {
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #wakeUps: WakeUps;
  /** Locks whose turn was given away from here, and may not have been confirmed. */
  readonly #unconfirmed = new Set<string>();
  #sweep: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(redis: RedisConnection, options: RedisStoreOptions) {
    this.#redis = redis;
    this.#prefix = options.prefix;
    this.#wakeUps = new WakeUps(redis, {
      ...options,
      onStranger: (owner, shape, key) => this.#passOn(owner, shape, key),
    });
  }

  take(request: LockRequest, manner: 'try' | 'wait'): Promise<Taking> {
    if (manner === 'try') return this.#take(request, '').catch((error: unknown) => this.#connected(request, error));
    const { resource } = request;
    return this.#take(request, this.#wakeUps.wakeOf(resource)).then(
      this.#wakeUps.live(resource) ? undefined : soon,
      refuse,
    );
  }

  #take({ resource, owner, shape, ttlMs }: LockRequest, wake: string): Promise<Taking> {
    return takeScript.run(this.#redis, this.#keys(resource), { me: owner, shape, ttl: ttlMs, wake });
  }

  /** A connection that was made a moment ago is waited for. */
  async #connected(request: LockRequest, error: unknown): Promise<Taking> {
    if (this.#redis.status !== 'connecting') return refuse(error);
    await this.#redis.ready(CONNECT_MS).catch(refuse);
    return this.#take(request, '').catch(refuse);
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
    return inspectScript.run(this.#redis, this.#keys(resource), {}).catch(refuse);
  }

  forceRelease(resource: string): Promise<boolean> {
    return forceReleaseScript
      .run(this.#redis, this.#keys(resource), {})
      .then((release) => this.#released(resource, release), refuse);
  }

  ready(timeoutMs: number): Promise<void> {
    return this.#redis.ready(timeoutMs).catch(refuse);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#sweep);
    this.#wakeUps.close();
  }

  #keys(resource: string): Keys {
    const key = this.#prefix + resource;
    return { state: key, holders: `${key}:holders`, queue: `${key}:queue` };
  }

  /** One timer looks after all turns that were given away, so that a process that froze holds nobody up for longer. */
  #released(resource: string, { held, granted }: Release): boolean {
    if (granted && !this.#closed) {
      this.#unconfirmed.add(resource);
      this.#sweep ??= setTimeout(this.#lookAfter, GRANT_MS + 5).unref();
    }
    return held;
  }

  readonly #lookAfter = (): void => {
    this.#sweep = undefined;
    const resources = [...this.#unconfirmed];
    this.#unconfirmed.clear();
    for (const resource of resources) {
      sweepScript
        .run(this.#redis, this.#keys(resource), {})
        .then((release) => this.#released(resource, release))
        // Those who wait ask when the turn that was given away has run out.
        .catch(() => undefined);
    }
  };

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
