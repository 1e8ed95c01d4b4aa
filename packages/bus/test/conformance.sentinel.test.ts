import { afterAll, beforeAll } from 'vitest';
import { startSentinel, type RedisSentinel } from '../../../test/servers/index.ts';
import { busConformance, PATIENT } from './conformance.ts';

let group: RedisSentinel;
beforeAll(async () => {
  group = await startSentinel();
});
afterAll(() => group.stop());

busConformance('Sentinel', () => ({ sentinels: group.sentinels, name: group.name, ...PATIENT }));
