import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, it } from 'vitest';
import { runExample } from '../../../test/support/run-example.ts';

const directory = fileURLToPath(new URL('../examples/', import.meta.url));

const says: Readonly<Record<string, string[]>> = {
  'stale-values.ts': [
    "loaded: { etag: 'v1', pages: 3 }\nstale on error: { etag: 'v1', pages: 3 }\n",
    "stale while loading: { etag: 'v1', pages: 3 }\nnot modified: { etag: 'v2', pages: 4 }\nabsent: undefined",
  ],
  'warming.ts': ['{ loaded: 2, present: 1, absent: 0, failed: 0, complete: true }', '[ { lines: 12 }, { lines: 20 } ]'],
  'repository.ts': [
    'en: Ann; fr: Bo; in all: 2\nen: Ann; fr: Bo; in all: 2\nAnn learns French\n',
    "en: ; fr: Ann, Bo; in all: 2\nby id: { id: '1', name: 'Ann', language: 'fr' }\n",
    '{ hits: 4, misses: 6, writes: 1, allCached: true }',
  ],
  'batches-and-content.ts': [
    "loading [ 'size:b.ts', 'size:c.ts' ]\n[ 120, 80, 'cannot read c.ts' ]\n",
    'analysing\n{ lines: 2 }\n{ lines: 2 }\n',
    "{ saved: undefined, stored: true, confirmed: true } [ 'a.ts' ]",
  ],
  'define.ts': [
    "loading user 42\nuser: { name: 'user 42', plan: 'free' }\nloading user 43\n",
    "listing tasks of p1\n[ 'write' ] [ 'write' ]\nsaved write more\nlisting tasks of p1\n",
  ],
  'tags.ts': [
    "one: [ { name: 'Ann' }, undefined ]\ntwo: [ { name: 'Ann' }, { pages: 3 } ]\n",
    'one: [ undefined, undefined ]\ntwo: [ undefined, undefined ]\n',
    'its caller gets older and the next one undefined',
  ],
  'tiers.ts': [
    "session: { path: 'src/a.ts', line: 12 }",
    'deleted: { deleted: 2, confirmed: true }',
    'after clear: undefined',
  ],
  'write-behind.ts': [
    'in the table: 0 read meanwhile: 100\na batch of 2\ndrained: true in the table: 100 first\n',
    'deleted: undefined\na batch of 1\nflushed on close: undefined',
  ],
  'two-instances.ts': ['two holds { score: 0.8 }', 'two dropped it: undefined', 'and reads { score: 0.9 }'],
  'redis-away.ts': ['set confirmed: false', 'getOrSet: from the source', 'required delete: ERR_CACHE_UNCONFIRMED'],
  'sensitive-values.ts': [
    'readable in Redis: false',
    'less than 200 bytes: true',
    'after the rotation: my secret',
    'without keys: ERR_CACHE_OPTIONS',
  ],
};

it.each(readdirSync(directory))('%s runs and says what it should', async (file) => {
  const env = { ...process.env, REDIS_URL: inject('redisUrl') };
  const { stdout } = await runExample(directory + file, env);
  expect(stdout).not.toBe('');
  for (const line of says[file] ?? []) expect(stdout).toContain(line);
});
