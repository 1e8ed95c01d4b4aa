import { afterAll } from 'vitest';
import { startCluster, type RedisCluster } from '../../../test/servers/index.ts';
import { PATIENT } from '../../../test/support/shared-redis.ts';
import { cacheConformance } from './conformance.ts';

let cluster: Promise<RedisCluster> | undefined;
afterAll(async () => (await cluster)?.stop());

cacheConformance({
  name: 'Cluster',
  redis: async () => {
    cluster ??= startCluster();
    return { cluster: (await cluster).nodes, ...PATIENT };
  },
});
