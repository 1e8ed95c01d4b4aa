import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startRedis } from '../../../test/servers/index.ts';
import { createRedis, pipelineReplies, scan, scanPage, type RedisConnection } from '../src/index.ts';

const prefix = `test:${randomUUID()}:`;
const keys = Array.from({ length: 5_000 }, (_, i) => `${prefix}${i}`);
let redis: RedisConnection;

beforeAll(async () => {
  redis = createRedis({ url: inject('redisUrl'), maxConnections: 2 });
  await redis.ready();
  const values = Object.fromEntries(keys.map((key) => [key, '']));
  await redis.execute((client) => client.mset(values));
});
afterAll(async () => {
  await redis.execute((client) => client.unlink(keys));
  await redis.close();
});

test('delivers every key that is there all the time, in batches without duplicates', async () => {
  const found = new Set<string>();
  let batches = 0;
  for await (const batch of scan(redis, { match: `${prefix}*`, count: 500 })) {
    batches++;
    expect(new Set(batch).size).toBe(batch.length);
    expect(batch.length).toBeLessThan(2_000);
    for (const key of batch) found.add(key);
    const added = `${prefix}new${batches}`;
    await redis.execute((client) => client.set(added, '', 'EX', 30));
  }
  expect(batches).toBeGreaterThan(2);
  expect(keys.filter((key) => !found.has(key))).toEqual([]);
});

test('matches by pattern, and stops when the reader does', async () => {
  const one: string[] = [];
  for await (const batch of scan(redis, { match: `${prefix}4999` })) one.push(...batch);
  expect(one).toEqual([`${prefix}4999`]);
  let batches = 0;
  for await (const _batch of scan(redis, { match: `${prefix}*`, count: 10 })) {
    if (++batches === 3) break;
  }
  expect(batches).toBe(3);
});

test('ends with the reason of its signal', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const read = async (): Promise<void> => {
    for await (const _batch of scan(redis, { match: `${prefix}*`, count: 10, signal: controller.signal }))
      controller.abort(reason);
  };
  await expect(read()).rejects.toBe(reason);
});

test('gives every key that is there all the time page by page, none with more than it may hold', async () => {
  const found = new Set<string>();
  const find = async (some: readonly string[]): Promise<{ key: string }[]> => some.map((key) => ({ key }));
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await scanPage(redis, { match: `${prefix}*`, limit: 700, cursor, find });
    expect(page?.found.length).toBeLessThanOrEqual(700);
    for (const { key } of page?.found ?? []) found.add(key);
    cursor = page?.cursor;
    await redis.execute((client) => client.set(`${prefix}page${pages++}`, '', 'EX', 30));
  } while (cursor !== undefined);
  expect(pages).toBeGreaterThan(6);
  expect(keys.filter((key) => !found.has(key))).toEqual([]);
  for (const unknown of ['', '0', '1-0', '0-0-', '0-0-1', '0-99999999999999999999']) {
    expect(await scanPage(redis, { match: '*', limit: 1, cursor: unknown, find })).toBeUndefined();
  }
});

test('rejects when Redis goes away in the middle, rather than ending early', async () => {
  const server = await startRedis();
  const own = createRedis(server.url);
  await own.ready();
  await own.execute(async (client) => {
    const pipeline = client.pipeline();
    for (const key of keys) pipeline.set(key, '');
    return pipelineReplies(await pipeline.exec());
  });
  const read = async (): Promise<void> => {
    for await (const _batch of scan(own, { count: 10 })) if (server.process.running) await server.process.end();
  };
  await expect(read()).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
  await own.close();
  await server.stop();
});
