import { createLocks } from '@tierkit/lock';
import { setTimeout as sleep } from 'node:timers/promises';

// Two instances of a service that must not analyse one project twice at a time.
const redis = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const prefix = `example-${process.pid}:`;
const one = createLocks({ redis, prefix, instance: 'one' });
const two = createLocks({ redis, prefix, instance: 'two' });

const stored = { fence: 0n, by: '' };
/** A store that refuses whoever had the lock before the last one. */
function save(by: string, fence: bigint): boolean {
  if (fence < stored.fence) return false;
  Object.assign(stored, { fence, by });
  return true;
}

const lock = await one.acquire('analysis:p1', { ttl: '30s' });
const second = two.request('analysis:p1', { timeout: '5s' }, async (lock) => {
  console.log('two saves:', save('two', lock.token));
});
while ((await one.inspect('analysis:p1')).waiting === 0) await sleep(5); // the analysis

const { holders, waiters } = await one.inspect('analysis:p1');
const instance = (owner: string): string => owner.split('-')[0] ?? '';
console.log('held by', instance(holders[0]?.owner ?? ''), 'waiting:', instance(waiters[0]?.owner ?? ''));
console.log('one saves:', save('one', lock.token));
await lock.release();
await second;
await Promise.all([one.close(), two.close()]);
