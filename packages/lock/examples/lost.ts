import { createLocks } from '@tierkit/lock';
import { setTimeout as sleep } from 'node:timers/promises';

const redis = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const locks = createLocks({ redis, prefix: `example-${process.pid}:` });

const outcome = locks.request('report', { ttl: '300ms' }, async (lock) => {
  // An operator takes the lock away; the next renewal finds out.
  setTimeout(() => void locks.forceRelease('report'), 20);
  await sleep(5_000, undefined, { signal: lock.signal }).catch(() => console.log('the work was aborted'));
  try {
    lock.assertHeld();
  } catch (error) {
    console.log('before saving:', (error as { code: string }).code);
  }
});
await outcome.catch((error: { code: string }) => console.log('the request:', error.code));

const semaphore = locks.semaphore('exports', 2);
const permits = [await semaphore.tryAcquire(), await semaphore.tryAcquire(), await semaphore.tryAcquire()];
console.log(
  'permits:',
  permits.map((permit) => permit !== undefined),
);
for (const permit of permits) await permit?.release();

{
  await using both = await locks.acquireAll(['b', 'a']);
  console.log(
    'locked:',
    both.locks.map(({ name }) => name),
  );
}
await locks.close();
