import { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { startProxy, startRedis, until, type Proxy, type StandaloneRedis } from '../../../../test/servers/index.ts';
import { bundle } from '../../../../test/support/bundle.ts';
import { createLocks, type Locks } from '../../src/index.ts';
import { ContenderProcess } from './contender-process.ts';
import type { Storm, Weather } from './contender.ts';
import { check, type Stay } from './journal.ts';

/** Three processes and a Redis of their own, which the scenarios of a file share one after the other. */
export interface Arena {
  readonly server: StandaloneRedis;
  /** The last of the contenders reaches the server through it. */
  readonly proxy: Proxy;
  readonly contenders: readonly ContenderProcess[];
  /** Sees the locks, and takes none. */
  readonly observer: Locks;
  /** At the server of the locks. */
  readonly admin: Redis;
  contender(i: number): ContenderProcess;
  /** The greatest token that what the lock protects has been written with. */
  written(name: string): Promise<bigint>;
  nothingLeft(name: string): Promise<void>;
}

type Ends = (() => unknown)[];

/** To be called where a file's tests are declared; the arena can be entered by its tests. */
export function useArena(): Arena {
  const arena = {} as { -readonly [Part in keyof Arena]: Arena[Part] };
  const ends: Ends = [];
  beforeAll(async () => {
    arena.contenders = await startContenders(ends);
    arena.server = await startRedis();
    ends.push(() => arena.server.stop());
    arena.proxy = await startProxy({ target: { port: arena.server.port } });
    ends.push(() => arena.proxy.stop());
    const { server, proxy, contenders } = arena;
    // What the locks protect is elsewhere, so that it goes on when the locks' server does not.
    const store = { url: inject('redisUrl'), prefix: `t${randomBytes(6).toString('hex')}:` };
    await Promise.all(contenders.map((each, i) => each.start({ redis: i < 2 ? server.url : proxy.url }, store)));
    arena.observer = createLocks({ redis: server.url });
    ends.push(() => arena.observer.close());
    await arena.observer.ready();
    arena.admin = new Redis(server.url, { protocol: 2, retryStrategy: () => 100 });
    arena.admin.on('error', () => {});
    const stored = new Redis(store.url, { protocol: 2 });
    ends.push(() => [arena.admin, stored].map((client) => client.disconnect()));
    arena.written = async (name) => BigInt((await stored.get(`${store.prefix}${name}`)) ?? 0);
  });
  afterAll(() => endAll(ends));
  arena.contender = (i) => arena.contenders[i] as ContenderProcess;
  arena.nothingLeft = (name) =>
    until(`nothing is left of ${name}`, async () => {
      const { holders, waiting } = await arena.observer.inspect(name);
      return holders.length === 0 && waiting === 0;
    });
  return arena;
}

/** @param ends what has to be done in the end */
export async function startContenders(ends: Ends): Promise<readonly ContenderProcess[]> {
  const program = await bundle(fileURLToPath(new URL('contender-main.ts', import.meta.url)));
  ends.push(() => program.remove());
  const contenders = ['one', 'two', 'three'].map((name) => new ContenderProcess(name, program.file));
  ends.push(...contenders.map((each) => () => each.stop()));
  return contenders;
}

/** The last first. */
export async function endAll(ends: Ends): Promise<void> {
  for (const end of ends.toReversed()) await end();
}

export const calm = { ms: 0, atLeast: 20, callers: 6, ttl: 2_000, holdMs: 2, giveUp: 0 } as const;

/** Lets contenders loose at once. */
export async function storm(order: Storm, among: readonly ContenderProcess[]): Promise<Weather> {
  const weathers = await Promise.all(among.map((each) => each.ask('storm', order)));
  const outcomes: Record<string, number> = {};
  for (const weather of weathers) {
    for (const [outcome, count] of Object.entries(weather.outcomes)) {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
    }
  }
  return { journal: weathers.flatMap(({ journal }) => journal), outcomes };
}

export function expectExclusion(journal: readonly Stay[]): void {
  expect(check(journal)).toEqual({ overlaps: [], disorder: [] });
}

/**
 * The same where Redis has lost a lock, or somebody removed it: whoever had it then may believe for a while that it still does, but
 * no two others are inside at once, and tokens tell them all apart.
 */
export function expectExclusionBut(journal: readonly Stay[], believes: (stay: Stay) => boolean): void {
  expect(journal.filter(believes)).not.toEqual([]);
  expectExclusion(journal.filter((stay) => !believes(stay)));
  expect(check(journal).disorder).toEqual([]);
}

/** How calls ended, but for those to which Redis did not answer in time, on a machine that is very busy. */
export function codesOf(outcomes: Weather['outcomes']): readonly string[] {
  return Object.keys(outcomes)
    .filter((code) => code !== 'ERR_LOCK_UNAVAILABLE')
    .toSorted();
}
