import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { bundle, type Bundle } from '../../../test/support/bundle.ts';
import { LoadingProcess } from './support/stampede.ts';

const CALLERS = 1_000;
const LEASE_MS = 1_200;

let server: StandaloneRedis;
let worker: Bundle;
let raw: Redis;
let loaders: LoadingProcess[];
const sum = (): number => loaders.reduce((total, { loads }) => total + loads, 0);

beforeAll(async () => {
  server = await startRedis();
  worker = await bundle(fileURLToPath(new URL('support/stampede-worker.ts', import.meta.url)));
  raw = new Redis(server.url);
});
afterAll(async () => {
  raw.disconnect();
  worker.remove();
  await server.stop();
});
beforeEach(async () => {
  loaders = Array.from({ length: 4 }, () => new LoadingProcess(worker.file, server.url, `${LEASE_MS}ms`));
  await Promise.all(loaders.map((loader) => loader.ready()));
});
afterEach(() => Promise.all(loaders.map((loader) => loader.stop())));

/** Scripts run since `CONFIG RESETSTAT`. */
async function scriptsRun(): Promise<number> {
  const stats = await raw.info('commandstats');
  const calls = [...stats.matchAll(/cmdstat_(?:eval|evalsha):calls=(\d+)/g)];
  return calls.reduce((total, [, count]) => total + Number(count), 0);
}

it('loads once for 1,000 callers in each of 4 processes, renews the lease meanwhile, and wakes who waits', async () => {
  // A slow first time compiles the sources; it is not what is counted.
  await Promise.all(loaders.map((loader) => loader.call({ key: 'warm', callers: 1, loadMs: 0, fails: false })));
  const before = sum();
  await raw.config('RESETSTAT');
  const order = { key: 'cold', callers: CALLERS, loadMs: 2 * LEASE_MS, fails: false };
  const answers = await Promise.all(loaders.map((loader) => loader.call(order)));
  expect(new Set(answers.flat()).size).toBe(1);
  expect(sum() - before).toBe(1);
  // 4 claims, about 6 renewals and a fill, and 3 claims of those who were woken; looks at intervals would be many more.
  expect(await scriptsRun()).toBeLessThan(30);
});

it('loads a second time at the most when the loading process is killed', async () => {
  const order = { key: 'killed', callers: CALLERS, loadMs: 700, fails: false };
  const calls = loaders.map((loader) => loader.call(order).catch(() => []));
  await until('somebody loads', () => sum() === 1);
  loaders.find(({ loads }) => loads === 1)?.kill();
  const answers = await Promise.all(calls);
  expect(new Set(answers.flat()).size).toBe(1);
  expect(answers.filter((each) => each.length === 1)).toHaveLength(3);
  expect(sum()).toBe(2);
});

it('shares a failure with all who wait, in all processes at once, and loads no more for a while', async () => {
  const order = { key: 'failing', callers: CALLERS, loadMs: 150, fails: true };
  const ask = async (loader: LoadingProcess): Promise<[readonly string[], number]> => [
    await loader.call(order),
    performance.now(),
  ];
  const answers = await Promise.all(loaders.map(ask));
  expect(sum()).toBe(1);
  const own = loaders.findIndex(({ loads }) => loads === 1);
  for (const [index, [texts, endedMs]] of answers.entries()) {
    expect(texts).toEqual([index === own ? 'RangeError: the source is down' : 'ERR_CACHE_LOAD_FAILED']);
    // Long before the lease would have run out.
    expect(endedMs - (loaders[own]?.loadedAtMs ?? 0)).toBeLessThan(LEASE_MS);
  }
});
