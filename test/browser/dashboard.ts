import { createAdmin, createLiveTelemetry, serveAdmin, type AdminToken } from '@tierkit/admin';
import { randomBytes } from 'node:crypto';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { createTierkit, type Tierkit } from 'tierkit';
import { someParts, type SomeParts } from './some-parts.ts';

export const TOKENS = {
  viewer: 'viewer-0123456789abcdef',
  admin: 'admin-0123456789abcdef',
} as const;

const tokens: readonly AdminToken[] = [
  { name: 'Vera', token: TOKENS.viewer, role: 'viewer' },
  { name: 'Ada', token: TOKENS.admin, role: 'admin', values: true },
];

/** A service with an admin, on a Redis, with a prefix of its own. */
export interface Place {
  readonly kit: Tierkit;
  /** Another instance of the service. */
  readonly other: Tierkit;
  /** What it has besides a cache. */
  readonly own: SomeParts;
  readonly url: string;
  close(): Promise<void>;
}

export async function openPlace(
  redisUrl: string,
  prefix: string = `b${randomBytes(6).toString('hex')}:`,
): Promise<Place> {
  // What is tested here is no deadline: the machine may be busy.
  const options = { redis: { url: redisUrl, commandTimeout: '10s' }, prefix } as const;
  const telemetry = createLiveTelemetry();
  const [kit, other] = [createTierkit({ ...options, telemetry }), createTierkit(options)];
  const [own] = await Promise.all([someParts(redisUrl, prefix, telemetry), kit.ready('20s'), other.ready('20s')]);
  const server = await serveAdmin(createAdmin(kit, { tokens, telemetry, parts: own.parts }), { port: 0 });
  return {
    kit,
    other,
    own,
    url: `http://127.0.0.1:${server.port}/`,
    async close() {
      await server.close();
      await Promise.all([kit.global.clear(), kit.project('p').clear()]);
      await Promise.all([kit.close(), other.close(), own.close()]);
    },
  };
}

export interface Visit {
  readonly page: Page;
  /** What the browser complained of: errors of the page, refusals of its policy, requests that failed. */
  readonly complaints: readonly string[];
}

/** Opens a page in a profile of its own, and writes down whatever the browser complains of. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  return { page, complaints };
}

/** The same, signed in. */
export async function signedIn(
  browser: Browser,
  url: string,
  as: keyof typeof TOKENS,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const visited = await visit(browser, url, options);
  const { page } = visited;
  await page.getByLabel('Token').fill(TOKENS[as]);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1 }).and(page.getByText('Overview')).waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  return visited;
}

/** Goes to another page of the dashboard. */
export async function openPage({ page }: Visit, name: string): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}
