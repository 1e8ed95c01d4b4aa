import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { openPage, openPlace, signedIn, TOKENS, type Place, type Visit } from './dashboard.ts';

let browser: Browser;
let place: Place;
let visited: Visit;
const opened: Visit[] = [];
beforeAll(async () => {
  browser = await chromium.connect(inject('chromium'));
  place = await openPlace(inject('redisUrl'));
});
afterEach(async () => {
  for (const { page } of opened.splice(0)) await page.context().close();
});
afterAll(async () => {
  await browser?.close();
  await place?.close();
});

async function enter(as: keyof typeof TOKENS): Promise<Page> {
  visited = await signedIn(browser, place.url, as);
  opened.push(visited);
  await openPage(visited, 'Keys');
  return visited.page;
}

const found = (page: Page): Promise<string | null> => page.locator('#found').textContent();

async function search(page: Page, pattern: string): Promise<void> {
  await page.getByLabel('Pattern').fill(pattern);
  await page.getByRole('button', { name: 'Search' }).click();
}

describe('the key browser', () => {
  it('finds keys by pattern, scope and tag, page by page', async () => {
    const { kit } = place;
    await kit.global.setMany(new Map(Array.from({ length: 150 }, (_, n) => [`many:${n}`, n])));
    await kit.global.set('few:1', 1, { tags: ['blue'] });
    await kit.project('p').set('tree', 1);
    const page = await enter('viewer');
    await search(page, 'many:*');
    await expect.poll(() => found(page)).toMatch(/^\d+ keys, and there may be more$/);
    while (await page.getByRole('button', { name: 'Load more' }).isVisible()) {
      await page.getByRole('button', { name: 'Load more' }).click();
      await page.getByRole('button', { name: 'Load more', disabled: true }).waitFor({ state: 'detached' });
    }
    await expect.poll(() => found(page)).toBe('150 keys');
    await page.getByLabel('Tag').fill('blue');
    await search(page, '*');
    await expect.poll(() => found(page)).toBe('1 key');
    await page.getByRole('button', { name: 'few:1' }).waitFor();
    await page.getByLabel('Tag').fill('');
    await page.getByLabel('Tier').selectOption('project');
    await page.getByLabel('Scope').fill('p');
    await search(page, 'tr?e');
    await page.getByRole('button', { name: 'p tree' }).waitFor();
    expect(visited.complaints).toEqual([]);
  });

  it('shows what is known of an entry, its value, and the time that it has left', async () => {
    await place.kit.global.set('shown', { colour: 'green', at: new Date(0) }, { ttl: '50s', tags: ['red'] });
    const page = await enter('admin');
    await search(page, 'shown');
    await page.getByRole('button', { name: 'shown' }).click();
    const entry = page.getByRole('region', { name: 'shown' });
    await entry.getByText('fresh', { exact: true }).waitFor();
    const left = async (): Promise<number> =>
      Number(/^(\d+) s$/.exec((await entry.locator('dd').nth(2).textContent()) ?? '')?.[1]);
    expect(await left()).toBeGreaterThan(10);
    // It counts down by itself, more often than it is asked for.
    const seen = new Set<number>();
    let asked = 0;
    page.on('request', (request) => (asked += request.url().includes('/entry/') ? 1 : 0));
    await expect.poll(async () => seen.add(await left()).size - asked).toBeGreaterThan(1);
    await entry.getByRole('button', { name: 'Show the value' }).click();
    expect(JSON.parse((await entry.getByLabel('Value').textContent()) ?? '')).toEqual({
      colour: 'green',
      at: { $date: '1970-01-01T00:00:00.000Z' },
    });
    // Reading a value is written down.
    await openPage(visited, 'Audit');
    await page.getByRole('row', { name: /Ada readEntry/ }).waitFor();
    expect(visited.complaints).toEqual([]);
  });

  it('shows markup in keys, scopes, tags and values as the text that it is', async () => {
    const evil = '<script>window.ran = 1</script><img src=x onerror="window.ran = 1">';
    await place.kit.project(evil).set(['evil', evil], { [evil]: evil }, { tags: [evil] });
    const page = await enter('admin');
    await page.getByLabel('Tier').selectOption('project');
    await search(page, 'evil:*');
    await page.getByRole('button', { name: 'evil:' }).click();
    await page.getByRole('button', { name: 'Show the value' }).click();
    expect(JSON.parse((await page.getByLabel('Value').textContent()) ?? '')).toEqual({ [evil]: evil });
    await expect
      .poll(() => page.getByRole('listitem').textContent())
      .toContain('<script>window.ran%20=%201</script><img%20src=x');
    await openPage(visited, 'Audit');
    await openPage(visited, 'Overview');
    await place.kit.project(evil).set(['evil', evil], 1);
    await page.getByRole('listitem').getByText('evil:<script>').first().waitFor();
    expect(await page.evaluate('[window.ran, document.images.length, document.scripts.length]')).toEqual([
      undefined,
      0,
      1,
    ]);
    expect(visited.complaints).toEqual([]);
    // Had it been a script in spite of that, it would not have run; and the browser would have complained.
    await page.evaluate(
      `document.body.append(Object.assign(document.createElement('script'), { text: 'window.ran = 1' }))`,
    );
    expect(await page.evaluate('window.ran')).toBeUndefined();
    expect(visited.complaints).toEqual([expect.stringContaining('Content Security Policy')]);
  });

  it('ends what matches once it is confirmed, after saying how much that is', async () => {
    const { kit, other } = place;
    for (const key of ['end:1', 'end:2', 'stays:1']) await kit.global.set(key, 1);
    expect(await other.global.get('end:1')).toBe(1);
    const page = await enter('admin');
    await search(page, 'end:*');
    await expect.poll(() => found(page)).toBe('2 keys');
    await page.getByRole('button', { name: 'End all that match' }).click();
    const dialog = page.getByRole('dialog', { name: 'End 2 entries?' });
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    expect(await kit.global.get('end:1')).toBe(1);
    await page.getByRole('button', { name: 'End all that match' }).click();
    await dialog.getByRole('button', { name: 'End them' }).click();
    await page.getByText('2 entries ended.').waitFor();
    await dialog.waitFor({ state: 'detached' });
    await expect.poll(() => found(page)).toBe('0 keys');
    await expect.poll(() => other.global.get('end:1')).toBeUndefined();
    expect(await kit.global.get('stays:1')).toBe(1);
    expect(visited.complaints).toEqual([]);
  });

  it('ends what has a tag, or all of a scope, and nothing beside it', async () => {
    const { kit, other } = place;
    for (const key of ['doomed', 'spared']) {
      await kit.global.set(`tagged:${key}`, 1, { tags: [key] });
      await kit.project(key).set('tree', 1);
    }
    const page = await enter('admin');
    await page.getByLabel('Tag').fill('doomed');
    await search(page, 'tagged:*');
    await page.getByRole('button', { name: 'End all with this tag' }).click();
    const dialog = page.getByRole('dialog', { name: 'End 1 entries?' });
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    expect(await other.global.get('tagged:doomed')).toBe(1);
    await page.getByRole('button', { name: 'End all with this tag' }).click();
    await dialog.getByRole('button', { name: 'End them' }).click();
    await page.getByText('1 entries ended.').waitFor();
    await page.getByLabel('Tag').fill('');
    await page.getByLabel('Tier').selectOption('project');
    await page.getByLabel('Scope').fill('doomed');
    await search(page, '*');
    await page.getByRole('button', { name: 'Clear project doomed' }).click();
    await page.getByRole('dialog', { name: 'Clear project doomed?' }).getByRole('button', { name: 'Clear' }).click();
    await page.getByText('Cleared project doomed.').waitFor();
    const left = await Promise.all(
      ['doomed', 'spared'].map((key) => Promise.all([kit.global.get(`tagged:${key}`), kit.project(key).get('tree')])),
    );
    expect(left).toEqual([
      [undefined, undefined],
      [1, 1],
    ]);
    expect(visited.complaints).toEqual([]);
  });

  it('says so where an end fails, and leaves the question; a key of dots is one like others', async () => {
    await place.kit.global.set('..', 1);
    const page = await enter('admin');
    await search(page, '..');
    await page.getByRole('button', { name: '..', exact: true }).click();
    await page.getByRole('region', { name: '..' }).getByText('fresh', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Delete...' }).click();
    await page.context().setOffline(true);
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByRole('alert').waitFor();
    expect(await place.kit.global.get('..')).toBe(1);
    await page.context().setOffline(false);
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await dialog.waitFor({ state: 'detached' });
    await expect.poll(() => found(page)).toBe('0 keys');
    expect(await place.kit.global.get('..')).toBeUndefined();
  });

  it('lets a viewer neither delete, nor clear, nor read values, whatever the page shows', async () => {
    await place.kit.global.set('safe', 1);
    const page = await enter('viewer');
    await search(page, 'safe');
    await page.getByRole('button', { name: 'safe' }).click();
    await page.getByRole('region', { name: 'safe' }).getByText('fresh', { exact: true }).waitFor();
    for (const name of [/delete/i, /clear/i, /end all/i, /value/i]) {
      expect(await page.getByRole('button', { name }).count()).toBe(0);
    }
    expect(await page.getByRole('link', { name: 'Audit' }).count()).toBe(0);
    const status = await page.evaluate(
      `fetch('api/v1/cache/key/safe', { method: 'DELETE', headers: { authorization: 'Bearer ${TOKENS.viewer}' } }).then((r) => r.status)`,
    );
    expect(status).toBe(403);
    expect(await place.other.global.get('safe')).toBe(1);
  });

  it('can be used with the keyboard alone', async () => {
    await place.kit.global.set('typed:1', 'value');
    const { page } = (visited = await signedIn(browser, place.url, 'admin'));
    opened.push(visited);
    const focused = (): Promise<string> =>
      page.evaluate(
        `(({ tagName, name, textContent }) => (tagName === 'BODY' ? '' : name || textContent))(document.activeElement)`,
      );
    const tabTo = async (name: string): Promise<void> => {
      for (let presses = 0; presses < 60; presses++) {
        if ((await focused()).includes(name)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`Tab does not lead to ${name}`);
    };
    const press = async (name: string): Promise<void> => {
      await tabTo(name);
      await page.keyboard.press('Enter');
    };
    await press('Keys');
    // The link that was pressed has the same name.
    await expect.poll(() => page.evaluate('document.activeElement.tagName')).toBe('H1');
    expect(await focused()).toBe('Keys');
    // The first link of the page skips what is the same on all of them.
    await page.getByRole('link', { name: 'Skip to the content' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate('document.activeElement.tagName')).toBe('H1');
    await tabTo('pattern');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('typed:*');
    await page.keyboard.press('Enter');
    await expect.poll(() => found(page)).toBe('1 key');
    await press('typed:1');
    await page.getByRole('region', { name: 'typed:1' }).waitFor();
    await expect.poll(focused).toBe('typed:1');
    await press('Delete...');
    await expect.poll(focused).toBe('Cancel');
    await page.keyboard.press('Escape');
    await expect.poll(focused).toBe('Delete...');
    expect(await place.other.global.get('typed:1')).toBe('value');
    await page.keyboard.press('Enter');
    await expect.poll(focused).toBe('Cancel');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect.poll(() => found(page)).toBe('0 keys');
    await expect.poll(focused).toBe('0 keys');
    await expect.poll(() => place.other.global.get('typed:1')).toBeUndefined();
    expect(visited.complaints).toEqual([]);
  });
});
