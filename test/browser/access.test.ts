import { createAdmin, serveAdmin } from '@tierkit/admin';
import { chromium, type Browser } from 'playwright-core';
import { createTierkit } from 'tierkit';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openPlace, signedIn, TOKENS, visit, type Place } from './dashboard.ts';

let browser: Browser;
let place: Place;
beforeAll(async () => {
  browser = await chromium.connect(inject('chromium'));
  place = await openPlace(inject('redisUrl'));
});
afterAll(async () => {
  await browser?.close();
  await place?.close();
});

const STORED = 'JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie, location.href])';

describe('signing in', () => {
  it('refuses a token that is none, and takes one that is', async () => {
    const { page } = await visit(browser, place.url);
    await page.getByLabel('Token').fill('not-a-token-of-theirs');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('This token is not known.').waitFor();
    await page.getByLabel('Token').fill(TOKENS.viewer);
    await page.keyboard.press('Enter');
    await page.getByText('Vera').waitFor();
    await page.context().close();
  });

  it('puts the token into no address, and keeps it only if told to', async () => {
    const { page, complaints } = await visit(browser, place.url);
    const addresses: string[] = [];
    page.on('request', (request) => addresses.push(request.url()));
    await page.getByLabel('Token').fill(TOKENS.viewer);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('live', { exact: true }).waitFor();
    expect(await page.evaluate(STORED)).not.toContain(TOKENS.viewer);
    await page.reload();
    await page.getByLabel('Token').fill(TOKENS.viewer);
    await page.getByLabel('Keep it').check();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('live', { exact: true }).waitFor();
    await page.reload();
    await page.getByText('live', { exact: true }).waitFor();
    const [session, ...elsewhere] = JSON.parse(await page.evaluate(STORED)) as unknown[];
    expect(session).toEqual({ 'tierkit-token': TOKENS.viewer });
    expect(JSON.stringify(elsewhere)).not.toContain(TOKENS.viewer);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    expect(await page.evaluate(STORED)).not.toContain(TOKENS.viewer);
    expect(addresses.length).toBeGreaterThan(5);
    expect(addresses.filter((address) => address.includes(TOKENS.viewer))).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

describe('a connection that breaks', () => {
  it('is said to be broken, and made again', async () => {
    const kit = createTierkit({ redis: 'memory' });
    const tokens = [{ token: TOKENS.viewer, role: 'viewer' }] as const;
    const before = await serveAdmin(createAdmin(kit, { tokens }), { port: 0 });
    const { page } = await signedIn(browser, `http://127.0.0.1:${before.port}/`, 'viewer');
    await before.close();
    await page.getByText('not connected').waitFor();
    const after = await serveAdmin(createAdmin(kit, { tokens }), { port: before.port });
    await page.getByText('live', { exact: true }).waitFor();
    await after.close();
    // Somebody took the token off the list.
    const others = [{ token: TOKENS.admin, role: 'viewer' }] as const;
    const last = await serveAdmin(createAdmin(kit, { tokens: others }), { port: before.port });
    await page.getByRole('alert').getByText('This token is no longer known.').waitFor();
    await page.context().close();
    await last.close();
    // A service in memory has neither Redis nor figures of one.
    await kit.close();
  });
});
