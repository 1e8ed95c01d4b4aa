import KeyvRedis from '@keyv/redis';
import { Cacheable, KeyvCacheableMemory } from 'cacheable';
import { Keyv } from 'keyv';
import type { Subject } from '../subject.ts';

export const cacheableDefault: Subject = createCacheable('cacheable', true);
/** Hands out the object that was stored, so that one caller can change it under another. */
export const cacheableWithoutClone: Subject = createCacheable('cacheable without clone', false);

function createCacheable(name: string, useClone: boolean): Subject {
  return {
    name,
    role: 'peer',
    async open({ level, operation, port, maxEntries, tags }) {
      const redis = () => new Keyv({ store: new KeyvRedis(`redis://127.0.0.1:${port}`) });
      const memory = new KeyvCacheableMemory({ useClone, lruSize: maxEntries });
      const cache = new Cacheable({
        ttl: '1h',
        tags: tags.length > 0,
        primary: level === 'l2' ? redis() : plain(new Keyv({ store: memory })),
        ...(level === 'two-tier' ? { secondary: redis() } : {}),
      });
      return {
        read: operation === 'get' ? (key) => cache.get(key) : (key, load) => cache.getOrSet(key, load),
        readMany: (keys) => cache.getMany([...keys]),
        write: (key, value) => cache.set(key, value, { tags: [...tags] }),
        close: () => cache.disconnect(),
      };
    },
  };
}

/** Values as they are: what its own `createKeyv` sets up for memory. */
function plain(keyv: Keyv): Keyv {
  keyv.serialize = undefined;
  keyv.deserialize = undefined;
  return keyv;
}
