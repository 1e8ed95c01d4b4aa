import { expect, it, onTestFinished } from 'vitest';
import { startRedis, until } from '../../../test/servers/index.ts';
import { createLocks } from '../src/index.ts';

it('says that there is no quorum, and holds nothing back, when most nodes are away', async () => {
  const servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  onTestFinished(async () => void (await Promise.all(servers.map((each) => each.stop()))));
  const [, second, third] = servers;
  const locks = createLocks({ quorum: servers.map(({ url }) => url) });
  await locks.ready();
  const held = await locks.acquire('most are away', { ttl: 1_500 });
  second.process.signal('SIGSTOP');
  await third.process.end('SIGKILL');
  await expect(locks.acquire('other')).rejects.toMatchObject({ code: 'ERR_LOCK_NO_QUORUM' });
  await expect(held.extend()).rejects.toMatchObject({ code: 'ERR_LOCK_NO_QUORUM' });
  await until('it is lost', () => !held.held);
  expect(held.signal.reason).toMatchObject({ code: 'ERR_LOCK_LOST' });
  second.process.signal('SIGCONT');
  await locks.ready();
  const again = await locks.acquire('other', { timeout: '5s' });
  expect(await again.release()).toBe(true);
  await locks.close();
});
