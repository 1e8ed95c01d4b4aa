import { createBus, ephemeral } from '@tierkit/bus';
import { createRedis } from '@tierkit/redis';
import { once } from 'node:events';
import { Packr } from 'msgpackr';
import type { EventSubject, OpenEventSubject } from '../run-events.ts';
import { Arrivals } from './arrivals.ts';

/** Events that are under way at a time. */
const WINDOW = 100;

/** Sends until all have arrived, so many at a time. */
function flow(send: () => Promise<unknown>, arrivals: Arrivals): OpenEventSubject['move'] {
  return async (events) => {
    const target = arrivals.count + events;
    for (let sent = 0; sent < events;) {
      const batch = Math.min(WINDOW, events - sent);
      const sends: Promise<unknown>[] = [];
      for (let i = 0; i < batch; i++) sends.push(send());
      await Promise.all(sends);
      sent += batch;
      await arrivals.reach(target - events + sent);
    }
  };
}

/** What no bus over ioredis can beat: PUBLISH and a listener, with no envelope, check or queue. */
export const rawPubSub: EventSubject = {
  name: 'limit: ioredis PUBLISH + msgpackr',
  role: 'limit',
  async open(port, event) {
    const redis = createRedis({ host: '127.0.0.1', port, commandTimeout: '5s' });
    await redis.ready();
    const [client] = redis.masters();
    if (client === undefined) throw new Error('a connection that is ready has no client');
    const codec = new Packr({ useRecords: false, mapsAsObjects: true, structuredClone: false, copyBuffers: true });
    const arrivals = new Arrivals();
    const subscriber = redis.duplicate('subscriber');
    await once(subscriber, 'ready');
    await subscriber.subscribe('raw:news');
    subscriber.on('messageBuffer', (_: Buffer, message: Buffer) => arrivals.add(codec.unpack(message)));
    return {
      move: flow(() => client.publish('raw:news', codec.pack(event)), arrivals),
      last: () => arrivals.last,
      close: () => redis.close(),
    };
  },
};

export const tierkitHandler: EventSubject = {
  name: 'tierkit on',
  role: 'ours',
  async open(port, event) {
    const bus = createBus({ news: ephemeral() }, { redis: { host: '127.0.0.1', port, commandTimeout: '5s' } });
    const arrivals = new Arrivals();
    const off = bus.on('news', ({ data }) => arrivals.add(data));
    await Promise.all([bus.ready(), off.ready]);
    return {
      move: flow(() => bus.publish('news', event), arrivals),
      last: () => arrivals.last,
      close: () => bus.close(),
    };
  },
};

export const tierkitIterator: EventSubject = {
  name: 'tierkit subscribe',
  role: 'ours',
  async open(port, event) {
    const redis = { host: '127.0.0.1', port, commandTimeout: '5s' };
    const bus = createBus({ news: ephemeral() }, { redis, prefix: 'iterator:' });
    const arrivals = new Arrivals();
    const events = bus.subscribe('news');
    await Promise.all([bus.ready(), events.ready]);
    const loop = (async () => {
      for await (const { data } of events) arrivals.add(data);
    })();
    return {
      move: flow(() => bus.publish('news', event), arrivals),
      last: () => arrivals.last,
      close: () => Promise.all([bus.close(), loop]),
    };
  },
};
