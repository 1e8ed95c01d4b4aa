import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { freePort, startProxy, startRedis, type Proxy, type StandaloneRedis } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createRedis } from '../src/index.ts';
import { clean, left } from './left-behind.ts';

let frozen: StandaloneRedis;
let silent: Proxy;

beforeAll(async () => {
  frozen = await startRedis();
  silent = await startProxy({ target: { port: frozen.port } });
});
afterAll(async () => {
  await silent.stop();
  await frozen.stop();
});

test('a connection in use, with duplicates, a pool and listeners', async () => {
  const program = `
    const redis = createRedis({ url: ${JSON.stringify(inject('redisUrl'))}, maxConnections: 2 });
    redis.onStateChange(() => {});
    await redis.ready();
    const subscriber = redis.duplicate('subscriber');
    const subscribed = new Promise((resolve) => subscriber.on('ready', () => resolve(subscriber.subscribe('somewhere'))));
    const blocking = redis.duplicate('blocking');
    blocking.on('ready', () => blocking.blpop('nothing', 0).catch(() => {}));
    await Promise.all([subscribed, sleep(100)]);
    redis.duplicate('blocking');
    redis.execute((client) => client.ping()).catch(() => {});
  `;
  expect(await left(program)).toEqual(clean);
});

test('one that was never used, at once', async () => {
  expect(await left(`const redis = createRedis(${JSON.stringify(inject('redisUrl'))});`)).toEqual(clean);
});

test('one that waits to be ready', async () => {
  const program = `
    const redis = createRedis({ port: ${await freePort()} });
    redis.ready('1h').catch(() => {});
    redis.duplicate('subscriber');
    await sleep(500);
  `;
  expect(await left(program)).toEqual(clean);
});

test('one whose host does not exist', async () => {
  expect(await left(`const redis = createRedis('redis://no.such.host.invalid'); await sleep(200);`)).toEqual(clean);
});

test('one whose server is frozen, before and after it connected', async () => {
  const url = JSON.stringify(frozen.url);
  frozen.process.signal('SIGSTOP');
  try {
    expect(await left(`const redis = createRedis(${url}); await sleep(200);`)).toEqual(clean);
    expect(await left(`const redis = createRedis(${url}); redis.duplicate('blocking'); await sleep(1800);`)).toEqual(
      clean,
    );
  } finally {
    frozen.process.signal('SIGCONT');
  }
  const program = `
    const redis = createRedis(${url});
    await redis.ready();
    redis.execute((client) => client.call('CLIENT', 'PAUSE', '3000', 'ALL')).catch(() => {});
    await sleep(20);
    redis.execute((client) => client.get('k')).catch(() => {});
    redis.duplicate('subscriber');
  `;
  expect(await left(program)).toEqual(clean);
});

test('one whose link went dead', async () => {
  const program = `
    const redis = createRedis(${JSON.stringify(silent.url)});
    await redis.ready();
    console.log('now');
    await sleep(300);
    redis.execute((client) => client.get('k')).catch(() => {});
    await sleep(700);
    redis.execute((client) => client.get('k')).catch(() => {});
  `;
  const result = await left(program, () => silent.hold());
  await silent.normal();
  expect(result).toEqual(clean);
});

test('what was sent is answered before the end', async () => {
  const redis = createRedis(sharedRedis());
  await redis.ready();
  const last = redis.execute((client) => client.ping());
  await redis.close();
  expect(await last).toBe('PONG');
});
