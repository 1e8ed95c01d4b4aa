import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { createTierkit } from 'tierkit';
import { afterAll, beforeAll, expect, inject, it, onTestFinished, vi } from 'vitest';
import { ask, startRedis } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { Interruption } from '../src/index.ts';
import { buildBinary, type Binary } from './command.ts';
import { runHere, type HereOptions } from './run-here.ts';

// Each run is a process, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

let binary: Binary;
beforeAll(async () => {
  binary = await buildBinary();
});
afterAll(() => binary.remove());

async function setup() {
  const prefix = `cli-${randomBytes(6).toString('hex')}:`;
  const kit = createTierkit({ redis: sharedRedis(), prefix });
  onTestFinished(() => kit.close());
  await kit.ready('15s');
  const environment = { REDIS_URL: inject('redisUrl'), TIERKIT_PREFIX: prefix };
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}, options: HereOptions = {}) =>
    runHere([...args, '--timeout', '20s'], { ...environment, ...more }, options);
  return { kit, prefix, run };
}

it.each([
  [['nope']],
  [['stats', '--nope']],
  [['keys', 'a', 'b']],
  [['get']],
  [['keys', '--limit']],
  [[]],
  [['nope', '\u001b[31m']],
  [['\u001b[31mred']],
])('tells what is wrong with %j as all errors are told, as JSON if asked', async (args) => {
  for (const json of [false, true]) {
    const { code, stdout, stderr } = await runHere(json ? ['--json', ...args] : args, {});
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).not.toContain('\u001b');
    if (json) expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'ERR_CLI_USAGE' } });
    else expect(stderr).toContain('ERR_CLI_USAGE: ');
  }
});

it.each(['a token\nof two lines', 'not \u2603 ascii', 'two-or  three-words'])(
  'never shows the token %j',
  async (token) => {
    const { run } = await setup();
    for (const json of [[], ['--json']]) {
      const said = await run(['stats', '--admin', 'http://127.0.0.1:9/', ...json], { TIERKIT_ADMIN_TOKEN: token });
      expect([said.code, said.stdout]).toEqual([2, '']);
      expect(said.stderr).toContain('TIERKIT_ADMIN_TOKEN is no token');
      expect(said.stderr).not.toContain(token.slice(0, 7));
    }
  },
);

it('tells from the exit code that Redis refuses the password, by the doctor too', async () => {
  const server = await startRedis(['--requirepass', 'right']);
  onTestFinished(() => server.stop());
  const environment = { REDIS_URL: server.url.replace('//', '//:wrong-secret@') };
  const said = await Promise.all(
    ['doctor', 'keys'].map((command) => binary.run([command, '--timeout', '4s'], environment)),
  );
  expect(said.map(({ code }) => code)).toEqual([5, 5]);
  for (const { stdout, stderr } of said) expect(stdout + stderr).not.toContain('wrong-secret');
});

it('ends with 5 what Redis refused to change, which it says, and with no number what it could not count', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const kit = createTierkit({ redis: { url: server.url, commandTimeout: '10s' } });
  onTestFinished(() => kit.close());
  await kit.ready('15s');
  await kit.global.set('a', 1, { tags: ['t'] });
  const environment = { REDIS_URL: server.url.replace('redis://', 'redis://limited:a-secret@') };
  const may = (...rights: string[]) =>
    ask(server.port, 'ACL', 'SETUSER', 'limited', 'reset', 'on', '>a-secret', '~*', '&*', '+@all', ...rights);
  const run = (...args: string[]) => runHere([...args, '--timeout', '20s'], environment);
  await may('-@write');
  const tagged = await run('invalidate', '--tag', 't', '--yes');
  expect([tagged.code, tagged.stdout]).toEqual([5, expect.stringContaining('Redis did not confirm all of it: ')]);
  const matching = await run('invalidate', 'a*', '--yes', '--json');
  expect([matching.code, JSON.parse(matching.stdout)]).toEqual([
    5,
    { pattern: 'a*', matching: 1, deleted: 0, confirmed: false, dryRun: false },
  ]);
  const emptied = await run('clear', '--tier', 'session', '--scope', 's', '--yes');
  expect([emptied.code, emptied.stdout]).toEqual([
    5,
    expect.stringMatching(/Redis did not confirm it.*can't run this command/),
  ]);
  await may('-scan');
  const cleared = await run('clear', '--tier', 'project', '--yes');
  expect([cleared.code, cleared.stdout]).toEqual([5, expect.stringContaining('Redis did not confirm it')]);
  const counted = await run('invalidate', 'a*', '--dry-run');
  expect([counted.code, counted.stdout]).toEqual([5, '']);
  expect(counted.stderr).toContain('ERR_CLI_PARTIAL');
});

it('ends at once at a second Ctrl-C, where the first waits for a Redis that is frozen', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  onTestFinished(() => server.process.signal('SIGCONT'));
  const bench = binary.start(['bench', '--requests', '10000000', '--timeout', '10m'], { REDIS_URL: server.url });
  await expect.poll(() => ask(server.port, 'DBSIZE'), { timeout: 20_000 }).toBeGreaterThan(50);
  server.process.signal('SIGSTOP');
  // Two that come at once are one to a process.
  const pressing = setInterval(() => bench.child.kill('SIGINT'), 100);
  onTestFinished(() => clearInterval(pressing));
  const { code, stdout } = await bench.ended;
  expect([code, stdout]).toEqual([130, '']);
});

it('keeps its exit code when nobody reads what goes wrong', async () => {
  const [program = '', ...args] = binary.command(['keys', '--limit', 'x']);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.destroy();
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(2);
});

it('lists locks whatever they are called, and makes free what no lock has written', async () => {
  const { kit, prefix, run } = await setup();
  const name = 'of a {tenant}: 50 % \u001b[31m';
  const lock = await kit.locks.acquire(name, { ttl: '1m' });
  const permit = await kit.locks.semaphore('pool', 3).acquire({ ttl: '1m' });
  const raw = new Redis(inject('redisUrl'));
  onTestFinished(() => raw.disconnect());
  await raw.hset(`${prefix}lock:{spoilt}`, 'a', 'b');
  const { locks } = JSON.parse((await run(['locks', '--json'])).stdout) as { locks: { name: string; kind: string }[] };
  const listed = locks.find(({ name: own }) => own.includes('tenant'));
  expect(locks).toMatchObject([
    { kind: 'lock', name: listed?.name, holders: [{ token: String(lock.token) }], foreign: false },
    { kind: 'lock', name: 'spoilt', foreign: true },
    { kind: 'semaphore', name: 'pool', holders: [{ mode: 'shared' }] },
  ]);
  const text = (await run(['locks'])).stdout;
  expect(text).toMatch(/spoilt +what no lock has written/);
  expect(text).not.toContain('\u001b');
  for (const known of [name, listed?.name ?? '']) {
    expect((await run(['locks', known])).stdout).toContain(String(lock.token));
  }
  expect((await run(['locks', 'spoilt'])).code).toBe(1);
  expect((await run(['locks', 'spoilt', '--release'])).stderr).toContain('was not written by one');
  for (const args of [['spoilt'], [name], ['pool', '--semaphore']]) {
    expect(JSON.parse((await run(['locks', ...args, '--release', '--yes', '--json'])).stdout)).toMatchObject({
      released: true,
    });
  }
  expect((await run(['locks'])).stdout).toContain('nobody holds a lock');
  await Promise.allSettled([lock.release(), permit.release()]);
});

it('finds what a subject used by the name that the service uses, and as it is listed', async () => {
  const { kit, run } = await setup();
  const quota = kit.quota({ calls: { per: 'day', limit: 9 } });
  await quota.add('ann of {x}: 1', { calls: 4 });
  const { subjects } = JSON.parse((await run(['quota', '--json'])).stdout) as { subjects: { subject: string }[] };
  for (const subject of ['ann of {x}: 1', subjects[0]?.subject ?? '']) {
    expect(JSON.parse((await run(['quota', subject, '--json'])).stdout)).toMatchObject({
      periods: [{ used: { calls: 4 } }],
    });
  }
  expect((await run(['quota', '--reset'])).code).toBe(2);
  expect((await run(['quota', 'ann', '--reset', '--yes'])).stderr).toContain('only a running service knows');
});

it('shows how far an invalidation is, of how many', async () => {
  const { kit, run } = await setup();
  await kit.global.setMany(Array.from({ length: 1_200 }, (_, i) => [`many:${i}`, i] as const));
  const { code, stdout, stderr } = await run(['invalidate', 'many:*', '--yes'], {}, { isTTY: true });
  expect([code, stdout]).toEqual([0, '1200 entries matching many:* were ended\n']);
  expect(stderr).toMatch(/counting \d+/);
  expect(stderr).toContain('ending [########################] 100 %');
});

it('stops an invalidation in the middle at Ctrl-C, with no word of success and nothing left half ended', async () => {
  const { kit, prefix, run } = await setup();
  const entries = Array.from({ length: 3_000 }, (_, i) => [`many:${i}`, i] as const);
  await kit.global.setMany(entries);
  const controller = new AbortController();
  const onError = (text: string): void => {
    if (text.includes('ending [')) controller.abort(new Interruption('SIGINT'));
  };
  const options = { isTTY: true, signal: controller.signal, onError };
  const { code, stdout, stderr } = await run(['invalidate', 'many:*', '--yes'], {}, options);
  expect([code, stdout]).toEqual([130, '']);
  expect(stderr).toContain('ERR_CLI_INTERRUPTED');
  // What this instance has in process is what Redis has.
  const other = createTierkit({ redis: sharedRedis(), prefix });
  onTestFinished(() => other.close());
  await other.ready('15s');
  const names = entries.map(([name]) => name);
  const left = await other.global.getMany(names);
  expect(left.filter((value) => value === undefined).length).toBeGreaterThan(0);
  await expect.poll(() => kit.global.getMany(names), { timeout: 10_000 }).toEqual(left);
});
