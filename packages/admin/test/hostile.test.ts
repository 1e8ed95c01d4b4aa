import { request } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { adminListener, createAdmin, serveAdmin, type AdminServer, type AuditEvent } from '../src/index.ts';
import { ask, bearer, setup, tokens, type Setup } from './support.ts';

let own: Setup;
let server: AdminServer;
const events: AuditEvent[] = [];
const logged: unknown[] = [];
const log = (details: object, message: string): void => void logged.push({ ...details, message });
const logger = { debug: log, info: log, warn: log, error: log };

beforeAll(async () => {
  own = await setup(inject('redisUrl'), { onAudit: (event) => events.push(event), logger });
  server = await serveAdmin(own.admin, { port: 0 });
});
afterAll(async () => {
  await server.close();
  await own.close();
});

const problem = (status: number, code: string) => ({
  status,
  body: { type: 'about:blank', title: expect.any(String), status, code },
});

describe('bad input', () => {
  it.each([
    ['GET', '/nothing/here', 404, 'ERR_ADMIN_NOT_FOUND'],
    ['GET', '/api/v1/cache/nothing', 404, 'ERR_ADMIN_NOT_FOUND'],
    ['PUT', '/api/v1/cache/stats', 404, 'ERR_ADMIN_NOT_FOUND'],
    ['GET', '/api/v1/cache/keys?cursor=bad', 400, 'ERR_CACHE_CURSOR'],
    ['GET', `/api/v1/cache/keys?cursor=${'9'.repeat(4_201)}`, 400, 'ERR_ADMIN_INPUT'],
    ['GET', `/api/v1/cache/keys?pattern=${'x'.repeat(10_240)}`, 400, 'ERR_ADMIN_INPUT'],
    ['GET', `/api/v1/cache/keys?pattern=${'*x'.repeat(20)}`, 400, 'ERR_PATTERN_INVALID'],
    ['DELETE', `/health/cache/invalidate/${'x'.repeat(10_240)}`, 400, 'ERR_ADMIN_INPUT'],
    ['GET', '/api/v1/cache/keys?limit=1000000000', 400, 'ERR_ADMIN_INPUT'],
    ['GET', '/api/v1/cache/keys?limit=0', 400, 'ERR_ADMIN_INPUT'],
    ['GET', '/api/v1/cache/keys?limit=-1', 400, 'ERR_ADMIN_INPUT'],
    ['GET', '/api/v1/cache/keys?limit=1e9', 400, 'ERR_ADMIN_INPUT'],
    ['GET', '/api/v1/cache/keys?limit=NaN', 400, 'ERR_ADMIN_INPUT'],
    ['GET', '/api/v1/cache/keys?tier=se:ssion', 400, 'ERR_ADMIN_INPUT'],
    ['GET', '/api/v1/cache/keys?tier=*', 400, 'ERR_ADMIN_INPUT'],
    ['GET', '/api/v1/cache/keys?tier=global&scope=x', 400, 'ERR_CACHE_OPTIONS'],
    ['GET', '/api/v1/cache/key/k?tier=session', 400, 'ERR_CACHE_OPTIONS'],
    ['GET', '/api/v1/cache/key/%ED%A0%80', 404, 'ERR_ADMIN_NOT_FOUND'],
    ['DELETE', '/api/v1/cache/invalidate/a?dryRun=maybe', 400, 'ERR_ADMIN_INPUT'],
    ['DELETE', '/api/v1/cache/invalidate/a?tier=session', 400, 'ERR_ADMIN_INPUT'],
    ['DELETE', '/api/v1/cache/invalidate/a?tier=none&scope=x', 404, 'ERR_ADMIN_NOT_FOUND'],
    ['DELETE', '/api/v1/cache/tags', 400, 'ERR_ADMIN_INPUT'],
    ['DELETE', `/api/v1/cache/tags?${'tag=a&'.repeat(65)}`, 400, 'ERR_ADMIN_INPUT'],
    ['GET', '/api/v1/audit?limit=501', 400, 'ERR_ADMIN_INPUT'],
  ])('%s %s answers %i as problem+json', async (method, path, status, code) => {
    const answer = await ask(own.admin, method, path);
    expect(answer).toMatchObject(problem(status, code));
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(JSON.stringify(answer.body).length).toBeLessThan(1_000);
  });

  it('refuses to read a body of 100 MB, sent at once or piece by piece, and loses nothing', async () => {
    await own.kit.global.set('kept', 1);
    const size = 100 * 1_048_576;
    for (const headers of [{ 'content-length': String(size) }, { 'transfer-encoding': 'chunked' }]) {
      const before = process.memoryUsage().rss;
      const { status, sent } = await upload(server.port, headers, size);
      expect(status).toBe(413);
      expect(sent).toBeLessThan(size / 2);
      expect(process.memoryUsage().rss - before).toBeLessThan(60 * 1_048_576);
    }
    expect(await own.kit.global.get('kept')).toBe(1);
    expect(await ask(own.admin, 'GET', '/health')).toMatchObject({ status: 200 });
  });

  it('asks without a token before it says whether a route exists', async () => {
    expect(await ask(own.admin, 'GET', '/nothing', null)).toMatchObject(problem(401, 'ERR_ADMIN_UNAUTHENTICATED'));
    const { headers } = await ask(own.admin, 'GET', '/nothing', null);
    expect(headers.get('www-authenticate')).toBe('Bearer');
  });

  it('takes tokens from the header alone', async () => {
    const token = bearer('admin');
    for (const init of [{ headers: { cookie: `token=${token}; authorization=Bearer ${token}` } }, {}]) {
      expect(await ask(own.admin, 'GET', `/health?token=${token}&access_token=${token}`, null, init)).toMatchObject({
        status: 401,
      });
    }
    const headers = { authorization: `bearer ${token}` };
    expect((await ask(own.admin, 'GET', '/health', null, { headers })).status).toBe(200);
  });

  it('logs that a token is not known, and not the token, which may be one that is mistyped', async () => {
    logged.length = 0;
    const headers = { authorization: 'Bearer mistyped-0123456789' };
    expect((await ask(own.admin, 'GET', '/health', null, { headers })).status).toBe(401);
    expect(logged).toMatchObject([{ method: 'GET', path: '/health', message: expect.stringContaining('token') }]);
    expect(JSON.stringify(logged)).not.toContain('mistyped');
  });

  it('logs what went wrong within, and tells nobody else', async () => {
    logged.length = 0;
    const broken = (): never => {
      throw new RangeError('a secret of the service');
    };
    const admin = createAdmin(own.kit, { tokens, logger, parts: { limiters: broken } });
    expect(await ask(admin, 'GET', '/api/v1/limiters')).toMatchObject(problem(500, 'ERR_ADMIN_INTERNAL'));
    expect(JSON.stringify(await ask(admin, 'GET', '/api/v1/limiters'))).not.toContain('secret');
    expect(JSON.stringify(logged)).toContain('a secret of the service');
  });

  it('sends headers that keep a browser from doing anything else with the answer, and no CORS', async () => {
    const { headers } = await ask(own.admin, 'GET', '/health', 'viewer', {
      headers: { origin: 'https://evil.example' },
    });
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect([...headers.keys()]).not.toContain('set-cookie');
  });

  it('shows markup in a value as JSON text', async () => {
    await own.kit.global.set('xss', '<script>alert(1)</script>');
    const { body, headers } = await ask(own.admin, 'GET', '/api/v1/cache/key/xss');
    expect(body).toMatchObject({ value: '<script>alert(1)</script>', type: 'string' });
    expect(headers.get('content-type')).toContain('application/json');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('cuts a large value short', async () => {
    await own.kit.global.set('large', { text: 'x'.repeat(2_000_000), list: Array.from({ length: 50_000 }, () => 1) });
    const { body } = await ask(own.admin, 'GET', '/api/v1/cache/key/large');
    expect(body).toMatchObject({ truncated: true });
    expect(JSON.stringify(body).length).toBeLessThan(1_000_000);
  });
});

describe('the audit log', () => {
  it('has every change, every value that was read, and every refusal, with who and what, but no value and no token', async () => {
    events.length = 0;
    await own.kit.global.set('audited', 'a secret value');
    await ask(own.admin, 'GET', '/api/v1/cache/key/audited');
    await ask(own.admin, 'GET', '/api/v1/cache/keys');
    await ask(own.admin, 'DELETE', '/api/v1/cache/invalidate/audited', 'operator');
    await ask(own.admin, 'DELETE', '/api/v1/cache/clear', 'viewer');
    await ask(own.admin, 'DELETE', '/api/v1/cache/tags', 'operator');
    const { body } = await ask(own.admin, 'GET', '/api/v1/audit?limit=4', 'admin');
    const expected = [
      { actor: 'operator', operation: 'invalidateTags', status: 400 },
      { actor: 'viewer', operation: 'clear', status: 403, method: 'DELETE', path: '/api/v1/cache/clear' },
      {
        ...{ actor: 'operator', operation: 'invalidate', status: 200 },
        parameters: { pattern: 'audited', dryRun: false },
        outcome: { deleted: 1, confirmed: true },
      },
      { actor: 'admin with values', operation: 'readEntry', status: 200, parameters: { key: 'audited' } },
    ];
    expect(body).toMatchObject({ events: expected });
    expect(events.toReversed()).toMatchObject(expected);
    const all = JSON.stringify([events, logged]);
    expect(all).not.toContain('a secret value');
    for (const name of ['operator', 'viewer', 'admin']) expect(all).not.toContain(bearer(name));
  });

  it('keeps the latest events and lets go of those before', async () => {
    let first: WeakRef<AuditEvent> | undefined;
    const onAudit = (event: AuditEvent): void => void (first ??= new WeakRef(event));
    const admin = createAdmin(own.kit, { tokens, onAudit });
    for (let call = 0; call < 1_001; call++) await ask(admin, 'DELETE', `/api/v1/cache/key/${call}`, 'viewer');
    const { body } = await ask(admin, 'GET', '/api/v1/audit?limit=500');
    const { events: kept } = body as { events: readonly AuditEvent[] };
    expect([kept.length, kept[0]?.path, kept.at(-1)?.path]).toEqual([
      500,
      '/api/v1/cache/key/1000',
      '/api/v1/cache/key/501',
    ]);
    // What is looked at in a turn is kept to its end.
    await new Promise((resolve) => setImmediate(resolve));
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    expect(first?.deref()).toBeUndefined();
  });

  it('outlives a listener that fails, and the call does too', async () => {
    for (const onAudit of [
      () => {
        throw new Error('full');
      },
      async () => {
        throw new Error('full');
      },
    ]) {
      const admin = createAdmin(own.kit, { tokens: [{ token: bearer('admin'), role: 'admin' }], onAudit, logger });
      expect(await ask(admin, 'DELETE', '/api/v1/cache/key/a', 'admin')).toMatchObject({ status: 200 });
      expect(await ask(admin, 'GET', '/api/v1/audit', 'admin')).toMatchObject({
        body: { events: [{ actor: 'admin-1', operation: 'deleteEntry' }] },
      });
    }
    expect(logged).toContainEqual(expect.objectContaining({ error: 'Error: full' }));
  });
});

describe('tokens', () => {
  const make = (tokens: unknown) => () => createAdmin(own.kit, { tokens: tokens as never });
  const good = { token: bearer('admin'), role: 'admin' };

  it.each([
    [undefined],
    ['x'],
    [[{}]],
    [[null]],
    [[{ token: 'fifteen-letters', role: 'admin' }]],
    [[{ token: 'has a space in it and is long', role: 'admin' }]],
    [[{ ...good, role: 'root' }]],
    [[{ ...good, role: 'constructor' }]],
    [[{ token: bearer('admin') }]],
    [[{ ...good, rights: ['stats'] }]],
    [[{ token: bearer('admin'), rights: ['all'] }]],
    [[{ sha256: 'abc', role: 'admin' }]],
    [[{ ...good, sha256: 'a'.repeat(64) }]],
    [[good, good]],
  ])('refuses %j', (tokens) => {
    expect(make(tokens)).toThrow(expect.objectContaining({ code: 'ERR_ADMIN_OPTIONS' }));
  });

  it('names all faults at once', () => {
    expect(make([{ token: 'short', role: 'root' }, {}])).toThrow(/tokens\[0\].*tokens\[0\].*tokens\[1\].*tokens\[1\]/);
  });

  it('takes a digest in place of the token, and with no tokens answers nobody', async () => {
    const { createHash } = await import('node:crypto');
    const sha256 = createHash('sha256').update(bearer('viewer')).digest('hex').toUpperCase();
    const admin = createAdmin(own.kit, { tokens: [{ sha256, role: 'viewer', name: 'hashed' }] });
    expect(await ask(admin, 'GET', '/api/v1/whoami', 'viewer')).toMatchObject({
      body: { name: 'hashed', role: 'viewer', rights: ['stats', 'names'] },
    });
    expect(await ask(createAdmin(own.kit, { tokens: [] }), 'GET', '/health', 'viewer')).toMatchObject({ status: 401 });
  });
});

it('answers behind a path of another server', async () => {
  const { createServer } = await import('node:http');
  const listener = adminListener(own.admin);
  const outer = createServer((incoming, response) => {
    incoming.url = incoming.url?.replace(/^\/admin/, '') ?? '/';
    void listener(incoming, response);
  });
  await new Promise<void>((resolve) => outer.listen(0, '127.0.0.1', resolve));
  const { port } = outer.address() as { port: number };
  const headers = { authorization: `Bearer ${bearer('viewer')}` };
  const mounted = await fetch(`http://127.0.0.1:${port}/admin/health`, { headers });
  expect(await mounted.json()).toMatchObject({ backend: 'redis' });
  const alone = await fetch(`http://127.0.0.1:${server.port}/health`, { headers });
  expect(alone.status).toBe(200);
  const { Hono } = await import('hono');
  const host = new Hono().route('/admin', own.admin.app).get('/', (c) => c.text('own page'));
  expect(await (await host.request('/')).text()).toBe('own page');
  expect((await host.request('/admin/health', { headers })).status).toBe(200);
  expect((await host.request('/admin/health')).status).toBe(401);
  expect((await host.request('/admin/none', { headers })).status).toBe(404);
  await new Promise((resolve) => outer.close(resolve));
});

/** Sends a body until it is told to stop. @returns the status and how much was sent */
function upload(
  port: number,
  headers: Record<string, string>,
  size: number,
): Promise<{ status: number; sent: number }> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let done = false;
    const chunk = Buffer.alloc(65_536, 120);
    const sending = request({
      ...{ port, host: '127.0.0.1', method: 'POST', path: '/health/cache/clear' },
      headers: { authorization: `Bearer ${bearer('viewer')}`, 'content-type': 'application/json', ...headers },
    });
    sending.on('response', (response) => {
      done = true;
      response.resume();
      sending.destroy();
      resolve({ status: response.statusCode ?? 0, sent });
    });
    sending.on('error', (error) => {
      if (!done) reject(error);
    });
    const more = (): void => {
      if (done || sent >= size) return;
      sent += chunk.length;
      if (sending.write(chunk)) setImmediate(more);
      else sending.once('drain', more);
    };
    more();
  });
}
