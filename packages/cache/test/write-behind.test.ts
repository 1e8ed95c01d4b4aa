import { afterAll, inject } from 'vitest';
import { startCluster, startRedis, type RedisCluster, type StandaloneRedis } from '../../../test/servers/index.ts';
import { writeBehindConformance } from './write-behind-conformance.ts';

let cluster: Promise<RedisCluster> | undefined;
let apart: Promise<StandaloneRedis> | undefined;
afterAll(async () => {
  await (await cluster)?.stop();
  await (await apart)?.stop();
});

writeBehindConformance({ name: 'memory', options: async () => ({ redis: 'memory' }) });
writeBehindConformance({ name: 'standalone Redis', options: async () => ({ redis: inject('redisUrl') }) });
writeBehindConformance({
  name: 'a durable Redis apart',
  options: async () => {
    apart ??= startRedis();
    return { redis: inject('redisUrl'), durableRedis: (await apart).url };
  },
});
writeBehindConformance({
  name: 'Cluster',
  options: async () => {
    cluster ??= startCluster();
    return { redis: { cluster: (await cluster).nodes } };
  },
});
