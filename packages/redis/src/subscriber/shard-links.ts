import type { Redis } from 'ioredis';
import { isCluster } from '../client.ts';
import type { RedisConnection } from '../connection.ts';
import { translateRedisError } from '../errors.ts';
import { addressOf } from '../masters.ts';
import { slotOf } from '../slots.ts';
import { reconnectDelayMs, type SubscriberSettings } from './settings.ts';
import { ShardLink, type Shard } from './shard-link.ts';
import type { Topic } from './topic.ts';

// What a node answers that does not own the slot, or not at the moment.
const ELSEWHERE = /^(MOVED|CLUSTERDOWN|LOADING|MASTERDOWN)/;

/**
 * Sharded channels on a Cluster: one connection for each master that owns any, without plain channels on it, since the
 * server counts the two kinds apart and ioredis takes one count of zero for the end of both.
 */
export class ShardLinks {
  readonly #redis: RedisConnection;
  readonly #settings: SubscriberSettings;
  readonly #onEnded: () => void;
  readonly #topics = new Map<string, Topic>();
  readonly #shards = new Map<number, Shard>();
  readonly #links = new Map<string, ShardLink>();
  readonly #ticker: NodeJS.Timeout;
  readonly #stopWatching: () => void;
  #placing: NodeJS.Timeout | undefined;
  #attempts = 0;
  #closed = false;

  /** @param onEnded called when the connection was closed for good */
  constructor(redis: RedisConnection, settings: SubscriberSettings, onEnded: () => void) {
    this.#redis = redis;
    this.#settings = settings;
    this.#onEnded = onEnded;
    this.#ticker = setInterval(() => this.#tick(), settings.heartbeatMs);
    this.#ticker.unref();
    this.#stopWatching = redis.onStateChange((state) => {
      if (state === 'up') this.#place();
    });
  }

  find(channel: string): Topic | undefined {
    return this.#topics.get(channel);
  }

  add(topic: Topic): void {
    const slot = slotOf(topic.name);
    let shard = this.#shards.get(slot);
    if (shard === undefined) this.#shards.set(slot, (shard = { slot, topics: new Set(), link: undefined }));
    this.#topics.set(topic.name, topic);
    shard.topics.add(topic);
    if (shard.link === undefined) this.#place();
    else if (shard.link.ready) void this.#subscribe(shard, shard.link, topic);
  }

  remove(topic: Topic): void {
    const shard = this.#shards.get(slotOf(topic.name));
    this.#topics.delete(topic.name);
    shard?.topics.delete(topic);
    shard?.link?.unsubscribe(topic);
    if (shard === undefined || shard.topics.size > 0) return;
    this.#shards.delete(shard.slot);
    shard.link?.shards.delete(shard);
    this.#closeIdle();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#ticker);
    clearTimeout(this.#placing);
    this.#stopWatching();
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    const topics = [...this.#topics.values()];
    this.#topics.clear();
    this.#shards.clear();
    for (const topic of topics) topic.end('closed');
  }

  /** Gives each shard that has none the connection to its master. */
  #place(): void {
    clearTimeout(this.#placing);
    this.#placing = undefined;
    if (this.#closed) return;
    if (this.#redis.status === 'closed') return this.#onEnded();
    this.#attempts++;
    let left = false;
    for (const shard of this.#shards.values()) {
      if (shard.link === undefined && !this.#placeOne(shard)) left = true;
    }
    if (left) this.#placeLater();
    this.#closeIdle();
  }

  #placeOne(shard: Shard): boolean {
    try {
      const owner = this.#redis.masterOf(shard.slot);
      if (owner === undefined) return false;
      const link = this.#links.get(addressOf(owner)) ?? this.#open(owner);
      shard.link = link;
      link.shards.add(shard);
      if (link.ready) for (const topic of shard.topics) void this.#subscribe(shard, link, topic);
      return true;
    } catch (error) {
      this.#settings.logger.warn({ error: String(error) }, `cannot connect the ${this.#settings.name}`);
      return false;
    }
  }

  #placeLater(): void {
    if (this.#closed || this.#placing !== undefined) return;
    this.#placing = setTimeout(() => this.#place(), reconnectDelayMs(this.#attempts));
    this.#placing.unref();
  }

  #open(owner: Redis): ShardLink {
    const link: ShardLink = new ShardLink(this.#redis.duplicate('subscriber', { node: owner }), addressOf(owner), {
      onReady: () => {
        for (const shard of link.shards) for (const topic of shard.topics) void this.#subscribe(shard, link, topic);
      },
      onMessage: (channel, message) => {
        const topic = this.#topics.get(channel);
        // One that has moved to another connection is told there.
        if (topic !== undefined && this.#shards.get(slotOf(channel))?.link === link) topic.deliver(message, channel);
      },
      onUnsubscribed: (shard) => this.#displace(shard, 'the slot was moved'),
      onClosed: () => this.#lose(link, 'the subscriber connection closed'),
    });
    this.#links.set(link.address, link);
    return link;
  }

  async #subscribe(shard: Shard, link: ShardLink, topic: Topic): Promise<void> {
    topic.refusal = undefined;
    try {
      await link.client.ssubscribe(topic.name);
    } catch (error) {
      if (shard.link !== link) return;
      if ((error as Error).name !== 'ReplyError') return this.#lose(link, 'a subscription was not confirmed');
      if (ELSEWHERE.test((error as Error).message)) return this.#displace(shard, 'the slot is elsewhere');
      topic.refusal = translateRedisError(error, (text) => text);
      this.#settings.logger.warn({ error: String(error) }, `cannot subscribe to the ${this.#settings.name}`);
      return;
    }
    if (shard.link !== link || !shard.topics.has(topic)) return;
    this.#attempts = 0;
    topic.heldBy = link.client;
    topic.confirmLive();
  }

  /** Takes a shard from its connection and looks for its master anew. */
  #displace(shard: Shard, reason: string): void {
    const { link } = shard;
    if (link === undefined) return;
    shard.link = undefined;
    link.shards.delete(shard);
    for (const topic of shard.topics) {
      link.unsubscribe(topic);
      topic.lose(reason);
    }
    this.#settings.logger.info({ reason, slot: shard.slot }, `the ${this.#settings.name} follows a slot`);
    // Not waited for: the next attempt may come too early, and another follows.
    this.#redis
      .execute((client) => {
        if (isCluster(client)) client.refreshSlotsCache(() => undefined);
        return Promise.resolve();
      })
      .catch(() => undefined);
    this.#placeLater();
  }

  #lose(link: ShardLink, reason: string): void {
    if (this.#links.get(link.address) !== link) return;
    this.#links.delete(link.address);
    const shards = [...link.shards];
    link.close();
    this.#settings.logger.warn({ reason, address: link.address }, `the ${this.#settings.name} is lost`);
    for (const shard of shards) {
      shard.link = undefined;
      for (const topic of shard.topics) topic.lose(reason);
    }
    this.#placeLater();
  }

  #tick(): void {
    if (this.#redis.status === 'closed') return this.#onEnded();
    for (const link of this.#links.values()) {
      if (link.silentMs > this.#settings.timeoutMs) this.#lose(link, 'no heartbeat');
      else link.ping();
    }
    for (const shard of this.#shards.values()) {
      const { link } = shard;
      if (link === undefined) continue;
      const owner = this.#redis.masterOf(shard.slot);
      if (owner !== undefined && addressOf(owner) !== link.address)
        this.#displace(shard, 'the slot has another master');
      else if (link.ready) {
        for (const topic of shard.topics) if (topic.refusal !== undefined) void this.#subscribe(shard, link, topic);
      }
    }
  }

  #closeIdle(): void {
    for (const link of this.#links.values()) {
      if (link.shards.size > 0) continue;
      this.#links.delete(link.address);
      link.close();
    }
  }
}
