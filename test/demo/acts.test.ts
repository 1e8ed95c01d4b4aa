import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const main = join(repository, 'apps/demo/src/main.ts');
/** Where the demo keeps what is temporary, so that what it leaves behind can be seen. */
const scratch = mkdtempSync(join(tmpdir(), 'tierkit-acts-'));

async function run(): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { REDIS_URL: _redis, INIT_CWD: _cwd, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--conditions=@tierkit/source', '--import', 'tsx', main, '--once'], {
    cwd: repository,
    env: { ...inherited, TMPDIR: scratch },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(scratch, { recursive: true, force: true });
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += String(data)));
  child.stderr.on('data', (data: Buffer) => (stderr += String(data)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

it('shows every act on this repository within 30 s, and ends with a summary and code 0', async () => {
  const began = Date.now();
  const { code, stdout, stderr } = await run();
  expect(stderr).toBe('');
  for (const act of [
    '1  Baseline',
    '2  ',
    '3  Editing',
    '4  A slow lookup',
    '5  Redis stops',
    'Limits',
    'Quotas',
    'Events and notifications: said on A, heard on B',
    'Metrics written behind',
    'What the analysis found',
  ])
    expect(stdout).toContain(`\n${act}`);
  for (const expected of [
    /Postgres has the last acknowledged metrics of every file .* met$/m,
    /a hit at least 90 % faster than the analysis it saves .* met$/m,
    /nothing is analysed twice on A .* met$/m,
    /B analyses nothing that A has .* met$/m,
    /hit rate above 70 % from cold, with edits .* met$/m,
    /B sees every edit of A +25 of 25.* met$/m,
    /a burst of ann passes 20 requests, not one more +20 allowed +met$/m,
    /a provider's status is the same everywhere.* met$/m,
    /coherent again once Redis is back .* met$/m,
    /what was allowed to ann is what was counted, each request once +40 allowed, 40 counted .*met$/m,
    /no warning is told twice .* met$/m,
    /B hears the quota warnings of A +2 of 2 +met$/m,
    /a session, project or user that A ends is gone everywhere .* met$/m,
    /a promoted version ends analyses on every instance +2 of 2 as if cold +met$/m,
    /B hears every channel that was used +10 of 10 +met$/m,
    /^ {2}system:quota_warning +2 +A .*eve: 100 % of analysis_runs per day/m,
    /What Prometheus reads at A: tierkit_bus_published_total [1-9]\d*\.$/m,
    /^ {2}events:version_promoted +1 +B .*"version":"v2"/m,
  ])
    expect(stdout).toMatch(expected);
  expect(stdout).not.toContain('FAILED');
  expect(stdout).not.toContain('\u001B');
  expect(code).toBe(0);
  expect(Date.now() - began).toBeLessThan(30_000);
  expect(readdirSync(scratch).filter((name) => name.startsWith('tierkit-demo'))).toEqual([]);
});
