import { createTiers } from '@tierkit/cache';
import { createRedis } from '@tierkit/redis';
import { Redis } from 'ioredis';
import { Unpackr, Packr } from 'msgpackr';
const url = process.argv[2]!;
const tiers = createTiers({ redis: url, l1: false, prefix: 'cpu:' });
await tiers.ready();
const raw = new Redis(url, {
  protocol: 2,
  enableOfflineQueue: false,
  lazyConnect: true,
  maxRetriesPerRequest: 1,
  commandTimeout: 300,
  socketTimeout: 1000,
  connectTimeout: 1000,
} as never);
await raw.connect();
const conn = createRedis(url);
await conn.ready();
const up = new Unpackr({
  useRecords: false,
  mapsAsObjects: true,
  structuredClone: false,
  copyBuffers: true,
  int64AsType: 'auto',
} as never);
const value = {
  id: 'item-1',
  name: 'x'.repeat(120),
  tags: ['a', 'b', 'c', 'd'],
  nested: Array.from({ length: 8 }, (_, i) => ({
    line: i,
    column: i * 3,
    message: 'some finding text that is here ' + i,
    severity: 'warn',
  })),
  n: 1.5,
  ok: true,
};
const packed = new Packr({ useRecords: false } as never).pack(value);
console.log('bytes', packed.length);
const project = tiers.project('p');
const global = tiers.global;
for (let i = 0; i < 100; i++) {
  await project.set('k' + i, value);
  await global.set('k' + i, value);
  await raw.set('raw:' + i, packed);
  await raw.set('raw:g', Buffer.alloc(8));
}
const subjects: Record<string, (i: number) => Promise<unknown>> = {
  raw: async (i) => up.unpack((await raw.getBuffer('raw:' + i))!),
  rawmget: async (i) => up.unpack((await raw.mgetBuffer('raw:' + i, 'raw:g'))[0]!),
  exec: async (i) => up.unpack((await conn.execute((c) => c.getBuffer('raw:' + i)))!),
  global: (i) => global.get('k' + i),
  project: (i) => project.get('k' + i),
  globalGoS: (i) => global.getOrSet('k' + i, () => 1),
  projectGoS: (i) => project.getOrSet('k' + i, () => 1),
};
for (const name of Object.keys(subjects))
  for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 100 }, (_, j) => subjects[name]!(j)));
const cpu: Record<string, number[]> = {};
for (let round = 0; round < 15; round++)
  for (const [name, op] of Object.entries(subjects)) {
    const c = process.cpuUsage();
    const n = 30;
    for (let b = 0; b < n; b++) await Promise.all(Array.from({ length: 100 }, (_, j) => op(j)));
    const d = process.cpuUsage(c);
    (cpu[name] ??= []).push((d.user + d.system) / (n * 100));
  }
for (const [name, list] of Object.entries(cpu)) {
  list.sort((a, b) => a - b);
  console.log(name.padEnd(12), list[7]!.toFixed(2), 'us cpu/op', (list[7]! / cpu['raw']![7]!).toFixed(2));
}
await tiers.close();
raw.disconnect();
await conn.close();
