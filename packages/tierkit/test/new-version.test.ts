import { durable } from '@tierkit/bus';
import { randomBytes } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createTierkit, type Tierkit } from '../src/index.ts';

const kits: Tierkit[] = [];
afterEach(async () => {
  await Promise.all(kits.splice(0).map((kit) => kit.close()));
});

it('ends analyses on every instance when a new version is promoted, and nothing else', async () => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const open = async (): Promise<Tierkit> => {
    const kit = createTierkit({ redis: sharedRedis(), prefix });
    kits.push(kit);
    await kit.ready('15s');
    return kit;
  };
  const [one, two] = [await open(), await open()];
  const channels = { 'events:version_promoted': durable<{ version: string }>() };
  let version = 'v1';
  const analyse = async (kit: Tierkit, project: string): Promise<unknown> => {
    const analyses = kit.project(project).content('analysis');
    return analyses.getOrSet('const a = 1', () => `by ${version}`, { tags: ['analyses'] });
  };
  const consumer = one.bus(channels).consume('events:version_promoted', { group: 'cache' }, async () => {
    await one.invalidateTags(['analyses'], { required: true });
  });
  await consumer.ready;
  await one.project('p1').set('file_tree', ['a.ts']);
  for (const kit of [one, two]) for (const project of ['p1', 'p2']) expect(await analyse(kit, project)).toBe('by v1');
  version = 'v2';
  expect(await analyse(two, 'p1')).toBe('by v1');
  await two.bus(channels).publish('events:version_promoted', { version });
  await until('the other instance analyses anew', async () => (await analyse(two, 'p1')) === 'by v2');
  for (const kit of [one, two]) for (const project of ['p1', 'p2']) expect(await analyse(kit, project)).toBe('by v2');
  expect(await two.project('p1').get('file_tree')).toEqual(['a.ts']);
});
