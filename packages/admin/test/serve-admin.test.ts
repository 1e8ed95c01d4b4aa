import { once } from 'node:events';
import { connect } from 'node:net';
import { createTierkit, type Tierkit } from 'tierkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAdmin, serveAdmin } from '../src/index.ts';
import { ask, tokens } from './support.ts';

let kit: Tierkit;
beforeAll(() => {
  kit = createTierkit({ redis: 'memory' });
});
afterAll(() => kit.close());

it('is reached at 127.0.0.1 alone unless it is told otherwise', async () => {
  const server = await serveAdmin(createAdmin(kit, { tokens }), { port: 0 });
  const reached = async (host: string): Promise<boolean> => {
    const socket = connect(server.port, host);
    try {
      return await once(socket, 'connect').then(() => true);
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  };
  // Another address of this machine, where it has one.
  expect(await Promise.all(['127.0.0.1', '127.0.0.2'].map(reached))).toEqual([true, false]);
  await server.close();
});

it('ends what is open when it is closed: half a request, and the streams of the admin', async () => {
  const admin = createAdmin(kit, { tokens });
  const server = await serveAdmin(admin, { port: 0 });
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET /health HTTP/1.1\r\nHost:');
  const left = once(socket, 'close');
  // The server has it once another one is answered.
  expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBeLessThan(500);
  await server.close();
  await left;
  expect(await ask(admin, 'GET', '/api/v1/live', 'viewer')).toMatchObject({ status: 503 });
});

it('answers that a service is gone once its kit is closed, on every route that needs it', async () => {
  const closed = createTierkit({ redis: 'memory' });
  closed.quota({ calls: { per: 'day', limit: 5 } }, { prefix: 'some' });
  const admin = createAdmin(closed, { tokens });
  await closed.close();
  expect(await ask(admin, 'GET', '/api/v1/quotas/some/subjects/ann')).toMatchObject({
    status: 503,
    body: { code: 'ERR_QUOTA_CLOSED', title: 'Unavailable' },
  });
});
