import { createRedis } from '@tierkit/redis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask, startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { createQuota } from '../src/index.ts';

let server: StandaloneRedis;
beforeAll(async () => void (server = await startRedis()));
afterAll(() => server.stop());

const nothing = (): void => {};

it.each(['allkeys-lru', 'volatile-ttl', 'noeviction'])(
  'says once in the log that a Redis with %s may evict',
  async (policy) => {
    await ask(server.port, 'CONFIG', 'SET', 'maxmemory-policy', policy);
    const shared = createRedis(server.url);
    await shared.ready();
    for (const redis of [server.url, shared]) {
      const warnings: string[] = [];
      const warn = (_: unknown, message: string): void => void warnings.push(message);
      const logger = { debug: nothing, info: nothing, error: nothing, warn };
      const quota = createQuota({ calls: { per: 'day', limit: 10 } }, { redis, logger });
      await quota.ready();
      if (policy !== 'noeviction') await until('it is told', () => warnings.length > 0);
      for (let i = 0; i < 3; i++) await quota.add('ann', { calls: 1 });
      await ask(server.port, 'CLIENT', 'KILL', 'TYPE', 'normal');
      await until('Redis is back', async () => (await quota.add('ann', { calls: 0 })).allowed);
      await quota.close();
      expect(warnings).toEqual(
        policy === 'noeviction' ? [] : [expect.stringContaining(`maxmemory-policy is ${policy}`)],
      );
    }
    await shared.close();
  },
);
