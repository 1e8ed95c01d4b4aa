import type { Scenario } from '../scenario.ts';
import { asyncCacheDedupe } from '../subjects/async-cache-dedupe.ts';
import { bentocacheDefault } from '../subjects/bentocache.ts';
import { cacheManager } from '../subjects/cache-manager.ts';
import { cacheableDefault } from '../subjects/cacheable.ts';
import { cachifiedSubject } from '../subjects/cachified.ts';
import { limitIoredis } from '../subjects/limit-ioredis.ts';
import { tierkitGlobal, tierkitProject } from '../subjects/tierkit.ts';

const subjects = [
  limitIoredis,
  tierkitProject,
  tierkitGlobal,
  bentocacheDefault,
  asyncCacheDedupe,
  cacheableDefault,
  cacheManager,
  cachifiedSubject,
];

const common = { level: 'l2', valueBytes: 1_000, keys: 500, subjects } as const;
const sequential = { ...common, concurrency: 1 } as const;
const concurrent = { ...common, concurrency: 100 } as const;

/** The value is in Redis and nothing is kept in process. */
export const l2Hit: readonly Scenario[] = [
  { ...sequential, name: 'l2-hit-get-1kb-sequential', operation: 'get', goal: 1.15 },
  { ...concurrent, name: 'l2-hit-get-1kb-concurrent-100', operation: 'get', goal: 1.25 },
  { ...sequential, name: 'get-many-100', operation: 'get', batch: 100, goal: 1.3 },
  { ...sequential, name: 'l2-hit-get-or-set-1kb-sequential', operation: 'getOrSet', goal: undefined },
  { ...concurrent, name: 'l2-hit-get-or-set-1kb-concurrent-100', operation: 'getOrSet', goal: undefined },
];
