import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../servers/index.ts';

const root = new URL('../..', import.meta.url).pathname;
let emptyPath = '';

beforeAll(() => {
  emptyPath = mkdtempSync(join(tmpdir(), 'tierkit-path-'));
});

afterAll(() => {
  rmSync(emptyPath, { recursive: true, force: true });
});

/** Runs a task as somebody who may not install anything, with no program to be found but Node. */
function task(name: string, env: NodeJS.ProcessEnv = {}): { readonly code: number | null; readonly lines: string[] } {
  const notRoot = 'data:text/javascript,process.getuid = () => 65534';
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', notRoot, '.ci/task.mjs', name], {
    cwd: root,
    env: { PATH: emptyPath, ...env },
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { code: status, lines: (stdout + stderr).trimEnd().split('\n') };
}

describe.each(['test', 'bench', 'soak:coherence'])('npm run %s without a Redis', (name) => {
  it('says in one line what to do, and fails', () => {
    const { code, lines } = task(name, { REDIS_URL: '' });
    expect(lines).toEqual([expect.stringMatching(/no Redis found.*redis-server.*REDIS_SERVER.*REDIS_URL/)]);
    expect(code).toBe(1);
  });

  it('names the address where nothing listens, and keeps the password to itself', async () => {
    const port = await freePort();
    const { code, lines } = task(name, { REDIS_URL: `redis://:secret@127.0.0.1:${port}` });
    expect(lines).toEqual([expect.stringContaining(`REDIS_URL: nothing listens at 127.0.0.1:${port}`)]);
    expect(lines.join('\n')).not.toContain('secret');
    expect(code).toBe(1);
  });
});

describe('npm test without a Chromium', () => {
  const REDIS_SERVER = 'redis-server';
  // The Redis is there, so that it is the browser that is missed.
  const PATH = (): string => {
    const path = join(emptyPath, 'redis');
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, REDIS_SERVER), '#!/bin/sh\n', { mode: 0o755 });
    return path;
  };

  it('says in one line what to do, and fails', () => {
    const { code, lines } = task('test', { PATH: PATH(), REDIS_SERVER });
    expect(lines).toEqual([expect.stringMatching(/no Chromium found.*apt-get.*CHROMIUM/)]);
    expect(code).toBe(1);
  });

  it('says that the one that was named is none', () => {
    const { code, lines } = task('test', { PATH: PATH(), REDIS_SERVER, CHROMIUM: '/nowhere/chromium' });
    expect([code, lines]).toEqual([1, ['[tierkit] CHROMIUM names no program']]);
  });
});

it('a REDIS_URL that is none is told without repeating it', () => {
  const { code, lines } = task('test', { REDIS_URL: ':secret@nowhere' });
  expect([code, lines]).toEqual([1, ['[tierkit] REDIS_URL is no valid URL']]);
});

it.each(['no-such-task', ''])('the unknown task "%s" ends with code 2 and the names that exist', (name) => {
  const { code, lines } = task(name);
  expect(lines).toEqual([expect.stringMatching(/no task .*setup.*test.*check/)]);
  expect(code).toBe(2);
});
