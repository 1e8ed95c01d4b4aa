// REDIS_URL=redis://... node --conditions=@tierkit/source --import tsx bench/redis.bench.ts
import { Redis } from 'ioredis';
import { createRedis, defineScript } from '@tierkit/redis';

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const key = `tierkit:bench:${process.pid}`;
const rounds = 9;

const raw = new Redis(url, { protocol: 2 });
const rawBounded = new Redis(url, { protocol: 2, commandTimeout: 300, socketTimeout: 1_000 });
const redis = createRedis(url);
const pool = createRedis({ url, maxConnections: 4 });
const users = new Redis(url, { protocol: 2 });
const adopted = createRedis(users);
await Promise.all([redis.ready(), pool.ready(), adopted.ready(), raw.set(key, 'x'.repeat(200), 'EX', 600)]);

const script = defineScript({
  name: 'bench',
  keys: ['entry'],
  args: { count: 'integer', origin: 'string' },
  reply: (reply) => reply as string,
  lua: `return redis.call('GET', entry) .. count .. origin`,
});
const sha = String(await raw.script('LOAD', script.source));

type Case = () => Promise<unknown>;

const gets: Record<string, Case> = {
  'ioredis get': () => raw.get(key),
  'ioredis get with its timeouts': () => rawBounded.get(key),
  'execute get': () => redis.execute((client) => client.get(key)),
  'execute get, pool of 4': () => pool.execute((client) => client.get(key)),
  "execute get, user's client": () => adopted.execute((client) => client.get(key)),
};
const scripts: Record<string, Case> = {
  'ioredis evalsha': () => raw.evalsha(sha, 1, key, 7, 'me'),
  'ioredis evalsha with its timeouts': () => rawBounded.evalsha(sha, 1, key, 7, 'me'),
  'script.run': () => script.run(redis, { entry: key }, { count: 7, origin: 'me' }),
};

/** Microseconds a call, with `callers` calls in flight. */
async function measure(call: Case, callers: number, calls: number): Promise<number> {
  const start = process.hrtime.bigint();
  const caller = async (): Promise<void> => {
    for (let i = 0; i < calls / callers; i++) await call();
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return Number(process.hrtime.bigint() - start) / 1_000 / calls;
}

/** Interleaves the cases, so that noise hits all of them, and compares the best rounds with that of the first. */
async function compare(title: string, cases: Record<string, Case>, callers: number): Promise<void> {
  const times = new Map<string, number[]>(Object.keys(cases).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, call] of Object.entries(cases)) {
      const time = await measure(call, callers, callers === 1 ? 4_000 : 40_000);
      if (round > 0) times.get(name)?.push(time);
    }
  }
  const best = [...times].map(([name, list]) => [name, Math.min(...list)] as const);
  const base = best[0]?.[1] ?? 1;
  const lines = best.map(
    ([name, us]) => `  ${name.padEnd(36)}${us.toFixed(2).padStart(8)} us ${(us / base).toFixed(2).padStart(6)}x`,
  );
  process.stdout.write(`${title}, ${callers} in flight\n${lines.join('\n')}\n`);
}

for (const callers of [1, 64]) {
  await compare('GET of 200 bytes', gets, callers);
  await compare('a script', scripts, callers);
}

// What the breaker and the checks cost, without Redis.
const settled = Promise.resolve('x');
const noop = (): Promise<string> => settled;
const bare = await measure(noop, 1, 3_000_000);
const executed = await measure(() => redis.execute(noop), 1, 3_000_000);
process.stdout.write(`execute around nothing: ${((executed - bare) * 1_000).toFixed(0)} ns a call\n`);

await Promise.all([redis.close(), pool.close(), adopted.close(), raw.unlink(key)]);
for (const client of [raw, rawBounded, users]) client.disconnect();
