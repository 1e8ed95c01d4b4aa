import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { freePort, startProxy, startRedis, type Proxy, type StandaloneRedis } from '../../../test/servers/index.ts';
import { createRedis } from '../src/index.ts';

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

/** Runs a program that makes a connection and closes it, and must then end by itself, with nothing left to do. */
async function left(program: string, onCue?: () => void): Promise<{ code: unknown; output: string }> {
  const source = `
    import { setTimeout as sleep } from 'node:timers/promises';
    import { createRedis, checkHealth } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
    process.on('unhandledRejection', (error) => { console.log('unhandled', error); process.exitCode = 3; });
    ${program}
    const start = performance.now();
    await redis.close();
    const ms = performance.now() - start;
    if (ms > 1000) console.log('close took', ms);
    await redis.close();
    await new Promise(setImmediate);
    const after = process.getActiveResourcesInfo().filter((resource) => resource !== 'PipeWrap' && resource !== 'FSReqCallback');
    if (after.length > 0) console.log('left', after);
    if (redis.status !== 'closed') console.log('status', redis.status);
    await redis.execute((c) => c.ping()).then(() => console.log('executed'), (e) => e.code === 'ERR_REDIS_UNAVAILABLE' || console.log(e));
    await redis.ready().then(() => console.log('ready'), (e) => e.code === 'ERR_REDIS_UNAVAILABLE' || console.log(e));
  `;
  const args = ['--conditions=@tierkit/source', '--import', 'tsx', '--input-type=module', '--eval', source];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: new URL('..', import.meta.url).pathname,
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += String(data);
    if (output === 'now\n') {
      output = '';
      onCue?.();
    }
  });
  child.stderr.on('data', (data) => (output += String(data)));
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  const [code] = (await once(child, 'exit')) as unknown[];
  clearTimeout(timer);
  return { code, output };
}

const clean = { code: 0, output: '' };

test('a connection in use, with duplicates, a pool and listeners', async () => {
  const program = `
    const redis = createRedis({ url: ${JSON.stringify(inject('redisUrl'))}, maxConnections: 2 });
    redis.onStateChange(() => {});
    await redis.ready();
    const subscriber = redis.duplicate('subscriber');
    subscriber.on('ready', () => subscriber.subscribe('somewhere'));
    const blocking = redis.duplicate('blocking');
    blocking.on('ready', () => blocking.blpop('nothing', 0).catch(() => {}));
    await sleep(100);
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
  const redis = createRedis(inject('redisUrl'));
  await redis.ready();
  const last = redis.execute((client) => client.ping());
  await redis.close();
  expect(await last).toBe('PONG');
});
