import { TierkitError } from '@tierkit/core';
import { createRedis, redisInput, type RedisConnection, type RedisInput } from '@tierkit/redis';
import type { TierkitOptions } from '../options.ts';

export interface DurableParts {
  /** The kit's own connection, if it has one. */
  readonly redis: RedisConnection | undefined;
  /** What the user gave as `durableRedis`. */
  readonly given: RedisInput | undefined;
  readonly backend: 'redis' | 'memory' | 'null';
  readonly options: TierkitOptions;
}

/**
 * The Redis for what must last, which parts of a kit share: opened when the first of them asks, `'memory'` in a kit that
 * runs in memory, and the kit's own Redis where no other was given.
 */
export class DurableRedis {
  readonly #parts: DurableParts;
  #opened: RedisConnection | undefined;

  constructor(parts: DurableParts) {
    this.#parts = parts;
  }

  /** @throws {TierkitError} `ERR_TIERKIT_OPTIONS`: the kit keeps nothing, and what must last cannot go there */
  get(part: string): RedisConnection | 'memory' {
    const { redis, given, backend, options } = this.#parts;
    if (given !== undefined) return (this.#opened ??= createRedis(redisInput(given, options)));
    if (redis !== undefined) return redis;
    if (backend === 'memory') return 'memory';
    throw new TierkitError(
      'ERR_TIERKIT_OPTIONS',
      `${part} must last, and this kit keeps nothing: give it a durableRedis`,
    );
  }

  async close(): Promise<void> {
    await this.#opened?.close();
  }
}
