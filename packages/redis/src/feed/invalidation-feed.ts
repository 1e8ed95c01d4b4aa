/**
 * News of what other instances changed: the port between the in-process level of a cache and whatever tells it.
 *
 * While `live` is true, every message that was published on `channel` reaches the listeners in order and within
 * `feedTimeout`. A message can only be missed after `onLost` was called; `onLive` is called once nothing that is
 * published from then on can be missed.
 */
export interface InvalidationFeed {
  /** The channel to publish on; it names the database, since Redis delivers messages across databases. */
  readonly channel: string;
  readonly live: boolean;
  /**
   * The most that server time (milliseconds since 1970) can be ahead of the monotonic clock of the feed's options, over all masters;
   * `undefined` until the feed was live once.
   */
  readonly serverOffsetMs: number | undefined;
  listen(listener: FeedListener): () => void;
  /** Resolves once the feed is live. @throws {TierkitError} `ERR_REDIS_UNAVAILABLE` when it is not within `timeoutMs`. */
  ready(timeoutMs: number): Promise<void>;
  /** Ends the feed's connection and timers. It may be called again. */
  close(): void;
}

export interface FeedListener {
  /** Called synchronously as a message arrives. */
  onMessage(message: Buffer): void;
  onLive(): void;
  /** From now on messages may be missed; `reason` is for logs. */
  onLost(reason: string): void;
}
