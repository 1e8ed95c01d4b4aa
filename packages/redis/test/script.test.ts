import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createRedis, defineScript, type RedisConnection } from '../src/index.ts';

const prefix = `test:${randomUUID()}:`;
let redis: RedisConnection;

beforeAll(async () => {
  redis = createRedis(sharedRedis());
  await redis.ready();
});
afterAll(() => redis.close());

const echo = defineScript({
  name: 'echo',
  keys: ['first', '...others'],
  args: { whole: 'integer', real: 'number', text: 'string', data: 'bytes', flag: 'boolean', list: 'strings' },
  reply: (raw) => JSON.parse(String(raw)) as unknown,
  lua: `
    return cjson.encode({
      first, others, string.format('%.17g', whole), string.format('%.17g', real), text, #data, tostring(flag), list,
    })
  `,
});

test('keys and arguments reach Lua under their names and with their types', async () => {
  const reply = await echo.run(
    redis,
    { first: 'a', others: ['b', 'c'] },
    { whole: -(2 ** 53 - 1), real: 0.1, text: 'né', data: Buffer.from([0, 255, 10]), flag: true, list: ['x', ''] },
  );
  expect(reply).toEqual(['a', ['b', 'c'], '-9007199254740991', '0.10000000000000001', 'né', 3, 'true', ['x', '']]);
});

const store = defineScript({
  name: 'store',
  keys: ['key'],
  args: { payload: 'bytes', limit: 'integer' },
  replyAs: 'buffer',
  reply: (raw) => raw as [Buffer, Buffer],
  lua: `
    redis.call('SET', key, payload)
    return { redis.call('GET', key), redis.call('INCRBY', key .. ':n', limit) .. '' }
  `,
});

test('every safe integer and every byte string come back as they were', async () => {
  await fc.assert(
    fc.asyncProperty(fc.maxSafeInteger(), fc.uint8Array(), async (limit, bytes) => {
      const key = prefix + randomUUID();
      const [payload] = await store.run(redis, { key }, { payload: Buffer.from(bytes), limit });
      expect(payload).toEqual(Buffer.from(bytes));
      expect(await redis.execute((client) => client.getdel(`${key}:n`))).toBe(String(limit));
    }),
    { numRuns: 50 },
  );
});

test('survives SCRIPT FLUSH and leaves nothing on the client', async () => {
  const client = new Redis(inject('redisUrl'));
  const before = Object.keys(client);
  const own = createRedis(client);
  const script = defineScript({ name: 'one', keys: [], args: {}, reply: Number, lua: `return 1 -- ${randomUUID()}` });
  await own.ready();
  expect(await script.run(own, {}, {})).toBe(1);
  await client.script('FLUSH');
  expect(await script.run(own, {}, {})).toBe(1);
  expect(await client.script('EXISTS', script.sha)).toEqual([1]);
  expect(Object.keys(client).filter((name) => !before.includes(name) && name !== 'stream')).toEqual(
    expect.not.arrayContaining(['one']),
  );
  await own.close();
  client.disconnect();
});

test('an argument of another type is refused before anything is sent', async () => {
  const good = { payload: Buffer.alloc(1), limit: 1 };
  const wrong: Record<string, unknown>[] = [
    { ...good, limit: 1.5 },
    { ...good, limit: 2 ** 53 },
    { ...good, limit: '1' },
    { ...good, limit: undefined },
    { ...good, payload: 'text' },
  ];
  for (const args of wrong) {
    await expect(store.run(redis, { key: 'k' }, args as typeof good)).rejects.toMatchObject({
      code: 'ERR_SCRIPT_ARGUMENT',
    });
  }
  await expect(store.run(redis, { key: '' }, good)).rejects.toMatchObject({ code: 'ERR_SCRIPT_ARGUMENT' });
});

test.each([
  [['end'], {}, 'cannot be a Lua local'],
  [['a b'], {}, 'cannot be a Lua local'],
  [['redis'], {}, 'cannot be a Lua local'],
  [['a', 'a'], {}, 'occurs twice'],
  [['a'], { a: 'string' }, 'occurs twice'],
  [['...a', 'b'], {}, 'must be the last key'],
  [[], { a: 'strings', b: 'string' }, 'must be the last argument'],
  [[], { a: 'float' }, 'unknown type'],
] as const)('refuses keys %j with arguments %j', (keys, args, message) => {
  const define = (): unknown =>
    defineScript({ name: 'bad', keys, args: args as Record<string, 'string'>, reply: String, lua: 'return 1' });
  expect(define).toThrow(
    expect.objectContaining({ code: 'ERR_SCRIPT_DEFINITION', message: expect.stringContaining(message) }),
  );
});

test('an error raised half-way through is reported as possibly applied', async () => {
  const half = defineScript({
    name: 'half',
    keys: ['key'],
    args: {},
    reply: String,
    lua: `redis.call('SET', key, 'x') return redis.call('LPUSH', key, 'y')`,
  });
  await expect(half.run(redis, { key: prefix + randomUUID() }, {})).rejects.toMatchObject({
    code: 'ERR_REDIS_REPLY',
    details: { reply: 'WRONGTYPE', applied: 'unknown' },
  });
});

test('errors name the line of the body', async () => {
  const faulty = defineScript({
    name: 'faulty',
    keys: ['key'],
    args: { n: 'integer' },
    reply: String,
    lua: `local x = n\nreturn nothing.here`,
  });
  await expect(faulty.run(redis, { key: 'k' }, { n: 1 })).rejects.toThrow('user_script:3:');
});

test('more keys than Lua can unpack', async () => {
  const count = defineScript({
    name: 'count',
    keys: ['...all'],
    args: { rest: 'strings' },
    reply: String,
    lua: `return #all .. ' ' .. #rest`,
  });
  const many = Array.from({ length: 20_000 }, (_, i) => `k${i}`);
  expect(await count.run(redis, { all: many }, { rest: many })).toBe('20000 20000');
  expect(await count.run(redis, { all: [] }, { rest: [] })).toBe('0 0');
});
