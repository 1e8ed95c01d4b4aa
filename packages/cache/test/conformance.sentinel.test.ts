import { afterAll } from 'vitest';
import { startSentinel, type RedisSentinel } from '../../../test/servers/index.ts';
import { PATIENT } from '../../../test/support/shared-redis.ts';
import { cacheConformance } from './conformance.ts';

let group: Promise<RedisSentinel> | undefined;
afterAll(async () => (await group)?.stop());

cacheConformance({
  name: 'Sentinel',
  redis: async () => {
    group ??= startSentinel();
    const { name, sentinels } = await group;
    return { sentinels, name, ...PATIENT };
  },
});
