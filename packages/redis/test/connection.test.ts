import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { silentLogger, type TierkitError } from '@tierkit/core';
import type { Redis } from 'ioredis';
import { afterEach, expect, inject, test } from 'vitest';
import { freePort, RedisProcess, startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { ownTimeMs } from '../../../test/support/own-time.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createRedis, pipelineReplies, type RedisConnection, type RedisInput } from '../src/index.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function connect(input: RedisInput): RedisConnection {
  const redis = createRedis(input);
  ends.push(() => redis.close());
  return redis;
}

async function server(args: readonly string[] = []): Promise<StandaloneRedis> {
  const started = await startRedis(args);
  ends.push(() => started.stop());
  return started;
}

const get = (client: { get(key: string): Promise<string | null> }): Promise<string | null> => client.get('k');

async function timed<T>(operation: () => Promise<T>): Promise<{ ms: number; error: unknown }> {
  let error: unknown;
  const ms = await ownTimeMs(() => operation().catch((reason: unknown) => (error = reason)));
  return { ms, error };
}

test('connects in the background and says when it is ready', async () => {
  const redis = connect(inject('redisUrl'));
  expect(redis).toMatchObject({ topology: 'standalone', db: 0, owned: true, status: 'connecting' });
  await redis.ready();
  expect(redis.status).toBe('ready');
  expect(await redis.execute((client) => client.ping())).toBe('PONG');
  expect(redis.masters()).toHaveLength(1);
});

test('a database that the server does not have is not replaced by the first one', async () => {
  const { url } = await server(['--databases', '2']);
  const [first, none] = [connect(url), connect(`${url}/2`)];
  await first.ready();
  await first.execute((client) => client.set('k', 'of database 0'));
  await expect(none.ready(500)).rejects.toMatchObject({
    code: 'ERR_REDIS_UNAVAILABLE',
    message: expect.stringContaining('DB index is out of range') as string,
  });
  await expect(none.execute(get)).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE', details: { applied: 'no' } });
});

test('a user who may not choose a database does not get into the first one, with connections of its own either', async () => {
  const { url } = await server();
  const first = connect(url);
  await first.ready();
  await first.execute((client) =>
    client.call('ACL', 'SETUSER', 'tenant', 'on', '>secret', '~*', '&*', '+@all', '-select'),
  );
  const { host } = new URL(url);
  const redis = connect(`redis://tenant:secret@${host}/1`);
  await expect(redis.ready(500)).rejects.toMatchObject({ message: expect.stringContaining('NOPERM') as string });
  const blocking = redis.duplicate('blocking');
  ends.push(async () => blocking.disconnect());
  await sleep(300);
  expect(blocking.status).not.toBe('ready');
});

test('a server that is not there costs nothing and is found when it comes', async () => {
  const late = new RedisProcess(await freePort(), ['--save', '']);
  ends.push(() => late.stop());
  const redis = connect({ port: late.port });
  const states: string[] = [];
  redis.onStateChange((state) => states.push(state));
  await expect(redis.ready(300)).rejects.toMatchObject({
    code: 'ERR_REDIS_UNAVAILABLE',
    message: expect.stringMatching(/^Redis was not ready within 300 ms; last: .*ECONNREFUSED/) as string,
  });
  expect(redis.status).toBe('unavailable');
  const { ms, error } = await timed(() => redis.execute(get));
  expect(error).toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE', details: { applied: 'no' } });
  expect(ms).toBeLessThan(20);
  await late.start();
  await redis.ready();
  expect(states).toEqual(['up']);
});

test('says why also where a name has several addresses', async () => {
  const redis = connect({ host: 'localhost', port: await freePort() });
  await expect(redis.ready(600)).rejects.toThrow('ECONNREFUSED');
  await expect(redis.execute(get)).rejects.toThrow('ECONNREFUSED');
});

test('commands fail at once when the connection is lost, and work again when the server is back', async () => {
  const { process, url } = await server();
  const redis = connect(url);
  await redis.ready();
  const states: string[] = [];
  redis.onStateChange((state) => states.push(state));
  const blocked = timed(() => redis.execute((client) => client.blpop('nothing', 0)));
  await sleep(50);
  await process.end();
  const { ms, error } = await blocked;
  expect(error).toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE', details: { applied: 'unknown' } });
  expect(ms).toBeLessThan(250);
  for (let i = 0; i < 8; i++) expect((await timed(() => redis.execute(get))).ms).toBeLessThan(20);
  expect(redis.breaker).toEqual({ state: 'open', failures: 5 });
  await process.start();
  await redis.ready();
  expect(redis.breaker).toEqual({ state: 'closed', failures: 0 });
  expect(await redis.execute(get)).toBeNull();
  expect(states).toEqual(['down', 'up']);
});

test('a frozen server costs one deadline a call until the breaker opens, then nothing; the breaker closes by itself', async () => {
  const { process, url } = await server();
  const redis = connect(url);
  await redis.ready();
  const states: string[] = [];
  redis.onStateChange((state) => states.push(`${state} ${redis.breaker.state}`));
  process.signal('SIGSTOP');
  const codes: string[] = [];
  for (let i = 0; i < 5; i++) {
    const { ms, error } = await timed(() => redis.execute(get));
    codes.push((error as TierkitError).code);
    expect(ms).toBeLessThan(400);
  }
  expect(codes.slice(0, 3)).toEqual(Array(3).fill('ERR_REDIS_TIMEOUT'));
  expect(redis.breaker.state).not.toBe('closed');
  const { ms, error } = await timed(() => redis.execute(get));
  expect(error).toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE', details: { applied: 'no' } });
  expect(ms).toBeLessThan(20);
  process.signal('SIGCONT');
  const resumed = performance.now();
  await redis.ready();
  expect(performance.now() - resumed).toBeLessThan(2_500);
  expect(await redis.execute(get)).toBeNull();
  expect(states.at(-1)).toBe('up closed');
});

test('the breaker opens after the configured failures, half-opens, and only for outages', async () => {
  const { process, url } = await server();
  const redis = connect({ url, commandTimeout: 50, socketTimeout: '1m', breaker: { failures: 2, resetAfter: 100 } });
  await redis.ready();
  await redis.execute((client) => client.set('s', 'text'));
  for (let i = 0; i < 5; i++) {
    await expect(redis.execute((client) => client.lpush('s', 'x'))).rejects.toMatchObject({
      details: { reply: 'WRONGTYPE', applied: 'no' },
    });
  }
  expect(redis.breaker).toEqual({ state: 'closed', failures: 0 });
  process.signal('SIGSTOP');
  await timed(() => redis.execute(get));
  expect(redis.breaker).toEqual({ state: 'closed', failures: 1 });
  await timed(() => redis.execute(get));
  expect(redis.breaker.state).toBe('open');
  await until('a probe', () => Promise.resolve(redis.breaker.state === 'half-open'));
  process.signal('SIGCONT');
  await redis.ready(1_000);
  expect(redis.breaker).toEqual({ state: 'closed', failures: 0 });
});

test('an idle connection notices a frozen server', async () => {
  const { process, url } = await server();
  const redis = connect({ url, healthCheckInterval: 100 });
  await redis.ready();
  process.signal('SIGSTOP');
  await until('the state is known', () => Promise.resolve(redis.status === 'unavailable'));
  process.signal('SIGCONT');
  await redis.ready();
});

test('a pool spreads commands and does without a lost connection', async () => {
  const redis = connect({ url: inject('redisUrl'), maxConnections: 3 });
  await redis.ready();
  await until('all connected', async () => (await ids(redis)).size === 3);
  const [first] = await ids(redis);
  await redis
    .execute((client) => client.call('CLIENT', 'KILL', 'ID', String(first), 'SKIPME', 'no'))
    .catch(() => undefined);
  for (let i = 0; i < 20; i++) await redis.execute((client) => client.ping()).catch(() => undefined);
  expect(redis.status).toBe('ready');
  await until('all connected again', async () => (await ids(redis)).size === 3);
});

async function ids(redis: RedisConnection): Promise<Set<number>> {
  const found = await Promise.all(
    Array.from({ length: 9 }, () => redis.execute((client) => (client as Redis).client('ID'))),
  );
  return new Set(found);
}

test('passes on what the operation throws, and translates what is inside a pipeline', async () => {
  const redis = connect(inject('redisUrl'));
  await redis.ready();
  const own = new Error('mine');
  await expect(redis.execute(() => Promise.reject(own))).rejects.toBe(own);
  await expect(
    redis.execute(() => {
      throw own;
    }),
  ).rejects.toBe(own);
  const key = randomUUID();
  const [set, push] = await redis.execute(async (client) =>
    pipelineReplies(await client.pipeline().set(key, 'x', 'EX', 10).lpush(key, 'y').exec()),
  );
  expect(set).toBe('OK');
  expect(push).toMatchObject({ code: 'ERR_REDIS_REPLY', details: { reply: 'WRONGTYPE', applied: 'no' } });
});

test.each([
  ['OOM', ['--maxmemory', '1mb', '--maxmemory-policy', 'noeviction'], (c: Redis) => c.set('k', 'x'.repeat(100_000))],
  ['NOREPLICAS', ['--min-replicas-to-write', '1'], (c: Redis) => c.set('k', 'x')],
])('%s is a reply that says nothing was applied', async (reply, args, operation) => {
  const { url } = await server(args);
  const redis = connect(url);
  await redis.ready();
  await expect(redis.execute((client) => operation(client as Redis))).rejects.toMatchObject({
    code: 'ERR_REDIS_REPLY',
    details: { reply, applied: 'no' },
  });
});

test('a server busy with a script opens the breaker, which closes when the script is killed', async () => {
  const { url } = await server(['--lua-time-limit', '10']);
  const redis = connect({ url, breaker: { failures: 2, resetAfter: 100 } });
  const other = connect(url);
  await Promise.all([redis.ready(), other.ready()]);
  other.execute((client) => client.eval('while true do end', 0)).catch(() => undefined);
  await sleep(100);
  const failures = [await timed(() => redis.execute(get)), await timed(() => redis.execute(get))];
  expect(failures.map(({ error }) => (error as { details: unknown }).details)).toEqual([
    { reply: 'BUSY', applied: 'no' },
    { reply: 'BUSY', applied: 'no' },
  ]);
  expect(redis.breaker.state).toBe('open');
  await redis.masters()[0]?.script('KILL');
  await redis.ready(2_000);
});

test('a listener can be removed, and one that throws harms nobody', async () => {
  const errors: string[] = [];
  const log = (_details: unknown, message: string): void => void errors.push(message);
  const redis = connect({ url: inject('redisUrl'), logger: { ...silentLogger, error: log } });
  const heard: string[] = [];
  redis.onStateChange(() => {
    throw new Error('broken');
  });
  redis.onStateChange((state) => heard.push(state));
  redis.onStateChange((state) => heard.push(`not ${state}`))();
  await redis.ready();
  await until('told', () => Promise.resolve(heard.length === 1));
  expect(heard).toEqual(['up']);
  expect(errors).toEqual(['A listener for the state of Redis threw']);
});

test('shows no secret', async () => {
  const canary = `c4n4ry-${randomUUID()}`;
  const { port } = await server(['--requirepass', canary]);
  const logged: unknown[] = [];
  const log = (...args: unknown[]): void => void logged.push(args);
  const redis = connect({
    url: `redis://default:${canary}@127.0.0.1:${port}/1`,
    logger: { debug: log, info: log, warn: log, error: log },
  });
  await redis.ready();
  const wrong = connect(`redis://default:${canary}-wrong@127.0.0.1:${port}`);
  const refused = await timed(() => wrong.ready(300));
  expect(refused.error).toMatchObject({
    code: 'ERR_REDIS_UNAVAILABLE',
    cause: { message: expect.stringContaining('WRONGPASS') },
  });
  const echoed = await timed(() => redis.execute((client) => client.call('NOSUCH', canary)));
  expect(echoed.error).toMatchObject({ code: 'ERR_REDIS_REPLY' });
  const auth = await timed(() => redis.execute((client) => (client as Redis).auth('nobody', `${canary}x`)));
  expect(auth.error).toMatchObject({ details: { reply: 'WRONGPASS' } });
  const client = await redis.execute((c) => Promise.resolve({ client: c }));
  const shown = [redis, wrong, refused, echoed, auth, logged, client, redis.masters()];
  for (const value of shown) {
    expect(inspect(value, { depth: 12, showHidden: true })).not.toContain(canary);
    expect(JSON.stringify(value)).not.toContain(canary);
  }
});
