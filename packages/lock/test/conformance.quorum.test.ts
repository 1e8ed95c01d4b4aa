import { afterAll } from 'vitest';
import { startRedis, type StandaloneRedis } from '../../../test/servers/index.ts';
import { exclusiveOnly } from './conformance-shared.ts';
import { lockConformance } from './conformance.ts';

let servers: Promise<StandaloneRedis[]> | undefined;
afterAll(async () => Promise.all(((await servers) ?? []).map((server) => server.stop())));

lockConformance({
  name: 'quorum',
  where: async () => {
    servers ??= Promise.all([startRedis(), startRedis(), startRedis()]);
    return { quorum: (await servers).map(({ url }) => ({ url, commandTimeout: '5s' })) };
  },
  // redlock votes for one holder only.
  sharing: exclusiveOnly,
});
