import { createBus, durable } from '@tierkit/bus';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createAdmin, serveAdmin, type AdminServer } from '../src/index.ts';
import { LiveStream } from '../src/live-feed.ts';
import { countTagged } from '../src/routes/count-tagged.ts';
import { ask, bearer, queueOf, setup, tokens, type Setup } from './support.ts';

const prefix = `t${randomBytes(6).toString('hex')}:`;
const bus = createBus({ orders: durable() }, { redis: sharedRedis(), prefix });
const queue = queueOf('some', ['a', 'b']);
let own: Setup;
let server: AdminServer;

beforeAll(async () => {
  const parts = { queues: () => [queue], streams: () => bus.streams() };
  own = await setup(inject('redisUrl'), { parts, maxStreams: 3 });
  server = await serveAdmin(own.admin, { port: 0 });
});
afterAll(async () => {
  await server.close();
  await own.close();
  await bus.close();
});

/** Sends bytes as they are. @returns what comes back until the connection ends */
function send(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (data) => (answer += data.toString('latin1')));
    socket.on('close', () => resolve(answer)).on('error', reject);
  });
}

describe('a parameter that a route does not have', () => {
  it.each([
    ['DELETE', '/api/v1/cache/clear?teir=session'],
    ['DELETE', '/api/v1/cache/clear?tier=session&scop=x'],
    ['POST', '/health/cache/clear?tier=session'],
    ['DELETE', '/api/v1/cache/invalidate/kep*?dryrun=true'],
    ['DELETE', '/api/v1/cache/tags?tag=all&dry_run=true'],
    ['DELETE', '/api/v1/cache/key/kept?teir=project&scope=p'],
    ['GET', '/api/v1/whoami?x=1'],
  ])('%s %s is refused, and nothing is ended', async (method, path) => {
    await own.kit.global.set('kept', 1, { tags: ['all'] });
    expect(await ask(own.admin, method, path)).toMatchObject({ status: 400, body: { code: 'ERR_ADMIN_INPUT' } });
    expect(await own.kit.global.get('kept')).toBe(1);
  });

  it.each(['replay', 'remove'])('%s refuses a body with one, which would mean all dead letters', async (act) => {
    for (const body of ['{"id":["a"]}', '{"ids":["a"],"x":1}', '{"__proto__":{"ids":["a"]}}', '[]', 'null', '"a"']) {
      const answer = await ask(own.admin, 'POST', `/api/v1/queues/some/dead-letters/${act}`, 'admin', {
        ...{ body, headers: { 'content-type': 'application/json' } },
      });
      expect(answer).toMatchObject({ status: 400, body: { code: 'ERR_ADMIN_INPUT' } });
    }
    expect(await queue.deadLetters.list({ limit: 10 })).toHaveLength(2);
  });
});

it('keeps every answer out of caches, errors and streams too', async () => {
  const seen = new Set<number>();
  for (const [path, as, init] of [
    ['/health', 'viewer'],
    ['/api/v1/live', 'viewer'],
    ['/nothing', 'viewer'],
    ['/health', null],
    ['/api/v1/audit', 'viewer'],
    ['/api/v1/cache/keys?limit=0', 'viewer'],
    ['/api/v1/queues/some/dead-letters/replay', 'admin', { method: 'POST', body: '{}' }],
  ] as const) {
    const { status, headers } = await ask(own.admin, init === undefined ? 'GET' : 'POST', path, as, init);
    expect([path, status, headers.get('cache-control')]).toEqual([path, status, 'no-store']);
    seen.add(status);
  }
  expect([...seen].toSorted()).toEqual([200, 400, 401, 403, 404, 415]);
});

describe('live streams', () => {
  it('are not opened by HEAD, which nobody could end', async () => {
    for (let call = 0; call < 5; call++) {
      const { status, headers } = await ask(own.admin, 'HEAD', '/api/v1/live', 'viewer');
      expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    }
    expect(await ask(own.admin, 'GET', '/api/v1/live', 'viewer')).toMatchObject({ status: 200 });
  });

  it('are free again once their readers have vanished', async () => {
    const head = `GET /api/v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bearer('viewer')}\r\n\r\n`;
    const open = (): Promise<{ status: string; vanish: () => void }> =>
      new Promise((resolve) => {
        const socket = connect(server.port, '127.0.0.1', () => socket.write(head));
        socket.once('data', (data) => {
          resolve({ status: data.toString().slice(9, 12), vanish: () => socket.resetAndDestroy() });
        });
      });
    for (let round = 0; round < 3; round++) {
      const readers = await Promise.all(Array.from({ length: 100 }, open));
      expect(readers.filter(({ status }) => status === '200')).toHaveLength(3);
      expect(readers.filter(({ status }) => status === '503')).toHaveLength(97);
      for (const { vanish } of readers) vanish();
      await expect
        .poll(async () => (await ask(own.admin, 'GET', '/api/v1/live', 'viewer')).status, { timeout: 10_000 })
        .toBe(200);
    }
  });

  it('end after a minute in which nothing was taken, since a connection may end without a word', async () => {
    let left = 0;
    const stream = new LiveStream(() => left++);
    const figures = { event: 'stats', data: {} } as const;
    for (let second = 0; second < 60; second++) stream.tick(figures);
    expect(await stream.next()).toHaveLength(60);
    for (let second = 0; second < 60; second++) stream.tick(figures);
    expect(left).toBe(0);
    stream.tick(figures);
    expect(left).toBe(1);
    expect(await stream.next()).toBeUndefined();
  });
});

it.each([
  ['a path of 60 kB', `GET /api/v1/cache/key/${'x'.repeat(60_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
  ['a token of 20 kB', `GET /health HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['a path with raw bytes', 'GET /api/v1/cache/key/\u00fc\u2603 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ['no HTTP at all', '\u0000\u0001\u0002 hello\r\n\r\n', 400],
  ['a host that is none', 'GET /health HTTP/1.1\r\nHost: a b/[\r\nConnection: close\r\n\r\n', 400],
  ['an address that is none', 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400],
])('answers %s with a problem', async (_what, text, status) => {
  const answer = await send(text);
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer).toContain('content-type: application/problem+json');
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status, code: 'ERR_ADMIN_INPUT' });
});

it('refuses a dead letter to go on behind that is none', async () => {
  for (const after of ['zz', '-', '$', '1-1-1', '99999999999999999999-1', '1-99999999999999999999', '%00']) {
    const answer = await ask(own.admin, 'GET', `/api/v1/queues/orders/dead-letters?after=${after}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'ERR_BUS_POSITION' } });
  }
});

it('ends what has a tag also when it cannot be counted', async () => {
  await own.kit.global.set('tagged', 1, { tags: ['end'] });
  const { inspection } = own.kit;
  const source = { ...own.kit, inspection: { ...inspection, tiers: ['global', 'no tier'] } };
  const admin = createAdmin(source, { tokens });
  expect(await ask(admin, 'DELETE', '/api/v1/cache/tags?tag=end&dryRun=true')).toMatchObject({ status: 400 });
  expect(await own.kit.global.get('tagged')).toBe(1);
  expect(await ask(admin, 'DELETE', '/api/v1/cache/tags?tag=end')).toMatchObject({
    ...{ status: 200, body: { deleted: 0, complete: false, confirmed: true } },
  });
  expect(await own.kit.global.get('tagged')).toBeUndefined();
});

it('counts what has a tag for a bounded time, and says that it did not see all', async () => {
  const { kit } = own;
  await kit.global.setMany(
    Array.from({ length: 30 }, (_, i) => [`counted:${i}`, i] as const),
    { tags: ['counted'] },
  );
  const place = { tier: 'global' };
  expect(await countTagged(kit.inspection, ['counted'], place)).toEqual({ deleted: 30, complete: true });
  expect(await countTagged(kit.inspection, ['counted'], place, -1)).toEqual({ deleted: 0, complete: false });
});
