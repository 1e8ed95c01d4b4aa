import { type Clock, TierkitError, type Logger, silentLogger, systemClock } from '@tierkit/core';
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { RedisConnection } from '../connection.ts';
import { Heartbeat } from './heartbeat.ts';
import type { FeedListener, InvalidationFeed } from './invalidation-feed.ts';

export interface PubSubFeedOptions {
  /** Goes before the channel's name, so that an ACL by prefix covers it. @default '' */
  readonly prefix?: string;
  /** Silence after which the feed counts as lost, in milliseconds. @default 3000 */
  readonly feedTimeoutMs?: number;
  /** Time between two beats, in milliseconds. @default a third of `feedTimeoutMs` */
  readonly heartbeatMs?: number;
  readonly logger?: Logger;
  /** Whose monotonic time `serverOffsetMs` is relative to. @default the system's */
  readonly clock?: Clock;
}

const RECONNECT_MIN_MS = 20;
/** Beats follow each other quickly until the feed is live. */
const ARMING_BEAT_MS = 50;
const RECONNECT_MAX_MS = 1_000;

/**
 * The feed over Redis pub/sub, on a connection of its own.
 *
 * A connection that closed is replaced rather than revived, so that each life of the feed has one subscriber, which in
 * a Cluster may sit on another node than the last.
 */
export function createPubSubFeed(redis: RedisConnection, options: PubSubFeedOptions = {}): InvalidationFeed {
  return new PubSubFeed(redis, options);
}

class PubSubFeed implements InvalidationFeed {
  readonly channel: string;
  live = false;
  serverOffsetMs: number | undefined;

  readonly #redis: RedisConnection;
  readonly #logger: Logger;
  readonly #beatChannel: string;
  readonly #timeoutMs: number;
  readonly #listeners = new Set<FeedListener>();
  readonly #waiting = new Set<() => void>();
  readonly #heartbeat: Heartbeat;
  readonly #heartbeatMs: number;
  readonly #stopWatching: () => void;
  #subscriber: Redis | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #startedAtMs = 0;
  #attempts = 0;
  #closed = false;

  constructor(redis: RedisConnection, options: PubSubFeedOptions) {
    this.#redis = redis;
    this.#logger = options.logger ?? silentLogger;
    this.#timeoutMs = options.feedTimeoutMs ?? 3_000;
    this.channel = `${options.prefix ?? ''}{tierkit}feed:${redis.db}`;
    this.#beatChannel = `${this.channel}:beat:${randomBytes(9).toString('base64url')}`;
    this.#heartbeat = new Heartbeat(this.#beatChannel, (reason) => this.#lose(reason), options.clock ?? systemClock);
    this.#heartbeatMs = options.heartbeatMs ?? this.#timeoutMs / 3;
    this.#stopWatching = redis.onStateChange((state) => {
      if (state === 'up' && this.#subscriber === undefined) this.#connect();
    });
    this.#connect();
    this.#tick();
  }

  listen(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  ready(timeoutMs: number): Promise<void> {
    if (this.live) return Promise.resolve();
    if (this.#closed) return Promise.reject(notLive('was closed'));
    return new Promise((resolve, reject) => {
      const end = (act: () => void): void => {
        clearTimeout(timer);
        stop();
        this.#waiting.delete(onClose);
        act();
      };
      const late = notLive(`is not live after ${Math.round(timeoutMs)} ms`);
      const timer = setTimeout(() => end(() => reject(late)), timeoutMs);
      const onClose = (): void => end(() => reject(notLive('was closed')));
      this.#waiting.add(onClose);
      const stop = this.listen({ onMessage() {}, onLost() {}, onLive: () => end(resolve) });
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#ticker);
    clearTimeout(this.#reconnect);
    this.#stopWatching();
    this.#lose('closed');
    this.#heartbeat.stop();
    this.#listeners.clear();
    for (const end of this.#waiting) end();
  }

  #connect(): void {
    clearTimeout(this.#reconnect);
    this.#reconnect = undefined;
    if (this.#closed || this.#subscriber !== undefined) return;
    // It will not open again, and neither will the feed.
    if (this.#redis.status === 'closed') return this.close();
    try {
      this.#open();
    } catch (error) {
      this.#logger.warn({ error: String(error) }, 'cannot connect the invalidation feed');
      this.#retry();
    }
  }

  #open(): void {
    const masters = this.#redis.masters();
    const node = this.#redis.topology === 'cluster' ? masters[this.#attempts % masters.length] : undefined;
    if (this.#redis.topology === 'cluster' && node === undefined) return this.#retry();
    this.#attempts++;
    this.#startedAtMs = performance.now();
    const subscriber = this.#redis.duplicate('subscriber', node === undefined ? {} : { node });
    this.#subscriber = subscriber;
    subscriber.on('error', () => {});
    subscriber.on('close', () => {
      if (this.#subscriber === subscriber) this.#lose('the subscriber connection closed');
    });
    subscriber.on('ready', () => void this.#subscribe(subscriber));
    subscriber.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      if (this.#subscriber === subscriber) this.#receive(channel, message);
    });
  }

  async #subscribe(subscriber: Redis): Promise<void> {
    try {
      await subscriber.subscribe(this.channel, this.#beatChannel);
    } catch (error) {
      this.#logger.warn({ error: String(error) }, 'cannot subscribe to the invalidation feed');
      if (this.#subscriber === subscriber) this.#lose('the subscription was refused');
      return;
    }
    if (this.#subscriber !== subscriber) return;
    this.#heartbeat.restart();
    this.#heartbeat.send(this.#redis.masters());
  }

  #receive(channel: Buffer, message: Buffer): void {
    // Both channels share a prefix, so their lengths tell them apart.
    if (channel.length === this.channel.length) {
      for (const listener of this.#listeners) listener.onMessage(message);
    } else if (this.#heartbeat.receive(message.toString('latin1')) && !this.live) {
      this.#arm();
    }
  }

  /** The clock offset is needed as well, and its reply may come just after the beat. */
  #arm(): void {
    this.serverOffsetMs = this.#heartbeat.serverOffsetMs;
    if (this.serverOffsetMs === undefined) {
      setTimeout(() => {
        if (!this.live && !this.#closed && this.#heartbeat.complete) this.#arm();
      }, 1).unref();
      return;
    }
    this.live = true;
    this.#attempts = 0;
    this.#logger.info({ channel: this.channel }, 'the invalidation feed is live');
    for (const listener of this.#listeners) listener.onLive();
  }

  #tick(): void {
    clearTimeout(this.#ticker);
    if (this.#closed) return;
    this.#ticker = setTimeout(() => this.#tick(), this.live ? this.#heartbeatMs : ARMING_BEAT_MS);
    this.#ticker.unref();
    if (this.#subscriber === undefined) return;
    const silent = this.live
      ? this.#heartbeat.silenceMs > this.#timeoutMs
      : performance.now() - this.#startedAtMs > this.#timeoutMs;
    if (silent) return this.#lose('no heartbeat');
    if (this.#subscriber.status !== 'ready') return;
    if (this.live) this.serverOffsetMs = this.#heartbeat.serverOffsetMs ?? this.serverOffsetMs;
    this.#heartbeat.send(this.#redis.masters());
  }

  #lose(reason: string): void {
    const subscriber = this.#subscriber;
    this.#subscriber = undefined;
    this.#heartbeat.restart();
    if (this.live) {
      this.live = false;
      if (!this.#closed) this.#logger.warn({ channel: this.channel, reason }, 'the invalidation feed is lost');
      for (const listener of this.#listeners) listener.onLost(reason);
    }
    subscriber?.disconnect();
    if (!this.#closed) this.#retry();
  }

  #retry(): void {
    const delay = Math.min(RECONNECT_MIN_MS * 2 ** Math.min(this.#attempts, 6), RECONNECT_MAX_MS);
    clearTimeout(this.#reconnect);
    this.#reconnect = setTimeout(() => this.#connect(), delay * (0.5 + Math.random()));
    this.#reconnect.unref();
  }
}

function notLive(what: string): TierkitError {
  return new TierkitError('ERR_REDIS_UNAVAILABLE', `the invalidation feed ${what}`);
}
