import type { Subscription, SubscriptionListener } from '@tierkit/redis';
import type { Retention } from '../channels/channel.ts';
import type {
  BusDriver,
  DeadLetterStore,
  Delivery,
  GroupOwner,
  GroupState,
  Position,
  Start,
  StreamEntry,
  StreamReader,
} from './driver.ts';
import type { MemoryBroker } from './memory-broker.ts';
import type { MemoryStream } from './memory-stream.ts';
import { busError } from '../errors.ts';

/** Channels and streams in this process, with the rules of the Redis driver. */
export class MemoryDriver implements BusDriver {
  readonly patterns = true;
  readonly deadLetters: DeadLetterStore;
  readonly #broker: MemoryBroker;
  readonly #ends = new Set<() => void>();

  constructor(broker: MemoryBroker) {
    this.#broker = broker;
    this.deadLetters = {
      list: (stream, after, limit) => Promise.resolve(broker.stream(stream).deadLetters(after, limit)),
      replay: (stream, ids) => Promise.resolve(broker.stream(stream).replay(ids)),
      remove: (stream, ids) => Promise.resolve(broker.stream(stream).remove(ids)),
    };
  }

  send(channel: string, message: Buffer | string): Promise<void> {
    this.#broker.send(channel, bytesOf(message));
    return Promise.resolve();
  }

  listen(what: 'channel' | 'pattern', name: string, listener: SubscriptionListener): Subscription {
    // The rest of a pattern is for the caller to compare, here as on Redis.
    const beginning = name.slice(0, Math.max(0, name.search(/[*?\\]/)));
    const matches = (channel: string): boolean =>
      what === 'channel' ? channel === name : channel.startsWith(beginning);
    const stop = this.#broker.listen({ matches, deliver: (message, channel) => listener.onMessage(message, channel) });
    let live = true;
    const off = (): void => {
      live = false;
      stop();
      this.#ends.delete(off);
    };
    this.#ends.add(off);
    queueMicrotask(() => {
      if (live) listener.onLive?.();
    });
    return {
      off,
      get live() {
        return live;
      },
      ready: () => (live ? Promise.resolve() : Promise.reject(busError('ERR_BUS_CLOSED', 'the bus was closed'))),
    };
  }

  append(
    stream: string,
    message: Buffer | string,
    retention: Retention,
    subject: string | undefined,
  ): Promise<Position> {
    return Promise.resolve(this.#broker.stream(stream).append(bytesOf(message), retention, subject));
  }

  locate(stream: string, start: Start): Promise<Position> {
    return Promise.resolve(this.#broker.stream(stream).locate(start));
  }

  openReader(stream: string): StreamReader {
    const reader = new MemoryReader(this.#broker, stream, () => this.#ends.delete(end));
    const end = (): void => reader.close();
    this.#ends.add(end);
    return reader;
  }

  createGroup(stream: string, group: string, start: Start): Promise<Position> {
    return Promise.resolve(this.#broker.stream(stream).createGroup(group, start));
  }

  acknowledge(stream: string, group: string, ids: readonly string[]): Promise<void> {
    this.#broker.stream(stream).acknowledge(group, ids);
    return Promise.resolve();
  }

  release(...[stream, owner, id, as]: Parameters<BusDriver['release']>): Promise<boolean> {
    return Promise.resolve(this.#broker.stream(stream).release(owner, id, as));
  }

  touch(stream: string, owner: GroupOwner, ids: readonly string[]): Promise<string[]> {
    return Promise.resolve(this.#broker.stream(stream).touch(owner, ids));
  }

  claim(stream: string, owner: GroupOwner, claimAfterMs: number, limit: number): Promise<Delivery[]> {
    return Promise.resolve(this.#broker.stream(stream).claim(owner, claimAfterMs, limit));
  }

  bury(stream: string, group: string, dead: Parameters<BusDriver['bury']>[2]): Promise<void> {
    return Promise.resolve(this.#broker.stream(stream).bury(group, dead));
  }

  forgetConsumer(stream: string, owner: GroupOwner): Promise<void> {
    return Promise.resolve(this.#broker.stream(stream).forgetConsumer(owner));
  }

  groups(stream: string): Promise<string[]> {
    return Promise.resolve(this.#broker.stream(stream).groups);
  }

  state(stream: string, group: string): Promise<GroupState> {
    return Promise.resolve(this.#broker.stream(stream).state(group));
  }

  close(): Promise<void> {
    for (const end of [...this.#ends]) end();
    return Promise.resolve();
  }
}

class MemoryReader implements StreamReader {
  readonly #broker: MemoryBroker;
  readonly #stream: MemoryStream;
  readonly #onClose: () => void;
  #wake: () => void = () => {};
  #closed = false;

  constructor(broker: MemoryBroker, stream: string, onClose: () => void) {
    this.#broker = broker;
    this.#stream = broker.stream(stream);
    this.#onClose = onClose;
  }

  read(after: Position, limit: number, waitMs: number): Promise<StreamEntry[]> {
    return this.#poll(waitMs, () => this.#stream.read(after, limit));
  }

  readGroup(group: string, consumer: string, limit: number, waitMs: number): Promise<Delivery[]> {
    return this.#poll(waitMs, () => this.#stream.readGroup({ group, consumer }, limit) ?? []);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake();
    this.#onClose();
  }

  async #poll<T>(waitMs: number, read: () => T[]): Promise<T[]> {
    if (this.#closed) return [];
    const found = read();
    if (found.length > 0) return found;
    await new Promise<void>((resolve) => {
      const timer = this.#broker.clock.setTimeout(() => this.#wake(), waitMs);
      const stop = this.#stream.wake(() => this.#wake());
      this.#wake = () => {
        timer.cancel();
        stop();
        this.#wake = () => {};
        resolve();
      };
    });
    return this.#isClosed() ? [] : read();
  }

  // A method of its own, because the type checker takes the field for unchanged across an await.
  #isClosed(): boolean {
    return this.#closed;
  }
}

function bytesOf(message: Buffer | string): Buffer {
  return typeof message === 'string' ? Buffer.from(message) : message;
}
