import { cachified, totalTtl, type Cache, type CacheEntry } from '@epic-web/cachified';
import { LRUCache } from 'lru-cache';
import type { Redis } from 'ioredis';
import type { Subject } from '../subject.ts';
import { connectClient } from './client.ts';

/** It has no get of its own: every read may load. */
export const cachifiedSubject: Subject = {
  name: 'cachified',
  role: 'peer',
  async open({ level, port, maxEntries }) {
    if (level === 'two-tier') return { absent: 'it reads through one cache' };
    const redis = level === 'l2' ? await connectClient(port) : undefined;
    const cache = redis === undefined ? memory(maxEntries) : overRedis(redis.client);
    return {
      read: (key, load) => cachified({ key, cache, ttl: 3_600_000, getFreshValue: load }),
      write: (key, value) =>
        cachified({ key, cache, ttl: 3_600_000, forceFresh: true, getFreshValue: async () => value }),
      close: async () => redis?.close(),
    };
  },
};

function memory(max: number): Cache {
  const lru = new LRUCache<string, CacheEntry>({ max });
  return {
    get: (key) => lru.get(key),
    set: (key, value) => lru.set(key, value),
    delete: (key) => lru.delete(key),
  };
}

function overRedis(client: Redis): Cache {
  return {
    get: async (key) => {
      const text = await client.get(key);
      return text === null ? undefined : (JSON.parse(text) as CacheEntry);
    },
    set: (key, value) => client.set(key, JSON.stringify(value), 'PX', totalTtl(value.metadata)),
    delete: (key) => client.del(key),
  };
}
