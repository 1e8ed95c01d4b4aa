import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { sleep } from '../support/sleep.ts';
import { bundle } from '../support/bundle.ts';
import { ask, startCluster, startRedis, startSentinel, until, type RedisProcess } from './index.ts';

const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

function stoppedAfterwards<T extends { stop(): Promise<void> }>(server: T): T {
  started.push(server);
  return server;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Stops twice, and checks that no process and no folder is left. */
async function expectCleanStop(server: { stop(): Promise<void> }, processes: readonly RedisProcess[]): Promise<void> {
  const pids = processes.map(({ pid }) => pid ?? 0);
  const folders = processes.map(({ folder }) => folder);
  expect(pids.every(alive) && folders.every((folder) => existsSync(folder))).toBe(true);
  const begin = performance.now();
  await Promise.all([server.stop(), server.stop()]);
  expect(performance.now() - begin).toBeLessThan(2_000);
  expect(pids.filter(alive)).toEqual([]);
  expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
}

it('startRedis: answers, takes arguments, freezes, restarts on its port, leaves nothing', async () => {
  const redis = stoppedAfterwards(await startRedis(['--maxmemory', '16mb', '--maxmemory-policy', 'noeviction']));
  expect(await ask(redis.port, 'CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', String(16 * 1024 * 1024)]);
  redis.process.signal('SIGSTOP');
  await expect(ask(redis.port, 'PING')).rejects.toThrow('timed out');
  redis.process.signal('SIGCONT');
  expect(await ask(redis.port, 'PING')).toBe('PONG');
  await redis.process.end('SIGTERM');
  await expect(ask(redis.port, 'PING')).rejects.toThrow('Connection is closed');
  await redis.process.start();
  expect(await ask(redis.port, 'PING')).toBe('PONG');
  redis.process.signal('SIGSTOP');
  await expectCleanStop(redis, [redis.process]);
});

it('startRedis: a password is asked for, and a server that cannot start says why', async () => {
  const redis = stoppedAfterwards(await startRedis(['--requirepass', 'secret']));
  await expect(ask(redis.port, 'GET', 'a')).rejects.toThrow('NOAUTH');
  await expect(startRedis(['--no-such-option', '1'])).rejects.toThrow('no-such-option');
});

it('a server vanishes with the process that started it, even after SIGKILL', async () => {
  const script = `
    import { startRedis } from './index.ts';
    const { process: server } = await startRedis();
    console.log(JSON.stringify([server.pid, server.folder]));
    setInterval(() => {}, 1000);`;
  const program = await bundle({ contents: script, resolveDir: import.meta.dirname });
  onTestFinished(() => program.remove());
  const owner = spawn(process.execPath, [program.file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(owner.stdout), 'line')) as [string];
  const [pid, folder] = JSON.parse(line) as [number, string];
  expect(alive(pid) && existsSync(folder)).toBe(true);
  owner.kill('SIGKILL');
  await until('the server and its folder are gone', () => !alive(pid) && !existsSync(folder), 3_000);
});

it('startCluster: all slots served, a killed master is replaced and returns as a replica', async () => {
  const cluster = stoppedAfterwards(await startCluster());
  expect(cluster.nodes).toHaveLength(6);
  expect(await Promise.all([0, 5_461, 5_462, 10_922, 10_923, 16_383].map((slot) => cluster.masterOf(slot)))).toEqual([
    0, 0, 1, 1, 2, 2,
  ]);
  const before = await cluster.masterOf('key');
  const replica = await cluster.replicaOf('key');
  expect(await ask(cluster.nodes[before]?.port ?? 0, 'SET', 'key', 'value')).toBe('OK');
  expect(await ask(cluster.nodes[before]?.port ?? 0, 'WAIT', 1, 500)).toBe(1);
  await cluster.processes[before]?.end();
  await until('the replica takes over', async () => (await cluster.masterOf('key')) === replica);
  await cluster.healthy();
  expect(await ask(cluster.nodes[replica]?.port ?? 0, 'GET', 'key')).toBe('value');
  await cluster.processes[before]?.start();
  await cluster.healthy();
  expect(await cluster.replicaOf('key')).toBe(before);
  await expectCleanStop(cluster, cluster.processes);
});

it('startCluster behind proxies: clients are sent to them, and a cut client link causes no failover', async () => {
  const cluster = stoppedAfterwards(await startCluster({ proxied: true }));
  expect(cluster.proxies).toHaveLength(6);
  const owner = await cluster.masterOf('key');
  const other = cluster.nodes[(owner + 1) % 3]?.port ?? 0;
  await expect(ask(other, 'SET', 'key', 'value')).rejects.toThrow(`127.0.0.1:${cluster.proxies[owner]?.port}`);
  cluster.proxies[owner]?.drop();
  await expect(ask(cluster.nodes[owner]?.port ?? 0, 'GET', 'key')).rejects.toThrow('timed out');
  await sleep(2_000);
  await cluster.proxies[owner]?.normal();
  expect(await cluster.masterOf('key')).toBe(owner);
  expect(await ask(cluster.nodes[owner]?.port ?? 0, 'SET', 'key', 'value')).toBe('OK');
});

it('startSentinel: fails over when told', async () => {
  const group = stoppedAfterwards(await startSentinel());
  expect([await group.master(), group.sentinels.length]).toEqual([0, 3]);
  await group.failover();
  expect(await group.master()).toBe(1);
  expect(String(await ask(group.processes[1].port, 'INFO', 'replication'))).toContain('role:master');
});

it('startSentinel: a killed master is replaced and comes back', async () => {
  const group = stoppedAfterwards(await startSentinel());
  await group.processes[0].end();
  await until('the other server takes over', async () => (await group.master()) === 1);
  await group.processes[0].start();
  await expectCleanStop(group, [...group.processes, ...group.sentinelProcesses]);
});

it('startSentinel behind proxies: Sentinel sees the link fail too', async () => {
  const group = stoppedAfterwards(await startSentinel({ proxied: true }));
  group.proxies[0]?.drop();
  await until('the other server takes over', async () => (await group.master()) === 1);
  expect(await ask(group.proxies[1]?.port ?? 0, 'SET', 'key', 'value')).toBe('OK');
});
