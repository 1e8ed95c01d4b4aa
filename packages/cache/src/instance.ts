import { createCodec, compilePattern, safeLogger, systemClock, type Sealer } from '@tierkit/core';
import { createPubSubFeed, createRedis, redisInput, type InvalidationFeed, type RedisConnection } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import { BackgroundLoads } from './loads/background-loads.ts';
import type { Engine } from './engine.ts';
import { originOf, parseInvalidation, tagAnnouncement } from './stores/invalidation-message.ts';
import { AccessLog } from './logging/access-log.ts';
import { ShownKeys } from './logging/shown-keys.ts';
import { Troubles } from './logging/troubles.ts';
import { Level1 } from './level1/level1.ts';
import { MemoryStore } from './stores/memory-store.ts';
import { MemoryTagSource } from './tags/memory-tag-source.ts';
import { NullStore, NullTagSource } from './stores/null-store.ts';
import { durationMs, MOST_ENTRIES, positiveInteger, timerMs, type CacheBackend, type CacheOptions } from './options.ts';
import { Reclaimer } from './stores/reclaimer.ts';
import { RedisStore } from './stores/redis-store.ts';
import { RedisTagSource } from './tags/redis-tag-source.ts';
import { ChangeListeners } from './inspection/cache-change.ts';
import { everywhereAddress, validatePrefix, type ScopeAddress } from './scope-address.ts';
import { ScopeRegistry } from './scope-registry.ts';
import { sealing } from './stores/sealing.ts';
import type { CacheStore } from './stores/store.ts';
import { ImpliedTags } from './tags/tag-names.ts';
import { TagTables } from './tags/tag-tables.ts';
import { TopKeys } from './top-keys.ts';
import { KeyUsage } from './usage/key-usage.ts';
import { EvictionCheck } from './write-behind/eviction-check.ts';
import { WriteBehindHost } from './write-behind/host.ts';
import { MemoryPendingStore } from './write-behind/memory-pending-store.ts';
import { RedisPendingStore } from './write-behind/redis-pending-store.ts';
import { WrittenBehind } from './write-behind/written-behind.ts';
import { UnconfirmedChanges } from './writes/unconfirmed-changes.ts';

/** The parts of a running cache, wired: what `createCache` and `createTiers` have in common. */
export interface Instance {
  readonly engine: Engine;
  readonly scopes: ScopeRegistry;
  readonly changes: ChangeListeners;
  readonly prefix: string;
  readonly backend: 'redis' | 'memory' | 'null';
  readonly redis: RedisConnection | undefined;
  readonly feed: InvalidationFeed | undefined;
  readonly writeBehind: WriteBehindHost;
  ready(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

const nothing = async (): Promise<void> => {};

const isConnection = (backend: CacheBackend): backend is RedisConnection =>
  typeof backend === 'object' && backend !== null && 'execute' in backend && 'masters' in backend;

/** What an envelope adds to a value at the most: its header, tags and what encryption adds. */
const ENVELOPE_ROOM_BYTES = 131_072;

export function createInstance(options: CacheOptions): Instance {
  const { redis: backend } = options;
  const prefix = validatePrefix(options.prefix ?? '');
  const clock = options.clock ?? systemClock;
  const logger = safeLogger(options.logger);
  const maxValueBytes = positiveInteger(options.maxValueBytes, 8_388_608, 'maxValueBytes');
  const codec = createCodec({ maxBytes: maxValueBytes });
  const l1 = options.l1 ?? {};
  const usage = new KeyUsage();
  const level1 =
    l1 === false
      ? undefined
      : new Level1({
          maxEntries: positiveInteger(l1.maxEntries, 10_000, 'l1.maxEntries', MOST_ENTRIES),
          maxBytes: positiveInteger(l1.maxBytes, 67_108_864, 'l1.maxBytes'),
          ttlMs: durationMs(l1.ttl, Infinity, 'l1.ttl'),
          onLeft: (entry) => usage.left(entry.scope.owner.address, entry),
        });
  const backoff = options.load?.failureBackoff ?? 2_000;
  const sharing = {
    leaseMs: timerMs(options.load?.lease, 3_000, 'load.lease'),
    waitTimeoutMs: timerMs(options.load?.waitTimeout, 30_000, 'load.waitTimeout'),
    backoffMs: backoff === false ? 0 : durationMs(backoff, 0, 'load.failureBackoff'),
  };
  const background = new BackgroundLoads(positiveInteger(options.load?.maxBackground, 100, 'load.maxBackground'));
  const feedTimeoutMs = timerMs(options.feedTimeout, 3_000, 'feedTimeout');
  const reclaimMs = options.reclaim === false ? undefined : timerMs(options.reclaim, 5_000, 'reclaim');
  // Made before anything is connected, since it throws for wrong options.
  const sealerFor = sealing(options, maxValueBytes);
  const scopes = new ScopeRegistry();
  const changes = new ChangeListeners(prefix, logger);
  const shownKeys = new ShownKeys(options.logging?.keys ?? 'plain');
  const accessLog = options.logging?.accesses === true ? new AccessLog(logger, shownKeys, prefix) : undefined;
  if (accessLog !== undefined) changes.add((change) => accessLog.changed(change));
  const troubles = new Troubles(logger, shownKeys);
  const { tagsKey: everywhereKey } = everywhereAddress(prefix);
  const impliedTags = new ImpliedTags(options.cascade ?? {});
  const engineOver = (
    store: CacheStore,
    tags: TagTables,
    sealer: Sealer,
    storeOffsetMs: () => number | undefined,
    behind: WrittenBehind,
  ): Engine => {
    const unconfirmed = new UnconfirmedChanges(store, tags, logger);
    unconfirmed.onWhole = (prefix) => scopes.apply({ kind: 'tier', prefix }, compilePattern);
    const logs = { logger, accessLog, troubles };
    const shared = { store, tags, impliedTags, level1, codec, sealer, clock, sharing, background, ...logs };
    return { ...shared, topKeys: new TopKeys(accessLog), usage, unconfirmed, behind, storeOffsetMs, closed: false };
  };

  if (backend === 'memory' || backend === 'null') {
    const maxEntries = positiveInteger(options.memory?.maxEntries, 100_000, 'memory.maxEntries', MOST_ENTRIES);
    const maxBytes = positiveInteger(options.memory?.maxBytes, 134_217_728, 'memory.maxBytes');
    const memoryTags = new MemoryTagSource(everywhereKey, maxEntries, (tagsKey, names, stamp) =>
      changes.tell({ kind: 'tags', tagsKey, names, stamp }, true),
    );
    const source = backend === 'null' ? new NullTagSource() : memoryTags;
    const tags = new TagTables(source, everywhereKey, { live: true });
    const store =
      backend === 'null'
        ? new NullStore()
        : new MemoryStore({
            clock,
            tags: memoryTags,
            maxEntries,
            maxBytes,
            onLoaded: ({ generationKey, prefix }, key) => scopes.wake(generationKey, key.slice(prefix.length)),
            onChange: (news) => changes.tell(news, true),
          });
    const pending = new MemoryPendingStore(clock, store);
    const behind = new WrittenBehind(pending, logger, true);
    const engine = engineOver(store, tags, sealerFor(0), () => 0, behind);
    const endCached = endCachedIn(engine, scopes);
    const parts = { store: pending, reads: behind, prefix, passCheck: () => undefined, publish: nothing, endCached };
    const writeBehind = new WriteBehindHost(engine, { ...parts, onClose: () => pending.close() });
    if (backend === 'memory') level1?.arm();
    const close = async (): Promise<void> => {
      await endLoads(engine, scopes);
      engine.unconfirmed.close();
      if (store instanceof MemoryStore) store.close();
      level1?.suspect();
      level1?.clear();
    };
    return {
      engine,
      scopes,
      changes,
      prefix,
      backend,
      redis: undefined,
      feed: undefined,
      writeBehind,
      ready: async () => {},
      close,
    };
  }

  const owned = !isConnection(backend);
  const redis = owned ? createRedis(redisInput(backend, { telemetry: options.telemetry })) : backend;
  const feed = createPubSubFeed(redis, { prefix, feedTimeoutMs, logger, clock });
  const origin = randomBytes(9).toString('base64url');
  const reclaimer = reclaimMs === undefined ? undefined : new Reclaimer(redis, reclaimMs, logger);
  const onCorrupt = (key: string): void => logger.warn(shownKeys.of(key), 'bytes that are no entry are removed');
  const announcement = (tagsKey: string): string => tagAnnouncement(origin, tagsKey);
  const tags = new TagTables(new RedisTagSource({ redis, channel: feed.channel, announcement }), everywhereKey, feed);
  const maxEntryBytes = maxValueBytes + ENVELOPE_ROOM_BYTES;
  const store = new RedisStore({ redis, feed, origin, tags, reclaimer, onCorrupt, maxEntryBytes });
  const { durable, closeDurable } = durableConnection(options, redis);
  const cache = durable === redis ? store : undefined;
  const pending = new RedisPendingStore({ redis: durable, cache, prefix });
  const behind = new WrittenBehind(pending, logger, false);
  const engine = engineOver(store, tags, sealerFor(redis.db), () => feed.serverOffsetMs, behind);
  const evictionCheck = new EvictionCheck(durable, logger);
  const writeBehind = new WriteBehindHost(engine, {
    store: pending,
    reads: behind,
    prefix,
    passCheck: () => evictionCheck.pass(),
    publish: (tier) => store.announceBehind(tier),
    endCached: endCachedIn(engine, scopes),
    onClose: () => evictionCheck.close(),
  });
  const { unconfirmed } = engine;

  const onMessage = (message: Buffer): void => {
    const news = parseInvalidation(message, origin);
    if (news === undefined) return;
    changes.tell(news, news.own, () => originOf(message));
    // A message of our own is no news, unless it tells of a change that we took for lost.
    if (news.own && !unconfirmed.recent && news.kind !== 'loaded') return;
    if (news.kind === 'tags') return tags.apply(news.tagsKey, news.names, news.stamp);
    if (news.kind === 'behind') return behind.add(news.tier);
    if (news.kind === 'scope') store.forgetGeneration(news.generationKey);
    if (news.kind === 'tier') store.forgetGenerations();
    scopes.apply(news, compilePattern);
  };
  feed.listen({
    onMessage,
    onLive: () => {
      tags.missed();
      store.forgetGenerations();
      level1?.arm();
      unconfirmed.replay();
      void behind.learn();
    },
    onLost: () => {
      tags.missed();
      store.forgetGenerations();
      level1?.suspect();
      behind.forget();
    },
  });
  const stopWatching = redis.onStateChange((state) => {
    if (state === 'up') unconfirmed.replay();
  });
  const stopWatchingDurable = durable.onStateChange((state) => {
    if (state === 'up' && feed.live) void behind.learn();
  });

  return {
    engine,
    scopes,
    changes,
    prefix,
    backend: 'redis',
    redis,
    feed,
    writeBehind,
    async ready(timeoutMs) {
      const startedMs = performance.now();
      await Promise.all([redis.ready(timeoutMs), durable === redis ? undefined : durable.ready(timeoutMs)]);
      await feed.ready(Math.max(1, timeoutMs - (performance.now() - startedMs)));
      await behind.learned;
    },
    async close() {
      await endLoads(engine, scopes);
      stopWatching();
      stopWatchingDurable();
      reclaimer?.close();
      unconfirmed.close();
      feed.close();
      level1?.suspect();
      level1?.clear();
      await Promise.all([owned ? redis.close() : undefined, closeDurable()]);
    },
  };
}

/** Where what is written behind is: apart from the cache only if the options say so. */
function durableConnection(
  { durableRedis }: CacheOptions,
  redis: RedisConnection,
): { readonly durable: RedisConnection; readonly closeDurable: () => Promise<void> } {
  if (durableRedis === undefined) return { durable: redis, closeDurable: nothing };
  if (isConnection(durableRedis)) return { durable: durableRedis, closeDurable: nothing };
  const durable = createRedis(durableRedis);
  return { durable, closeDurable: () => durable.close() };
}

function endCachedIn(
  { store, unconfirmed }: Engine,
  scopes: ScopeRegistry,
): (scope: ScopeAddress, name: string) => Promise<void> {
  return async (scope, name) => {
    const state = scopes.find(scope.generationKey);
    try {
      await store.remove(scope, [scope.prefix + name]);
    } catch {
      unconfirmed.addNames(scope, [name]);
    }
    state?.invalidate(name);
  };
}

/** Callers that wait for another process's load go on by themselves; loads that nobody waits for end. */
function endLoads(engine: Engine, scopes: ScopeRegistry): Promise<void> {
  engine.closed = true;
  for (const state of scopes.states()) state.waiters.wakeAll();
  return engine.background.close();
}
