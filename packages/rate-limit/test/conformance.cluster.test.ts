import { afterAll } from 'vitest';
import { startCluster, type RedisCluster } from '../../../test/servers/index.ts';
import { limiterConformance } from './conformance.ts';

let cluster: Promise<RedisCluster> | undefined;
afterAll(async () => (await cluster)?.stop());

limiterConformance({
  name: 'Cluster',
  redis: async () => {
    cluster ??= startCluster();
    return { cluster: (await cluster).nodes };
  },
});
