import { afterAll, expect, it } from 'vitest';
import { ask, startCluster, until, type RedisCluster } from '../../../test/servers/index.ts';
import { sharing } from './conformance-shared.ts';
import { lockConformance } from './conformance.ts';

let cluster: Promise<RedisCluster> | undefined;
afterAll(async () => (await cluster)?.stop());

/** Of the locks that are waited for. */
async function channels(): Promise<readonly string[]> {
  const nodes = (await cluster)?.nodes ?? [];
  const lists = nodes.map(({ port }) => ask(port, 'PUBSUB', 'SHARDCHANNELS', '*:wake:*'));
  return (await Promise.all(lists)).flat() as string[];
}

lockConformance({
  name: 'Cluster',
  where: async () => {
    cluster ??= startCluster();
    return { redis: { cluster: (await cluster).nodes, commandTimeout: '5s' } };
  },
  sharing,
  atLast: () => {
    it('listens no longer to the channels of locks that nobody has waited for in a while', async () => {
      const before = await channels();
      expect(before).not.toEqual([]);
      await until('they are left', async () => (await channels()).every((channel) => !before.includes(channel)));
    });
  },
});
