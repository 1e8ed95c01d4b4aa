import { createRedis, type RedisConnection } from '@tierkit/redis';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { ask, freePort, startRedis, type StandaloneRedis } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { checkClock } from '../src/doctor/clock-skew.ts';
import { checkEviction } from '../src/doctor/eviction.ts';
import { parseInfo, type Finding } from '../src/doctor/finding.ts';
import { checkLatency } from '../src/doctor/latency.ts';
import { checkPersistence } from '../src/doctor/persistence.ts';
import { checkVersion } from '../src/doctor/version.ts';
import { runHere } from './run-here.ts';
import type { Said } from './said.ts';

// The machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

/** Evicts anything and keeps nothing. */
let evicting: StandaloneRedis;
/** Evicts nothing and keeps all. */
let lasting: StandaloneRedis;

beforeAll(async () => {
  [evicting, lasting] = await Promise.all([
    startRedis(['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru']),
    startRedis(['--maxmemory', '64mb', '--maxmemory-policy', 'noeviction', '--appendonly', 'yes']),
  ]);
  await ask(lasting.port, 'ACL', 'SETUSER', 'limited', 'on', '>a-secret', '~shop:*', '+ping', '+info', '+get', '+mget');
});

afterAll(async () => {
  await Promise.all([evicting.stop(), lasting.stop()]);
});

interface Server {
  readonly purpose: string;
  readonly address: string;
  readonly findings: readonly Finding[];
}

/** A machine that is busy is not what is tested: services that wait so long do not mind. */
const patient = { REDIS_SOCKET_TIMEOUT: '60' };

const run = (environment: Readonly<Record<string, string>>, timeout = '20s'): Promise<Said> =>
  runHere(['doctor', '--json', '--timeout', timeout], { ...patient, ...environment });

function servers(said: Said): readonly Server[] {
  return said.json<{ servers: readonly Server[] }>().servers;
}

function finding(said: Said, check: string, server = 0): Finding | undefined {
  return servers(said)[server]?.findings.find((one) => one.check === check);
}

it('finds what can be lost, what is missing, and what is well', async () => {
  const limited = lasting.url.replace('redis://', 'redis://limited:a-secret@');
  const [one, two, rights, credentials, nobody] = await Promise.all([
    run({ REDIS_URL: evicting.url }),
    run({ REDIS_URL: lasting.url, CACHE_REDIS_URL: evicting.url }),
    runHere(['doctor', '--prefix', 'shop:', '--timeout', '20s'], { ...patient, REDIS_URL: limited }),
    run({ REDIS_URL: limited.replace('a-secret', 'another-secret') }, '4s'),
    run({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` }, '1s'),
  ]);

  expect(one.code).toBe(1);
  expect(servers(one)).toMatchObject([{ purpose: 'everything', address: `127.0.0.1:${evicting.port}` }]);
  expect(finding(one, 'eviction')).toMatchObject({
    status: 'fail',
    advice: expect.stringContaining('CACHE_REDIS_URL') as string,
  });
  expect(finding(one, 'persistence')).toMatchObject({
    status: 'warn',
    advice: expect.stringContaining('appendonly yes') as string,
  });
  expect(finding(one, 'version')).toMatchObject({ status: 'ok' });
  expect(finding(one, 'rights')).toMatchObject({ status: 'ok' });
  expect(finding(one, 'clock')).toMatchObject({ status: 'ok' });

  expect([two.code, two.stderr]).toEqual([0, '']);
  expect(servers(two).map(({ purpose }) => purpose)).toEqual(['cache', 'durable']);
  for (const server of [0, 1]) {
    expect(finding(two, 'eviction', server)).toMatchObject({ status: 'ok' });
    expect(finding(two, 'persistence', server)).toMatchObject({ status: 'ok' });
  }

  expect(rights.code).toBe(1);
  expect(rights.stdout).toMatch(/FAIL +rights +user limited: may not do writing, scripts.*, subscribing/);
  expect(rights.stdout).toContain('ACL SETUSER limited ~shop:* +@write +@scripting');

  expect(credentials.code).toBe(5);
  expect(finding(credentials, 'connectivity')).toMatchObject({
    status: 'fail',
    found: 'Redis refuses the credentials',
  });
  expect(nobody.code).toBe(4);
  expect(finding(nobody, 'connectivity')).toMatchObject({ status: 'fail', found: 'nobody listens there' });
  for (const { stdout, stderr } of [rights, credentials]) expect(stdout + stderr).not.toContain('secret');
  // The keys of the probes are gone.
  expect(await ask(evicting.port, 'DBSIZE')).toBe(0);
});

it('tells a server that is frozen from one that is not there', async () => {
  evicting.process.signal('SIGSTOP');
  onTestFinished(() => evicting.process.signal('SIGCONT'));
  const said = await run({ REDIS_URL: evicting.url }, '2s');
  expect(said.code).toBe(4);
  expect(finding(said, 'connectivity')?.found).toContain('does not answer');
});

it('says how slow it is for services, and how far the clocks are apart', async () => {
  const redis: RedisConnection = createRedis(sharedRedis());
  onTestFinished(() => redis.close());
  await redis.ready('15s');
  // Services that wait a microsecond, and such that wait as long as it takes.
  expect(await checkLatency(redis, 0.001)).toMatchObject({
    ...{ status: 'fail', advice: expect.stringContaining('services give up after 0.001 ms') },
  });
  expect((await checkLatency(redis, 600_000)).status).not.toBe('fail');
  expect(await checkClock(redis, () => Date.now() + 5_000)).toMatchObject({ status: 'warn' });
  expect(await checkClock(redis, () => Date.now() - 120_000)).toMatchObject({ status: 'fail' });
});

const info = (text: string): ReturnType<typeof parseInfo> => parseInfo(text.replaceAll(' ', '\r\n'));

it.each([
  ['redis_version:5.0.14', false, 'fail'],
  ['redis_version:6.0.20', false, 'fail'],
  ['redis_version:6.2.0', false, 'ok'],
  ['redis_version:6.2.0', true, 'warn'],
  ['redis_version:8.0.1', true, 'ok'],
  ['server_name:valkey', false, 'warn'],
] as const)('version: %s, a Cluster: %s: %s', (text, cluster, status) => {
  expect(checkVersion(info(text), cluster).status).toBe(status);
});

it.each([
  ['maxmemory:0 maxmemory_policy:noeviction', 'cache', 'warn', 'allkeys-lfu'],
  ['maxmemory:100 maxmemory_policy:noeviction', 'cache', 'warn', 'allkeys-lfu'],
  ['maxmemory:100 maxmemory_policy:allkeys-random', 'cache', 'warn', 'allkeys-lfu'],
  ['maxmemory:100 maxmemory_policy:volatile-ttl', 'cache', 'warn', 'allkeys-lfu'],
  ['maxmemory:100 maxmemory_policy:allkeys-lfu', 'cache', 'ok', undefined],
  ['maxmemory:100 maxmemory_policy:volatile-lru', 'everything', 'warn', 'CACHE_REDIS_URL'],
  ['maxmemory:100 maxmemory_policy:noeviction', 'everything', 'warn', 'CACHE_REDIS_URL'],
  ['maxmemory:100 maxmemory_policy:volatile-lru', 'durable', 'fail', 'noeviction'],
  ['maxmemory:0 maxmemory_policy:noeviction', 'durable', 'warn', 'maxmemory'],
  ['redis_version:7.0.0', 'durable', 'warn', 'configuration'],
] as const)('eviction: %s for %s: %s', (text, purpose, status, advice) => {
  const found = checkEviction(info(text), purpose);
  expect(found.status).toBe(status);
  if (advice === undefined) expect(found.advice).toBeUndefined();
  else expect(found.advice).toContain(advice);
});

it.each([
  ['aof_enabled:1 aof_last_write_status:err', '', 'durable', 'fail'],
  ['aof_enabled:0 rdb_last_bgsave_status:err', '3600 1', 'cache', 'fail'],
  ['aof_enabled:0 rdb_last_save_time:1', '3600 1', 'durable', 'warn'],
  ['aof_enabled:0', undefined, 'durable', 'warn'],
  ['aof_enabled:0', '', 'cache', 'ok'],
] as const)('persistence: %s, snapshots %s, for %s: %s', (text, saves, purpose, status) => {
  expect(checkPersistence(info(text), saves, purpose, 5_000).status).toBe(status);
});
