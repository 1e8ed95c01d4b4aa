import { afterEach, expect, test } from 'vitest';
import { startProxy, startRedis } from '../../../test/servers/index.ts';
import { createRedis, type RedisConnection, type RedisOptions } from '../src/index.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function connected(options: RedisOptions): Promise<RedisConnection> {
  const redis = createRedis(options);
  ends.push(() => redis.close());
  await redis.ready();
  return redis;
}

function beBusy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('a reply that came while this process was busy is a reply, on the same connection', async () => {
  const server = await startRedis();
  ends.push(() => server.stop());
  const redis = await connected({ url: server.url, commandTimeout: 200, socketTimeout: 300 });
  const id = await redis.execute((client) => client.call('CLIENT', 'ID'));
  for (let round = 0; round < 3; round++) {
    const asked = Array.from({ length: 100 }, () => redis.execute((client) => client.ping()));
    beBusy(600);
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['PONG']));
  }
  expect(await redis.execute((client) => client.call('CLIENT', 'ID'))).toBe(id);
});

test('a frozen server is not waited for any longer because this process is busy', async () => {
  const server = await startRedis();
  ends.push(() => server.stop());
  const redis = await connected({ url: server.url, commandTimeout: 200, socketTimeout: '1m' });
  server.process.signal('SIGSTOP');
  const asked = redis.execute((client) => client.ping());
  beBusy(600);
  const freeAtMs = performance.now();
  await expect(asked).rejects.toMatchObject({ code: 'ERR_REDIS_TIMEOUT', details: { applied: 'unknown' } });
  expect(performance.now() - freeAtMs).toBeLessThan(150);
  server.process.signal('SIGCONT');
});

test('commands of one call share its deadline, and are not sent once it is spent', async () => {
  const server = await startRedis();
  ends.push(() => server.stop());
  const link = await startProxy({ target: { port: server.port } });
  ends.push(() => link.stop());
  const redis = await connected({ url: link.url, commandTimeout: '1s', socketTimeout: '1m', breaker: { failures: 9 } });
  link.latency(350);
  const since = redis.moment;
  await redis.execute((client) => client.set('first', 1), since);
  // By itself it would be answered 1.4 s after the call began.
  await expect(redis.execute((client) => client.ping(), since)).rejects.toMatchObject({ code: 'ERR_REDIS_TIMEOUT' });
  const late = redis.execute((client) => client.set('late', 1), since);
  await expect(late).rejects.toMatchObject({ code: 'ERR_REDIS_TIMEOUT', details: { applied: 'no' } });
  await link.normal();
  expect(await redis.execute((client) => client.mget('first', 'late'))).toEqual(['1', null]);
});
