import { LRUCache } from 'lru-cache';
import type { Subject } from '../subject.ts';

/** What no cache with an asynchronous interface can beat: a bare in-process lookup behind one promise. */
export const limitLru: Subject = {
  name: 'limit: async lru-cache get',
  role: 'limit',
  async open({ maxEntries }) {
    const lru = new LRUCache<string, object>({ max: maxEntries });
    return {
      async read(key) {
        return lru.get(key);
      },
      write: async (key, value) => lru.set(key, value as object),
      close: async () => lru.clear(),
    };
  },
};
