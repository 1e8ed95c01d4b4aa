import { defineScript, pipelineReplies, type RedisConnection } from '@tierkit/redis';
import { TierkitError } from '@tierkit/core';
import type { FailureStore } from './failure-store.ts';

const increment = defineScript({
  name: 'guard-increment',
  keys: ['count'],
  args: { by: 'integer', seconds: 'integer' },
  reply: (raw) => raw as [number, number],
  lua: `
redis.call('SET', count, 0, 'EX', seconds, 'NX')
local counted = redis.call('INCRBY', count, by)
return { counted, redis.call('PTTL', count) }
`,
});

/** Counts in Redis, within the deadlines of the connection. */
export class RedisFailureStore implements FailureStore {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  increment(key: string, by: number, seconds: number): Promise<[number, number]> {
    return increment.run(this.#redis, { count: key }, { by, seconds });
  }

  async read(key: string): Promise<[number | null, number]> {
    const [count, leftMs] = await this.#together([
      ['get', key],
      ['pttl', key],
    ]);
    return [count === null ? null : Number(count), Number(leftMs)];
  }

  async write(key: string, count: number, seconds: number): Promise<['OK', number]> {
    const [, leftMs] = await this.#together([
      ['set', key, String(count), 'EX', String(seconds)],
      ['pttl', key],
    ]);
    return ['OK', Number(leftMs)];
  }

  remove(key: string): Promise<number> {
    return this.#redis.execute((client) => client.del(key));
  }

  async #together(commands: string[][]): Promise<unknown[]> {
    const replies = await this.#redis.execute(async (client) => pipelineReplies(await client.multi(commands).exec()));
    for (const reply of replies) if (reply instanceof TierkitError) throw reply;
    return replies;
  }
}
