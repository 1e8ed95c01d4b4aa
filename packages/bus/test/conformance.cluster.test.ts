import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, until, type RedisCluster } from '../../../test/servers/index.ts';
import { durable, ephemeral, fed } from '../src/index.ts';
import { PATIENT } from '../../../test/support/shared-redis.ts';
import { busConformance } from './conformance.ts';
import { taken, world } from './world.ts';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.stop());

busConformance('Cluster', () => ({ cluster: cluster.nodes, ...PATIENT }));

describe('Cluster with sharded channels', () => {
  const { bus } = world(() => ({ cluster: cluster.nodes }));
  const channels = { 'user:{id}': ephemeral<string>(), news: ephemeral<string>(), orders: durable<number>() };

  it('delivers to exact names, and has no patterns over parameters', async () => {
    const [one, two] = [await bus(channels, { sharded: true }), await bus(channels, { sharded: true })];
    const events = two.subscribe(['user:1', 'user:2', 'news']);
    const third = two.subscribe('n*s');
    await Promise.all([events.ready, third.ready]);
    for (const id of ['1', '2', '3']) await one.publish('user:{id}', id, { params: { id } });
    await one.publish('news', 'x');
    expect((await taken(events, 3)).toSorted()).toEqual(['1', '2', 'x']);
    expect(await taken(third, 1)).toEqual(['x']);
    expect(() => two.subscribe('user:*')).toThrow(expect.objectContaining({ code: 'ERR_BUS_CHANNEL' }) as Error);
    expect(two.stats().subscriptions).toBe(2);
    // What was opened before that was found is closed.
    let feeding = 0;
    const source = fed(() => {
      feeding++;
      return () => feeding--;
    });
    const fedToo = await bus({ ...channels, 'system:fed': source }, { sharded: true });
    expect(() => fedToo.subscribe(['system:fed', 'user:*'])).toThrow(/patterns/);
    expect(feeding).toBe(0);
  });

  it('loses nothing of a durable channel through a failover, and goes on', async () => {
    const [one, two] = [await bus(channels), await bus(channels)];
    const handled = new Set<number>();
    const consumer = two.consume('orders', { group: 'g' }, ({ data }) => void handled.add(data));
    const followed: unknown[] = [];
    const off = two.on('orders', ({ data }) => void followed.push(data));
    await Promise.all([consumer.ready, off.ready]);
    const acknowledged: number[] = [];
    const publish = async (n: number): Promise<void> => {
      if (
        await one.publish('orders', n).then(
          () => true,
          () => false,
        )
      )
        acknowledged.push(n);
    };
    for (let n = 0; n < 50; n++) await publish(n);
    // So that the replica has what was acknowledged.
    await until('all were handled', () => handled.size === 50);
    const owner = await cluster.masterOf('bus:{orders}');
    await cluster.processes[owner]?.end();
    let n = 50;
    await until('it goes on', async () => {
      await publish(n++);
      return acknowledged.length > 70;
    });
    await until('all that was acknowledged is handled', () => acknowledged.every((one) => handled.has(one)));
    await until('and followed', () => acknowledged.every((one) => followed.includes(one)));
  });
});
