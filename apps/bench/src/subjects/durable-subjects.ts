import { createBus, durable } from '@tierkit/bus';
import { createRedis } from '@tierkit/redis';
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { Packr } from 'msgpackr';
import type { EventSubject, OpenEventSubject } from '../run-events.ts';
import { Arrivals } from './arrivals.ts';
import { connectClient } from './client.ts';

const FILLED = 5_000;
const BATCH = 100;
const GROUP = 'bench';

/**
 * Sets the group back to so many entries before the end; adding one wakes the consumer that waits. The stream is filled
 * once, so that reading is what is measured.
 */
function rewinding(
  admin: Redis,
  stream: string,
  add: () => Promise<unknown>,
  arrivals: Arrivals,
): OpenEventSubject['move'] {
  return async (events) => {
    for (let left = events; left > 0;) {
      const now = Math.min(left, FILLED);
      const from = await admin.xrevrange(stream, '+', '-', 'COUNT', now);
      const target = arrivals.count + now;
      await admin.xgroup('SETID', stream, GROUP, from.at(-1)?.[0] ?? '0');
      await add();
      await arrivals.reach(target);
      left -= now;
    }
  };
}

type Reply = [stream: Buffer, entries: [id: Buffer, fields: Buffer[]][]][] | null;

interface GroupReads {
  xreadgroupBuffer(...args: (string | number)[]): Promise<Reply>;
}

/** What no consumer over ioredis can beat: XREADGROUP in batches, decode, XACK of the batch. */
export const rawGroup: EventSubject = {
  name: 'limit: ioredis XREADGROUP + msgpackr',
  role: 'limit',
  async open(port, event) {
    const redis = createRedis({ host: '127.0.0.1', port, commandTimeout: '5s' });
    await redis.ready();
    const [client] = redis.masters();
    if (client === undefined) throw new Error('a connection that is ready has no client');
    const codec = new Packr({ useRecords: false, mapsAsObjects: true, structuredClone: false, copyBuffers: true });
    const stream = 'raw:orders';
    const add = (): Promise<unknown> => client.xadd(stream, '*', 'm', codec.pack(event));
    for (let i = 0; i < FILLED; i++) await add();
    await client.xgroup('CREATE', stream, GROUP, '$');
    const reader = redis.duplicate('blocking');
    await once(reader, 'ready');
    const arrivals = new Arrivals();
    const ending = new AbortController();
    const args = ['GROUP', GROUP, 'raw', 'COUNT', BATCH, 'BLOCK', 500, 'STREAMS', stream, '>'];
    const loop = (async () => {
      while (!ending.signal.aborted) {
        const reply = await (reader as unknown as GroupReads).xreadgroupBuffer(...args);
        const entries = reply?.[0]?.[1] ?? [];
        for (const [, fields] of entries) arrivals.add(codec.unpack(fields[1] as Buffer));
        if (entries.length > 0) void client.xack(stream, GROUP, ...entries.map(([id]) => id));
      }
    })();
    return {
      move: rewinding(client, stream, add, arrivals),
      last: () => arrivals.last,
      async close() {
        ending.abort();
        await loop;
        await redis.close();
      },
    };
  },
};

export const tierkitConsume: EventSubject = {
  name: 'tierkit consume',
  role: 'ours',
  async open(port, event) {
    const redis = { host: '127.0.0.1', port, commandTimeout: '5s' };
    const bus = createBus({ orders: durable() }, { redis });
    await bus.ready();
    const add = (): Promise<unknown> => bus.publish('orders', event);
    for (let i = 0; i < FILLED; i++) await add();
    const arrivals = new Arrivals();
    const consumer = bus.consume('orders', { group: GROUP, batch: BATCH }, ({ data }) => arrivals.add(data));
    await consumer.ready;
    const admin = await connectClient(port);
    return {
      move: rewinding(admin.client, 'bus:{orders}', add, arrivals),
      last: () => arrivals.last,
      close: () => Promise.all([bus.close(), admin.close()]),
    };
  },
};
