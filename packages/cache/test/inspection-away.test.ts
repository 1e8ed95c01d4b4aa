import { randomBytes } from 'node:crypto';
import { afterEach, expect, inject, it } from 'vitest';
import { startProxy, until, type Proxy } from '../../../test/servers/index.ts';
import { createTiers, type Tiers } from '../src/index.ts';

const opened: { close(): Promise<void> }[] = [];
let link: Proxy | undefined;
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  await link?.stop();
});

async function tiersAt(url: string, prefix: string): Promise<Tiers> {
  const tiers = createTiers({ redis: url, prefix, feedTimeout: '600ms' });
  opened.push(tiers);
  await tiers.ready('15s');
  return tiers;
}

it('clears a tier when Redis returns that it could not clear, and shows nothing of it until then', async () => {
  const target = new URL(inject('redisUrl'));
  link = await startProxy({ target: { port: Number(target.port) } });
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const [near, far] = [await tiersAt(link.url, prefix), await tiersAt(target.href, prefix)];
  await until('Redis takes them', () => near.session('a').set('k', 1));
  await until('Redis takes them', () => far.session('b').set('k', 1));
  await until('Redis takes them', () => far.project('p').set('k', 1));
  link.refuse();
  link.cut();
  await until('the connection is lost', async () => !(await near.project('q').set('k', 1)));
  expect(await near.inspection.clearTier('session')).toBe(false);
  expect(near.session('a').peek('k')).toBeUndefined();
  expect(await far.session('b').get('k')).toBe(1);
  await expect(near.inspection.keys({ tier: 'session' })).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
  await expect(near.inspection.entry({ tier: 'session', scope: 'a', key: 'k' })).rejects.toMatchObject({
    code: 'ERR_REDIS_UNAVAILABLE',
  });
  await link.normal();
  await until('it is made up for', async () => (await far.session('b').get('k')) === undefined);
  expect(await far.session('a').get('k')).toBeUndefined();
  expect(await far.project('p').get('k')).toBe(1);
});
