import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask, startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { createTiers } from '../src/index.ts';

let redis: StandaloneRedis;
beforeAll(async () => {
  redis = await startRedis(['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru']);
});
afterAll(() => redis.stop());

it('refuses writes where Redis may evict them, and takes them once it may not', async () => {
  const tiers = createTiers({ redis: redis.url, prefix: 'evicts:' });
  await tiers.ready();
  const rows: unknown[] = [];
  const queue = tiers.writeBehind('q', { flush: (batch) => void rows.push(...batch) });
  const scope = tiers.session('s');
  await expect(scope.writeBehind('k', 1, queue)).rejects.toMatchObject({ code: 'ERR_WRITE_BEHIND_EVICTION' });
  await expect(scope.deleteBehind('k', queue)).rejects.toMatchObject({ code: 'ERR_WRITE_BEHIND_EVICTION' });
  expect(await scope.get('k')).toBeUndefined();

  await ask(redis.port, 'CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru');
  await scope.writeBehind('k', 2, queue);
  expect(await queue.drain()).toBe(true);
  expect(rows).toMatchObject([{ value: 2 }]);

  // It may be another server after a reconnect.
  await ask(redis.port, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
  await ask(redis.port, 'CLIENT', 'KILL', 'TYPE', 'normal');
  await until('it is asked again', () =>
    scope.writeBehind('k', 3, queue).then(
      () => false,
      (error: { code?: string }) => error.code === 'ERR_WRITE_BEHIND_EVICTION',
    ),
  );
  await tiers.close();
});

it('says in the log that a server does not tell, and works', async () => {
  await ask(redis.port, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  await ask(redis.port, 'ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all', '-info');
  const warnings: string[] = [];
  const silent = (): void => {};
  const warn = (_details: unknown, message: string): void => void warnings.push(message);
  const tiers = createTiers({
    redis: redis.url.replace('//', '//app:secret@'),
    prefix: 'untold:',
    logger: { debug: silent, info: silent, warn, error: silent },
  });
  await tiers.ready();
  const rows: unknown[] = [];
  const queue = tiers.writeBehind('q', { flush: (batch) => void rows.push(...batch) });
  await tiers.session('s').writeBehind('k', 1, queue);
  await until('it is flushed', () => rows.length === 1);
  expect(warnings.join()).toContain('maxmemory-policy');
  await tiers.close();
});
