import { createTierkit, fromEnvironment } from 'tierkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startCluster, startSentinel, type RedisCluster, type RedisSentinel } from '../../../test/servers/index.ts';
import { runHere } from './run-here.ts';

vi.setConfig({ testTimeout: 60_000 });

let cluster: RedisCluster;
let sentinel: RedisSentinel;
beforeAll(async () => {
  [cluster, sentinel] = await Promise.all([startCluster(), startSentinel()]);
});
afterAll(() => Promise.all([cluster?.stop(), sentinel?.stop()]));

const places = {
  Cluster: () => ({ REDIS_CLUSTER: 'true', ...at(cluster.nodes) }),
  Sentinel: () => ({ REDIS_SENTINEL_NAME: sentinel.name, ...at(sentinel.sentinels) }),
} as const;

function at([first, ...more]: readonly { readonly host: string; readonly port: number }[]) {
  return {
    REDIS_URL: `redis://${first?.host}:${first?.port}`,
    REDIS_NODES: more.map((node) => `${node.host}:${node.port}`).join(','),
  };
}

describe.each(['Cluster', 'Sentinel'] as const)('on a %s the command', (topology) => {
  const prefix = 'shop:';
  const environment = () => ({ ...places[topology](), TIERKIT_PREFIX: prefix });
  let kit: ReturnType<typeof createTierkit>;
  beforeAll(async () => {
    const options = fromEnvironment({ ...environment(), REDIS_SOCKET_TIMEOUT: '10' });
    kit = createTierkit({ ...options, prefix });
    await kit.ready('20s');
    const entries = Array.from({ length: 60 }, (_, i) => [`task:${i}`, i] as const);
    await kit.global.setMany(entries, { tags: ['task'] });
    for (const id of ['a', 'b', 'c', 'd', 'e']) await kit.project(id).setMany(entries);
  });
  afterAll(() => kit?.close());

  /** Other instances hear of it a moment after it is done. */
  const gone = (read: () => Promise<unknown>) => expect.poll(read, { timeout: 10_000 }).toBeUndefined();

  const run = async (...args: string[]) => {
    const said = await runHere([...args, '--json', '--timeout', '20s'], environment());
    return { ...said, found: said.stdout === '' ? undefined : said.json() };
  };

  it('lists all keys there are, with a tag too, over pages', async () => {
    const { found } = await run('keys', 'task:*', '--limit', '1000');
    expect((found as { keys: unknown[] }).keys).toHaveLength(60);
    const tagged = await run('keys', '--tag', 'task', '--limit', '1000');
    expect((tagged.found as { keys: unknown[] }).keys).toHaveLength(60);
    const projects = await run('keys', '--tier', 'project', '--limit', '1000');
    expect((projects.found as { keys: unknown[] }).keys).toHaveLength(300);
    expect((await run('get', 'task:7', '--tier', 'project', '--scope', 'c')).found).toMatchObject({ value: 7 });
  });

  it('ends what matches, what has a tag, a scope, and a tier', async () => {
    expect((await run('invalidate', 'task:1*', '--dry-run')).found).toMatchObject({ matching: 11 });
    expect((await run('invalidate', 'task:1*', '--yes')).found).toMatchObject({ deleted: 11, confirmed: true });
    await gone(() => kit.global.get('task:1'));
    expect((await run('invalidate', '--tag', 'task', '--yes')).found).toMatchObject({ deleted: 49, confirmed: true });
    await gone(() => kit.global.get('task:2'));
    expect((await run('clear', '--tier', 'project', '--scope', 'a', '--yes')).code).toBe(0);
    await gone(() => kit.project('a').get('task:2'));
    expect(await kit.project('b').get('task:2')).toBe(2);
    expect((await run('clear', '--all', '--yes')).found).toMatchObject({ confirmed: true });
    await gone(() => kit.project('b').get('task:2'));
    expect((await run('keys', '--tier', 'project')).found).toEqual({ keys: [] });
  });

  it('shows figures of all masters, the instances, locks and what was used', async () => {
    const names = ['one', 'two', 'three', 'four'];
    const held = await Promise.all(names.map((name) => kit.locks.acquire(name, { ttl: '1m' })));
    const quota = kit.quota({ calls: { per: 'day', limit: 9 } });
    for (const name of names) await quota.add(name, { calls: 1 });
    const stats = await run('stats');
    expect(stats.found).toMatchObject({ instances: [{ pid: process.pid }] });
    expect((stats.found as { server: { nodes: unknown[] } }).server.nodes).toHaveLength(topology === 'Cluster' ? 3 : 1);
    expect((await run('locks')).found).toMatchObject({
      locks: names.toSorted().map((name) => ({ name, holders: [{ mode: 'exclusive' }] })),
    });
    expect((await run('quota')).found).toMatchObject({
      subjects: names.toSorted().map((subject) => ({ subject, periods: 1 })),
    });
    await Promise.all(held.map((lock) => lock.release()));
  });

  it('examines it as what it is', async () => {
    const { found, code, stderr } = await run('doctor');
    expect([code, stderr]).toEqual([0, '']);
    const [{ findings }] = (found as { servers: [{ findings: { check: string; status: string; found: string }[] }] })
      .servers;
    const checks = Object.fromEntries(findings.map(({ check, status, found: seen }) => [check, [status, seen]]));
    expect(checks).toMatchObject({
      connectivity: [
        'ok',
        expect.stringContaining(topology === 'Cluster' ? 'cluster, 3 masters' : 'sentinel, 1 master'),
      ],
      ...{ version: ['ok', expect.any(String)], rights: ['ok', expect.any(String)] },
    });
  });
});
