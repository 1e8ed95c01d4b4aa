import { createCache } from 'async-cache-dedupe';
import type { Subject } from '../subject.ts';
import { connectClient } from './client.ts';

const ttlSeconds = 3_600;

export const asyncCacheDedupe: Subject = {
  name: 'async-cache-dedupe',
  role: 'peer',
  async open({ level, operation, port, maxEntries, tags }) {
    if (level === 'two-tier') return { absent: 'it has one store, either memory or Redis' };
    const redis = level === 'l2' ? await connectClient(port) : undefined;
    const fresh = new Map<string, unknown>();
    const cache = createCache({
      ttl: ttlSeconds,
      storage:
        redis === undefined
          ? { type: 'memory', options: { size: maxEntries, invalidation: tags.length > 0 } }
          : { type: 'redis', options: { client: redis.client } },
    }).define('file', async (key: string) => {
      if (!fresh.has(key)) throw new Error('a hit must not load');
      return fresh.get(key);
    });
    return {
      read: operation === 'get' ? (key) => cache.get('file', key) : (key) => cache.file(key),
      // Its own set takes the key of the store; the defined function prefixes one, so it is filled by a load.
      async write(key, value) {
        if (operation === 'get') return cache.set('file', key, value, ttlSeconds, [...tags]);
        fresh.set(key, value);
        await cache.file(key);
        fresh.delete(key);
        return undefined;
      },
      close: async () => redis?.close(),
    };
  },
};
