import KeyvRedis from '@keyv/redis';
import { createTiers, type Scope, type Tiers } from '@tierkit/cache';
import { createCache } from 'async-cache-dedupe';
import { BentoCache, bentostore } from 'bentocache';
import { redisDriver } from 'bentocache/drivers/redis';
import { createCache as createManager } from 'cache-manager';
import { Cacheable } from 'cacheable';
import { Redis } from 'ioredis';
import { Keyv } from 'keyv';
import type { TagSubject } from '../tag-subject.ts';

/** An entry has the generation of its scope, and is gone once that is another. */
export const limitGeneration: TagSubject = {
  name: 'limit: one INCR',
  role: 'limit',
  async open(port) {
    const client = new Redis(port);
    return {
      write: async (key, value) => client.set(key, JSON.stringify({ at: await client.get('generation'), value })),
      async read(key) {
        const { at, value } = JSON.parse((await client.get(key)) ?? '{}');
        return at === (await client.get('generation')) ? value : undefined;
      },
      invalidate: () => client.incr('generation'),
      close: async () => client.disconnect(),
    };
  },
};

export const tierkitScope: TagSubject = tierkit('tierkit project scope', (tiers) => tiers.project('bench'));
export const tierkitGlobal: TagSubject = tierkit('tierkit global', (tiers) => tiers.global);

function tierkit(name: string, scopeOf: (tiers: Tiers) => Scope): TagSubject {
  return {
    name,
    role: 'ours',
    async open(port) {
      // A pass that frees what the round before cleared would share the connection with the measured call.
      const tiers = createTiers({ redis: `redis://127.0.0.1:${port}`, l1: false, reclaim: '1h' });
      await tiers.ready();
      const scope = scopeOf(tiers);
      return {
        write: (key, value) => scope.set(key, value),
        read: (key) => scope.get(key),
        invalidate: () => scope.clear(),
        close: () => tiers.close(),
      };
    },
  };
}

/** Each deletes every key, so its cost grows with them. */
const most = 200_000;
// Their clients have no deadlines: for what one call deletes here, 300 ms would be too short.

export const peerClearSubjects: readonly TagSubject[] = [
  {
    name: 'bentocache',
    role: 'peer',
    most,
    async open(port) {
      const client = new Redis(port);
      const store = bentostore({ ttl: '1h' }).useL2Layer(redisDriver({ connection: client }));
      const cache = new BentoCache({ default: 'bench', stores: { bench: store } });
      return {
        write: (key, value) => cache.set({ key, value }),
        read: (key) => cache.get({ key }),
        invalidate: () => cache.clear(),
        close: () => cache.disconnectAll(),
      };
    },
  },
  {
    name: 'cacheable',
    role: 'peer',
    most,
    async open(port) {
      const cache = new Cacheable({ ttl: '1h', primary: keyv(port) });
      return {
        write: (key, value) => cache.set(key, value),
        read: (key) => cache.get(key),
        invalidate: () => cache.clear(),
        close: () => cache.disconnect(),
      };
    },
  },
  {
    name: 'cache-manager',
    role: 'peer',
    most,
    async open(port) {
      const cache = createManager({ ttl: 3_600_000, stores: [keyv(port)] });
      return {
        write: (key, value) => cache.set(key, value),
        read: (key) => cache.get(key),
        invalidate: () => cache.clear(),
        close: () => cache.disconnect(),
      };
    },
  },
  {
    name: 'async-cache-dedupe',
    role: 'peer',
    most,
    async open(port) {
      const client = new Redis(port);
      const storage = { type: 'redis', options: { client } } as const;
      const cache = createCache({ ttl: 3_600, storage }).define('file', async () => undefined);
      return {
        // Its set leaves out the name that its clear looks for.
        write: (key, value) => cache.set('file', `file~${key}`, value, 3_600),
        read: (key) => cache.get('file', `file~${key}`),
        invalidate: () => cache.clear('file'),
        close: async () => client.disconnect(),
      };
    },
  },
  {
    name: 'cachified',
    role: 'peer',
    open: async () => ({ absent: 'it has no call that clears' }),
  },
];

const keyv = (port: number): Keyv => new Keyv({ store: new KeyvRedis(`redis://127.0.0.1:${port}`) });
