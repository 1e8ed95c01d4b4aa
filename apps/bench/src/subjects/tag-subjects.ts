import KeyvRedis from '@keyv/redis';
import { createTiers, type Tiers } from '@tierkit/cache';
import { createCache } from 'async-cache-dedupe';
import { BentoCache, bentostore } from 'bentocache';
import { redisDriver } from 'bentocache/drivers/redis';
import { Cacheable } from 'cacheable';
import { Keyv } from 'keyv';
import type { TagSubject } from '../tag-subject.ts';
import { connectClient } from './client.ts';

/** An entry has the count of its tag, and is gone once that is another. */
export const limitIncr: TagSubject = {
  name: 'limit: one INCR',
  role: 'limit',
  async open(port) {
    const { client, close } = await connectClient(port);
    return {
      write: async (key, value, tag) => client.set(key, JSON.stringify({ at: await client.get(tag), tag, value })),
      async read(key) {
        const { at, tag, value } = JSON.parse((await client.get(key)) ?? '{}');
        return at === (await client.get(tag)) ? value : undefined;
      },
      invalidate: (tag) => client.incr(tag),
      close,
    };
  },
};

export const tierkitScope: TagSubject = tierkit('tierkit project scope', (tiers) => tiers.project('bench'));
export const tierkitEverywhere: TagSubject = tierkit('tierkit everywhere', (tiers) => tiers);

function tierkit(name: string, target: (tiers: Tiers) => Pick<Tiers, 'invalidateTags'>): TagSubject {
  return {
    name,
    role: 'ours',
    async open(port) {
      const tiers = createTiers({ redis: `redis://127.0.0.1:${port}`, l1: false });
      await tiers.ready();
      const scope = tiers.project('bench');
      return {
        write: (key, value, tag) => scope.set(key, value, { tags: [tag] }),
        read: (key) => scope.get(key),
        invalidate: (tag) => target(tiers).invalidateTags([tag]),
        close: () => tiers.close(),
      };
    },
  };
}

export const peerTagSubjects: readonly TagSubject[] = [
  {
    name: 'bentocache',
    role: 'peer',
    async open(port) {
      const { client, close } = await connectClient(port);
      const store = bentostore({ ttl: '1h' }).useL2Layer(redisDriver({ connection: client }));
      const cache = new BentoCache({ default: 'bench', stores: { bench: store } });
      return {
        write: (key, value, tag) => cache.set({ key, value, tags: [tag] }),
        read: (key) => cache.get({ key }),
        invalidate: (tag) => cache.deleteByTag({ tags: [tag] }),
        close: () => cache.disconnectAll().then(close),
      };
    },
  },
  {
    name: 'cacheable',
    role: 'peer',
    async open(port) {
      const redis = new Keyv({ store: new KeyvRedis(`redis://127.0.0.1:${port}`) });
      const cache = new Cacheable({ ttl: '1h', tags: true, primary: redis });
      return {
        write: (key, value, tag) => cache.set(key, value, { tags: [tag] }),
        read: (key) => cache.get(key),
        invalidate: (tag) => cache.tags.invalidateTag(tag),
        close: () => cache.disconnect(),
      };
    },
  },
  {
    name: 'async-cache-dedupe',
    role: 'peer',
    written: true,
    most: 20_000,
    async open(port) {
      const { client, close } = await connectClient(port);
      const storage = { type: 'redis', options: { client, invalidation: true } } as const;
      const cache = createCache({ ttl: 3_600, storage }).define('file', async () => undefined);
      return {
        write: (key, value, tag) => cache.set('file', key, value, 3_600, [tag]),
        read: (key) => cache.get('file', key),
        invalidate: (tag) => cache.invalidateAll([tag]),
        close,
      };
    },
  },
];
