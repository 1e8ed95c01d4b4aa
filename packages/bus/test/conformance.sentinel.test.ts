import { afterAll, beforeAll } from 'vitest';
import { startSentinel, type RedisSentinel } from '../../../test/servers/index.ts';
import { PATIENT } from '../../../test/support/shared-redis.ts';
import { busConformance } from './conformance.ts';

let group: RedisSentinel;
beforeAll(async () => {
  group = await startSentinel();
});
afterAll(() => group.stop());

busConformance('Sentinel', () => ({ sentinels: group.sentinels, name: group.name, ...PATIENT }));
