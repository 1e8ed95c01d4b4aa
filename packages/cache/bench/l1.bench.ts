// node --conditions=@tierkit/source --import tsx packages/cache/bench/l1.bench.ts
// What a hit in the in-process level costs, beside a Map and a bare lru-cache; rivals are in apps/bench.
import { createTiers } from '@tierkit/cache';
import { LRUCache } from 'lru-cache';

const KEYS = Array.from({ length: 1_000 }, (_, n) => `file:${n}`);
const ROUNDS = 15;
const CALLS = 200_000;

const tiers = createTiers({ redis: 'memory' });
const scope = tiers.project('bench');
const lru = new LRUCache<string, object>({ max: 10_000 });
const map = new Map<string, object>();
for (const [n, key] of KEYS.entries()) {
  await scope.set(key, { n });
  lru.set(key, { n });
  map.set(key, { n });
}

const subjects: Readonly<Record<string, (key: string) => unknown>> = {
  'async lru-cache get': async (key) => lru.get(key),
  'async Map get': async (key) => map.get(key),
  'scope.get': (key) => scope.get(key),
  'scope.getOrSet': (key) => scope.getOrSet(key, () => 0),
  'scope.peek': (key) => scope.peek(key),
  'scope.get of an escaped key': (key) => scope.get(key.replace(':', ' ')),
};
for (const key of KEYS) await scope.set(key.replace(':', ' '), { key });

const times = new Map<string, number[]>();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, call] of Object.entries(subjects)) {
    const startMs = performance.now();
    for (let n = 0; n < CALLS; n++) await call(KEYS[n % KEYS.length] ?? '');
    times.set(name, [...(times.get(name) ?? []), ((performance.now() - startMs) * 1e6) / CALLS]);
  }
}
const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
const limit = median(times.get('async lru-cache get') ?? []);
for (const [name, list] of times) {
  console.log(`${name.padEnd(30)} ${median(list).toFixed(0).padStart(6)} ns  x${(median(list) / limit).toFixed(2)}`);
}
await tiers.close();
