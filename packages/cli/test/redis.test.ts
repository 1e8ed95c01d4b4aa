import { randomBytes } from 'node:crypto';
import { durable, ephemeral } from '@tierkit/bus';
import { createRedis, scan } from '@tierkit/redis';
import { slidingWindow } from '@tierkit/rate-limit';
import { createTierkit, type Tierkit } from 'tierkit';
import { afterAll, beforeAll, expect, inject, it, onTestFinished, vi } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { buildBinary, type Binary } from './command.ts';
import { runHere } from './run-here.ts';
import type { Said } from './said.ts';

// Each run is a process, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

let binary: Binary;

beforeAll(async () => {
  binary = await buildBinary();
});

afterAll(() => binary.remove());

interface Setup {
  readonly kit: Tierkit;
  readonly prefix: string;
  run(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Said>;
}

async function setup(): Promise<Setup> {
  const redis = inject('redisUrl');
  const prefix = `cli-${randomBytes(6).toString('hex')}:`;
  const kit = createTierkit({ redis, prefix });
  onTestFinished(() => kit.close());
  await kit.ready('15s');
  const environment = { REDIS_URL: redis, TIERKIT_PREFIX: prefix };
  const run: Setup['run'] = (args, more) => runHere([...args, '--timeout', '20s'], { ...environment, ...more });
  return { kit, prefix, run };
}

const hostile = 'evil\u001b[31m\u009b2J\u202e';

it('shows keys, an entry and its time to live, with nothing in them that a terminal acts on', async () => {
  const { kit, run } = await setup();
  await kit.global.set('user:1', { name: hostile }, { ttl: '1h', tags: ['people'] });
  await kit.global.set('user:2', { name: 'b' }, { ttl: '1h' });
  await kit.session('s1').set('draft', 'x');
  const [keys, tagged, drafts, got, text, ttl, missing] = await Promise.all([
    run(['keys', 'user:*', '--json']),
    run(['keys', '--tag', 'people', '--json']),
    run(['keys', '--tier', 'session']),
    run(['get', 'user:1', '--json']),
    run(['get', 'user:1']),
    run(['ttl', 'user:2', '--json']),
    run(['get', 'user:3', '--json']),
  ]);
  const names = (said: Said): string[] => said.json<{ keys: { key: string }[] }>().keys.map(({ key }) => key);
  expect(names(keys).sort()).toEqual(['user:1', 'user:2']);
  expect(names(tagged)).toEqual(['user:1']);
  expect(drafts.stdout).toMatch(/session +s1 +draft/);
  expect(got.json()).toMatchObject({ state: 'fresh', tags: ['people'], type: 'object', value: { name: hostile } });
  for (const { stdout } of [got, text]) expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(ttl.json()).toMatchObject({ state: 'fresh' });
  expect(ttl.json<{ ttlMs: number }>().ttlMs).toBeGreaterThan(3_000_000);
  expect(ttl.stdout).not.toContain('"b"');
  expect(missing.code).toBe(3);
  // A page, and what is behind it.
  for (let n = 3; n <= 5; n++) await kit.global.set(`user:${n}`, n);
  const listed: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await run([
      'keys',
      'user:*',
      '--limit',
      '2',
      '--json',
      ...(cursor === undefined ? [] : ['--cursor', cursor]),
    ]);
    expect(names(page).length).toBeLessThanOrEqual(2);
    listed.push(...names(page));
    ({ cursor } = page.json<{ cursor?: string }>());
  } while (cursor !== undefined);
  expect(listed.sort()).toEqual(['user:1', 'user:2', 'user:3', 'user:4', 'user:5']);
  expect((await run(['keys', '--cursor', 'none'])).code).toBe(2);
  expect(JSON.parse(missing.stderr)).toMatchObject({ error: { code: 'ERR_CLI_NOT_FOUND' } });
});

it('ends nothing before somebody has agreed', async () => {
  const { kit, run } = await setup();
  for (const i of [1, 2, 3])
    await kit.global.set(`task:${i}`, i, { tags: i === 3 ? ['last'] : i === 1 ? ['first'] : [] });
  await kit.global.set('other', 0);
  await kit.project('p').set('tree', 1);
  const [counted, refused, clearing] = await Promise.all([
    run(['invalidate', 'task:*', '--dry-run', '--json']),
    run(['invalidate', 'task:*']),
    run(['clear', '--tier', 'project']),
  ]);
  expect(counted.json()).toEqual({ pattern: 'task:*', matching: 3, dryRun: true });
  expect((await run(['invalidate', '--tag', 'last', '--tag', 'first', '--dry-run', '--json'])).json()).toEqual({
    ...{ tags: ['last', 'first'], matching: 2, dryRun: true },
  });
  for (const said of [refused, clearing]) {
    expect([said.code, said.stdout]).toEqual([6, '']);
    expect(said.stderr).toContain('ERR_CLI_UNCONFIRMED');
  }
  expect(refused.stderr).toContain('This ends 3 entries');
  expect(await kit.global.getMany(['task:1', 'task:2', 'task:3', 'other'])).toEqual([1, 2, 3, 0]);
  expect(await kit.project('p').get('tree')).toBe(1);

  const tagged = await run(['invalidate', '--tag', 'last', '--yes', '--json']);
  expect(tagged.json()).toMatchObject({ matching: 1, deleted: 1, confirmed: true });
  expect(await kit.global.getMany(['task:1', 'task:3'])).toEqual([1, undefined]);
  const [done, cleared] = await Promise.all([
    run(['invalidate', 'task:*', '--yes', '--json']),
    run(['clear', '--tier', 'project', '--yes']),
  ]);
  expect(done.json()).toMatchObject({ deleted: 2, confirmed: true, dryRun: false });
  expect([cleared.code, cleared.stdout]).toEqual([0, 'cleared: project\n']);
  // The instance that runs heard of it at once, although it had the values in process.
  expect(await kit.global.getMany(['task:1', 'task:2', 'other'])).toEqual([undefined, undefined, 0]);
  expect(await kit.project('p').get('tree')).toBeUndefined();
});

it('shows who holds a lock and takes it away when told to', async () => {
  const { kit, run } = await setup();
  const lock = await kit.locks.acquire('analysis:p1', { ttl: '1m' });
  const waiting = kit.locks.acquire('analysis:p1', { timeout: '1m' });
  onTestFinished(async () => void (await (await waiting).release()));
  await expect.poll(async () => (await kit.locks.inspect('analysis:p1')).waiting, { timeout: 15_000 }).toBe(1);
  const permit = await kit.locks.semaphore('pool', 3).acquire({ ttl: '1m' });
  const [list, one] = await Promise.all([run(['locks', '--json']), run(['locks', 'analysis:p1'])]);
  expect(list.json<{ locks: unknown[] }>().locks).toMatchObject([
    { kind: 'lock', name: 'analysis:p1', waiting: 1, holders: [{ mode: 'exclusive', token: String(lock.token) }] },
    { kind: 'semaphore', name: 'pool', waiting: 0, holders: [{ mode: 'shared' }] },
  ]);
  expect(one.stdout).toContain('exclusive');
  const asked = await run(['locks', 'analysis:p1', '--release']);
  expect(asked.code).toBe(6);
  const [released, nobody] = await Promise.all([
    run(['locks', 'analysis:p1', '--release', '--yes', '--json']),
    run(['locks', 'nobody', '--release', '--yes']),
  ]);
  expect(released.json()).toMatchObject({ released: true });
  expect(nobody.code).toBe(3);
  // Who waited has it now.
  expect((await waiting).token).toBeGreaterThan(lock.token);
  await permit.release();
  await lock.release().catch(() => {});
});

it('shows limiters and what was used of a quota', async () => {
  const { kit, run } = await setup();
  const limiter = kit.rateLimit('api', [slidingWindow({ limit: 5, per: '1h' })]);
  await Promise.all(['ann', 'bob'].map((subject) => limiter.consume(subject, { id: 'first' })));
  const quota = kit.quota({ calls: { per: 'day', limit: 100 } });
  await quota.add('ann', { calls: 7 });
  const [limits, standing, subjects, used] = await Promise.all([
    run(['limits', '--json']),
    run(['limits', 'api', 'ann']),
    run(['quota', '--json']),
    run(['quota', 'ann', '--json']),
  ]);
  expect(limits.json()).toMatchObject({ limiters: [{ name: 'api', subjects: 2 }], complete: true });
  expect(standing.code).toBe(2);
  expect(standing.stderr).toContain('only a running service knows');
  expect(subjects.json()).toMatchObject({ subjects: [{ subject: 'ann', periods: 1 }] });
  expect(used.json()).toMatchObject({ periods: [{ period: 'day', used: { calls: 7 } }] });
});

it('tells what happens, lists what was given up and puts it back', async () => {
  const { kit, prefix, run } = await setup();
  const bus = kit.bus({ 'notes:{id}': ephemeral<string>(), orders: durable<{ id: number }>() });
  let broken = true;
  const handled: number[] = [];
  const consumer = bus.consume('orders', { group: 'billing', from: 'start', maxAttempts: 1 }, ({ data }) => {
    if (broken) throw new Error(`no ${hostile}`);
    handled.push(data.id);
  });
  await consumer.ready;
  await bus.publish('orders', { id: 1 });
  await expect.poll(() => bus.deadLetters('orders').list(), { timeout: 15_000 }).toHaveLength(1);

  const environment = { REDIS_URL: inject('redisUrl'), TIERKIT_PREFIX: prefix };
  const events = binary.start(['events', '--json', '--limit', '3', '--timeout', '20s'], environment);
  const [overview, letters] = await Promise.all([run(['dead-letters', '--json']), run(['dead-letters', 'orders'])]);
  expect(overview.json()).toEqual({ queues: [{ kind: 'stream', name: 'orders', deadLetters: 1 }] });
  expect(letters.stdout).toMatch(/billing +1 +no evil\\u001b\[31m\\u009b2J\\u202e/);

  await events.until('listening');
  await bus.publish('notes:{id}', 'secret text', { params: { id: 7 } });
  await kit.global.delete('gone');
  await bus.publish('orders', { id: 2 });
  const told = await events.ended;
  expect(told.code).toBe(0);
  const lines = told.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toHaveLength(3);
  expect(lines).toContainEqual(expect.objectContaining({ event: 'event', channel: 'notes:7' }));
  expect(lines).toContainEqual(expect.objectContaining({ event: 'change', kind: 'keys', keys: ['gone'] }));
  expect(lines).toContainEqual(expect.objectContaining({ event: 'event', channel: 'orders', durable: true }));
  expect(told.stdout).not.toContain('secret text');

  await expect.poll(() => bus.deadLetters('orders').list(), { timeout: 15_000 }).toHaveLength(2);
  broken = false;
  const replayed = await run(['dead-letters', 'orders', '--replay', '--yes', '--json']);
  expect(replayed.json()).toMatchObject({ replayed: 2 });
  await expect.poll(() => handled.sort(), { timeout: 15_000 }).toEqual([1, 2]);
});

it('lists and puts back what was given up behind the cache', async () => {
  const { kit, run } = await setup();
  let broken = true;
  const saved: unknown[] = [];
  const queue = kit.writeBehind('trees', {
    flush(batch) {
      if (broken) throw new Error('the sink is broken');
      saved.push(...batch.map(({ value }) => value));
    },
    batch: { age: '1ms' },
    retry: { attempts: 1, backoff: '1ms', giveUpAfter: '1ms' },
    poll: '50ms',
  });
  await kit.project('p').writeBehind('tree', 'oak', queue);
  await expect.poll(() => queue.deadLetters(), { timeout: 15_000 }).toHaveLength(1);
  const letters = await run(['dead-letters', 'trees', '--json']);
  expect(letters.json()).toMatchObject({
    kind: 'write-behind',
    deadLetters: [{ reason: expect.stringContaining('the sink is broken') as string }],
  });
  expect(letters.stdout).not.toContain('oak');
  broken = false;
  const replayed = await run(['dead-letters', 'trees', '--replay', '--yes', '--json']);
  expect(replayed.json()).toMatchObject({ kind: 'write-behind', replayed: 1 });
  await expect.poll(() => saved, { timeout: 15_000 }).toEqual(['oak']);
});

it('shows the instances alive, and measures without leaving anything behind', async () => {
  const { kit, prefix, run } = await setup();
  await kit.global.get('nothing');
  const [stats, bench] = await Promise.all([run(['stats', '--json']), run(['bench', '--requests', '200', '--json'])]);
  expect(stats.json()).toMatchObject({ source: 'redis', instances: [{ pid: process.pid, own: false }] });
  const { results } = bench.json<{ results: { what: string; p50Ms: number }[] }>();
  expect(results.map(({ what }) => what)).toEqual(['set', 'get from Redis', 'get in process', 'PING']);
  expect(results.every(({ p50Ms }) => p50Ms > 0)).toBe(true);
  expect(bench.stderr).toBe('');
  expect(await benchKeys(prefix)).toEqual([]);
});

it('ends at once at Ctrl-C and removes what it had made', async () => {
  const { prefix } = await setup();
  const environment = { REDIS_URL: inject('redisUrl'), TIERKIT_PREFIX: prefix };
  const bench = binary.start(['bench', '--requests', '10000000', '--json', '--timeout', '20s'], environment);
  await expect.poll(() => benchKeys(prefix), { timeout: 20_000, interval: 50 }).not.toEqual([]);
  bench.child.kill('SIGINT');
  const { code, stdout, stderr } = await bench.ended;
  expect([code, stdout]).toEqual([130, '']);
  expect(stderr).toContain('ERR_CLI_INTERRUPTED');
  expect(await benchKeys(prefix)).toEqual([]);
});

async function benchKeys(prefix: string): Promise<string[]> {
  const redis = createRedis(sharedRedis());
  try {
    await redis.ready('15s');
    const found: string[] = [];
    for await (const keys of scan(redis, { match: `${prefix}tierkit-bench:*` })) found.push(...keys);
    return found;
  } finally {
    await redis.close();
  }
}
