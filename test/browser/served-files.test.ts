import { adminListener, createAdmin, type Admin } from '@tierkit/admin';
import { Hono } from 'hono';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { createTierkit } from 'tierkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TOKENS } from './dashboard.ts';

const kit = createTierkit({ redis: 'memory' });
const tokens = [{ token: TOKENS.viewer, role: 'viewer' }] as const;
let admin: Admin;
beforeAll(() => {
  admin = createAdmin(kit, { tokens });
});
afterAll(async () => {
  admin.close();
  await kit.close();
});

const read = async (path: string): Promise<string> => (await admin.app.request(path)).text();
const assetsOf = (page: string): string[] =>
  [...page.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, path = '']) => path);

it('serves the page and its files to anybody, and nothing else', async () => {
  const page = await admin.app.request('/');
  expect(page.status).toBe(200);
  expect(page.headers.get('cache-control')).toBe('no-cache');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  const assets = assetsOf(await page.text());
  expect(assets.map((path) => path.replace(/^.*\./, '')).sort()).toEqual(['css', 'js', 'svg']);
  for (const path of assets) {
    const { status, headers } = await admin.app.request(`/${path}`);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toContain('immutable');
  }
  expect(await read('/licenses.md')).toContain('preact');
  for (const path of [
    '/assets/',
    '/assets/other.js',
    '/index.html',
    '/../package.json',
    '/%2e%2e/package.json',
    '/api',
  ]) {
    expect((await admin.app.request(path)).status).toBe(401);
  }
});

it('has no script and no style within the page, no other origin, and is small', async () => {
  const page = await read('/');
  expect(page).not.toMatch(/<style|style=|<script(?![^>]*\bsrc=)|\son\w+=|https?:/);
  let packed = 0;
  for (const path of assetsOf(page)) {
    const text = await read(`/${path}`);
    packed += gzipSync(text).length;
    if (path.endsWith('.css')) expect(text).not.toContain('data:');
  }
  expect(packed).toBeLessThan(50_000);
});

it('is left out where it is not wanted', async () => {
  const bare = createAdmin(kit, { tokens, dashboard: false });
  expect((await bare.app.request('/')).status).toBe(401);
  bare.close();
});

it('adds the slash that relative addresses need, wherever it is mounted', async () => {
  const app = new Hono().route('/deep/admin', admin.app);
  const response = await app.request('http://host/deep/admin');
  expect(response.status).toBe(308);
  expect(new URL(response.headers.get('location') ?? '', 'http://host/deep/admin').pathname).toBe('/deep/admin/');
  expect((await app.request('/deep/admin/')).status).toBe(200);

  // A router that cuts off what it mounts, as Express does.
  const listener = adminListener(admin);
  const server = createServer((request: IncomingMessage & { originalUrl?: string }, reply) => {
    request.originalUrl = request.url ?? '';
    request.url = (request.url ?? '').replace(/^\/deep\/admin/, '').replace(/^(?!\/)/, '/');
    void listener(request, reply);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/deep/admin`;
  const followed = await fetch(base);
  expect(followed.url).toBe(`${base}/`);
  expect(assetsOf(await followed.text())).toHaveLength(3);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
