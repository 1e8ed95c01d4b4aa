import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openPage, openPlace, signedIn, visit, type Place } from './dashboard.ts';

let browser: Browser;
let place: Place;
beforeAll(async () => {
  browser = await chromium.connect(inject('chromium'));
  place = await openPlace(inject('redisUrl'));
  const { kit } = place;
  for (let key = 0; key < 20; key++) {
    await kit.global.set(`user:${key}`, { key }, { tags: ['users'] });
    await kit.global.get(`user:${key}`);
    await kit.global.get(`nobody:${key}`);
  }
  await kit.global.set(`long:${'x'.repeat(300)}`, 'y'.repeat(500), { tags: ['z'.repeat(200)] });
  await kit.project('p').getOrSet('tree', async () => 1);
});
afterAll(async () => {
  await browser?.close();
  await place?.close();
});

const EVERYTHING = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'];
/** All that differs between light and dark. */
const CONTRAST = ['color-contrast'];

/** What axe finds wrong: contrast, names, roles, landmarks, order. */
async function faults(page: Page, rules: readonly string[]): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(rules)} }).then(({ violations, passes }) => ({
      checked: passes.length,
      violations: violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary).join('; ')),
    }))`,
  );
  const { checked, violations } = found as { checked: number; violations: string[] };
  expect(checked).toBeGreaterThan(rules === EVERYTHING ? 10 : 0);
  return violations;
}

async function chooseLongKey(page: Page): Promise<void> {
  await page.getByLabel('Pattern').fill('long:*');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('button', { name: 'long:' }).click();
  await page.getByRole('button', { name: 'Show the value' }).click();
  await page.getByLabel('Value').waitFor();
}

describe.each([
  ['light', EVERYTHING],
  ['dark', CONTRAST],
] as const)('%s', (colorScheme, rules) => {
  it('has enough contrast, and names and roles for everything', async () => {
    const { page: front } = await visit(browser, place.url, { colorScheme });
    expect(await faults(front, rules)).toEqual([]);
    await front.context().close();
    const visited = await signedIn(browser, place.url, 'admin', { colorScheme });
    const { page } = visited;
    const ground = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    expect(Number(/\d+/.exec(ground)?.[0]) < 128).toBe(colorScheme === 'dark');
    await place.other.global.delete('changed');
    await page.getByRole('listitem').getByText('changed').waitFor();
    expect(await faults(page, rules)).toEqual([]);
    await openPage(visited, 'Keys');
    await chooseLongKey(page);
    expect(await faults(page, rules)).toEqual([]);
    await page.getByRole('button', { name: 'Delete...' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await faults(page, rules)).toEqual([]);
    await page.keyboard.press('Escape');
    await openPage(visited, 'Audit');
    await page.getByRole('row', { name: 'readEntry' }).first().waitFor();
    expect(await faults(page, rules)).toEqual([]);
    expect(visited.complaints).toEqual([]);
    await page.context().close();
  });
});

it('can be told to be dark where the system is light', async () => {
  const { page } = await signedIn(browser, place.url, 'viewer', { colorScheme: 'light' });
  const ground = (): Promise<unknown> => page.evaluate('getComputedStyle(document.body).backgroundColor');
  const light = await ground();
  const button = page.getByRole('button', { name: 'Theme' });
  await button.click();
  expect(await ground()).toBe(light);
  await button.click();
  await expect.poll(ground).not.toBe(light);
  await page.reload();
  await page.getByLabel('Token').waitFor();
  await expect.poll(ground).not.toBe(light);
  await page.context().close();
});

it('fits on a phone, without scrolling sideways', async () => {
  const visited = await signedIn(browser, place.url, 'admin', {
    viewport: { width: 360, height: 740 },
    hasTouch: true,
  });
  const { page } = visited;
  const width = (): Promise<unknown> => page.evaluate('document.documentElement.scrollWidth');
  expect(await width()).toBe(360);
  await openPage(visited, 'Keys');
  await chooseLongKey(page);
  expect(await width()).toBe(360);
  await page.getByRole('button', { name: 'Delete...' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  const box = await dialog.boundingBox();
  expect(box?.x).toBeGreaterThanOrEqual(0);
  expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(360);
  await page.keyboard.press('Escape');
  await openPage(visited, 'Audit');
  await page.getByRole('row', { name: 'readEntry' }).first().waitFor();
  expect(await width()).toBe(360);
  await page.context().close();
});
