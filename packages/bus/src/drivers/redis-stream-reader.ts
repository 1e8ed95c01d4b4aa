import { translateRedisError, type RedisConnection } from '@tierkit/redis';
import type { Redis } from 'ioredis';
import type { Delivery, Position, StreamEntry, StreamReader } from './driver.ts';
import { deliveryFrom, entryFrom, type RawEntry } from './redis-entries.ts';

/** How much longer than the server would wait a reply may take before the connection counts as lost. */
const GRACE_MS = 2_000;

const EVENTS = ['error', 'ready', 'close', 'end'] as const;

type Reply = [stream: Buffer, entries: RawEntry[]][] | null;

/** What ioredis's types lack. */
interface BlockingReads {
  xreadBuffer(...args: (string | number)[]): Promise<Reply>;
  xreadgroupBuffer(...args: (string | number)[]): Promise<Reply>;
}

/** Blocking reads of one stream; a connection on which one fails is replaced at the next. */
export class RedisStreamReader implements StreamReader {
  readonly #redis: RedisConnection;
  readonly #stream: string;
  readonly #onClose: () => void;
  #client: Redis | undefined;
  #closed = false;

  constructor(redis: RedisConnection, stream: string, onClose: () => void) {
    this.#redis = redis;
    this.#stream = stream;
    this.#onClose = onClose;
  }

  async read(after: Position, limit: number, waitMs: number): Promise<StreamEntry[]> {
    const args = ['COUNT', limit, 'BLOCK', waitMs, 'STREAMS', this.#stream, after.id];
    const entries = await this.#bounded(waitMs, (client) => client.xreadBuffer(...args));
    return entries.map(entryFrom);
  }

  async readGroup(group: string, consumer: string, limit: number, waitMs: number): Promise<Delivery[]> {
    const args = ['GROUP', group, consumer, 'COUNT', limit, 'BLOCK', waitMs, 'STREAMS', this.#stream, '>'];
    const entries = await this.#bounded(waitMs, (client) => client.xreadgroupBuffer(...args));
    return entries.map((entry) => deliveryFrom(entry, 1, true));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#drop(this.#client);
    this.#onClose();
  }

  async #bounded(waitMs: number, read: (client: BlockingReads) => Promise<Reply>): Promise<readonly RawEntry[]> {
    if (this.#closed) return [];
    const client = await this.#ready();
    let timer: NodeJS.Timeout | undefined;
    try {
      // A server that is frozen answers nothing, and no timeout of the connection covers a blocking read.
      timer = setTimeout(() => this.#drop(client), waitMs + GRACE_MS);
      timer.unref();
      const reply = await read(client as unknown as BlockingReads);
      return reply?.[0]?.[1] ?? [];
    } catch (error) {
      if (this.#closed) return [];
      this.#drop(client);
      throw translated(error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ready(): Promise<Redis> {
    const client = (this.#client ??= this.#redis.duplicate('blocking', { key: this.#stream }));
    if (client.status === 'ready') return client;
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        for (const event of EVENTS) client.off(event, settle);
        resolve();
      };
      for (const event of EVENTS) client.on(event, settle);
    });
    if (isReady(client) || this.#closed) return client;
    this.#drop(client);
    throw translated(new Error('Connection is closed.'));
  }

  #drop(client: Redis | undefined): void {
    if (this.#client === client) this.#client = undefined;
    client?.disconnect();
  }
}

// A function of its own, because the type checker takes the status for unchanged across an await.
function isReady(client: Redis): boolean {
  return client.status === 'ready';
}

function translated(error: unknown): unknown {
  return translateRedisError(error, (text) => text);
}
