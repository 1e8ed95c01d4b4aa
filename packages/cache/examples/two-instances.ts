import { createTiers } from '@tierkit/cache';
import { setTimeout as sleep } from 'node:timers/promises';

// Two instances as two services would have them; with 'memory' each would be alone.
const redis = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const [one, two] = [createTiers({ redis, prefix: 'example:' }), createTiers({ redis, prefix: 'example:' })];
await Promise.all([one.ready(), two.ready()]);

await one.project('p').set('baseline', { score: 0.8 });
// A write's news may be a moment behind what is read, and drops what was read before it: so until it is held.
while (two.project('p').peek('baseline') === undefined) await two.project('p').get('baseline');
console.log('two holds', two.project('p').peek('baseline'));

await one.project('p').set('baseline', { score: 0.9 });
while (two.project('p').peek('baseline') !== undefined) await sleep(1); // a few milliseconds
console.log('two dropped it:', two.project('p').peek('baseline'));
console.log('and reads', await two.project('p').get('baseline'));

await one.project('p').clear();
await Promise.all([one.close(), two.close()]);
