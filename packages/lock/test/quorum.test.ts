import { expect, it, onTestFinished } from 'vitest';
import { startProxy, startRedis, until } from '../../../test/servers/index.ts';
import { createLocks } from '../src/index.ts';
import { arrivesLate } from './safety/arrives-late.ts';

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

it('leaves no ghost of a turn that is asked for in vain, and given when the lock was released', async () => {
  const servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  const [first, ...others] = servers;
  const proxy = await startProxy({ target: { port: first.port } });
  const away = others.map(({ url }) => url);
  const locks = createLocks({ quorum: [proxy.url, ...away] });
  const observer = createLocks({ quorum: [first.url, ...away] });
  onTestFinished(async () => {
    await Promise.all([locks.close(), observer.close()]);
    await Promise.all([proxy.stop(), ...servers.map((each) => each.stop())]);
  });
  await Promise.all([locks.ready(), observer.ready()]);
  await locks.request('known', () => undefined);
  proxy.hold();
  const held = await locks.acquire('late', { ttl: '30s' });
  await proxy.normal();
  await until('the turn was given', async () => (await observer.inspect('late')).holders.length === 1);
  const owner = (await observer.inspect('late')).holders[0]?.owner ?? '';
  expect(await held.release()).toBe(true);
  await arrivesLate(first.url, { owner, resource: 'lock:{late}', shape: 'x', ttlMs: 30_000 }, 'turn:');
  await until('nobody has it', async () => (await observer.inspect('late')).holders.length === 0, 5_000);
});
