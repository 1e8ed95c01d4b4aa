import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../servers/index.ts';
import { bundle, type Bundle } from '../support/bundle.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
let demo: Bundle;
let folder: string;
beforeAll(async () => {
  demo = await bundle(join(repository, 'apps/demo/src/main.ts'));
  folder = mkdtempSync(join(tmpdir(), 'tierkit-demo-page-'));
  mkdirSync(join(folder, 'shop'));
  writeFileSync(join(folder, 'shop', 'cart.ts'), 'export const cart = 1;\n');
});
afterAll(() => {
  demo.remove();
  rmSync(folder, { recursive: true, force: true });
});

it('the live demo serves a page and a dashboard of both instances, and ends with them', async () => {
  const { REDIS_URL: _given, ...env } = process.env;
  const child = spawn(process.execPath, [demo.file, folder, '--live'], {
    cwd: repository,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'close');
  let said = '';
  child.stdout.on('data', (data: Buffer) => (said += String(data)));
  try {
    await until('the token is shown', () => said.includes('token for the dashboard'), 60_000);
    const [a = '', b = ''] = ['A', 'B'].map(
      (name) => new RegExp(`${name}: (http://127.0.0.1:\\d+)/  dashboard`).exec(said)?.[1],
    );
    const token = /token for the dashboard: (\S+)/.exec(said)?.[1];
    const file = '/projects/shop/file?path=shop%2Fcart.ts';
    const page = await (await fetch(a + file)).text();
    expect(page).toContain(`${b}${file.replace('&', '&amp;')}">this page on B</a>`);
    const text = 'export const broken = (';
    const headers = { origin: a, 'content-type': 'application/x-www-form-urlencoded' };
    await fetch(a + file, { method: 'POST', headers, body: new URLSearchParams({ text }).toString() });
    await until('B shows it', async () => (await (await fetch(b + file)).text()).includes('syntax error'));
    expect((await fetch(`${a}/admin/api/v1/whoami`)).status).toBe(401);
    const who = await fetch(`${b}/admin/api/v1/whoami`, { headers: { authorization: `Bearer ${token}` } });
    expect(await who.json()).toMatchObject({ role: 'admin' });
    child.kill('SIGINT');
    expect(await exit).toEqual([0, null]);
    await expect(fetch(a)).rejects.toThrow('fetch failed');
  } finally {
    child.kill('SIGKILL');
  }
});
