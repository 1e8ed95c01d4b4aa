import { createCache } from 'async-cache-dedupe';
import { Redis } from 'ioredis';
import type { LoadingSubject } from '../loading-subject.ts';
import type { Level, Load, Subject } from '../subject.ts';
import { bentocacheDefault } from './bentocache.ts';
import { cacheManager } from './cache-manager.ts';
import { cacheableDefault } from './cacheable.ts';
import { cachifiedSubject } from './cachified.ts';
import { connectClient } from './client.ts';
import { tierkitProject } from './tierkit.ts';

/** What no stampede across processes can beat: whoever takes a bare lock loads, the others wait in a blocking pop. */
export const limitLock: LoadingSubject = {
  name: 'limit: SET NX and a blocking pop',
  role: 'limit',
  async open(port) {
    const redis = new Redis(port);
    const flights = new Map<string, Promise<unknown>>();
    const loadOnce = async (key: string, load: Load): Promise<unknown> => {
      if ((await redis.set(`${key}:lock`, '1', 'EX', 60, 'NX')) !== 'OK') return redis.brpoplpush(key, key, 0);
      const value = JSON.stringify(await load());
      await redis.rpush(key, value);
      return value;
    };
    return {
      async getOrSet(key, load) {
        const flight = flights.get(key) ?? loadOnce(key, load);
        flights.set(key, flight);
        return flight;
      },
    };
  },
};

/** What every cache that asks Redis at all waits for: one command of a client with deadlines, and then the load. */
export const limitGet: LoadingSubject = {
  name: 'limit: one bounded GET, then the load',
  role: 'limit',
  async open(port) {
    const { client } = await connectClient(port);
    return {
      getOrSet: async (key, load) => (await client.get(key).catch(() => null)) ?? load(),
    };
  },
};

const asyncCacheDedupe: LoadingSubject = {
  name: 'async-cache-dedupe',
  role: 'peer',
  async open(port) {
    const { client } = await connectClient(port);
    const cache = createCache({ ttl: 3_600, storage: { type: 'redis', options: { client } } }).define(
      'file',
      { serialize: ({ key }: { readonly key: string }) => key },
      async ({ load }: { readonly key: string; readonly load: Load }) => load(),
    );
    return { getOrSet: (key, load) => cache.file({ key, load }) };
  },
};

/** Ours and the peers. */
export const loadingSubjects: readonly LoadingSubject[] = [
  reading(tierkitProject, 'two-tier'),
  reading(bentocacheDefault, 'two-tier'),
  reading(cacheableDefault, 'two-tier'),
  reading(cacheManager, 'two-tier'),
  reading(cachifiedSubject, 'l2'),
  asyncCacheDedupe,
];

/** The one with that name, of ours, the peers and the limits. */
export function loadingSubject(name: string): LoadingSubject {
  const found = [limitLock, limitGet, ...loadingSubjects].find((subject) => subject.name === name);
  if (found === undefined) throw new Error(`there is no subject ${name}`);
  return found;
}

function reading({ name, role, open }: Subject, level: Level): LoadingSubject {
  return {
    name,
    role,
    async open(port) {
      const opened = await open({ level, operation: 'getOrSet', port, maxEntries: 10_000, tags: [] });
      if ('absent' in opened) throw new Error(opened.absent);
      return { getOrSet: (key, load) => opened.read(key, load) };
    },
  };
}
