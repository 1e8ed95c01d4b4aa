import { afterAll } from 'vitest';
import { startCluster, type RedisCluster } from '../../../test/servers/index.ts';
import { sharing } from './conformance-shared.ts';
import { lockConformance } from './conformance.ts';

let cluster: Promise<RedisCluster> | undefined;
afterAll(async () => (await cluster)?.stop());

lockConformance({
  name: 'Cluster',
  where: async () => {
    cluster ??= startCluster();
    return { redis: { cluster: (await cluster).nodes } };
  },
  sharing,
});
