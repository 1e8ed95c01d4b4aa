import type { Scenario } from '../scenario.ts';
import { asyncCacheDedupe } from '../subjects/async-cache-dedupe.ts';
import { bentocacheDefault, bentocachePlain } from '../subjects/bentocache.ts';
import { cacheManager } from '../subjects/cache-manager.ts';
import { cacheableDefault } from '../subjects/cacheable.ts';
import { cachifiedSubject } from '../subjects/cachified.ts';
import { limitIoredis } from '../subjects/limit-ioredis.ts';
import { tierkitGlobal, tierkitProject } from '../subjects/tierkit.ts';

/** The value is in Redis; each read fills the in-process level, which never holds what is read next. */
export const twoTierMiss: readonly Scenario[] = [
  {
    name: 'two-tier-miss-get-1kb-concurrent-100',
    level: 'two-tier',
    operation: 'get',
    valueBytes: 1_000,
    keys: 1_500,
    concurrency: 100,
    goal: 1.6,
    subjects: [
      limitIoredis,
      tierkitProject,
      tierkitGlobal,
      bentocacheDefault,
      bentocachePlain,
      cacheableDefault,
      asyncCacheDedupe,
      cacheManager,
      cachifiedSubject,
    ],
  },
];
