import { afterAll } from 'vitest';
import { startCluster, type RedisCluster } from '../../../test/servers/index.ts';
import { quotaConformance } from './conformance.ts';

let cluster: Promise<RedisCluster> | undefined;
afterAll(async () => (await cluster)?.stop());

quotaConformance({
  name: 'Cluster',
  redis: async () => {
    cluster ??= startCluster();
    return { cluster: (await cluster).nodes, commandTimeout: '10s' };
  },
});
