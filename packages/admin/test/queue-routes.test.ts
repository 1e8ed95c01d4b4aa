import { durable } from '@tierkit/bus';
import { createTiers, type Tiers } from '@tierkit/cache';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { createAdmin, type Admin, type AdminSource } from '../src/index.ts';
import { ask, queueOf, setup, tokens, type Setup } from './support.ts';

let own: Setup;
beforeAll(async () => (own = await setup('memory')));
afterAll(() => own.close());

const init = (body: object): RequestInit => ({
  ...{ body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
});

/** An admin of tiers of its own. */
function adminOf(tiers: Tiers): Admin {
  return createAdmin(Object.assign(Object.create(own.kit) as AdminSource, { inspection: tiers.inspection }), {
    tokens,
  });
}

it('counts the dead letters of a channel once, and what its groups work on together', async () => {
  const bus = own.kit.bus({ orders: durable<number>() });
  let end = (): void => {};
  const working = new Promise<void>((resolve) => (end = resolve));
  const groups = [
    bus.consume('orders', { group: 'a', maxAttempts: 1 }, () => Promise.reject(new Error('not this one'))),
    bus.consume('orders', { group: 'b' }, () => working),
    bus.consume('orders', { group: 'c' }, () => working),
  ];
  await Promise.all(groups.map(({ ready }) => ready));
  await bus.publish('orders', 1);
  const expected = { queues: [{ name: 'orders', kind: 'stream', deadLetters: 1, pending: 2 }] };
  const matches = async (): Promise<boolean> => {
    const { queues } = (await ask(own.admin, 'GET', '/api/v1/queues')).body as typeof expected;
    return queues.some(({ deadLetters, pending }) => deadLetters > 0 && pending === 2);
  };
  await until('one has given up, and two are at work', matches);
  expect((await ask(own.admin, 'GET', '/api/v1/queues')).body).toMatchObject(expected);
  end();
  await Promise.all(groups.map((group) => group.close()));
});

it('tells of writes that were given up how many there were, whatever was asked for', async () => {
  const tiers = createTiers({ redis: 'memory' });
  const retry = { attempts: 1, backoff: 1, giveUpAfter: 1 };
  const flush = (): never => {
    throw new Error('the sink is gone');
  };
  const queue = tiers.writeBehind('trees', { flush, retry, batch: { age: 1 }, drainTimeout: 1 });
  await Promise.all(Array.from({ length: 3 }, (_, n) => tiers.project('p').writeBehind(`k${n}`, n, queue)));
  await until('all are given up', async () => (await queue.status()).deadLetters === 3);
  const admin = adminOf(tiers);
  const path = '/api/v1/queues/trees/dead-letters';
  const remove = async (body: object) => (await ask(admin, 'POST', `${path}/remove`, 'operator', init(body))).body;
  const [first] = await queue.deadLetters({ limit: 1 });
  expect(await remove({ ids: [first?.id, '99999-0'] })).toEqual({ count: 1 });
  expect(await remove({ ids: [first?.id] })).toEqual({ count: 0 });
  expect(await remove({})).toEqual({ count: 2 });
  expect(await queue.deadLetters()).toEqual([]);
  await tiers.close();
});

it('counts a write that is put back although a newer one is pending, which it gives way to', async () => {
  const tiers = createTiers({ redis: 'memory' });
  let gate: Promise<void> | undefined;
  let open = (): void => {};
  const flush = async (): Promise<void> => {
    if (gate === undefined) throw new Error('not yet');
    await gate;
  };
  const retry = { attempts: 1, backoff: 1, giveUpAfter: 1 };
  const queue = tiers.writeBehind('trees', { flush, retry, batch: { age: 1 } });
  const project = tiers.project('p');
  await project.writeBehind('oak', 'old', queue);
  await until('it is given up', async () => (await queue.status()).deadLetters === 1);
  gate = new Promise((resolve) => (open = resolve));
  await project.writeBehind('oak', 'new', queue);
  const replayed = await ask(adminOf(tiers), 'POST', '/api/v1/queues/trees/dead-letters/replay', 'operator', init({}));
  expect(replayed.body).toEqual({ count: 1 });
  expect(await queue.deadLetters()).toEqual([]);
  expect(await project.get('oak')).toBe('new');
  open();
  await tiers.close();
});

it('shows messages as JSON, whatever is in them', async () => {
  const queue = queueOf('strange', ['a']);
  const payload = { big: 12n, at: new Date(0), text: 'x'.repeat(600_000) };
  const list = async () => [{ id: 'a', attempts: 1, reason: 'it failed', payload }];
  const strange = { ...queue, deadLetters: { ...queue.deadLetters, list } };
  const admin = createAdmin(own.kit, { tokens, parts: { queues: () => [strange] } });
  const { body } = await ask(admin, 'GET', '/api/v1/queues/strange/dead-letters');
  expect(body).toMatchObject({
    deadLetters: [{ payload: { big: { $bigint: '12' }, at: { $date: '1970-01-01T00:00:00.000Z' } } }],
  });
  expect(JSON.stringify(body).length).toBeLessThan(550_000);
});

it('writes into the audit log what was done to queues, locks and tags', async () => {
  const { admin, kit } = own;
  await kit.global.set('tagged', 1, { tags: ['t'] });
  const lock = await kit.locks.acquire('job');
  const parts = { queues: () => [queueOf('some', ['a', 'b'])] };
  const both = [admin, createAdmin(kit, { tokens, parts })] as const;
  await ask(admin, 'DELETE', '/api/v1/cache/tags?tag=t&dryRun=true');
  await ask(admin, 'DELETE', '/api/v1/locks/job');
  await ask(both[1], 'POST', '/api/v1/queues/some/dead-letters/replay', 'operator', init({ ids: ['a'] }));
  const outcomes = async (of: Admin): Promise<unknown[]> => {
    const { events } = (await ask(of, 'GET', '/api/v1/audit?limit=2')).body as { events: { outcome?: object }[] };
    return events.map(({ outcome }) => outcome);
  };
  expect(await outcomes(admin)).toEqual([
    { released: true },
    { deleted: 1, complete: true, confirmed: true, dryRun: true },
  ]);
  expect(await outcomes(both[1])).toEqual([{ count: 1 }]);
  await lock.release().catch(() => {});
});
