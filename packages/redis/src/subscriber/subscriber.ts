/**
 * Messages of Redis pub/sub on connections of their own, which are watched by heartbeats and replaced when they are lost.
 *
 * Nothing is connected before the first subscription. Several listeners of one channel share one subscription at the
 * server, which ends with the last of them. Plain channels and patterns share one connection; sharded channels have one
 * for each master that owns any.
 */
export interface Subscriber {
  /** Listens to a channel. On a Cluster, a message published on any node arrives. */
  subscribe(channel: string, listener: SubscriptionListener): Subscription;
  /** Listens to all channels that match a glob-style pattern of Redis's; `listener` is told which. */
  psubscribe(pattern: string, listener: SubscriptionListener): Subscription;
  /**
   * Listens to a channel that belongs to the slot of its name, as a key does: publish on it with {@link shardPublish}.
   *
   * On a Cluster the message goes through that slot's master only, which a script with a key of the same slot can do.
   * The subscription follows the slot to another master; in between it is lost, which its listener is told, and messages
   * may be missed. Needs Redis 7 on a Cluster. Elsewhere it is a plain subscription.
   */
  ssubscribe(channel: string, listener: SubscriptionListener): Subscription;
  /** The command, from a client or a script, whose messages `ssubscribe` hears: `'SPUBLISH'` on a Cluster. */
  readonly shardPublish: 'PUBLISH' | 'SPUBLISH';
  /**
   * The most that server time (milliseconds since 1970) can be ahead of the monotonic clock of the options, over all
   * masters; `undefined` until a plain subscription was live once.
   */
  readonly serverOffsetMs: number | undefined;
  /** Ends connections and timers; live subscriptions are told that they are lost. It may be called again. */
  close(): void;
}

export interface SubscriptionListener {
  /**
   * Called synchronously as a message arrives, in the order of the server. What it throws is logged.
   *
   * @param channel where the message was published
   */
  onMessage(message: Buffer, channel: string): void;
  /** Called each time the subscription is in effect: nothing that is published from now on can be missed. */
  onLive?(): void;
  /** From now on messages may be missed, until `onLive` is called again; `reason` is for logs. */
  onLost?(reason: string): void;
}

/** One listener's share of a channel or pattern. */
export interface Subscription {
  /** Whether every message that is published reaches the listener within `timeoutMs` of the options. */
  readonly live: boolean;
  /**
   * Resolves once the subscription is in effect.
   *
   * @throws {TierkitError} `ERR_REDIS_UNAVAILABLE`: not within `timeoutMs`, or it has ended; `cause` is Redis's refusal, if
   *   there was one.
   */
  ready(timeoutMs: number): Promise<void>;
  /** Ends this listener, at once and without `onLost`. It may be called again. */
  off(): void;
}
