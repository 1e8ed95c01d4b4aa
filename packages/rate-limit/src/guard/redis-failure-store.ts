import { defineScript, pipelineReplies, type RedisConnection } from '@tierkit/redis';
import { TierkitError } from '@tierkit/core';
import type { FailureStore } from './failure-store.ts';

/** Lua: removes what stands under the key and is no count of ours, which would leave a subject unguarded: they all end. */
const onlyCounts = `
local found = redis.pcall('GET', count)
if found then
  local isCount = type(found) == 'string' and #found < 16 and string.find(found, '^%d+$')
  if not isCount or redis.call('PTTL', count) < 0 then
    redis.call('UNLINK', count)
    found = false
  end
end
`;

const increment = defineScript({
  name: 'guard-increment',
  keys: ['count'],
  args: { by: 'integer', seconds: 'integer' },
  reply: (raw) => raw as [number, number],
  lua: `
${onlyCounts}
if not found then redis.call('SET', count, 0, 'EX', seconds) end
local counted = redis.call('INCRBY', count, by)
return { counted, redis.call('PTTL', count) }
`,
});

const read = defineScript({
  name: 'guard-read',
  keys: ['count'],
  args: {},
  reply: (raw): [number | null, number] => {
    const [count, leftMs] = raw as [string | null, number];
    return [count === null ? null : Number(count), leftMs];
  },
  lua: `
${onlyCounts}
return { found, redis.call('PTTL', count) }
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

  read(key: string): Promise<[number | null, number]> {
    return read.run(this.#redis, { count: key }, {});
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
