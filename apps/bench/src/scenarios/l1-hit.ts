import type { Scenario } from '../scenario.ts';
import { asyncCacheDedupe } from '../subjects/async-cache-dedupe.ts';
import { bentocacheDefault, bentocachePlain } from '../subjects/bentocache.ts';
import { cacheManager } from '../subjects/cache-manager.ts';
import { cacheableDefault, cacheableWithoutClone } from '../subjects/cacheable.ts';
import { cachifiedSubject } from '../subjects/cachified.ts';
import { limitLru } from '../subjects/limit-lru.ts';
import { tierkitGlobal, tierkitProject, tierkitUntagged } from '../subjects/tierkit.ts';

const subjects = [
  limitLru,
  tierkitProject,
  tierkitGlobal,
  asyncCacheDedupe,
  bentocacheDefault,
  bentocachePlain,
  cacheManager,
  cacheableDefault,
  cacheableWithoutClone,
  cachifiedSubject,
];

const tagged = [
  tierkitUntagged,
  tierkitProject,
  tierkitGlobal,
  asyncCacheDedupe,
  bentocacheDefault,
  bentocachePlain,
  cacheableDefault,
  cacheableWithoutClone,
];

/** The value is in process: one read at a time, as a handler awaits it. */
export const l1Hit: readonly Scenario[] = [
  {
    name: 'l1-hit-get-1kb',
    level: 'l1',
    operation: 'get',
    valueBytes: 1_000,
    keys: 1_000,
    concurrency: 1,
    goal: 1.5,
    subjects,
  },
  {
    name: 'l1-hit-get-32kb',
    level: 'l1',
    operation: 'get',
    valueBytes: 32_000,
    keys: 100,
    concurrency: 1,
    goal: 1.5,
    subjects,
  },
  {
    name: 'l1-hit-get-or-set-1kb',
    level: 'l1',
    operation: 'getOrSet',
    valueBytes: 1_000,
    keys: 1_000,
    concurrency: 1,
    goal: 1.7,
    subjects,
  },
  {
    name: 'l1-hit-get-tags-2',
    level: 'l1',
    operation: 'get',
    valueBytes: 1_000,
    keys: 1_000,
    concurrency: 1,
    goal: 1.2,
    tags: 2,
    subjects: tagged,
  },
];
