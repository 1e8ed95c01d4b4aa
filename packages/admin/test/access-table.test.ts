import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { routesOf } from '../src/create-admin.ts';
import { ask, closeParts, setup, someParts, tokens, type Setup } from './support.ts';

/** Who gets past the door of each route. What is not in here fails. */
const everyone = ['viewer', 'operator', 'admin', 'admin with values', 'business edition', 'enterprise edition'];
const named = ['viewer', 'operator', 'admin', 'admin with values', 'enterprise edition'];
const clearing = ['operator', 'admin', 'admin with values', 'business edition', 'enterprise edition'];
const operating = ['operator', 'admin', 'admin with values'];
const reading = ['admin with values', 'enterprise edition'];

const table: Readonly<Record<string, readonly string[]>> = {
  'get /api/v1/cache/stats': everyone,
  'get /health/cache/stats': everyone,
  'get /health': everyone,
  'get /health/detailed': everyone,
  'get /api/v1/live': everyone,
  'get /api/v1/whoami': [...everyone, 'nothing'],
  'get /api/v1/openapi.json': [...everyone, 'nothing'],
  'get /api/v1/cache/top-keys': named,
  'get /api/v1/cache/usage': named,
  'get /api/v1/cache/history': everyone,
  'get /api/v1/instances': everyone,
  'get /api/v1/cache/keys': named,
  'get /api/v1/cache/entry/{key}': named,
  'get /api/v1/cache/key/{key}': reading,
  'delete /api/v1/cache/key/{key}': clearing,
  'delete /api/v1/cache/clear': clearing,
  'post /health/cache/clear': clearing,
  'delete /api/v1/cache/invalidate/{pattern}': clearing,
  'delete /health/cache/invalidate/{pattern}': clearing,
  'delete /api/v1/cache/tags': clearing,
  'get /api/v1/lock-stats': everyone,
  'get /api/v1/locks': named,
  'get /api/v1/locks/{name}': named,
  'delete /api/v1/locks/{name}': operating,
  'get /api/v1/limiters': everyone,
  'get /api/v1/limiters/{name}/subjects/{subject}': named,
  'delete /api/v1/limiters/{name}/subjects/{subject}': operating,
  'get /api/v1/quotas': everyone,
  'get /api/v1/quotas/{name}/subjects/{subject}': named,
  'delete /api/v1/quotas/{name}/subjects/{subject}': operating,
  'get /api/v1/queues': everyone,
  'get /api/v1/queues/{name}/dead-letters': named,
  'post /api/v1/queues/{name}/dead-letters/replay': operating,
  'post /api/v1/queues/{name}/dead-letters/remove': operating,
  'get /api/v1/audit': ['admin', 'admin with values'],
};

/** What is sent where a route needs more than its path. */
const queries: Readonly<Record<string, string>> = { 'delete /api/v1/cache/tags': '?tag=a' };

let own: Setup;
beforeAll(async () => {
  own = await setup(inject('redisUrl'), { parts: await someParts(inject('redisUrl')) });
});
afterAll(async () => {
  await own.close();
  await closeParts();
});

describe('every route of the OpenAPI document', () => {
  const documented = (): string[] =>
    Object.entries(own.admin.openapi['paths'] as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );

  it('has a row in the table, and every row a route', () => {
    expect(documented().sort()).toEqual(Object.keys(table).sort());
    expect(documented()).toHaveLength(routesOf(own.admin).length);
  });

  it.each(Object.keys(table))('%s is open to those in the table alone', async (row) => {
    const [method = '', template = ''] = row.split(' ');
    for (const { name } of tokens) {
      await own.kit.global.set('some', 'value');
      const path = template.replaceAll(/\{\w+\}/g, 'some') + (queries[row] ?? '');
      const init = method === 'post' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {};
      const { status, body } = await ask(own.admin, method.toUpperCase(), path, name, init);
      if (table[row]?.includes(name) === true) {
        expect({ name, status }).toEqual({ name, status: 200 });
        const reply = routesOf(own.admin).find((one) => `${one.method} ${one.path}` === row)?.reply;
        // Nothing is answered that the schema does not tell.
        if (body !== undefined) expect(reply?.parse(body)).toEqual(body);
      } else {
        expect({ name, status }).toEqual({ name, status: 403 });
        expect(body).toMatchObject({ code: 'ERR_ADMIN_FORBIDDEN', status: 403 });
        expect(await own.kit.global.get('some')).toBe('value');
      }
    }
    for (const authorization of [
      undefined,
      '',
      'Bearer ',
      'Bearer wrong',
      'Basic dmlld2Vy',
      'Bearer viewer-0123456789abcde',
    ]) {
      const headers = authorization === undefined ? {} : { authorization };
      const { status, body } = await ask(own.admin, method.toUpperCase(), template, null, { headers });
      expect(status).toBe(401);
      expect(body).toMatchObject({ code: 'ERR_ADMIN_UNAUTHENTICATED', status: 401 });
    }
    expect(await own.kit.global.set('some', 'value')).toBe(true);
  });
});
