import type { Redis } from 'ioredis';
import type { Topic } from './topic.ts';

/** The sharded channels of one slot, and the connection to the master that owns it. */
export interface Shard {
  readonly slot: number;
  readonly topics: Set<Topic>;
  link: ShardLink | undefined;
}

export interface ShardLinkEvents {
  onReady(): void;
  onMessage(channel: string, message: Buffer): void;
  /** The server has ended a subscription of this shard by itself, as it does when the slot leaves. */
  onUnsubscribed(shard: Shard): void;
  onClosed(): void;
}

/** What ioredis knows of a connection's subscriptions. */
interface Condition {
  readonly condition: { readonly subscriber: false | { channels(kind: 'ssubscribe'): string[] } } | null;
}

/** A connection to one master of a Cluster for the sharded channels that it owns. */
export class ShardLink {
  readonly client: Redis;
  /** `host:port` of the master. */
  readonly address: string;
  readonly shards = new Set<Shard>();
  readonly #events: ShardLinkEvents;
  #heardAtMs = performance.now();
  #asked = false;
  #closed = false;

  constructor(client: Redis, address: string, events: ShardLinkEvents) {
    this.client = client;
    this.address = address;
    this.#events = events;
    client.on('error', () => {});
    client.on('ready', () => this.#tell(() => events.onReady()));
    client.on('close', () => this.#tell(() => events.onClosed()));
    client.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
      if (!this.#closed) events.onMessage(channel.toString(), message);
    });
    // Emitted also for a refused SSUBSCRIBE; what was confirmed and is gone tells the two apart.
    client.on('moved', () => this.#tell(() => this.#compare()));
  }

  get ready(): boolean {
    return this.client.status === 'ready';
  }

  /** Milliseconds since the last answer, or since the attempt to connect. */
  get silentMs(): number {
    return performance.now() - this.#heardAtMs;
  }

  ping(): void {
    if (!this.ready || this.#asked) return;
    this.#asked = true;
    this.client
      .ping()
      .then(() => (this.#heardAtMs = performance.now()))
      // The silence tells.
      .catch(() => undefined)
      .finally(() => (this.#asked = false));
  }

  unsubscribe(topic: Topic): void {
    // A connection on which this fails is lost anyway.
    if (!this.#closed && this.ready) this.client.sunsubscribe(topic.name).catch(() => undefined);
  }

  close(): void {
    this.#closed = true;
    this.client.disconnect();
  }

  #compare(): void {
    const { condition } = this.client as unknown as Condition;
    const left = new Set(condition?.subscriber ? condition.subscriber.channels('ssubscribe') : []);
    for (const shard of this.shards) {
      const gone = [...shard.topics].some(({ heldBy, name }) => heldBy === this.client && !left.has(name));
      if (gone) this.#events.onUnsubscribed(shard);
    }
  }

  #tell(event: () => void): void {
    if (!this.#closed) event();
  }
}
