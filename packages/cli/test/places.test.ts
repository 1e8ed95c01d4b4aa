import { randomBytes } from 'node:crypto';
import { createTierkit, type Tierkit } from 'tierkit';
import { expect, inject, it, onTestFinished } from 'vitest';
import { freePort } from '../../../test/servers/index.ts';
import { runHere } from './run-here.ts';

const prefix = `cli-${randomBytes(6).toString('hex')}:`;
const database = (db: number): string => new URL(`/${db}`, inject('redisUrl')).href;

async function kitOn(url: string): Promise<Tierkit> {
  const kit = createTierkit({ redis: { url, commandTimeout: '10s' }, prefix });
  onTestFinished(() => kit.close());
  await kit.ready('15s');
  return kit;
}

const run = (args: readonly string[], environment: Readonly<Record<string, string>>) =>
  runHere([...args, '--prefix', prefix, '--timeout', '20s', '--json'], environment);

it('looks into the database of --db, and at the server of --url whatever the environment says', async () => {
  const kit = await kitOn(database(6));
  await kit.global.set('of six', 1);
  const keys = { keys: [{ key: 'of%20six' }] };
  const nobody = `redis://127.0.0.1:${await freePort()}`;
  expect((await run(['keys'], { REDIS_URL: database(5) })).json()).toEqual({ keys: [] });
  expect((await run(['keys', '--db', '6'], { REDIS_URL: database(5) })).json()).toMatchObject(keys);
  const elsewhere = { REDIS_URL: nobody, CACHE_REDIS_URL: nobody, REDIS_HOST: 'nowhere.invalid', REDIS_DB: '5' };
  expect((await run(['keys', '--url', database(6)], elsewhere)).json()).toMatchObject(keys);
});

it('looks for locks and quotas where they last, and for entries where the cache is', async () => {
  const [cache, durable] = [await kitOn(database(5)), await kitOn(database(6))];
  await cache.global.set('cached', 1);
  const lock = await durable.locks.acquire('deploy');
  await durable.quota({ calls: { per: 'day', limit: 9 } }).add('ann', { calls: 2 });
  const environment = { REDIS_URL: database(6), CACHE_REDIS_URL: database(5) };
  expect((await run(['locks'], environment)).json()).toMatchObject({ locks: [{ name: 'deploy' }] });
  expect((await run(['quota'], environment)).json()).toMatchObject({ subjects: [{ subject: 'ann' }] });
  expect((await run(['keys', 'cached'], environment)).json()).toMatchObject({ keys: [{ key: 'cached' }] });
  await lock.release();
});

it('says of an entry that it is encrypted, or known to be absent, and shows no value', async () => {
  const encryption = { current: 'k1', keys: { k1: Buffer.alloc(32, 7) } };
  const kit = createTierkit({ redis: { url: database(6), commandTimeout: '10s' }, prefix, encryption });
  onTestFinished(() => kit.close());
  await kit.ready('15s');
  await kit.global.set('sealed', 'never shown', { sensitive: true });
  const key = (id: string): readonly string[] => ['nobody', id];
  const nobody = kit.global.define({ name: 'nobody', ttl: '1m', key, load: (_id, context) => context.absent() });
  await nobody.get('1');
  const environment = { REDIS_URL: database(6) };
  await expect.poll(async () => (await run(['get', 'nobody:1'], environment)).code, { timeout: 15_000 }).toBe(0);
  const [sealed, absent] = [await run(['get', 'sealed'], environment), await run(['get', 'nobody:1'], environment)];
  expect(sealed.json()).toMatchObject({ type: 'unknown', withheld: 'encrypted' });
  expect(absent.json()).toMatchObject({ type: 'unknown', withheld: 'absent' });
  for (const { stdout } of [sealed, absent]) expect(JSON.parse(stdout)).not.toHaveProperty('value');
});
