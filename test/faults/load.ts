import type { RedisClient, RedisConnection } from '@tierkit/redis';
import { sleep } from '../support/sleep.ts';
import { until } from '../servers/index.ts';

export interface Call {
  /** Milliseconds on the monotonic clock. */
  readonly begin: number;
  readonly end: number;
  /** Undefined when the call succeeded. */
  readonly error: Error | undefined;
}

const pauseMs = 5;
const burstEveryMs = 250;
const burst = 50;

/** Calls without a break: a write after the other, and now and then fifty reads at once. */
export class Load {
  readonly calls: Call[] = [];
  readonly #connection: RedisConnection;
  readonly #key: string;
  readonly #loops: Promise<unknown>;
  #stopped = false;

  constructor(connection: RedisConnection, key: string) {
    this.#connection = connection;
    this.#key = key;
    this.#loops = Promise.all([this.#oneByOne(), this.#bursts()]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loops;
  }

  /** Waits for a stretch of `ms` milliseconds in which no call fails; rejects when there is none for long. */
  async flawlessFor(ms: number): Promise<void> {
    const began = performance.now();
    let lastError: Error | undefined;
    const flawless = (): boolean => {
      const since = performance.now() - ms;
      const calls = this.calls.filter(({ end }) => end >= since);
      lastError = calls.findLast(({ error }) => error !== undefined)?.error ?? lastError;
      return since >= began && calls.length > burst && calls.every(({ error }) => error === undefined);
    };
    await until(`all calls succeed for ${ms} ms`, flawless).catch((error: unknown) => {
      throw new Error(String(error), { cause: lastError });
    });
  }

  async #oneByOne(): Promise<void> {
    while (!this.#stopped) {
      await this.#call((client) => client.set(this.#key, 'value'));
      await sleep(pauseMs);
    }
  }

  async #bursts(): Promise<void> {
    while (!this.#stopped) {
      await Promise.all(Array.from({ length: burst }, () => this.#call((client) => client.get(this.#key))));
      await sleep(burstEveryMs);
    }
  }

  async #call(operation: (client: RedisClient) => Promise<unknown>): Promise<void> {
    const begin = performance.now();
    let error: Error | undefined;
    try {
      await this.#connection.execute(operation);
    } catch (reason) {
      error = reason instanceof Error ? reason : new Error(String(reason));
    }
    this.calls.push({ begin, end: performance.now(), error });
  }
}
