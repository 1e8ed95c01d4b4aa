import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { startRedis, until } from '../../../test/servers/index.ts';
import { bundle, type Bundle } from '../../../test/support/bundle.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createTierkit } from '../src/index.ts';

interface Outcome {
  readonly code: number | null;
  readonly stderr: string;
  readonly said: { readonly stored: boolean; readonly loaded: string; readonly closedMs: number };
  /** From the last line of the program to the end of its process. */
  readonly exitMs: number;
}

let child: Bundle;
let waitingChild: Bundle;
beforeAll(async () => {
  [child, waitingChild] = await Promise.all([
    bundle(fileURLToPath(new URL('children/use-and-close.ts', import.meta.url))),
    bundle(fileURLToPath(new URL('children/close-while-waiting.ts', import.meta.url))),
  ]);
});
afterAll(() => {
  child.remove();
  waitingChild.remove();
});

const run = (...args: string[]): Promise<Outcome> => start(child, ...args);

async function start(child: Bundle, ...args: string[]): Promise<Outcome> {
  const flags = ['--trace-warnings', child.file];
  const process_ = spawn(process.execPath, [...flags, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void process_.kill('SIGKILL'));
  let [stdout, stderr, saidAtMs] = ['', '', 0];
  process_.stdout.on('data', (data: Buffer) => {
    stdout += String(data);
    saidAtMs = performance.now();
  });
  process_.stderr.on('data', (data: Buffer) => (stderr += String(data)));
  const [code] = (await once(process_, 'exit')) as [number | null];
  const exitMs = performance.now() - saidAtMs;
  const said: unknown = JSON.parse(stdout === '' ? '{}' : stdout);
  return { code, stderr, exitMs, said: said as Outcome['said'] };
}

const clean = { code: 0, stderr: '' };

describe('close() leaves nothing behind, and the process ends by itself', () => {
  it('with Redis up', async () => {
    const { exitMs, said, ...rest } = await run(inject('redisUrl'), 'ready');
    expect(rest).toEqual(clean);
    expect(said).toMatchObject({ stored: true, loaded: 'from the loader' });
    expect(said.closedMs).toBeLessThan(2_000);
    expect(exitMs).toBeLessThan(2_000);
  });

  it('with nothing at the address', async () => {
    const server = await startRedis();
    await server.stop();
    const { exitMs, said, ...rest } = await run(server.url, 'at once');
    expect(rest).toEqual(clean);
    expect(said).toMatchObject({ stored: false, loaded: 'from the loader' });
    expect(said.closedMs).toBeLessThan(2_000);
    expect(exitMs).toBeLessThan(2_000);
  });

  it('with a frozen Redis', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    server.process.signal('SIGSTOP');
    const { exitMs, said, ...rest } = await run(server.url, 'at once');
    expect(rest).toEqual(clean);
    expect(said).toMatchObject({ stored: false, loaded: 'from the loader' });
    expect(said.closedMs).toBeLessThan(2_000);
    expect(exitMs).toBeLessThan(2_000);
  });

  it.each(['SIGSTOP', 'SIGKILL'])('with a Redis that gets a %s while it is in use', async (signal) => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const { exitMs, said, ...rest } = await run(server.url, 'ready', String(server.process.pid), signal);
    expect(rest).toEqual(clean);
    expect(said).toMatchObject({ stored: true, loaded: 'from the loader' });
    expect(said.closedMs).toBeLessThan(2_000);
    expect(exitMs).toBeLessThan(2_000);
  });

  it('while callers wait for the load of another process, and for a feed', async () => {
    const prefix = `close-${randomUUID()}:`;
    const other = createTierkit({ redis: sharedRedis(), prefix });
    await other.ready('10s');
    const ending = new AbortController();
    const held = other.session('abc').getOrSet('held', () => once(ending.signal, 'abort'));
    held.catch(() => {});
    // The other one has the right to load before anybody else asks.
    await until('the load has begun', async () => other.stats().tiers['session']?.loads === 1);
    const { exitMs, said, ...rest } = await start(waitingChild, inject('redisUrl'), prefix);
    expect(rest).toEqual(clean);
    // It waited until it was closed, then got an answer of some kind in time.
    expect(said.stored).toBe(true);
    expect(said.loaded).toMatch(/^(?:fulfilled|rejected) rejected$/);
    expect(said.closedMs).toBeLessThan(2_000);
    expect(exitMs).toBeLessThan(2_000);
    ending.abort();
    await held;
    await other.close();
  });

  it.each(['memory', 'null'])('with the %s backend', async (backend) => {
    const { exitMs, said, ...rest } = await run(backend, 'ready');
    expect(rest).toEqual(clean);
    expect(said).toMatchObject({ stored: true, loaded: 'from the loader' });
    expect(exitMs).toBeLessThan(2_000);
  });
});
