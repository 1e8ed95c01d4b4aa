import { createHash, randomUUID } from 'node:crypto';
import type { Logger } from '@tierkit/core';
import { afterEach, expect, test, vi } from 'vitest';
import { createTiers, type Tiers, type TiersOptions } from '../src/index.ts';
import { ask, startRedis } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';

const opened: Tiers[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((tiers) => tiers.close()));
});

interface Line {
  readonly level: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

function open(options: Partial<TiersOptions>): { tiers: Tiers; lines: Line[] } {
  const lines: Line[] = [];
  const at =
    (level: string): Logger['debug'] =>
    (details, message) =>
      void lines.push({ level, message, details });
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const tiers = createTiers({ redis: 'memory', logger, ...options });
  opened.push(tiers);
  return { tiers, lines };
}

/** What was said of accesses, shortly. */
const accesses = (lines: readonly Line[]): string[] =>
  lines
    .filter(({ message }) => message.startsWith('cache '))
    .map(({ level, message, details: { key, from, kind, keys, tags, pattern } }) => {
      expect(level).toBe('debug');
      return [message.slice(6), key, from, kind, keys, tags, pattern]
        .filter((part) => part !== undefined)
        .map(String)
        .join(' ');
    });

const logging = { accesses: true } as const;

test('hits by level, misses, what is stored and what is invalidated are said at debug', async () => {
  const { tiers, lines } = open({ logging });
  const project = tiers.project('p1');
  await project.get('a');
  await project.set('a', 1);
  for (let i = 0; i < 3; i++) await project.get('a');
  await project.getOrSet('b', () => 2);
  await project.delete('a');
  await project.deleteByPattern('x*');
  await project.invalidateTags(['t']);
  await project.clear();
  expect(accesses(lines)).toEqual([
    'miss project:{p1}:a',
    'invalidated keys project:{p1}:a',
    'set project:{p1}:a',
    'hit project:{p1}:a l1',
    'hit project:{p1}:a l1',
    'hit project:{p1}:a l1',
    'miss project:{p1}:b',
    'set project:{p1}:b',
    'invalidated keys project:{p1}:a',
    'invalidated pattern x*',
    'invalidated tags t',
    'invalidated scope',
  ]);
});

test('every hit in process is said, also the ones between two samples of the top keys', async () => {
  const { tiers, lines } = open({ logging });
  await tiers.global.set('a', 1);
  for (let i = 0; i < 1_200; i++) await tiers.global.get('a');
  expect(accesses(lines).filter((line) => line === 'hit a l1')).toHaveLength(1_200);
  expect(tiers.stats().tiers['global']?.l1Hits).toBe(1_200);
  expect(tiers.topKeys()).toEqual([{ tier: 'global', key: 'a', share: 1 }]);
});

test('what another instance changes is said as not our own, in Redis as well', async () => {
  const shared = { redis: sharedRedis(), prefix: `${randomUUID()}:`, reclaim: false } as const;
  const { tiers: one, lines } = open({ ...shared, logging, l1: false });
  const { tiers: two } = open(shared);
  await Promise.all([one.ready(), two.ready()]);
  await two.project('p').set('a', 1);
  await one.project('p').get('a');
  await one.project('p').getMany(['a', 'b']);
  await vi.waitFor(() => expect(accesses(lines)).toContain(`invalidated keys ${shared.prefix}project:{p}:a`), {
    timeout: 10_000,
  });
  expect(lines.find(({ message }) => message === 'cache invalidated')?.details['own']).toBe(false);
  expect(accesses(lines).filter((line) => !line.startsWith('invalidated'))).toEqual([
    `hit ${shared.prefix}project:{p}:a l2`,
    `hit ${shared.prefix}project:{p}:a l2`,
    `miss ${shared.prefix}project:{p}:b`,
  ]);
});

test('without being asked for, accesses are not said', async () => {
  const { tiers, lines } = open({});
  await tiers.global.set('a', 1);
  for (let i = 0; i < 1_000; i++) await tiers.global.get('a');
  await tiers.global.get('missing');
  await tiers.global.clear();
  expect(lines).toEqual([]);
});

test('keys, ids, tags and patterns are hashed on request, one key always the same', async () => {
  const { tiers, lines } = open({ logging: { accesses: true, keys: 'hashed' } });
  const canary = 'canary-7b1c';
  const project = tiers.project(canary);
  const key = `user:${canary}`;
  await project.set(key, canary, { tags: [canary] });
  await project.get(key);
  await project.get(`${key}:other`);
  await project.getOrSet(`${canary}:unstorable`, () => () => canary);
  await project.deleteByPattern(`${canary}*`);
  await project.invalidateTags([canary]);
  await project.clear();
  expect(JSON.stringify(lines)).not.toContain(canary);
  const hash = createHash('sha256').update(`project:{${canary}}:${key}`).digest('hex').slice(0, 16);
  expect(accesses(lines).slice(0, 3)).toEqual([`invalidated keys ${hash}`, `set ${hash}`, `hit ${hash} l1`]);
});

test('keys are left out on request, and a function that throws leaves them out', async () => {
  const throwing = (): never => {
    throw new Error('mine');
  };
  for (const keys of ['omitted', throwing] as const) {
    const { tiers, lines } = open({ logging: { accesses: true, keys } });
    await tiers.global.get('secret');
    expect(lines).toEqual([{ level: 'debug', message: 'cache miss', details: { tier: 'global' } }]);
  }
});

test('what Redis refuses is said once, and once that it takes it again', async () => {
  const server = await startRedis();
  try {
    const { tiers, lines } = open({ redis: `redis://127.0.0.1:${server.port}`, reclaim: false });
    await tiers.ready();
    const said = (): string[] =>
      lines
        .filter(({ message }) => message.includes('an operation of the cache'))
        .map(({ level, message, details }) => `${level} ${message.split(' ')[1]} ${String(details['operation'])}`);
    const { global } = tiers;
    await ask(server.port, 'CONFIG', 'SET', 'maxmemory', '1');
    for (let i = 0; i < 5; i++) expect(await global.set('a', i)).toBe(false);
    expect(said()).toEqual(['warn refuses set']);
    await ask(server.port, 'CONFIG', 'SET', 'maxmemory', '0');
    for (let i = 0; i < 5; i++) expect(await global.set('a', i)).toBe(true);
    expect(said()).toEqual(['warn refuses set', 'info takes set']);
    await ask(server.port, 'CONFIG', 'SET', 'maxmemory', '1');
    expect(await global.set('a', 9)).toBe(false);
    expect(said()).toEqual(['warn refuses set', 'info takes set', 'warn refuses set']);
  } finally {
    await Promise.all(opened.splice(0).map((tiers) => tiers.close()));
    await server.stop();
  }
});

test('an outage is said once, by the connection', async () => {
  const { tiers, lines } = open({ redis: 'redis://127.0.0.1:1' });
  for (let i = 0; i < 20; i++) {
    await tiers.global.get('a');
    await tiers.global.set('a', 1);
    await tiers.global.getOrSet('b', () => 2);
  }
  expect(lines.filter(({ level, message }) => level === 'warn' && message.includes('operation'))).toEqual([]);
});

test('a loaded value that cannot be stored is said once, until one was', async () => {
  const { tiers, lines } = open({ load: { failureBackoff: false } });
  const warned = (): number => lines.filter(({ message }) => message === 'a loaded value cannot be stored').length;
  const unstorable = (): unknown => () => 1;
  for (let i = 0; i < 4; i++) await tiers.global.getOrSet('a', unstorable);
  expect(warned()).toBe(1);
  await tiers.global.getOrSet('b', unstorable);
  expect(warned()).toBe(2);
  await tiers.global.getOrSet('a', () => 'fine');
  await tiers.global.delete('a');
  await tiers.global.getOrSet('a', unstorable);
  expect(warned()).toBe(3);
});
