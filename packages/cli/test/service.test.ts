import { randomBytes } from 'node:crypto';
import { createAdmin, serveAdmin } from '@tierkit/admin';
import { slidingWindow } from '@tierkit/rate-limit';
import { createTierkit } from 'tierkit';
import { afterAll, beforeAll, expect, inject, it, onTestFinished, vi } from 'vitest';
import { freePort } from '../../../test/servers/index.ts';
import { buildBinary, type Binary } from './command.ts';
import { runHere } from './run-here.ts';

// Each run is a process, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

let binary: Binary;

beforeAll(async () => {
  binary = await buildBinary();
});

afterAll(() => binary.remove());

const token = 'operator-0123456789abcdef';

it('asks a running service for what it alone knows', async () => {
  const kit = createTierkit({ redis: 'memory' });
  onTestFinished(() => kit.close());
  await kit.global.getOrSet('slow', () => 1);
  await kit.global.get('slow');
  const limiter = kit.rateLimit('api', [slidingWindow({ limit: 2, per: '1h' })]);
  await limiter.consume('ann', { cost: 2 });
  const quota = kit.quota({ calls: { per: 'day', limit: 100 } });
  await quota.add('ann', { calls: 7 });
  const admin = createAdmin(kit, {
    tokens: [
      { token, role: 'operator' },
      { token: 'viewer-0123456789', role: 'viewer' },
    ],
  });
  const server = await serveAdmin(admin, { port: 0 });
  onTestFinished(() => server.close());

  const url = `http://127.0.0.1:${server.port}/`;
  const environment = { TIERKIT_ADMIN_URL: url, TIERKIT_ADMIN_TOKEN: token };
  const run = (args: readonly string[], more = {}) => runHere([...args, '--timeout', '20s'], more);
  const [stats, top, peeked, used, refused, reset, anonymous, nobody] = await Promise.all([
    run(['stats', '--json'], environment),
    run(['top', '--json'], environment),
    run(['limits', 'api', 'ann', '--json'], environment),
    run(['quota', 'ann'], environment),
    run(['limits', 'api', 'ann', '--reset', '--yes'], {
      ...environment,
      TIERKIT_ADMIN_TOKEN: 'viewer-0123456789',
    }),
    run(['limits', 'api', 'bob', '--reset', '--yes', '--json'], environment),
    run(['top', '--admin', url]),
    run(['top', '--json'], { ...environment, TIERKIT_ADMIN_URL: `http://127.0.0.1:${await freePort()}/admin` }),
  ]);
  expect(stats.json()).toMatchObject({ source: 'service', hits: 1, tiers: { global: { loads: 1 } } });
  expect(top.json()).toMatchObject({ costly: [{ tier: 'global', key: 'slow', loads: 1 }] });
  expect(peeked.json()).toMatchObject({ allowed: false, policies: [{ limit: 2, remaining: 0 }] });
  expect((await run(['limits', 'api', 'ann', '--reset'], environment)).code).toBe(6);
  expect(used.stdout).toMatch(/calls +day +7 +0 +100 +93/);
  expect((await run(['quota', 'ann', '--reset'], environment)).code).toBe(6);
  expect((await quota.usage('ann')).calls.day.used).toBe(7);
  const anew = await run(['quota', 'ann', '--reset', '--yes', '--json'], environment);
  expect(anew.json()).toMatchObject({ reset: true, usage: { calls: { day: { used: 0, remaining: 100 } } } });
  expect((await quota.usage('ann')).calls.day.used).toBe(0);
  expect([refused.code, refused.stdout]).toEqual([5, '']);
  expect(refused.stderr).toContain('ERR_ADMIN_FORBIDDEN');
  expect(reset.json()).toMatchObject({ reset: true });
  expect((await limiter.peek('ann')).remaining).toBe(0);
  expect([anonymous.code, anonymous.stderr]).toEqual([2, expect.stringContaining('TIERKIT_ADMIN_TOKEN')]);
  expect(nobody.code).toBe(4);
  expect(JSON.parse(nobody.stderr)).toMatchObject({ error: { code: 'ERR_CLI_ADMIN_UNAVAILABLE' } });
});

it('serves the management API until it is ended', async () => {
  const redis = inject('redisUrl');
  const prefix = `cli-${randomBytes(6).toString('hex')}:`;
  const environment = {
    REDIS_URL: redis,
    TIERKIT_PREFIX: prefix,
    TIERKIT_VIEWER_TOKEN: 'viewer-0123456789',
    TIERKIT_ADMIN_TOKEN: token,
  };
  const running = binary.start(['admin', '--port', '0', '--json', '--timeout', '20s'], environment);
  await running.until('"url"');
  const kit = createTierkit({ redis, prefix });
  onTestFinished(() => kit.close());
  await kit.ready('15s');
  await kit.global.set('here', 1);
  const lock = await kit.locks.acquire('job');

  await running.until('Ctrl-C ends it');
  const url = /"url":"([^"]+)"/.exec(running.stdout())?.[1] ?? '';
  const call = async (path: string, bearer: string): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(new URL(path, url), { headers: { authorization: `Bearer ${bearer}` } });
    return { status: response.status, body: await response.json() };
  };
  expect(await call('/api/v1/cache/entry/here', 'viewer-0123456789')).toMatchObject({
    status: 200,
    body: { key: 'here' },
  });
  expect(await call('/api/v1/locks/job', token)).toMatchObject({
    status: 200,
    body: { holders: [{ mode: 'exclusive' }] },
  });
  // Reading values is a right of its own.
  expect((await call('/api/v1/cache/key/here', token)).status).toBe(403);
  expect((await call('/api/v1/cache/stats', 'somebody-0123456789')).status).toBe(401);
  running.child.kill('SIGTERM');
  const { stdout, stderr, code } = await running.ended;
  expect(code).toBe(143);
  expect(stderr).not.toContain(token);
  expect(stdout).toContain('http://127.0.0.1:');
  await lock.release();
});

it('refuses what it cannot use before anything is sent', async () => {
  const REDIS_URL = `redis://:secret-of-mine@127.0.0.1:${await freePort()}`;
  const runs = await Promise.all([
    binary.run(['kees'], { REDIS_URL }),
    runHere(['keys', '--url', 'redis://:secret-of-mine@localhost'], {}),
    runHere(['keys', '--limit', '1000000000'], { REDIS_URL }),
    binary.run(['keys', '--json'], { REDIS_URL: 'http://me:secret-of-mine@localhost' }),
    runHere(['admin', '--host', '0.0.0.0'], { REDIS_URL }),
    runHere(['clear'], { REDIS_URL }),
    runHere(['clear', '--all', '--scope', 'x', '--yes'], { REDIS_URL }),
    runHere(['clear', '--all', '--tier', 'project', '--yes'], { REDIS_URL }),
    runHere(['invalidate', 'user:*', '--tag', 't', '--yes'], { REDIS_URL }),
    runHere(['dead-letters', 'q', '--replay', '--remove', '--yes'], { REDIS_URL }),
    runHere(['keys'], { CACHE_BACKEND: 'memory' }),
    // It would be part of a pattern of Redis.
    runHere(['limits', '--prefix', 'shop*'], { REDIS_URL }),
    runHere(['top', '--admin', 'http://me:secret-of-mine@localhost/'], { TIERKIT_ADMIN_TOKEN: token }),
  ]);
  for (const { code, stdout, stderr } of runs) {
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.any(String) as string });
    expect(stderr).not.toContain('secret-of-mine');
  }
  expect(runs[0]?.stderr).toContain("unknown command 'kees'");
  expect(runs[1]?.stderr).toContain('REDIS_PASSWORD');
  expect(runs[4]?.stderr).toContain('TIERKIT_ADMIN_TOKEN');
  expect(runs[10]?.stderr).toContain('nothing to look at');
  const away = await binary.run(['keys', '--timeout', '500ms', '--json'], { REDIS_URL });
  expect([away.code, away.stdout]).toEqual([4, '']);
  expect(JSON.parse(away.stderr)).toMatchObject({ error: { code: 'ERR_REDIS_UNAVAILABLE' } });
  expect(away.stderr).not.toContain('secret-of-mine');
});
