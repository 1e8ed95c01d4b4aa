import { createTiers, type LoaderContext } from '@tierkit/cache';
import { setTimeout as sleep } from 'node:timers/promises';

const tiers = createTiers({
  redis: process.env['REDIS_URL'] ?? 'memory',
  tiers: { project: { ttl: 100, grace: '1h', softTimeout: 20, hardTimeout: '5s', negativeTtl: '10s' } },
});
await tiers.ready();
const project = tiers.project('proj456');
await project.clear();

// The loader says how long its value lives, and by which tags it is invalidated.
const load = () =>
  project.getOrSet('report', (ctx) => ctx.value({ etag: 'v1', pages: 3 }, { ttl: 80, tags: ['reports'] }));
console.log('loaded:', await load());
await sleep(120);

// The source fails: within its grace the stale value is served, and nobody asks the source again for a moment.
const failing = () => Promise.reject(new Error('the source is down'));
console.log('stale on error:', await project.getOrSet('report', failing));
await sleep(150);

// The source is slow: after softTimeout the stale value is served, and the load goes on in the background.
const slow = async () => {
  await sleep(100);
  return { etag: 'v2', pages: 4 };
};
console.log('stale while loading:', await project.getOrSet('report', slow));
await sleep(200);

// The source has nothing newer: the stale value is fresh again.
const conditional = (ctx: LoaderContext<{ etag: string }>) =>
  ctx.stale?.etag === 'v2' ? ctx.notModified({ ttl: '1m' }) : ctx.value({ etag: 'v3', pages: 5 });
console.log('not modified:', await project.getOrSet('report', conditional));

// There is no such thing, and nobody asks again for negativeTtl.
console.log('absent:', await project.getOrSet('no report', (ctx) => ctx.absent()));
await tiers.close();
