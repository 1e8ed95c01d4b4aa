import type { Duration } from '@tierkit/core';
import type { Redis } from 'ioredis';
import type { BreakerState } from './breaker.ts';
import type { RedisClient } from './client.ts';
import type { Topology } from './resolve-options.ts';

/** What the connection is doing: `unavailable` also while the breaker is open. */
export type RedisStatus = 'connecting' | 'ready' | 'unavailable' | 'closed';

export interface DuplicateOptions {
  /** The master to connect to on a Cluster, one of `masters()`. @default the owner of `key`, else any */
  readonly node?: Redis | undefined;
  /** On a Cluster, connects to the master that owns this key now. */
  readonly key?: string | undefined;
  /** The connection's name in CLIENT LIST. @default that of this connection */
  readonly clientName?: string | undefined;
}

/** A connection to Redis, of one or several sockets, on which no call waits for longer than its deadline. */
export interface RedisConnection {
  readonly topology: Topology;
  readonly db: number;
  /** False for a client that the user made, which `close()` leaves open. */
  readonly owned: boolean;
  readonly breaker: { readonly state: BreakerState; readonly failures: number };
  readonly status: RedisStatus;

  /**
   * Waits until commands can be sent.
   *
   * @param timeout How long to wait. @default 5 seconds
   * @throws {TierkitError} `ERR_REDIS_UNAVAILABLE`: not within the timeout, or the connection was closed.
   */
  ready(timeout?: Duration): Promise<void>;

  /**
   * Runs an operation on a client that is ready, and settles as it does.
   *
   * It settles within `commandTimeout`, in which time that this process could not read replies does not count. Nothing is queued: without a ready connection, or
   * with an open breaker, the operation is not called. Nothing is retried.
   *
   * @param since a `moment`, for several operations that share one timeout; what is left of it is for this one, and when
   *   nothing is left, the operation is not called
   * @param command what metrics call it: the command's name, or `EVALSHA` and a script's; never anything that varies
   * @throws {TierkitError} `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_TIMEOUT` or `ERR_REDIS_REPLY`; `details.applied` is `'no'`
   *   or `'unknown'`. What the operation itself throws is passed on.
   */
  execute<T>(operation: (client: RedisClient) => Promise<T>, since?: number, command?: string): Promise<T>;

  /** Now, in the time that `commandTimeout` is measured in: milliseconds in which commands were waited for. */
  readonly moment: number;

  /** One client per master that is known now; several only on a Cluster. The same ones while they are connected. */
  masters(): readonly Redis[];

  /** A number that is the same for keys of one master: such keys may share a pipeline. Always 0 without a Cluster. */
  masterGroup(key: string | Buffer): number;

  /** The one of `masters()` that owns a slot as far as is known now, `undefined` if that is nobody; without a Cluster the only one. */
  masterOf(slot: number): Redis | undefined;

  /**
   * A further connection with the same credentials, for what a shared one cannot do; it ends with `close()`.
   *
   * It queues nothing and resubscribes to nothing by itself: act on its `ready` event. A `blocking` one has no timeout
   * of any kind: whoever reads bounds that. On a Cluster it stays with one node and ends for good when that node has left
   * the Cluster.
   */
  duplicate(purpose: 'subscriber' | 'blocking', options?: DuplicateOptions): Redis;

  /**
   * Calls the listener whenever Redis becomes usable (`'up'`: connected, breaker closed) or stops being so (`'down'`).
   *
   * @returns A function that removes the listener.
   */
  onStateChange(listener: (state: 'up' | 'down') => void): () => void;

  /**
   * Ends all sockets and timers, in about a second at most even when Redis hangs; later calls of `execute` are refused.
   *
   * What was sent before is still answered if that takes no longer than half a second. May be called again.
   */
  close(): Promise<void>;
}
