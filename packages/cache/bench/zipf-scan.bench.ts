// node --conditions=@tierkit/source --import tsx packages/cache/bench/zipf-scan.bench.ts
// The hit rate of the in-process level on a Zipf trace with a scan through its middle; the trace is the same each time.
import { createTiers } from '@tierkit/cache';
import { createManualClock } from '@tierkit/core/testing';
import { LRUCache } from 'lru-cache';

const KEYS = 100_000;
const SKEW = 0.9;
const CALLS = 300_000;
/** Keys that are read once each, one after two others, as a crawler or an export does. */
const SCAN = 50_000;
const SCAN_FROM = 100_000;
const SIZES = [1_000, 5_000, 10_000];

/** Mulberry32: numbers from 0 to 1 that depend on the seed alone. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Access {
  readonly key: string;
  readonly scan: boolean;
}

function trace(): Access[] {
  const cumulated = new Float64Array(KEYS);
  let sum = 0;
  for (let rank = 0; rank < KEYS; rank++) cumulated[rank] = sum += 1 / (rank + 1) ** SKEW;
  const random = createRandom(1);
  const popular = (): Access => {
    const wanted = random() * sum;
    let [low, high] = [0, KEYS - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulated[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return { key: `k${low}`, scan: false };
  };
  const accesses: Access[] = [];
  for (let call = 0, scanned = 0; call < CALLS; call++) {
    accesses.push(popular());
    const scanning = call >= SCAN_FROM && scanned < SCAN && call % 2 === 0;
    if (scanning) accesses.push({ key: `scan${scanned++}`, scan: true });
  }
  return accesses;
}

const accesses = trace();
const popular = accesses.filter(({ scan }) => !scan).length;
const percent = (hits: number): string => `${((100 * hits) / popular).toFixed(1)} %`;

/** Hits of an exact LRU list, of which the in-process level's is an approximation. */
function exactLru(max: number, withScan: boolean): number {
  const lru = new LRUCache<string, true>({ max });
  let hits = 0;
  for (const { key, scan } of accesses) {
    if (scan && !withScan) continue;
    if (lru.get(key) === true) hits += scan ? 0 : 1;
    else lru.set(key, true);
  }
  return hits;
}

/** Hits of a list that holds the most popular keys from the beginning: no admission can do better on such a trace. */
function ideal(max: number): number {
  const best = new Set(Array.from({ length: max }, (_, rank) => `k${rank}`));
  return accesses.filter(({ key }) => best.has(key)).length;
}

async function inProcessLevel(maxEntries: number, withScan: boolean): Promise<number> {
  // A thousand calls a second: what an LRU list forgets to note within a second is part of the result.
  const clock = createManualClock();
  const tiers = createTiers({ redis: 'memory', clock, l1: { maxEntries }, memory: { maxEntries: KEYS + SCAN } });
  const scope = tiers.project('bench');
  let hits = 0;
  for (const { key, scan } of accesses) {
    if (scan && !withScan) continue;
    if (scope.peek(key) !== undefined) hits += scan ? 0 : 1;
    await scope.getOrSet(key, () => 1, { ttl: '1d' });
    clock.advance(1);
  }
  await tiers.close();
  return hits;
}

console.log(
  `Zipf ${SKEW}, ${KEYS} keys, ${CALLS} calls; hits among them, without and with a scan of ${SCAN} more keys`,
);
console.log('| entries | in-process level | with the scan | exact LRU | with the scan | most popular keys |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const size of SIZES) {
  const own = [await inProcessLevel(size, false), await inProcessLevel(size, true)];
  const lru = [exactLru(size, false), exactLru(size, true)];
  console.log(`| ${[String(size), ...[...own, ...lru, ideal(size)].map(percent)].join(' | ')} |`);
}
