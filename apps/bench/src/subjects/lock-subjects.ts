import { createLocks } from '@tierkit/lock';
import { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import { Mutex } from 'redis-semaphore';
import Redlock, { type VotingClient } from 'redlock';
import type { LockSubject } from '../lock-subject.ts';
import { connectClient } from './client.ts';

const TTL_MS = 10_000;
const COMPARE_AND_DELETE =
  "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

const url = (port: number): string => `redis://127.0.0.1:${port}`;

/** The least that a lock with an owner and a time to live must do; it cannot wait. */
const limitSetNx: LockSubject = {
  name: 'limit: SET NX, compare and delete',
  role: 'limit',
  async open([port = 0]) {
    const { client, close } = await connectClient(port);
    const sha = (await client.script('LOAD', COMPARE_AND_DELETE)) as string;
    return {
      async take(name) {
        const owner = randomBytes(16).toString('hex');
        if ((await client.set(name, owner, 'PX', TTL_MS, 'NX')) !== 'OK') throw new Error('it is taken');
        return () => client.evalsha(sha, 1, name, owner);
      },
      close,
    };
  },
};

/**
 * What no queue in Redis can beat: one element that waiters pop, each on a connection of its own. It has no owner and no time to
 * live: whoever dies with it takes it along. Of several servers, the others are told and told again.
 */
const limitPop: LockSubject = {
  name: 'limit: BLPOP and LPUSH, unprotected',
  role: 'limit',
  async open(ports) {
    const clients: Redis[] = [];
    const idle: Redis[] = [];
    const connect = (port: number): Redis => {
      const client = new Redis(port, '127.0.0.1', { protocol: 2 });
      clients.push(client);
      return client;
    };
    const all = ports.map(connect);
    const [first] = all as [Redis];
    return {
      async take(name) {
        await first.eval(
          "if redis.call('SETNX', KEYS[1] .. ':made', 1) == 1 then redis.call('LPUSH', KEYS[1], 1) end",
          1,
          name,
        );
        const popping = idle.pop() ?? connect(ports[0] ?? 0);
        await popping.blpop(name, 0);
        idle.push(popping);
        if (all.length > 1) await Promise.all(all.map((client) => client.set(`${name}:vote`, 1, 'PX', TTL_MS, 'NX')));
        return async () => {
          if (all.length > 1) await Promise.all(all.map((client) => client.del(`${name}:vote`)));
          return first.lpush(name, 1);
        };
      },
      close: async () => {
        for (const client of clients) client.disconnect();
      },
    };
  },
};

const tierkitLocks: LockSubject = {
  name: 'tierkit',
  role: 'ours',
  async open(ports) {
    const [only = ''] = ports.map(url);
    const locks = createLocks({
      ...(ports.length === 1 ? { redis: only } : { quorum: ports.map(url) }),
      ttl: TTL_MS,
      timeout: '10m',
    });
    await locks.ready();
    return {
      async take(name) {
        const lock = await locks.acquire(name);
        return () => lock.release();
      },
      close: () => locks.close(),
    };
  },
};

const redlock5: LockSubject = {
  name: 'redlock 5',
  role: 'peer',
  async open(ports) {
    const clients = await Promise.all(ports.map(connectClient));
    const redlock = new Redlock(
      clients.map(({ client }) => client as unknown as VotingClient),
      { retryCount: -1, driftFactor: 0.01 },
    );
    return {
      async take(name) {
        const lock = await redlock.acquire([name], TTL_MS);
        return () => redlock.release(lock);
      },
      close: () => Promise.all(clients.map(({ close }) => close())),
    };
  },
};

const redisSemaphore: LockSubject = {
  name: 'redis-semaphore',
  role: 'peer',
  async open([port = 0]) {
    const { client, close } = await connectClient(port);
    return {
      async take(name) {
        const mutex = new Mutex(client, name, { lockTimeout: TTL_MS, acquireTimeout: 600_000 });
        await mutex.acquire();
        return () => mutex.release();
      },
      close,
    };
  },
};

const withQueue: readonly LockSubject[] = [limitPop, tierkitLocks, redlock5, redisSemaphore];

export const uncontendedSubjects: readonly LockSubject[] = [limitSetNx, tierkitLocks, redlock5, redisSemaphore];
export const contendedSubjects = withQueue;
/** redis-semaphore's own for several servers keeps votes while it retries, as redlock does. */
export const quorumSubjects: readonly LockSubject[] = [limitPop, tierkitLocks, redlock5];

export function lockSubject(name: string): LockSubject {
  const subject = [limitSetNx, ...withQueue].find((each) => each.name === name);
  if (subject === undefined) throw new Error(`no lock is called ${name}`);
  return subject;
}
