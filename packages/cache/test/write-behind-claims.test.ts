import { createRedis, type RedisConnection } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { ask, startRedis, until } from '../../../test/servers/index.ts';
import { countingClock } from '../../../test/support/counting-clock.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import {
  createTiers,
  type Tiers,
  type TiersOptions,
  type WriteBehindItem,
  type WriteBehindOptions,
} from '../src/index.ts';

// What becomes of batches whose worker is overtaken, or ends by them; the keys of the queue are changed by hand for that.
let redis: RedisConnection;
beforeAll(async () => {
  redis = createRedis(sharedRedis());
  await redis.ready();
});
afterAll(() => redis.close());

let prefix: string;
const opened: Tiers[] = [];
beforeEach(() => {
  prefix = `c${randomBytes(6).toString('hex')}:`;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((tiers) => tiers.close()));
});

async function open(options: Partial<TiersOptions> = {}): Promise<Tiers> {
  const tiers = createTiers({ redis: sharedRedis(), prefix, ...options });
  opened.push(tiers);
  await tiers.ready('10s');
  return tiers;
}

const at = (part: string): string => `${prefix}session:{s}~pending${part}`;
const turnOf = (name: string): Promise<number> =>
  redis.execute(async (client) => Number(await client.zscore(at('~due:q'), name)));
const quick = { batch: { age: 1 }, drainTimeout: '50ms' } as const;

/** A flush that never answers, and what it was told. */
function held(): { readonly flush: WriteBehindOptions['flush']; signal?: AbortSignal } {
  const given: { flush: WriteBehindOptions['flush']; signal?: AbortSignal } = {
    flush(_, { signal }) {
      given.signal ??= signal;
      return new Promise(() => {});
    },
  };
  return given;
}

it('a claim is kept for as long as its flush takes', async () => {
  const sink = held();
  const queue = (await open()).writeBehind('q', { ...quick, flush: sink.flush, lease: 1_500 });
  await opened[0]?.session('s').writeBehind('k', 1, queue);
  await until('the flush began', () => sink.signal !== undefined);
  const claimed = await turnOf('k');
  await until('it is renewed', async () => (await turnOf('k')) > claimed);
  expect(sink.signal?.aborted).toBe(false);
});

it('a worker that lost a claim is told, and leaves it to whoever has it', async () => {
  const sink = held();
  const queue = (await open()).writeBehind('q', { ...quick, flush: sink.flush, lease: 150, retry: { backoff: 1 } });
  await opened[0]?.session('s').writeBehind('k', 1, queue);
  await until('the flush began', () => sink.signal !== undefined);
  const stolen = (await turnOf('k')) + 60_000_000;
  await redis.execute((client) => client.zadd(at('~due:q'), stolen, 'k'));
  await until('it is told', () => sink.signal?.aborted === true);
  await queue.close();
  expect(await turnOf('k')).toBe(stolen);
  expect(await queue.status()).toMatchObject({ backlog: 1, deadLetters: 0 });
});

it('a worker that cannot keep its claims is told once others may have them', async () => {
  const server = await startRedis();
  try {
    const sink = held();
    const tiers = await open({ redis: server.url });
    const queue = tiers.writeBehind('q', { ...quick, flush: sink.flush, lease: 150 });
    await tiers.session('s').writeBehind('k', 1, queue);
    await until('the flush began', () => sink.signal !== undefined);
    await server.process.end();
    await until('it is told', () => sink.signal?.aborted === true);
    await expect(tiers.session('s').writeBehind('k', 2, queue)).rejects.toMatchObject({
      code: 'ERR_WRITE_BEHIND_UNCONFIRMED',
      details: { queue: 'q', tier: 'session' },
    });
    await tiers.close();
  } finally {
    await server.stop();
  }
});

it('what ended its workers again and again is flushed by itself, and then given up unseen', async () => {
  const writer = await open();
  const put = writer.writeBehind('q', { flush: () => {}, worker: false });
  for (const key of ['suspect', 'deadly', 'a', 'b']) await writer.session('s').writeBehind(key, key, put);
  // As claims count that nobody gave back.
  await redis.execute((client) => client.hset(at('~tries:q'), { 'c:suspect': 3, 'c:deadly': 5 }));
  const batches: string[] = [];
  const flush = (batch: readonly WriteBehindItem[]): void =>
    void batches.push(
      batch
        .map(({ key }) => String(key))
        .toSorted()
        .join(),
    );
  const queue = (await open()).writeBehind('q', { ...quick, flush, poll: 20, retry: { attempts: 5 } });
  await until('nothing is pending', async () => (await queue.status()).backlog === 0);
  expect(batches).toEqual(['a,b', 'suspect']);
  expect(await queue.deadLetters()).toMatchObject([
    { reason: expect.stringContaining('each of its claims was lost'), item: { key: 'deadly' } },
  ]);
});

it('a queue that closes calls its sink no more, and leaves no timer', async () => {
  const clock = countingClock();
  const tiers = await open({ clock, reclaim: false });
  const sink = held();
  const calls: number[] = [];
  const flush: WriteBehindOptions['flush'] = (batch, context) => {
    calls.push(batch.length);
    return sink.flush(batch, context);
  };
  const put = tiers.writeBehind('put', { flush, worker: false, poll: '1h' });
  for (const key of ['a', 'b', 'suspect']) await tiers.session('s').writeBehind(key, 1, put);
  await put.close();
  await redis.execute((client) => client.hset(at('~tries:put'), 'c:suspect', 3));
  const second = await open({ clock, reclaim: false });
  const queue = second.writeBehind('put', { ...quick, flush, poll: 20 });
  const refusing = second.writeBehind('refusing', { ...quick, flush: () => Promise.reject(new Error('no')), poll: 20 });
  await second.session('t').writeBehind('k', 1, refusing);
  await until('both are at it', async () => calls.length > 0 && (await refusing.status()).here.failures > 0);
  await Promise.all([queue.close(), refusing.close()]);
  // The suspect would have come by itself, after the others.
  expect(calls).toEqual([2]);
  await Promise.all([tiers.close(), second.close()]);
  expect(clock.timers).toBe(0);
});

it('claims are renewed no longer than their flush takes', async () => {
  const server = await startRedis();
  try {
    const tiers = await open({ redis: server.url });
    const queue = tiers.writeBehind('q', { ...quick, flush: () => {}, lease: 30, poll: '1h' });
    for (let n = 1; n <= 5; n++) {
      await tiers.session('s').writeBehind('k', n, queue);
      await until('it is flushed', async () => (await queue.status()).here.flushed === n);
    }
    await until('it is settled', async () => (await queue.status()).backlog === 0);
    const scripts = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(String(await ask(server.port, 'INFO', 'commandstats')))?.[1]);
    const before = await scripts();
    await sleep(120);
    expect((await scripts()) - before).toBeLessThan(5);
    await tiers.close();
  } finally {
    await server.stop();
  }
});

it('what cannot be kept as a dead letter stays pending', async () => {
  const dead = `${prefix}{tierkit}behind:q~dead`;
  await redis.execute((client) => client.set(dead, 'no stream'));
  let calls = 0;
  const flush = (): never => {
    calls++;
    throw new Error('the sink refuses it');
  };
  const retry = { giveUpAfter: 1, backoff: 1, maxBackoff: 5 };
  const tiers = await open();
  const queue = tiers.writeBehind('q', { ...quick, flush, retry, lease: 50, poll: 20 });
  await tiers.session('s').writeBehind('k', 1, queue);
  await until('it was tried again', () => calls > 3);
  await redis.execute((client) => client.del(dead));
  await until('it is kept', async () => (await queue.status()).deadLetters === 1);
  expect(await queue.status()).toMatchObject({ backlog: 0 });
});

it('dead letters are bounded, however many there were', async () => {
  const dead = `${prefix}{tierkit}behind:q~dead`;
  await redis.execute(async (client) => {
    const stuffing = client.pipeline();
    for (let n = 0; n < 600; n++) stuffing.xadd(dead, '*', 'n', n);
    await stuffing.exec();
  });
  const flush = (): never => {
    throw new Error('the sink refuses it');
  };
  const tiers = await open();
  const queue = tiers.writeBehind('q', { ...quick, flush, maxDeadLetters: 100, retry: { giveUpAfter: 1, backoff: 1 } });
  await tiers.session('s').writeBehind('k', 1, queue);
  // Up to a node of the stream, of a hundred entries, may be kept beyond the bound.
  await until('the oldest are gone', async () => (await queue.status()).deadLetters <= 200);
  expect((await queue.deadLetters({ limit: 1_000 })).map(({ item }) => item?.value)).toEqual([1]);
});

it('what a worker cannot decrypt is a dead letter that one who can replays', async () => {
  const tiers = { session: { ttl: '5m', sensitive: true } };
  const rotated = { keys: { k2: Buffer.alloc(32, 2) }, current: 'k2' };
  const writer = await open({ tiers, encryption: { keys: { k1: Buffer.alloc(32, 1) }, current: 'k1' } });
  const rows: unknown[] = [];
  const flush = (batch: readonly WriteBehindItem[]): void => void rows.push(...batch.map(({ value }) => value));
  const queue = writer.writeBehind('q', { ...quick, flush, poll: '1h' });
  const stranger = await open({ tiers, encryption: rotated });
  const other = stranger.writeBehind('q', { ...quick, flush, poll: 20, retry: { giveUpAfter: 1, backoff: 1 } });
  const put = (await open({ tiers, encryption: { keys: { k1: Buffer.alloc(32, 1) }, current: 'k1' } })).writeBehind(
    'q',
    {
      flush,
      worker: false,
    },
  );
  await opened[2]?.session('s').writeBehind('k', 'secret', put);
  await stranger.session('s').writeBehind('readable', 'theirs', other);
  await until('it is given up', async () => (await other.status()).deadLetters === 1);
  expect(await other.deadLetters()).toMatchObject([{ item: undefined, reason: expect.stringContaining('key') }]);
  await until('the others are not held up', () => rows.includes('theirs'));
  expect(rows).not.toContain('secret');
  expect(await queue.deadLetters()).toMatchObject([{ item: { value: 'secret' } }]);
  await stranger.close();
  expect(await queue.replay()).toEqual({ replayed: 1, superseded: 0 });
  await until('it is flushed', () => rows.includes('secret'));
});

it('dead letters are listed in pages, and replayed by their ids, once each', async () => {
  const tiers = await open();
  const flush = (): never => {
    throw new Error('the sink refuses it');
  };
  const queue = tiers.writeBehind('q', { ...quick, flush, retry: { giveUpAfter: 1, backoff: 1, maxBackoff: 5 } });
  await tiers.session('s').writeBehind('k0', 'value', queue);
  await until('it is given up', async () => (await queue.status()).deadLetters === 1);
  const dead = `${prefix}{tierkit}behind:q~dead`;
  await redis.execute(async (client) => {
    const [[, fields] = ['', []]] = await client.xrangeBuffer(dead, '-', '+');
    const copies = client.pipeline();
    const nameAt = fields.findIndex((field) => String(field) === 'name') + 1;
    for (let n = 1; n < 205; n++) copies.xadd(dead, '*', ...fields.map((field, i) => (i === nameAt ? `k${n}` : field)));
    await copies.exec();
  });
  const [first, second] = [await queue.deadLetters(), await queue.deadLetters({ limit: 10 })];
  expect([first.length, second.length]).toEqual([100, 10]);
  const rest = await queue.deadLetters({ after: first.at(-1)?.id ?? '', limit: 1_000 });
  expect(rest.map(({ item }) => item?.key)).toEqual(Array.from({ length: 105 }, (_, n) => `k${n + 100}`));
  const last = rest.at(-1)?.id ?? '';
  expect(await queue.replay({ ids: [last, '1-1'] })).toEqual({ replayed: 1, superseded: 0 });
  await until('it is given up again', async () => {
    const letters = await queue.deadLetters({ limit: 1_000 });
    return letters.length === 205 && letters.at(-1)?.item?.key === 'k204' && letters.at(-1)?.id !== last;
  });
  expect(await queue.replay()).toEqual({ replayed: 205, superseded: 0 });
});
