import { createRedis, type RedisConnection } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createTiers } from '../src/index.ts';
import { scopedAddress, type ScopeAddress } from '../src/scope-address.ts';
import type { EnqueueOutcome, NewWrite, QueueKeys } from '../src/write-behind/pending-store.ts';
import { RedisPendingStore } from '../src/write-behind/redis-pending-store.ts';

// What the port promises of steps that come in an order which no test can bring about from outside.
let redis: RedisConnection;
beforeAll(async () => {
  redis = createRedis(sharedRedis());
  await redis.ready();
});
afterAll(() => redis.close());

let prefix: string;
let store: RedisPendingStore;
let queue: QueueKeys;
let scope: ScopeAddress;
beforeEach(() => {
  prefix = `p${randomBytes(6).toString('hex')}:`;
  store = new RedisPendingStore({ redis, cache: undefined, prefix });
  queue = queueOf('q');
  scope = scopedAddress(prefix, 'session', 's');
});

const queueOf = (name: string): QueueKeys => ({ name, registry: `${prefix}{tierkit}behind:${name}` });
const lifetime = { ttlMs: 60_000, graceMs: 0 };
const sealed = { flags: 0, payload: Buffer.from('value') };

function enqueue(name: string, registration = 0, on = queue): Promise<readonly EnqueueOutcome[] | 'closed'> {
  const write: NewWrite = { key: '', name, deleted: false, sealed, tags: undefined, lifetime };
  return store.enqueue(on, scope, { writes: [write], registration, maxBacklog: 100 });
}

async function listed(on = queue): Promise<boolean> {
  return (await store.registered(on, 0, 10)).some(({ generationKey }) => generationKey === scope.generationKey);
}

async function flushed(on = queue): Promise<void> {
  const { lease, writes } = await store.claim(on, scope, { count: 10, bytes: 1_000, leaseMs: 1_000 });
  await store.settle(on, scope, lease, writes);
}

const endsIn = (): Promise<number> => redis.execute((client) => client.pttl(scope.pendingKey));

it('a scope is taken off the list only when it has no writes and nobody registered it since', async () => {
  const first = await store.register(queue, scope);
  expect(await enqueue('k')).toBe('closed');
  expect(await enqueue('k', first)).not.toBe('closed');
  await store.unregister(queue, scope, first);
  expect([await listed(), await enqueue('k')]).toEqual([true, [expect.any(Number)]]);
  await flushed();
  const second = await store.register(queue, scope);
  expect(second).toBeGreaterThan(first);
  expect(await enqueue('k', second)).not.toBe('closed');
  await flushed();
  // By somebody who does not know of the second one yet.
  await store.unregister(queue, scope, first);
  expect(await listed()).toBe(true);
  await store.unregister(queue, scope, second);
  expect(await listed()).toBe(false);
  // No write is kept in a scope that is not on the list.
  for (const registration of [0, first, second]) expect(await enqueue('k', registration)).toBe('closed');
  expect(await enqueue('k', await store.register(queue, scope))).not.toBe('closed');
  expect(await listed()).toBe(true);
  await flushed();
  // By one who comes late: it is in use under a later number.
  await store.unregister(queue, scope, second);
  expect(await enqueue('k')).not.toBe('closed');
});

it('versions are above the earlier ones also when nothing is left that counted them', async () => {
  const [version = 0] = (await enqueue('k', await store.register(queue, scope))) as number[];
  await redis.execute((client) => client.del(scope.pendingKey, `${scope.pendingKey}~due:q`));
  const [later = 0] = (await enqueue('k', await store.register(queue, scope))) as number[];
  expect(later).toBeGreaterThan(version);
});

it('a registration since the scope was looked at keeps it on the list, and in use', async () => {
  const first = await store.register(queue, scope);
  await enqueue('k', first);
  await flushed();
  const second = await store.register(queue, scope);
  await store.unregister(queue, scope, first);
  expect(await listed()).toBe(true);
  expect(await enqueue('k', second)).not.toBe('closed');
});

it('a registration is higher than the one before, also where the clock went back', async () => {
  const ahead = 2 ** 52;
  await redis.execute((client) => client.zadd(queue.registry, ahead, scope.generationKey));
  expect(await store.register(queue, scope)).toBe(ahead + 1);
});

it('what is left of a scope goes after a while, of one in use again never, and versions count on', async () => {
  const ahead = 2 ** 52;
  const registration = await store.register(queue, scope);
  const [version] = (await enqueue('k', registration)) as number[];
  await redis.execute((client) => client.hset(scope.pendingKey, ' version', ahead));
  expect(version).toBeLessThan(ahead);
  await flushed();
  await store.unregister(queue, scope, registration);
  expect(await endsIn()).toBeGreaterThan(0);
  expect(await enqueue('k', await store.register(queue, scope))).toEqual([ahead + 1]);
  expect(await endsIn()).toBe(-1);
});

it('nothing ends of a scope that another queue uses or has writes in', async () => {
  const other = queueOf('other');
  const registration = await store.register(queue, scope);
  const registered = await store.register(other, scope);
  await enqueue('k', registration);
  await enqueue('theirs', registered, other);
  await flushed();
  await store.unregister(queue, scope, registration);
  expect(await listed()).toBe(false);
  expect(await endsIn()).toBe(-1);
  await flushed(other);
  const again = await store.register(queue, scope);
  await enqueue('k', again);
  await flushed();
  await store.unregister(queue, scope, again);
  expect(await endsIn()).toBe(-1);
  await store.unregister(other, scope, registered);
  expect(await endsIn()).toBeGreaterThan(0);
});

it('what was given up is kept again only in a scope that is on the list, and never ends there', async () => {
  const registration = await store.register(queue, scope);
  await enqueue('k', registration);
  const { lease, writes } = await store.claim(queue, scope, { count: 1, bytes: 1_000, leaseMs: 1_000 });
  await store.settle(queue, scope, lease, writes);
  await store.unregister(queue, scope, registration);
  const [write] = writes;
  if (write === undefined) throw new Error('nothing was claimed');
  expect(await store.revive(queue, scope, write, registration)).toBe('closed');
  expect(await store.revive(queue, scope, write, await store.register(queue, scope))).toBe('revived');
  expect(await endsIn()).toBe(-1);
  // Newer ones may be in the source, so that readers must not see it.
  expect(await store.find(scope, ['k'])).toEqual([undefined]);
});

it('a lease that is over changes nothing of what another one has', async () => {
  await enqueue('k', await store.register(queue, scope));
  const bounds = { count: 1, bytes: 1_000, leaseMs: 1 };
  const lost = await store.claim(queue, scope, bounds);
  await until('it is over', async () => (await store.measure(queue, scope)).due === 1);
  const held = await store.claim(queue, scope, { ...bounds, leaseMs: 60_000 });
  expect(held.writes).toMatchObject([{ name: 'k', claims: 2 }]);
  expect((await store.renew(queue, scope, lost.lease, ['k'], 60_000)).held).toBe(0);
  await store.giveBack(queue, scope, lost.lease, [{ name: 'k', version: 1, delayMs: 0, failures: 1 }]);
  await enqueue('k');
  await store.settle(queue, scope, lost.lease, lost.writes);
  expect(await store.measure(queue, scope)).toMatchObject({ backlog: 1, due: 0 });
  // Whoever has it gives it back: it is due at once, and no claim of it counts as lost.
  await store.settle(queue, scope, held.lease, held.writes);
  const { writes } = await store.claim(queue, scope, { ...bounds, leaseMs: 60_000 });
  expect(writes).toMatchObject([{ name: 'k', claims: 1, failures: 0 }]);
});

it('what is given back is due after its delay, and remembers its failures', async () => {
  await enqueue('k', await store.register(queue, scope));
  const bounds = { count: 1, bytes: 1_000, leaseMs: 60_000 };
  const { lease, writes } = await store.claim(queue, scope, bounds);
  const version = writes[0]?.version ?? 0;
  await store.giveBack(queue, scope, lease, [{ name: 'k', version, delayMs: 60_000, failures: 3 }]);
  expect((await store.measure(queue, scope)).due).toBe(0);
  await redis.execute((client) => client.zadd(`${scope.pendingKey}~due:q`, 1, 'k'));
  expect((await store.claim(queue, scope, bounds)).writes).toMatchObject([{ failures: 3, claims: 1 }]);
});

it('a scope that nobody writes to leaves the list, and is on it before it is written to again', async () => {
  const tiers = createTiers({ redis: sharedRedis(), prefix });
  await tiers.ready('10s');
  const rows: unknown[] = [];
  const flush: Parameters<typeof tiers.writeBehind>[1]['flush'] = (batch) => void rows.push(...batch);
  const sink = tiers.writeBehind('q', { flush, poll: 10, batch: { age: 1 } });
  const written = tiers.session('s');
  const version = await written.writeBehind('k', 1, sink);
  await until('it is flushed', async () => (await sink.status()).backlog === 0);
  expect(await listed()).toBe(true);
  const [last] = await store.registered(queue, 0, 1);
  // As if it had been two minutes ago.
  const aged = (last?.registration ?? 0) - 120_000_000;
  await redis.execute((client) => client.hset(scope.pendingKey, ' open:q', aged));
  await redis.execute((client) => client.zadd(queue.registry, aged, scope.generationKey));
  await until('it is off the list', async () => !(await listed()));
  expect(await written.writeBehind('k', 2, sink)).toBeGreaterThan(version);
  expect(await listed()).toBe(true);
  await until('it is flushed', () => rows.length === 2);
  await tiers.close();
});
