import { createLiveTelemetry } from '@tierkit/admin';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTierkit } from 'tierkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { Analyser } from '../src/analyser/analyser.ts';
import { LicenceRegistry } from '../src/instance/licence-registry.ts';
import { AnalysisService } from '../src/instance/service.ts';
import { WorkspaceFiles } from '../src/instance/workspace-files.ts';
import { webApp, type WebApp } from '../src/web/web-app.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tierkit-web-'));
const [root, edits] = [join(scratch, 'root'), join(scratch, 'edits')];
const prefix = `t${randomBytes(6).toString('hex')}:`;
const analyser = new Analyser();
const opened: { readonly kit: ReturnType<typeof createTierkit>; readonly web: WebApp }[] = [];
const token = 'token-of-the-demo-0123';
const ORIGIN = 'http://127.0.0.1:1234';

async function instance(name: string): Promise<WebApp> {
  const telemetry = createLiveTelemetry();
  const redis = sharedRedis();
  const kit = createTierkit({ redis, prefix, telemetry });
  await kit.ready('20s');
  const files = new WorkspaceFiles(root, edits);
  const service = new AnalysisService(kit, files, analyser, new LicenceRegistry(root));
  const chrome = () => ({ instance: name, other: undefined });
  const web = webApp({ kit, service, files, telemetry, token, chrome });
  opened.push({ kit, web });
  return web;
}

let a: WebApp;
let b: WebApp;
beforeAll(async () => {
  mkdirSync(join(root, 'shop'), { recursive: true });
  writeFileSync(join(root, 'shop', 'cart.ts'), 'export const a = "</textarea><script>1</script>";\n');
  writeFileSync(join(root, 'shop', 'bill.ts'), "import './nowhere.js';\n");
  writeFileSync(join(root, 'top.ts'), 'export const top = 1;\n');
  writeFileSync(join(scratch, 'secret.ts'), 'export const secret = 1;\n');
  [a, b] = [await instance('A'), await instance('B')];
});
afterAll(async () => {
  analyser[Symbol.dispose]();
  for (const { kit, web } of opened) {
    web.admin.close();
    await kit.project('shop').clear();
    await kit.close();
  }
  rmSync(scratch, { recursive: true, force: true });
});

const get = async ({ app }: WebApp, path: string): Promise<string> => (await app.request(`${ORIGIN}${path}`)).text();
const answer = (text: string): string | undefined => /id="answer">Answered by <span class="by (\w+)">/.exec(text)?.[1];
const FILE = '/projects/shop/file?path=shop%2Fcart.ts';

function save(
  { app }: WebApp,
  path: string,
  text: string,
  headers: Record<string, string> = {},
): Promise<Response> | Response {
  const body = new URLSearchParams({ text }).toString();
  const type = 'application/x-www-form-urlencoded';
  return app.request(`${ORIGIN}${path}`, {
    method: 'POST',
    body,
    headers: { origin: ORIGIN, 'content-type': type, ...headers },
  });
}

describe('the page of the demo', () => {
  it('lists projects and their files', async () => {
    const projects = await get(a, '/');
    expect(projects).toContain('<a href="/projects/shop">shop</a> 2 files');
    expect(projects).toContain('files of the folder itself</a> 1 files');
    expect(await get(a, '/projects/shop')).toMatch(
      /2 reports in .*: 0 from the memory of this process, 0 from Redis,\s+2 analysed now/,
    );
    expect(await get(a, '/projects/shop')).toMatch(/2 from the memory of this process, 0 from Redis,\s+0 analysed now/);
    expect(await get(b, '/projects/shop')).toMatch(/0 from the memory of this process, 2 from Redis,\s+0 analysed now/);
  });

  it('shows findings, and an edit to the other instance, without touching the folder', async () => {
    await get(a, FILE);
    expect(answer(await get(b, FILE))).toBe('L1');
    const saved = await save(a, FILE, 'export const broken = (\r\n');
    expect(saved.status).toBe(303);
    const there = await get(a, saved.headers.get('location') ?? '');
    expect(there).toContain('Saved, and stored in');
    expect(there).toContain('<strong>syntax error</strong>');
    expect(answer(there)).toBe('L1');
    await until('B has dropped its copy', async () => (await get(b, FILE)).includes('syntax error'));
    expect(readFileSync(join(edits, 'shop', 'cart.ts'), 'utf8')).toBe('export const broken = (\n');
    expect(readFileSync(join(root, 'shop', 'cart.ts'), 'utf8')).toContain('</textarea>');
    expect(await get(a, '/projects/shop/file?path=shop%2Fbill.ts')).toContain('<strong>unresolved import</strong>');
  });

  it('answers anew after the project was cleared', async () => {
    await get(b, FILE);
    expect((await save(a, '/projects/shop/clear', '')).status).toBe(303);
    expect(answer(await get(a, FILE))).toBe('load');
  });

  it('shows markup in a file as text', async () => {
    await save(a, FILE, 'const a = "</textarea><script>1</script>";\n');
    const page = await get(a, FILE);
    expect(page).toContain('&lt;/textarea&gt;&lt;script&gt;1&lt;/script&gt;');
    expect(page).not.toContain('<script');
  });

  it.each(['..%2Fsecret.ts', '%2Fetc%2Fpasswd', 'shop%2F..%2F..%2Fsecret.ts', 'shop%2Fcart.ts%00', ''])(
    'opens and writes no file that it does not list: %s',
    async (path) => {
      const address = `/projects/shop/file?path=${path}`;
      expect((await a.app.request(`${ORIGIN}${address}`)).status).toBe(404);
      expect((await save(a, address, 'changed')).status).toBe(404);
      expect(readFileSync(join(scratch, 'secret.ts'), 'utf8')).toContain('secret');
    },
  );

  it('refuses forms of other sites, names that lead here from elsewhere, and files that are too large', async () => {
    expect((await save(a, FILE, 'x', { origin: 'https://elsewhere.example' })).status).toBe(403);
    expect((await a.app.request('http://elsewhere.example/')).status).toBe(421);
    expect((await save(a, FILE, 'x'.repeat(600_000))).status).toBe(413);
    expect((await save(a, FILE, 'x'.repeat(2_000_000))).status).toBe(413);
  });

  it('has the dashboard and its API at /admin, for those with the token', async () => {
    const ask = (path: string, headers: Record<string, string> = {}): Promise<Response> | Response =>
      a.app.request(`${ORIGIN}${path}`, { headers });
    expect((await ask('/admin/api/v1/cache/stats')).status).toBe(401);
    const reply = await ask('/admin/api/v1/cache/stats', { authorization: `Bearer ${token}` });
    expect(await reply.json()).toMatchObject({ tiers: { project: { loads: expect.any(Number) } } });
    expect((await ask('/admin')).status).not.toBe(401);
  });
});
