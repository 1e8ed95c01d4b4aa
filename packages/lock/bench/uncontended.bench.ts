// node --conditions=@tierkit/source --import tsx packages/lock/bench/uncontended.bench.ts
// What taking and releasing a free lock costs, beside the least that a lock can do; rivals are in apps/bench.
import { createRedis } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { createLocks } from '@tierkit/lock';

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const ROUNDS = 21;
const PAIRS = 1_000;
const COMPARE_AND_DELETE =
  "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

const connection = createRedis(url);
await connection.ready();
const client = connection.masters()[0] as Redis;
const sha = (await client.script('LOAD', COMPARE_AND_DELETE)) as string;
const locks = createLocks({ redis: url, prefix: 'bench:' });
await locks.ready();
const memory = createLocks({ redis: 'memory' });

const subjects: Readonly<Record<string, (name: string) => Promise<unknown>>> = {
  'raw SET NX, compare and delete': async (name) => {
    const owner = randomBytes(16).toString('hex');
    await client.set(`bench:raw:${name}`, owner, 'PX', 30_000, 'NX');
    await client.evalsha(sha, 1, `bench:raw:${name}`, owner);
  },
  'acquire, release': async (name) => (await locks.acquire(name)).release(),
  request: (name) => locks.request(name, () => undefined),
  'acquire, release in memory': async (name) => (await memory.acquire(name)).release(),
};

for (const concurrency of [1, 32]) {
  const times = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [subject, call] of Object.entries(subjects)) {
      const startMs = performance.now();
      await Promise.all(
        Array.from({ length: concurrency }, async (_, i) => {
          for (let n = 0; n < PAIRS / concurrency; n++) await call(`${i}`);
        }),
      );
      times.set(subject, [...(times.get(subject) ?? []), ((performance.now() - startMs) * 1e3) / PAIRS]);
    }
  }
  const raw = times.get('raw SET NX, compare and delete') ?? [];
  const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
  console.log(`${concurrency} at a time`);
  for (const [subject, list] of times) {
    const ratio = median(list.map((us, round) => us / (raw[round] ?? 1)));
    console.log(`  ${subject.padEnd(32)} ${median(list).toFixed(1).padStart(6)} us  x${ratio.toFixed(2)}`);
  }
}
await Promise.all([connection.close(), locks.close(), memory.close()]);
