import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis, type StandaloneRedis } from '../../../test/servers/index.ts';
import { ownTimeMs } from '../../../test/support/own-time.ts';
import { checkHealth, createRedis, describeServer, type RedisConnection } from '../src/index.ts';

let server: StandaloneRedis;
let redis: RedisConnection;

beforeAll(async () => {
  server = await startRedis(['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru']);
  redis = createRedis({ url: `${server.url}/2`, commandTimeout: 100, breaker: { failures: 2, resetAfter: '1m' } });
  await redis.ready();
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});

test('describes the server', async () => {
  await redis.execute((client) => client.mset('a', '1', 'b', '2'));
  await redis.execute((client) => client.mget('a', 'c'));
  const { nodes, total } = await describeServer(redis);
  expect(nodes).toHaveLength(1);
  expect(total).toMatchObject({
    role: 'master',
    maxMemoryBytes: 64 * 1024 * 1024,
    maxMemoryPolicy: 'allkeys-lru',
    keys: 2,
    keyspaceHits: 1,
    keyspaceMisses: 1,
    evictedKeys: 0,
  });
  expect(total.version).toMatch(/^\d+\.\d+/);
  expect(total.usedMemoryBytes).toBeGreaterThan(100_000);
  expect(total.peakMemoryBytes).toBeGreaterThan(100_000);
  expect(total.connectedClients).toBeGreaterThan(0);
  expect(total.commands).toBeGreaterThan(3);
});

test('never rejects: up, frozen, with an open breaker, gone, closed', async () => {
  expect(await checkHealth(redis)).toMatchObject({
    status: 'up',
    topology: 'standalone',
    breaker: { state: 'closed', failures: 0 },
    nodes: [{ status: 'up', address: `127.0.0.1:${server.port}` }],
  });
  server.process.signal('SIGSTOP');
  const asked = checkHealth(redis, { timeout: 50 });
  expect(await ownTimeMs(() => asked)).toBeLessThan(200);
  const frozen = await asked;
  expect(frozen).toMatchObject({ status: 'down', nodes: [{ status: 'down', error: 'no answer within 50 ms' }] });
  expect(frozen.latencyMs).toBeGreaterThanOrEqual(49);
  await Promise.allSettled([redis.execute((client) => client.ping()), redis.execute((client) => client.ping())]);
  server.process.signal('SIGCONT');
  expect(await checkHealth(redis)).toMatchObject({
    status: 'down',
    error: 'the breaker is open',
    breaker: { state: 'open', failures: 2 },
    nodes: [{ status: 'up' }],
  });
  await server.process.end();
  expect(await checkHealth(redis)).toMatchObject({ status: 'down', nodes: [{ status: 'down' }] });
  await redis.close();
  expect(await checkHealth(redis)).toMatchObject({ status: 'down', error: 'the connection is closed', nodes: [] });
});
