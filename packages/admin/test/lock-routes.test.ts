import { createLocks } from '@tierkit/lock';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { ask, closeParts, setup, someParts, type Setup } from './support.ts';

let own: Setup;
let parts: Awaited<ReturnType<typeof someParts>>;
const call = (method: string, path: string, as = 'admin') => ask(own.admin, method, path, as);

interface Listed {
  readonly kind: string;
  readonly name: string;
  readonly holders: number;
}

/** Of all pages: one looks at so many keys of a server and no more, and there are those of other tests. */
async function listedIn({ admin }: Pick<Setup, 'admin'>, as = 'admin'): Promise<Listed[]> {
  const all: Listed[] = [];
  let cursor: string | undefined = '';
  while (cursor !== undefined) {
    const after: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const { body } = await ask(admin, 'GET', `/api/v1/locks?limit=1000${after}`, as);
    const page = body as { locks: Listed[]; cursor?: string };
    all.push(...page.locks);
    cursor = page.cursor;
  }
  return all;
}

beforeAll(async () => {
  parts = await someParts(inject('redisUrl'));
  own = await setup(inject('redisUrl'), { parts });
});
afterAll(async () => {
  await own.close();
  await closeParts();
});

describe('locks', () => {
  it('are shown with holder, token and waiters, and can be taken away', async () => {
    const lock = await parts.locks.acquire('analysis:proj456', { ttl: '30s' });
    const next = parts.locks.acquire('analysis:proj456', { ttl: '30s', timeout: '20s' });
    const path = '/api/v1/locks/analysis:proj456';
    await until('somebody waits', async () => ((await call('GET', path)).body as { waiting: number }).waiting === 1);
    const { body } = await call('GET', path);
    expect(body).toMatchObject({
      name: 'analysis:proj456',
      holders: [{ mode: 'exclusive', token: String(lock.token) }],
      waiters: [{ mode: 'exclusive' }],
      lastToken: String(lock.token),
    });
    expect((body as { holders: { ttlMs: number }[] }).holders[0]?.ttlMs).toBeGreaterThan(20_000);
    expect((await call('GET', '/api/v1/lock-stats')).body).toMatchObject({ held: 1, waiting: 1, acquired: 1 });
    expect((await call('DELETE', path, 'viewer')).status).toBe(403);
    expect((await call('DELETE', path)).body).toEqual({ released: true });
    const second = await next;
    expect(second.token).toBeGreaterThan(lock.token);
    await second.release();
    await lock.release().catch(() => {});
    expect((await call('DELETE', path)).body).toEqual({ released: false });
  });

  it('are listed with semaphores, by names that can be asked for as they are listed or as they were given', async () => {
    const name = 'of a {tenant}: 50 %';
    const lock = await parts.locks.acquire(name, { ttl: '30s' });
    const permit = await parts.locks.semaphore('uploads', 2).acquire({ ttl: '30s' });
    const locks = await listedIn(own, 'viewer');
    expect(locks).toContainEqual({ kind: 'semaphore', name: 'uploads', holders: 1, waiting: 0, foreign: false });
    const listed = locks.find((one) => one.kind === 'lock' && one.name.includes('tenant'));
    expect(listed).toMatchObject({ holders: 1, foreign: false });
    for (const known of [name, String(listed?.name)]) {
      expect((await call('GET', `/api/v1/locks/${encodeURIComponent(known)}`)).body).toMatchObject({
        ...{ kind: 'lock', name: listed?.name, holders: [{ token: String(lock.token) }] },
      });
    }
    expect((await call('DELETE', '/api/v1/locks/uploads')).body).toEqual({ released: false });
    expect((await call('DELETE', '/api/v1/locks/uploads?kind=semaphore', 'viewer')).status).toBe(403);
    expect((await call('DELETE', '/api/v1/locks/uploads?kind=semaphore')).body).toEqual({ released: true });
    expect((await call('DELETE', `/api/v1/locks/${encodeURIComponent(String(listed?.name))}`)).body).toEqual({
      released: true,
    });
    expect(await listedIn(own)).toEqual([]);
    await Promise.allSettled([lock.release(), permit.release()]);
  });

  it.each(['limit=0', 'limit=1001', 'cursor=', 'cursor=bad', 'kind=lock', 'cursor=9-9-9'])(
    'are not listed by %s',
    async (query) => {
      expect((await call('GET', `/api/v1/locks?${query}`)).status).toBe(400);
    },
  );

  it('of which something else stands in the place are told, and made free by force', async () => {
    const prefix = `t${randomBytes(6).toString('hex')}:`;
    const locks = createLocks({ redis: sharedRedis(), prefix });
    const raw = new Redis(inject('redisUrl'));
    const place = await setup(inject('redisUrl'), { parts: { locks } });
    await raw.hset(`${prefix}lock:{spoilt}`, 'token', 'zz', '__proto__', '1');
    expect(await listedIn(place)).toMatchObject([{ kind: 'lock', name: 'spoilt', foreign: true }]);
    expect((await ask(place.admin, 'GET', '/api/v1/locks/spoilt')).status).toBe(409);
    expect((await ask(place.admin, 'DELETE', '/api/v1/locks/spoilt')).body).toEqual({ released: true });
    expect(await listedIn(place)).toEqual([]);
    raw.disconnect();
    await Promise.all([place.close(), locks.close()]);
  });
});
