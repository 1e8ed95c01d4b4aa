import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sleep } from '../support/sleep.ts';
import { startRedis } from '../servers/index.ts';
import { bundle, type Bundle } from '../support/bundle.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

let demo: Bundle;
let scratch: string;
let folder: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  demo = await bundle(join(repository, 'apps/demo/src/main.ts'));
});
afterAll(() => demo.remove());
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'tierkit-demo-e2e-'));
  folder = join(scratch, 'source');
  mkdirSync(folder);
  writeFileSync(join(folder, 'good.ts'), "import './broken.js';\nexport const f = (a: number) => (a ? 1 : 2);\n");
  writeFileSync(join(folder, 'broken.ts'), 'export function broken( {\n');
  writeFileSync(join(folder, 'lost.ts'), "import './nowhere.js';\n");
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly output: () => { readonly stdout: string; readonly stderr: string };
  readonly exit: Promise<number | null>;
}

/** Temporary files of the run go to `scratch/tmp`, so that what it leaves behind can be seen. */
function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  mkdirSync(join(scratch, 'tmp'), { recursive: true });
  const { REDIS_URL: _redis, INIT_CWD: _cwd, ...inherited } = process.env;
  const child = spawn(process.execPath, [demo.file, ...args], {
    cwd: repository,
    env: { ...inherited, TMPDIR: join(scratch, 'tmp'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += String(data)));
  child.stderr.on('data', (data: Buffer) => (stderr += String(data)));
  const exit = once(child, 'close').then(([code]) => code as number | null);
  return { child, output: () => ({ stdout, stderr }), exit };
}

async function run(
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { exit, output } = start(args, env);
  const code = await exit;
  return { code, ...output() };
}

const left = (): string[] => readdirSync(join(scratch, 'tmp')).filter((name) => name.startsWith('tierkit-demo'));

describe('the demo', () => {
  it('analyses another folder, finds what is wrong in it, and leaves it as it was', async () => {
    writeFileSync(join(folder, 'deep.ts'), '('.repeat(100_000));
    writeFileSync(join(folder, 'image.js'), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff]));
    writeFileSync(join(folder, 'empty.ts'), '');
    const before = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
    const { code, stdout } = await run([folder, '--once']);
    expect(stdout).toContain('6 files, 6 lines');
    expect(stdout).toContain('deep.ts:1  too deep to parse');
    expect(stdout).toContain('image.js:1  binary file');
    expect(stdout).toMatch(/broken\.ts:\d+ {2}syntax error/);
    expect(stdout).toContain('lost.ts:1  unresolved import: ./nowhere.js');
    expect(code).toBe(0);
    expect(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')])).toEqual(before);
  });

  it('runs in memory when no Redis is at hand, says what that leaves out, and ends where no terminal shows it', async () => {
    const { code, stdout } = await run([folder], { PATH: '', REDIS_SERVER: 'redis-server' });
    expect(stdout).toContain('no redis-server on the PATH: one instance, in memory');
    expect(stdout).toMatch(/Left out: the second instance.*/);
    expect(stdout).toContain('what the instance says on its bus in memory, heard by itself');
    expect(stdout).toMatch(/A hears every channel that was used +10 of 10 +met$/m);
    expect(stdout).toContain('Summary');
    expect(stdout).not.toContain('FAILED');
    expect(code).toBe(0);
  });

  it('uses the Redis of REDIS_URL, does not stop it, and removes its keys', async () => {
    const server = await startRedis();
    const redis = new Redis(server.url);
    try {
      const { code, stdout, stderr } = await run([folder, '--once'], { REDIS_URL: server.url });
      expect(stderr).toBe('');
      expect(stdout).toContain(`on the Redis at 127.0.0.1:${server.port} (REDIS_URL)`);
      expect(stdout).toContain('Left out: act 5');
      expect(stdout).not.toContain('FAILED');
      expect(code).toBe(0);
      expect(await redis.ping()).toBe('PONG');
      expect(await redis.keys('*')).toEqual([]);
    } finally {
      redis.disconnect();
      await server.stop();
    }
  });

  it.each([
    ['an unknown option', ['--bogus'], {}, "Unknown option '--bogus'"],
    ['two folders', ['a', 'b'], {}, 'one folder is enough, got 2'],
    ['a folder that is not there', ['no/such/folder'], {}, 'no such folder: no/such/folder'],
    ['a file', ['package.json'], {}, 'not a folder: package.json'],
    ['a folder without sources', ['.changeset'], {}, 'no JavaScript or TypeScript in '],
    [
      'a REDIS_URL that is none',
      ['--once'],
      { REDIS_URL: 'secret@nowhere' },
      'REDIS_URL is no redis:// or rediss:// URL',
    ],
    [
      'a REDIS_URL without Redis',
      ['--once'],
      { REDIS_URL: 'redis://:secret@127.0.0.1:1' },
      'nothing answers at 127.0.0.1:1',
    ],
  ])('refuses %s with one line and code 2', async (_what, args, env, message) => {
    const { code, stdout, stderr } = await run(args, env);
    expect(stderr).toMatch(/^demo: [^\n]+\n$/);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('secret');
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('explains itself', async () => {
    const { code, stdout } = await run(['--help']);
    expect(stdout).toContain('Usage: npm run demo');
    expect(code).toBe(0);
  });

  it('goes on live, tells an edit from A to B, and ends at Ctrl-C without leaving a process', async () => {
    const { child, output, exit } = start([folder, '--live']);
    await until(() => output().stdout.includes('A: 3 files'), output);
    const family = descendants(child.pid);
    expect(family.length).toBeGreaterThanOrEqual(3);
    writeFileSync(join(folder, 'good.ts'), 'export const changed = 1;\n');
    await until(() => /edited good\.ts: stored in .*; B dropped its copy/.test(output().stdout), output);
    child.kill('SIGINT');
    expect(await exit).toBe(0);
    expect(output().stdout).toMatch(/\n {2}Ended\.\n$/);
    await until(() => family.every((pid) => !isAlive(pid)), output);
    expect(output().stderr).toBe('');
    expect(left()).toEqual([]);
  });

  it('leaves no process behind when it is killed without a word', async () => {
    const { child, output } = start([folder, '--live']);
    await until(() => output().stdout.includes('A: 3 files'), output);
    const family = descendants(child.pid);
    child.kill('SIGKILL');
    await until(() => family.every((pid) => !isAlive(pid)), output);
    expect(family.length).toBeGreaterThanOrEqual(3);
  });
});

async function until(met: () => boolean, output: () => unknown): Promise<void> {
  const deadline = Date.now() + 80_000;
  while (!met()) {
    if (Date.now() > deadline) throw new Error(`it did not happen: ${JSON.stringify(output(), null, 1)}`);
    await sleep(50);
  }
}

/** All processes below one, from Linux's /proc. */
function descendants(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  const children = readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '))
    .filter((child) => child !== '')
    .map(Number);
  return [...children, ...children.flatMap(descendants)];
}

function isAlive(pid: number): boolean {
  try {
    // A zombie has ended; nobody has asked for its exit code yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
