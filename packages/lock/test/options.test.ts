import { expect, it } from 'vitest';
import { createLocks, type LocksOptions } from '../src/index.ts';

const url = 'redis://127.0.0.1:1';

it.each<[string, unknown, string]>([
  ['no place', {}, 'ERR_LOCK_OPTIONS'],
  ['two places', { redis: url, quorum: [url, url, url] }, 'ERR_LOCK_OPTIONS'],
  ['no options', undefined, 'ERR_LOCK_OPTIONS'],
  ['an unknown option', { redis: 'memory', retry: 3 }, 'ERR_LOCK_OPTIONS'],
  ['a quorum of one', { quorum: [url] }, 'ERR_LOCK_OPTIONS'],
  ['an even quorum', { quorum: [url, url, url, url] }, 'ERR_LOCK_OPTIONS'],
  ['a quorum that is no list', { quorum: url }, 'ERR_LOCK_OPTIONS'],
  ['a prefix with braces', { redis: 'memory', prefix: '{a}' }, 'ERR_LOCK_OPTIONS'],
  ['an instance with a dot', { redis: 'memory', instance: 'a.b' }, 'ERR_LOCK_OPTIONS'],
  ['a ttl of 0', { redis: 'memory', ttl: 0 }, 'ERR_DURATION_INVALID'],
  ['a ttl of two days', { redis: 'memory', ttl: '2d' }, 'ERR_DURATION_INVALID'],
  ['a negative timeout', { redis: 'memory', timeout: -1 }, 'ERR_DURATION_INVALID'],
  ['a URL that is none', { redis: 'localhost' }, 'ERR_REDIS_OPTIONS'],
])('refuses %s', (_, options, code) => {
  expect(() => createLocks(options as LocksOptions)).toThrow(expect.objectContaining({ code }));
});

it('names all faults at once', () => {
  const options = { redis: 'memory', prefix: '*', instance: '.', retry: 1 } as LocksOptions;
  expect(() => createLocks(options)).toThrow(
    expect.objectContaining({ details: { faults: expect.objectContaining({ length: 3 }) } }),
  );
});

it('refuses wrong arguments of calls before anything is sent', async () => {
  const locks = createLocks({ redis: 'memory' });
  const refused = async (call: () => Promise<unknown>, code: string): Promise<void> => {
    await expect(call()).rejects.toMatchObject({ code });
  };
  await refused(() => locks.acquire(''), 'ERR_KEY_INVALID');
  await refused(() => locks.acquire([]), 'ERR_KEY_INVALID');
  await refused(() => locks.tryAcquire(''), 'ERR_KEY_INVALID');
  await refused(() => locks.inspect(''), 'ERR_KEY_INVALID');
  await refused(() => locks.acquire('a', { ttl: 0 }), 'ERR_DURATION_INVALID');
  await refused(() => locks.acquire('a', { ttl: 19 }), 'ERR_DURATION_INVALID');
  await refused(() => locks.acquire('a', { timeout: 0 }), 'ERR_DURATION_INVALID');
  await refused(() => locks.acquire('a', { mode: 'read' as 'shared' }), 'ERR_LOCK_OPTIONS');
  await refused(() => locks.acquire('a', { wait: 1 } as object), 'ERR_LOCK_OPTIONS');
  await refused(() => locks.acquire('a', { signal: {} as AbortSignal }), 'ERR_LOCK_OPTIONS');
  await refused(() => locks.acquire('a', { signal: AbortSignal.abort() }), 'ERR_LOCK_ABORTED');
  await refused(() => locks.acquireAll([]), 'ERR_LOCK_OPTIONS');
  await refused(() => locks.request('a', {}, undefined as never), 'ERR_LOCK_OPTIONS');
  await refused(() => locks.semaphore('a', 1).acquire({ mode: 'shared' } as object), 'ERR_LOCK_OPTIONS');
  expect(() => locks.semaphore('a', 0)).toThrow(expect.objectContaining({ code: 'ERR_LOCK_OPTIONS' }));
  expect(locks.stats()).toEqual({ held: 0, waiting: 0, acquired: 0, waited: 0, timeouts: 0, lost: 0 });
  await refused(() => locks.inspect({ kind: 'lock', name: 'a}b' }), 'ERR_LOCK_OPTIONS');
  await refused(() => locks.forceRelease({ kind: 'turn' as 'lock', name: 'a' }), 'ERR_LOCK_OPTIONS');
  await locks.close();
});

it('refuses every call that asks for something after close', async () => {
  const locks = createLocks({ redis: 'memory' });
  const semaphore = locks.semaphore('a', 1);
  await locks.close();
  const calls = [
    () => locks.acquire('a'),
    () => locks.tryAcquire('a'),
    () => locks.acquireAll(['a']),
    () => locks.request('a', () => 1),
    () => locks.inspect('a'),
    () => locks.forceRelease('a'),
    () => locks.list(),
    () => locks.ready(),
    () => semaphore.acquire(),
    () => semaphore.inspect(),
    () => semaphore.forceRelease(),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'ERR_LOCK_CLOSED' });
  expect(locks.stats()).toMatchObject({ held: 0, waiting: 0 });
});
