import type { RedisConnection } from '../connection.ts';
import { ChannelLink } from './channel-link.ts';
import { subscriberSettings, type SubscriberOptions, type SubscriberSettings } from './settings.ts';
import { ShardLinks } from './shard-links.ts';
import type { Subscriber, Subscription, SubscriptionListener } from './subscriber.ts';
import { Topic } from './topic.ts';

/** A {@link Subscriber} over connections made by `redis.duplicate`. It ends when `redis` is closed. */
export function createSubscriber(redis: RedisConnection, options: SubscriberOptions = {}): Subscriber {
  return new RedisSubscriber(redis, subscriberSettings(options));
}

class RedisSubscriber implements Subscriber {
  readonly shardPublish: 'PUBLISH' | 'SPUBLISH';
  readonly #redis: RedisConnection;
  readonly #settings: SubscriberSettings;
  #channels: ChannelLink | undefined;
  #shards: ShardLinks | undefined;
  #closed = false;

  constructor(redis: RedisConnection, settings: SubscriberSettings) {
    this.shardPublish = redis.topology === 'cluster' ? 'SPUBLISH' : 'PUBLISH';
    this.#redis = redis;
    this.#settings = settings;
  }

  get serverOffsetMs(): number | undefined {
    return this.#channels?.serverOffsetMs;
  }

  subscribe(channel: string, listener: SubscriptionListener): Subscription {
    return this.#plain('channel', channel, listener);
  }

  psubscribe(pattern: string, listener: SubscriptionListener): Subscription {
    return this.#plain('pattern', pattern, listener);
  }

  ssubscribe(channel: string, listener: SubscriptionListener): Subscription {
    if (this.shardPublish === 'PUBLISH') return this.#plain('channel', channel, listener);
    const links = (this.#shards ??= new ShardLinks(this.#redis, this.#settings, () => this.close()));
    const known = links.find(channel);
    if (known !== undefined) return known.add(listener);
    const topic = this.#topic(channel, (emptied) => links.remove(emptied));
    const subscription = topic.add(listener);
    if (this.#closed) topic.end('closed');
    else links.add(topic);
    return subscription;
  }

  close(): void {
    this.#closed = true;
    this.#channels?.close();
    this.#shards?.close();
  }

  #plain(kind: 'channel' | 'pattern', name: string, listener: SubscriptionListener): Subscription {
    const known = this.#channels?.find(kind, name);
    if (known !== undefined) return known.add(listener);
    const topic = this.#topic(name, (emptied) => this.#channels?.remove(emptied));
    const subscription = topic.add(listener);
    if (this.#closed || this.#redis.status === 'closed') topic.end('closed');
    else {
      this.#channels ??= new ChannelLink(this.#redis, this.#settings, () => this.close());
      this.#channels.add(kind, topic);
    }
    return subscription;
  }

  #topic(name: string, onEmpty: (topic: Topic) => void): Topic {
    return new Topic({ name, owner: this.#settings.name, logger: this.#settings.logger, onEmpty });
  }
}
