import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask, startRedis, type StandaloneRedis } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createTierkit } from '../src/index.ts';

let durable: StandaloneRedis;
beforeAll(async () => {
  durable = await startRedis();
});
afterAll(() => durable.stop());

it.each(['memory', 'redis', 'redis and durableRedis'])(
  'writes behind on %s, and flushes when it closes',
  async (on) => {
    const redis = on === 'memory' ? 'memory' : sharedRedis();
    const prefix = `k${randomBytes(6).toString('hex')}:`;
    const given = on === 'redis and durableRedis' ? { durableRedis: durable.url } : {};
    const kit = createTierkit({ redis, prefix, ...given });
    await kit.ready();
    const rows: unknown[] = [];
    const queue = kit.writeBehind('file_trees', { flush: (batch) => void rows.push(...batch), batch: { age: '1h' } });
    const project = kit.project('proj456');
    await project.writeBehind('file_tree', ['src'], queue);
    await project.clear();
    expect(await project.getOrSet('file_tree', () => ['older'])).toEqual(['src']);
    expect((await queue.status()).backlog).toBe(1);
    // What must last is where it lasts.
    const kept = await ask(durable.port, 'HLEN', `${prefix}project:{proj456}~pending`);
    expect(Number(kept) > 0).toBe(on === 'redis and durableRedis');
    await kit.close();
    expect(rows).toMatchObject([{ tier: 'project', scope: 'proj456', key: 'file_tree', value: ['src'] }]);
  },
);
