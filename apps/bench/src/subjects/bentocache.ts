import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisDriver } from 'bentocache/drivers/redis';
import type { Subject } from '../subject.ts';
import { connectClient } from './client.ts';

export const bentocacheDefault: Subject = createBentocache('bentocache', true);
/** Hands out the object that was stored, so that one caller can change it under another. */
export const bentocachePlain: Subject = createBentocache('bentocache without serialisation', false);

function createBentocache(name: string, serialize: boolean): Subject {
  return {
    name,
    role: 'peer',
    async open({ level, operation, port, maxEntries, tags }) {
      const store = bentostore({ ttl: '1h' });
      if (level !== 'l2') store.useL1Layer(memoryDriver({ maxItems: maxEntries, serialize }));
      const redis = level === 'l1' ? undefined : await connectClient(port);
      if (redis !== undefined) store.useL2Layer(redisDriver({ connection: redis.client }));
      const cache = new BentoCache({ default: 'bench', stores: { bench: store } });
      return {
        read: operation === 'get' ? (key) => cache.get({ key }) : (key, load) => cache.getOrSet({ key, factory: load }),
        write: (key, value) => cache.set({ key, value, tags: [...tags] }),
        close: async () => {
          await cache.disconnectAll();
          await redis?.close();
        },
      };
    },
  };
}
