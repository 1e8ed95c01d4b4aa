// REDIS_URL=redis://... node --conditions=@tierkit/source --import tsx packages/quota/bench/quota.bench.ts
// Microseconds a charge: the best of some rounds, in turn, in Redis (1 and 100 at a time) and in memory.
import { createQuota } from '@tierkit/quota';
import { createRedis, defineScript } from '@tierkit/redis';

const ROUNDS = 7;
const prefix = `tierkit:bench:${process.pid}:`;
const redis = createRedis({
  url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379',
  commandTimeout: '5s',
});
await redis.ready();

const metrics = {
  api_calls: { per: 'day', limit: 1e12 },
  cost_micros: { per: ['day', 'month'], limit: 1e12 },
} as const;
const quota = createQuota(metrics, { redis, prefix });
const memory = createQuota(metrics, { redis: 'memory' });

const raw = defineScript({
  name: 'raw',
  keys: ['day', 'month'],
  args: { amount: 'integer' },
  reply: Number,
  lua: `redis.call('HINCRBY', day, 'cost', amount) return redis.call('HINCRBY', month, 'cost', amount)`,
});

let count = 0;
const subjects: Readonly<Record<string, () => Promise<unknown>>> = {
  'two HINCRBY in a script': () => raw.run(redis, { day: `${prefix}{a}d`, month: `${prefix}{a}m` }, { amount: 1 }),
  'add, one limit': () => quota.add('one', { api_calls: 1 }),
  'add, two limits': () => quota.add('two', { cost_micros: 420 }),
  'add, two limits and an id': () => quota.add('two', { cost_micros: 420 }, { id: count++ }),
  'add, three limits': () => quota.add('three', { api_calls: 1, cost_micros: 420 }),
  'reserve and commit': async () => {
    const { hold } = await quota.reserve('four', { cost_micros: 420 });
    await hold?.commit({ cost_micros: 100 });
  },
  'usage of all': () => quota.usage('two'),
  'add, two limits, in memory': () => memory.add('two', { cost_micros: 420 }),
};

async function microseconds(call: () => Promise<unknown>, callers: number): Promise<number> {
  const calls = callers === 1 ? 1_000 : 8_000;
  const begun = performance.now();
  const caller = async (): Promise<void> => {
    for (let i = 0; i < calls / callers; i++) await call();
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return ((performance.now() - begun) * 1_000) / calls;
}

for (const callers of [1, 100]) {
  const best = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, call] of Object.entries(subjects)) {
      best.set(name, Math.min(best.get(name) ?? Infinity, await microseconds(call, callers)));
    }
  }
  console.log(`${callers} at a time`);
  const limit = best.get('two HINCRBY in a script') ?? 1;
  for (const [name, us] of best)
    console.log(`  ${name.padEnd(28)} ${us.toFixed(1).padStart(7)} us  ${(us / limit).toFixed(2)}`);
}

const keys = await redis.execute((client) => client.keys(`${prefix}*`));
for (const key of keys) await redis.execute((client) => client.unlink(key));
await redis.close();
