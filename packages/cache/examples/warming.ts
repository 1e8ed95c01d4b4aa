import { createTiers } from '@tierkit/cache';

const tiers = createTiers({ redis: process.env['REDIS_URL'] ?? 'memory', prefix: 'example:' });
await tiers.ready();
const project = tiers.project('proj456');
await project.clear();
await project.set('file:a.ts', { lines: 12 });

const database = new Map([
  ['file:a.ts', { lines: 10 }],
  ['file:b.ts', { lines: 20 }],
  ['file:c.ts', { lines: 30 }],
]);
async function* paths(): AsyncGenerator<string> {
  yield* database.keys();
}
const load = (missing: readonly string[]) => missing.map((path) => database.get(path));

// On start and every ten minutes, on one instance: what is there stays, what is missing is loaded in batches.
const warmed = new Promise<void>((resolve) => {
  const schedule = tiers.schedule(`warm-${process.pid}`, { every: '10m' }, async (signal) => {
    console.log(await project.warm(paths(), { load, signal }));
    schedule.stop();
    resolve();
  });
});
await warmed;
console.log(await project.getMany(['file:a.ts', 'file:b.ts']));
await tiers.close();
