import { randomBytes } from 'node:crypto';
import type { Logger } from '@tierkit/core';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startRedis } from '../../../test/servers/index.ts';
import { createTierkit, fromEnvironment, type Environment, type Tierkit } from '../src/index.ts';

function recorder(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const at =
    (level: string): Logger['info'] =>
    (details, message) =>
      lines.push(`${level} ${message} ${JSON.stringify(details)}`);
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}

function open(environment: Environment, logger: Logger): Tierkit {
  const kit = createTierkit(fromEnvironment(environment, { logger }));
  onTestFinished(() => kit.close());
  return kit;
}

it('works without Redis, says so, and goes on with it once it is there', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  await server.process.end();
  const { logger, lines } = recorder();
  const kit = open({ REDIS_URL: server.url, LOG_LEVEL: 'info' }, logger);

  await expect(kit.ready(200)).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
  const startedMs = performance.now();
  expect(await kit.project('p').getOrSet('key', () => 'loaded')).toBe('loaded');
  expect(await kit.project('p').set('key', 'unconfirmed')).toBe(false);
  expect(performance.now() - startedMs).toBeLessThan(1_000);
  expect(await kit.health()).toMatchObject({ status: 'down', redis: { status: 'down' } });
  expect(lines.filter((line) => line.startsWith('warn '))).toHaveLength(1);

  await server.process.start();
  await kit.ready(10_000);
  expect(lines.at(-1)).toMatch(/^info /);
  expect(await kit.project('p').set('key', 'stored')).toBe(true);
  expect(await kit.project('p').get('key')).toBe('stored');
  expect(await kit.health()).toMatchObject({ status: 'up' });

  server.process.signal('SIGSTOP');
  const frozenMs = performance.now();
  expect(await kit.project('p').getOrSet('other', () => 'loaded')).toBe('loaded');
  expect(performance.now() - frozenMs).toBeLessThan(1_500);
  expect(await kit.health('100ms')).toMatchObject({ status: 'down' });
});

it('connects as the environment says, and shows its password nowhere', async () => {
  const password = `pä%@:/ ${randomBytes(8).toString('hex')}`;
  const server = await startRedis(['--requirepass', password]);
  onTestFinished(() => server.stop());
  const address = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(server.port), REDIS_DB: '3', LOG_LEVEL: 'debug' };

  const { logger, lines } = recorder();
  const kit = open({ ...address, REDIS_PASSWORD: password, CACHE_TTL_SEARCH: '60' }, logger);
  await kit.ready();
  expect(await kit.tier('search')('s').set('key', 1)).toBe(true);
  expect(kit.info().redis).toMatchObject({ db: 3 });

  const wrong = open({ ...address, REDIS_PASSWORD: `${password}!` }, logger);
  const error: unknown = await wrong.ready(500).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
  await wrong.global.get('key');
  const { message, stack, cause } = error as Error;
  const shown = JSON.stringify([message, stack, String(cause), lines, kit.info(), await wrong.health()]);
  for (const secret of [password, encodeURIComponent(password)]) expect(shown).not.toContain(secret);
});

it('is degraded while it cannot hear of changes, and stays right', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  await admin.call('ACL', 'SETUSER', 'deaf', 'on', '>pw', '~*', '&*', '+@all', '-subscribe');
  const { logger, lines } = recorder();
  const url = server.url.replace('//', '//deaf:pw@');
  const [deaf, other] = [open({ REDIS_URL: url }, logger), open({ REDIS_URL: server.url }, logger)];
  await expect(deaf.ready(300)).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
  expect(await deaf.health()).toMatchObject({ status: 'degraded', redis: { status: 'up' } });
  await deaf.global.set('key', 'old');
  expect(await deaf.global.get('key')).toBe('old');
  await other.global.set('key', 'new');
  expect(await deaf.global.get('key')).toBe('new');
  expect(lines.join('\n')).toContain('cannot subscribe to the invalidation feed');
});

it('reads no variable when it is imported', async () => {
  const read = new Set<string>();
  const { env } = process;
  onTestFinished(() => void (process.env = env));
  process.env = new Proxy(env, {
    get(target, name) {
      read.add(String(name));
      return Reflect.get(target, name) as string | undefined;
    },
    ownKeys(target) {
      read.add('CACHE_*');
      return Reflect.ownKeys(target);
    },
  });
  vi.resetModules();
  const fresh = await import('../src/index.ts');
  expect([...read].filter((name) => /^(REDIS|CACHE|LOG)_/.test(name))).toEqual([]);
  expect(() => fresh.createTierkit(fresh.fromEnvironment({ ...process.env, CACHE_TTL: 'x' }))).toThrow(/CACHE_TTL/);
  expect(read).toContain('CACHE_*');
});
