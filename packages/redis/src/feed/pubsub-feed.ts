import type { Clock, Logger } from '@tierkit/core';
import type { RedisConnection } from '../connection.ts';
import { createSubscriber } from '../subscriber/create-subscriber.ts';
import type { Subscriber, Subscription } from '../subscriber/subscriber.ts';
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

/** The feed over Redis pub/sub, on a subscriber of its own. */
export function createPubSubFeed(redis: RedisConnection, options: PubSubFeedOptions = {}): InvalidationFeed {
  return new PubSubFeed(redis, options);
}

class PubSubFeed implements InvalidationFeed {
  readonly channel: string;
  readonly #subscriber: Subscriber;
  readonly #subscription: Subscription;
  readonly #listeners = new Set<FeedListener>();

  constructor(redis: RedisConnection, { feedTimeoutMs, ...options }: PubSubFeedOptions) {
    this.channel = `${options.prefix ?? ''}{tierkit}feed:${redis.db}`;
    this.#subscriber = createSubscriber(redis, {
      ...options,
      ...(feedTimeoutMs === undefined ? {} : { timeoutMs: feedTimeoutMs }),
      name: 'invalidation feed',
    });
    this.#subscription = this.#subscriber.subscribe(this.channel, {
      onMessage: (message) => {
        for (const listener of this.#listeners) listener.onMessage(message);
      },
      onLive: () => {
        for (const listener of this.#listeners) listener.onLive();
      },
      onLost: (reason) => {
        for (const listener of this.#listeners) listener.onLost(reason);
      },
    });
  }

  get live(): boolean {
    return this.#subscription.live;
  }

  get serverOffsetMs(): number | undefined {
    return this.#subscriber.serverOffsetMs;
  }

  listen(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  ready(timeoutMs: number): Promise<void> {
    return this.#subscription.ready(timeoutMs);
  }

  close(): void {
    this.#subscriber.close();
    this.#listeners.clear();
  }
}
