import {
  createSubscriber,
  SLOT_COUNT,
  slotOf,
  type RedisConnection,
  type Subscriber,
  type Subscription,
} from '@tierkit/redis';
import type { Clock, Logger } from '@tierkit/core';
import type { Retention } from '../channels/channel.ts';
import { MOST_DEAD, type BusDriver, type Delivery, type GroupOwner, type Position, type Start } from './driver.ts';
import { countKey, deadKey, lostKey } from './names.ts';
import { RedisDeadLetters } from './redis-dead-letters.ts';
import { deliveryFrom } from './redis-entries.ts';
import { RedisStreamReader } from './redis-stream-reader.ts';
import { isBehind } from './stream-id.ts';
import { append } from './redis-scripts/append.ts';
import { bury } from './redis-scripts/bury.ts';
import { claim } from './redis-scripts/claim.ts';
import { createGroup } from './redis-scripts/create-group.ts';
import { forgetConsumer } from './redis-scripts/forget-consumer.ts';
import { groupNames } from './redis-scripts/group-names.ts';
import { groupState } from './redis-scripts/group-state.ts';
import { locateEnd } from './redis-scripts/locate.ts';
import { release } from './redis-scripts/release.ts';
import { touch } from './redis-scripts/touch.ts';

export interface RedisDriverOptions {
  readonly redis: RedisConnection;
  /** For streams. */
  readonly durable: RedisConnection;
  /** Sharded pub/sub: each message passes one master of a Cluster. */
  readonly sharded: boolean;
  readonly prefix: string;
  readonly feedTimeoutMs: number;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** A consumer without entries that was silent for as many times `claimAfterMs` is forgotten. */
const GONE_FACTOR = 100;

export class RedisDriver implements BusDriver {
  readonly deadLetters: RedisDeadLetters;
  readonly patterns: boolean;
  readonly #options: RedisDriverOptions;
  readonly #subscriber: Subscriber;
  readonly #readers = new Set<RedisStreamReader>();
  /** Its master sends the messages of this publisher. */
  readonly #home = Math.floor(Math.random() * SLOT_COUNT);

  constructor(options: RedisDriverOptions) {
    const { redis, prefix, feedTimeoutMs, logger, clock } = options;
    this.#options = options;
    this.patterns = !this.#sharded;
    this.deadLetters = new RedisDeadLetters(options.durable);
    this.#subscriber = createSubscriber(redis, { name: 'bus', prefix, timeoutMs: feedTimeoutMs, logger, clock });
  }

  get #sharded(): boolean {
    return this.#options.sharded && this.#options.redis.topology === 'cluster';
  }

  async send(channel: string, message: Buffer | string): Promise<void> {
    const { redis } = this.#options;
    // One connection, and one master of a Cluster, for all messages of a publisher: else they could overtake each other.
    await redis.execute((client) => {
      const node = redis.masterOf(this.#sharded ? slotOf(channel) : this.#home) ?? client;
      return this.#sharded ? node.spublish(channel, message) : node.publish(channel, message);
    });
  }

  listen(what: 'channel' | 'pattern', name: string, listener: Parameters<BusDriver['listen']>[2]): Subscription {
    if (what === 'pattern') return this.#subscriber.psubscribe(name, listener);
    return this.#sharded ? this.#subscriber.ssubscribe(name, listener) : this.#subscriber.subscribe(name, listener);
  }

  async append(
    stream: string,
    message: Buffer | string,
    { maxLength, maxAgeMs }: Retention,
    subject: string | undefined,
  ): Promise<Position> {
    const keys = { stream, counter: countKey(stream), lost: lostKey(stream) };
    const bytes = typeof message === 'string' ? Buffer.from(message) : message;
    return append.run(this.#options.durable, keys, {
      message: bytes,
      maxLength,
      maxAgeMs: maxAgeMs ?? 0,
      subject: subject ?? '',
    });
  }

  async locate(stream: string, start: Start): Promise<Position> {
    const place = start === 'now' ? undefined : placeOf(start);
    // Only of what an event had, which is no place ahead unless the stream was lost.
    if (place?.count === undefined && place !== undefined) return place;
    const end = await locateEnd.run(this.#options.durable, { stream, counter: countKey(stream) }, {});
    return place === undefined || isBehind(place.id, end.id) ? end : place;
  }

  openReader(stream: string): RedisStreamReader {
    const reader = new RedisStreamReader(this.#options.durable, stream, () => this.#readers.delete(reader));
    this.#readers.add(reader);
    return reader;
  }

  async createGroup(stream: string, group: string, start: Start): Promise<Position> {
    const place = start === 'now' ? '$' : placeOf(start).id;
    const id = await createGroup.run(this.#options.durable, { stream }, { group, start: place });
    return { id, count: undefined };
  }

  async acknowledge(stream: string, group: string, ids: readonly string[]): Promise<void> {
    await this.#options.durable.execute((client) => client.xack(stream, group, ...ids));
  }

  async release(
    stream: string,
    owner: GroupOwner,
    id: string,
    { idleMs, attempts }: Parameters<BusDriver['release']>[3],
  ): Promise<boolean> {
    return release.run(this.#options.durable, { stream }, { ...owner, id, idleMs: Math.round(idleMs), attempts });
  }

  async touch(stream: string, owner: GroupOwner, ids: readonly string[]): Promise<string[]> {
    return touch.run(this.#options.durable, { stream }, { ...owner, ids });
  }

  async claim(stream: string, owner: GroupOwner, claimAfterMs: number, limit: number): Promise<Delivery[]> {
    const keys = { stream, lost: lostKey(stream) };
    const goneMs = claimAfterMs * GONE_FACTOR;
    const claimed = await claim.run(this.#options.durable, keys, { ...owner, idleMs: claimAfterMs, limit, goneMs });
    return claimed.map(([entry, attempt]) => deliveryFrom(entry, attempt, false));
  }

  async bury(stream: string, group: string, dead: Parameters<BusDriver['bury']>[2]): Promise<void> {
    const keys = { stream, dead: deadKey(stream), lost: lostKey(stream) };
    await bury.run(this.#options.durable, keys, { group, ...dead, limit: MOST_DEAD });
  }

  async forgetConsumer(
    stream: string,
    owner: GroupOwner,
    unknown: Parameters<BusDriver['forgetConsumer']>[2],
  ): Promise<void> {
    await forgetConsumer.run(this.#options.durable, { stream }, { ...owner, ...unknown });
  }

  groups(stream: string): Promise<string[]> {
    return groupNames.run(this.#options.durable, { stream }, {});
  }

  async state(stream: string, group: string): ReturnType<BusDriver['state']> {
    const keys = { stream, counter: countKey(stream), dead: deadKey(stream), lost: lostKey(stream) };
    return groupState.run(this.#options.durable, keys, { group });
  }

  close(): Promise<void> {
    for (const reader of this.#readers) reader.close();
    this.#subscriber.close();
    return Promise.resolve();
  }
}

function placeOf(start: Exclude<Start, 'now'>): Position {
  if (start === 'start') return { id: '0-0', count: undefined };
  // Behind whatever was added in the millisecond before.
  if ('timeMs' in start)
    return { id: `${Math.max(0, Math.ceil(start.timeMs) - 1)}-18446744073709551615`, count: undefined };
  return start;
}
