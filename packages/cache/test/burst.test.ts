import { expect, it } from 'vitest';
import type { Tiers } from '../src/index.ts';
import { ownRedis } from './support/own-redis.ts';

const own = ownRedis();
const tiersAt = (url: string, commandTimeout?: string): Promise<Tiers> =>
  own.tiersAt({ url, commandTimeout, socketTimeout: '1m' }, { feedTimeout: '3s' });

function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `k${index}`);
}

function beBusy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

async function msOf(call: Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await call;
  return performance.now() - startMs;
}

it('answers a burst of cold reads and writes, however late this process gets to read the replies', async () => {
  const [writer, reader] = [await tiersAt(own.server.url, '5s'), await tiersAt(own.server.url)];
  const names = namesOf(5_000);
  expect(await writer.project('p').setMany(names.map((name) => [name, name] as const))).toBe(true);
  const reading = names.map((name) => reader.project('p').get(name));
  // Longer than the command timeout of 300 ms, which alone must not make misses of what Redis has answered.
  beBusy(500);
  expect(await Promise.all(reading)).toEqual(names);
  const writing = names.slice(0, 3_000).map((name) => reader.project('q').set(name, name));
  beBusy(500);
  expect(new Set(await Promise.all(writing))).toEqual(new Set([true]));
  expect(reader.stats().unconfirmedScopes).toBe(0);
});

it('asks for all batches of a call at once, so that a slow link bounds it by one deadline', async () => {
  const near = await tiersAt(own.server.url, '5s');
  const far = await tiersAt(own.link.url, '1s');
  const names = namesOf(5_000);
  const entries = names.map((name) => [name, 1] as const);
  // The server knows the scripts, and the tier has a generation.
  for (const scope of [near.project('p'), near.global]) {
    expect(await scope.setMany(entries)).toBe(true);
    expect(await scope.deleteMany(names)).toBe(true);
    await scope.set('k', 1);
  }
  own.link.latency(300);
  const project = far.project('p');
  for (const call of [
    () => project.setMany(entries),
    () => project.getMany(names),
    () => project.deleteMany(names),
    () => far.global.getMany(names),
    () => far.global.deleteMany(names),
  ]) {
    // One after the other, ten batches took 6 s.
    expect(await msOf(call())).toBeLessThan(2_000);
  }
});

it('writes to a root whose generation is not known within one deadline', async () => {
  const near = await tiersAt(own.server.url, '5s');
  const far = await tiersAt(own.link.url, '1s');
  await near.global.set('k', 1);
  own.link.latency(350);
  // Asked for first, the generation would take it to 1.4 s.
  expect(await msOf(far.global.set('k', 2))).toBeLessThan(1_350);
});

it('keeps what was answered of a read of many keys when the rest is lost', async () => {
  const near = await tiersAt(own.server.url, '5s');
  const far = await tiersAt(own.link.url, '5s');
  const names = namesOf(1_000);
  const value = 'x'.repeat(1_000);
  await near.project('p').setMany(names.map((name) => [name, value] as const));
  // The first of two batches arrives as a whole, and a part of the second.
  own.link.resetAfter(700_000);
  const found = await far.project('p').getMany(names);
  expect(found.slice(0, 500)).toEqual(Array(500).fill(value));
  expect(found.slice(500)).toEqual(Array(500).fill(undefined));
});
