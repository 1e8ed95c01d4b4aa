import { silentLogger } from '@tierkit/core';
import { createRedis, type RedisConnection } from '@tierkit/redis';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { ask, startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { bundle } from '../../../test/support/bundle.ts';
import { createLocks, type LocksOptions } from '../src/index.ts';

let server: StandaloneRedis;
let redis: RedisConnection;
beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url);
  await redis.ready();
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});

it('believes no more than a shorter time to live that Redis may have taken without a word', async () => {
  const locks = createLocks({ redis });
  const lock = await locks.acquire('shorter', { ttl: '1h', renew: false });
  server.process.signal('SIGSTOP');
  await expect(lock.extend(200)).rejects.toMatchObject({ code: 'ERR_LOCK_UNAVAILABLE' });
  server.process.signal('SIGCONT');
  await until('another has it', async () => {
    const next = await locks.tryAcquire('shorter').catch(() => undefined);
    if (next === undefined) return false;
    expect(lock.held).toBe(false);
    return next.release();
  });
  await locks.close();
});

it.each(['garbage', 'g'.repeat(30), 'no token here', '7 me', '1e5 me 1 1 g', '', '\0\n'])(
  'calls end with a result or a code, whatever stands in Redis: %j',
  async (found) => {
    const prefix = `t${randomBytes(6).toString('hex')}:`;
    const locks = createLocks({ redis, prefix });
    const key = `${prefix}lock:{a}`;
    const puts = [
      () => redis.execute((client) => client.set(key, found)),
      () => redis.execute((client) => client.zadd(`${key}:holders`, '9e15', found)),
      () => redis.execute((client) => client.zadd(`${key}:queue`, 1, found)),
      () => redis.execute((client) => client.set(`${key}:holders`, found)),
    ];
    for (const put of puts) {
      await put();
      const calls = [
        () => locks.inspect('a'),
        async () => (await locks.tryAcquire('a'))?.release(),
        async () => (await locks.acquire('a', { mode: 'shared', timeout: 1 })).release(),
        () => locks.forceRelease('a'),
      ];
      for (const call of calls) {
        await call().catch((error: unknown) =>
          expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_LOCK_/) }),
        );
      }
      await redis.execute((client) => client.del(key, `${key}:holders`, `${key}:queue`));
    }
    await locks.close();
  },
);

const BIG = '9'.repeat(30);

it.each([
  ['some text', '', 'g'.repeat(30)],
  ['half of a state', '', '7 me'],
  ['a token of 30 digits', '', BIG],
  ['a holder with a token of 30 digits', '', `${BIG} me 1 1`],
  ['a list', '', ['x']],
  ['a queue that is text', ':queue', 'x'],
  ['holders that are text', ':holders', 'x'],
])('refuses a lock in whose place stands %s, shows it, and frees it by force', async (_, part, found) => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const key = `${prefix}lock:{a}${part}`;
  const warnings: unknown[] = [];
  const locks = createLocks({ redis, prefix, logger: { ...silentLogger, warn: (fields) => warnings.push(fields) } });
  const first = await locks.acquire('a', { renew: false });
  await ask(server.port, 'DEL', key);
  await (typeof found === 'string' ? ask(server.port, 'SET', key, found) : ask(server.port, 'LPUSH', key, ...found));
  for (const call of [() => locks.acquire('a', { mode: 'shared', timeout: 50 }), () => locks.inspect('a')]) {
    await expect(call()).rejects.toMatchObject({ code: 'ERR_LOCK_UNAVAILABLE' });
  }
  expect((await locks.list()).locks).toEqual([{ kind: 'lock', name: 'a', holders: 0, waiting: 0, foreign: true }]);
  expect(await locks.forceRelease('a')).toBe(true);
  expect(warnings).toEqual([{ lock: 'lock:{a}' }]);
  expect(await first.release()).toBe(false);
  let last = first.token;
  for (const mode of ['exclusive', 'shared', 'exclusive'] as const) {
    const lock = await locks.acquire('a', { mode });
    expect(lock.token).toBeGreaterThan(last);
    last = lock.token;
    expect(await lock.release()).toBe(true);
  }
  expect((await locks.list()).locks).toEqual([]);
  await locks.close();
});

it('waits for a holder that nobody wrote, who would hold for ever, and frees the lock of it by force', async () => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const locks = createLocks({ redis, prefix });
  await ask(server.port, 'ZADD', `${prefix}lock:{a}:holders`, 'inf', 'x');
  await expect(locks.acquire('a', { mode: 'shared', timeout: 50 }).then((lock) => lock.release())).resolves.toBe(true);
  const code = (error: unknown): unknown => (error as { code?: string }).code;
  expect(await locks.acquire('a', { timeout: 50 }).catch(code)).toBe('ERR_LOCK_TIMEOUT');
  const [holder] = (await locks.inspect('a')).holders;
  expect(holder).toEqual({ owner: 'x', mode: 'shared', token: undefined, ttlMs: 86_400_000 });
  expect(await locks.forceRelease('a')).toBe(true);
  expect(await (await locks.acquire('a')).release()).toBe(true);
  await locks.close();
});

it('counts tokens of a quorum on, whatever stands in their place at some nodes', async () => {
  const servers = await Promise.all([startRedis(), startRedis()]);
  const locks = createLocks({ quorum: [server.url, ...servers.map(({ url }) => url)] });
  await locks.ready();
  let last = await locks.request('a', ({ token }) => token);
  await ask(servers[0]?.port ?? 0, 'SET', 'lock:{a}:fence', BIG);
  expect((await locks.inspect('a')).lastToken).toBe(last);
  await ask(servers[1]?.port ?? 0, 'SET', 'lock:{a}:fence', 'x');
  for (let i = 0; i < 3; i++) {
    const token = await locks.request('a', (lock) => lock.token);
    expect(token).toBeGreaterThan(last);
    last = token;
  }
  await locks.close();
  await Promise.all(servers.map((each) => each.stop()));
});

it.each<[string, unknown]>([
  ['null', { redis: null }],
  ['a list of nulls', { quorum: [null, null, null] }],
])('refuses %s for Redis', (_, options) => {
  expect(() => createLocks(options as LocksOptions)).toThrow(expect.objectContaining({ code: 'ERR_REDIS_OPTIONS' }));
});

it('leaves no connection behind when a quorum cannot be made', async () => {
  const count = async (): Promise<number> =>
    (await redis.execute((client) => client.client('LIST') as Promise<string>)).trim().split('\n').length;
  const before = await count();
  const quorum = [server.url, server.url, 'localhost'];
  expect(() => createLocks({ quorum })).toThrow(expect.objectContaining({ code: 'ERR_REDIS_OPTIONS' }));
  const other = createLocks({ redis: server.url });
  await other.ready();
  await other.close();
  await until('there are as many connections as before', async () => (await count()) <= before);
});

it('a process in which nothing else happens ends neither while it waits in memory nor while it closes', async () => {
  const source = `
    import { createLocks } from '../src/index.ts';
    const locks = createLocks({ redis: 'memory' });
    await locks.acquire('a');
    const { code } = await locks.acquire('a', { timeout: 20 }).catch((error) => error);
    await locks.close();
    console.log(code, process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout'));
  `;
  const program = await bundle({ contents: source, resolveDir: import.meta.dirname });
  onTestFinished(program.remove);
  const child = spawn(process.execPath, [program.file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (data) => (output += String(data)));
  const [status] = (await once(child, 'close')) as unknown[];
  expect({ status, output }).toEqual({ status: 0, output: 'ERR_LOCK_TIMEOUT []\n' });
});
