import KeyvRedis from '@keyv/redis';
import { createCache } from 'cache-manager';
import { KeyvCacheableMemory } from 'cacheable';
import { Keyv } from 'keyv';
import type { Subject } from '../subject.ts';

export const cacheManager: Subject = {
  name: 'cache-manager',
  role: 'peer',
  async open({ level, operation, port, maxEntries }) {
    if (level === 'two-tier' && operation === 'get')
      return { absent: 'its get does not fill the stores before the one that answered' };
    const memory = new Keyv({ store: new KeyvCacheableMemory({ useClone: false, lruSize: maxEntries }) });
    memory.serialize = undefined;
    memory.deserialize = undefined;
    const stores = [
      ...(level === 'l2' ? [] : [memory]),
      ...(level === 'l1' ? [] : [new Keyv({ store: new KeyvRedis(`redis://127.0.0.1:${port}`) })]),
    ];
    const cache = createCache({ ttl: 3_600_000, stores });
    return {
      read: operation === 'get' ? (key) => cache.get(key) : (key, load) => cache.wrap(key, load),
      readMany: (keys) => cache.mget([...keys]),
      write: (key, value) => cache.set(key, value),
      close: () => cache.disconnect(),
    };
  },
};
