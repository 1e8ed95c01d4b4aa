import { chromium, type Browser, type Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../servers/index.ts';
import { openPlace, signedIn, type Place, type Visit } from './dashboard.ts';

let browser: Browser;
let place: Place;
let visited: Visit;
beforeAll(async () => {
  browser = await chromium.connect(inject('chromium'));
  place = await openPlace(inject('redisUrl'));
  visited = await signedIn(browser, place.url, 'viewer');
});
afterEach(() => expect(visited.complaints).toEqual([]));
afterAll(async () => {
  await browser?.close();
  await place?.close();
});

/** A region of the page, by its heading. */
const panel = (name: string): Locator => visited.page.getByRole('region', { name });
const chart = (name: string): Locator => visited.page.getByRole('figure', { name });
/** A figure at the top, by its name. */
const tile = (name: string): Locator =>
  visited.page.locator('.tiles > div', { has: visited.page.getByText(name, { exact: true }) }).locator('dd');
const shows = (text: string, where: Locator): Promise<void> => where.getByText(text).first().waitFor();

describe('the overview', () => {
  it('shows what was read, by tier and by what answered, as it happens', async () => {
    const { kit } = place;
    await visited.page.getByText('no reads', { exact: true }).waitFor();
    const project = kit.project('p');
    for (let read = 0; read < 4; read++) await project.getOrSet('tree', async () => ['a.ts']);
    const row = panel('Tiers').getByRole('row', { name: 'project' });
    await expect
      .poll(() => row.getByRole('cell').allTextContents())
      .toEqual(['75%', '3', '0', '1', '1', '0', '0', '0', '0']);
    await shows('75%', chart('Hit rate').getByRole('row', { name: 'project' }));
    await expect.poll(() => tile('Hit rate').textContent()).toBe('75%');
    await expect.poll(() => tile('Loads').textContent()).toBe('1');
    // What was read a while ago is no rate of now; what comes is.
    await expect.poll(() => chart('Hit rate').getByRole('row', { name: 'project' }).textContent()).toContain('none');
    for (let read = 0; read < 400; read++) await project.get('tree');
    await expect
      .poll(() => chart('Reads per second').getByRole('row', { name: 'in process' }).getByRole('cell').textContent())
      .toMatch(/[1-9]/);
  });

  it('shows what is kept, in process and in Redis', async () => {
    const { kit } = place;
    for (let key = 0; key < 7; key++) await kit.global.set(['kept', String(key)], 'x'.repeat(1_000));
    const held = (): number => kit.stats().tiers['global']?.l1.bytes ?? 0;
    await shows(`${(held() / 1_000).toFixed(1)} kB`, chart('Memory in process').getByRole('row', { name: 'global' }));
    const entries = Object.values(kit.stats().tiers).reduce((sum, { l1 }) => sum + l1.entries, 0);
    await expect.poll(() => tile('Entries in process').textContent()).toBe(String(entries));
    await expect
      .poll(async () => Number((await tile('Keys in Redis').textContent())?.replaceAll(',', '')))
      .toBeGreaterThan(7);
    await shows((await kit.server())?.total.version ?? 'no version', panel('Health'));
  });

  it('shows loads that run, how long they took, and how long reads took that Redis answered', async () => {
    const { kit, other } = place;
    let end = (): void => undefined;
    const loading = kit.session('s').getOrSet('slow', () => new Promise<number>((resolve) => (end = () => resolve(1))));
    await expect.poll(() => tile('Loads in flight').textContent()).toBe('1');
    await shows('1', chart('Loads in flight').getByRole('row', { name: 'session' }));
    end();
    await loading;
    await expect.poll(() => tile('Loads in flight').textContent()).toBe('0');
    await chart('Time of a load').getByRole('row', { name: 'session' }).getByText(/s$/).waitFor();
    await other.session('s').set('elsewhere', 1);
    await kit.session('s').get('elsewhere');
    await chart('Reads beyond').getByRole('row', { name: 'session, median' }).getByText(/s$/).waitFor();
  });

  it('shows which instances are alive', async () => {
    const instances = panel('Instances').getByRole('row', { name: `process ${process.pid}` });
    await expect.poll(() => instances.count()).toBe(2);
    await expect.poll(() => instances.getByText('this one').count()).toBe(1);
  });

  it('draws its lines', async () => {
    const global = chart('Memory in process').getByRole('row', { name: 'global' });
    await global.waitFor();
    // How many pixels have the colour of the line: its legend's.
    const pixels = (): Promise<number> =>
      visited.page.evaluate(`(() => {
        const figure = [...document.querySelectorAll('figure')].find((one) => one.textContent.startsWith('Memory in'));
        const colour = getComputedStyle(figure.querySelector('.swatch')).color.match(/\\d+/g).map(Number);
        const canvas = figure.querySelector('canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let found = 0;
        for (let at = 0; at < data.length; at += 4) {
          if (colour.every((part, index) => Math.abs(data[at + index] - part) < 9)) found++;
        }
        return found;
      })()`);
    await until('the line is there', async () => (await pixels()) > 20);
  });

  it('shows the keys that are asked for most', async () => {
    const { kit } = place;
    await kit.global.set('asked:often', 1);
    await until('the key is among the samples', async () => {
      for (let read = 0; read < 2_000; read++) await kit.global.get('asked:often');
      return kit.topKeys({ limit: 10 }).some(({ key }) => key.endsWith('asked:often'));
    });
    await panel('Top keys').getByRole('row', { name: 'asked:often' }).getByText('%').waitFor();
  });

  it('shows changes as they happen, here and elsewhere', async () => {
    await place.kit.project('p').delete('gone');
    await shows('here project p: gone', panel('Changes').getByRole('listitem'));
    await place.other.project('p').deleteByPattern('of:b:*');
    await shows('elsewhere project p: pattern of:b:*', panel('Changes').getByRole('listitem'));
    await place.other.invalidateTags(['tagged']);
    await shows('elsewhere everywhere: tags tagged', panel('Changes').getByRole('listitem'));
    await place.other.session('s').clear();
    await shows('elsewhere session s: cleared', panel('Changes').getByRole('listitem'));
  });
});
