import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../servers/index.ts';
import { openPage, openPlace, signedIn, type Place, type TOKENS, type Visit } from './dashboard.ts';

let browser: Browser;
let place: Place;
let visited: Visit;
beforeAll(async () => {
  browser = await chromium.connect(inject('chromium'));
  place = await openPlace(inject('redisUrl'));
});
afterEach(async () => {
  expect(visited.complaints).toEqual([]);
  await visited.page.context().close();
});
afterAll(async () => {
  await browser?.close();
  await place?.close();
});

async function enter(name: string, as: keyof typeof TOKENS = 'admin'): Promise<Page> {
  visited = await signedIn(browser, place.url, as);
  await openPage(visited, name);
  return visited.page;
}

describe('locks', () => {
  it('are shown with who has them and who waits, and can be taken away', async () => {
    const { locks } = place.own;
    const lock = await locks.acquire('analysis:p1', { ttl: '1m' });
    const next = locks.acquire('analysis:p1', { ttl: '1m', timeout: '50s' });
    const page = await enter('Locks');
    await page.locator('.tiles > div', { hasText: 'Waiting now' }).getByText('1', { exact: true }).waitFor();
    const held = page.getByRole('region', { name: 'Held or waited for' });
    await expect
      .poll(() => held.getByRole('row', { name: 'analysis:p1' }).getByRole('cell').allTextContents())
      .toEqual(['1', '1']);
    await held.getByRole('button', { name: 'analysis:p1' }).click();
    const panel = page.getByRole('region', { name: 'analysis:p1' });
    await panel.getByText(`token ${lock.token}`).waitFor();
    await panel.getByText('Waiters, in their order: 1').waitFor();
    await expect.poll(() => panel.getByText(/^writer-/).count()).toBe(2);
    await panel.getByRole('button', { name: 'Release' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
    const second = await next;
    await panel.getByText(`token ${second.token}`).waitFor();
    await panel.getByText('Waiters, in their order: 0').waitFor();
    await second.release();
    await panel.getByText('Nobody has it.').waitFor();
    await held.getByText('No lock at the moment.').waitFor();
    await lock.release().catch(() => undefined);
  });

  it('of semaphores are shown as well', async () => {
    const permit = await place.own.locks.semaphore('uploads', 3).acquire({ ttl: '1m' });
    const page = await enter('Locks');
    const row = page.getByRole('row', { name: 'uploads' });
    await row.getByText('semaphore', { exact: true }).waitFor();
    await row.getByRole('button').click();
    const panel = page.getByRole('region', { name: 'uploads, a semaphore' });
    await panel.getByText(/^writer-/).waitFor();
    await panel.getByRole('button', { name: 'Release' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
    await panel.getByText('Nobody has it.').waitFor();
    await permit.release().catch(() => undefined);
  });
});

describe('limiters and quotas', () => {
  it('show how a subject stands, and let it begin anew', async () => {
    for (let call = 0; call < 3; call++) await place.own.consume('user:7');
    await place.own.charge('user:7', 4);
    const page = await enter('Limits');
    await page.getByText('3 per 1 h').waitFor();
    await page.getByLabel('Subject').fill('user:7');
    await page.getByRole('button', { name: 'Look up' }).click();
    const limiter = page.getByRole('region', { name: 'Limiter api' });
    await limiter.getByText('Calls are denied for').waitFor();
    await limiter.getByText('0 left').waitFor();
    await expect.poll(() => limiter.getByRole('meter').getAttribute('value')).toBe('3');
    expect((await place.own.consume('user:7')).allowed).toBe(false);
    await limiter.getByText('3 allowed, 1 denied').waitFor();
    const decided = page.getByRole('figure', { name: 'Decisions per second' });
    await decided.getByRole('row', { name: 'api, denied' }).getByText(/[1-9]/).waitFor();
    const quota = page.getByRole('region', { name: 'Quota plan' });
    await quota.getByText('4 of 10').waitFor();
    await expect.poll(() => quota.getByRole('meter', { name: 'calls, day' }).getAttribute('value')).toBe('4');
    await place.own.charge('user:7', 3);
    await quota.getByText('7 of 10').waitFor();
    await place.own.hold('user:7', 2);
    await quota.getByText('7 of 10, 2 held').waitFor();
    await expect.poll(() => quota.getByRole('meter', { name: 'calls, day' }).getAttribute('value')).toBe('9');
    await limiter.getByRole('button', { name: 'Reset' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click();
    await limiter.getByText('The next call is allowed.').waitFor();
    expect((await place.own.consume('user:7')).allowed).toBe(true);
    await quota.getByRole('button', { name: 'Reset' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click();
    await quota.getByText('0 of 10').waitFor();
  });
});

describe('queues', () => {
  it('show what was given up and why, and put back or discard what is meant', async () => {
    const { sink, write } = place.own;
    sink.takes = (key) => key === 'elm';
    await Promise.all([write('oak'), write('ash'), write('elm')]);
    await until('elm is written', () => sink.taken.has('elm'));
    const page = await enter('Queues');
    const panel = page.getByRole('region', { name: 'trees' });
    const count = panel.locator('dl > div', { hasText: 'dead letters' });
    await count.getByText('2', { exact: true }).waitFor();
    await panel.getByRole('button', { name: 'Show dead letters' }).click();
    const letter = (key: string): Locator => panel.getByRole('listitem').filter({ hasText: `no room for ${key}` });
    expect(JSON.parse((await letter('oak').locator('pre').textContent()) ?? '')).toEqual({ tree: 'oak' });
    sink.takes = () => true;
    await letter('oak')
      .getByRole('button', { name: /^Replay \d/ })
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
    await until('oak is written', () => sink.taken.has('oak'));
    await count.getByText('1', { exact: true }).waitFor();
    await letter('ash')
      .getByRole('button', { name: /^Discard \d/ })
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
    await count.getByText('0', { exact: true }).waitFor();
    expect(sink.taken.has('ash')).toBe(false);
  });
});

describe('usage', () => {
  it('shows what costs most to load', async () => {
    await place.kit.global.getOrSet('slow:one', async () => {
      const ends = performance.now() + 30;
      await until('30 ms have passed', () => performance.now() > ends);
      return 1;
    });
    const page = await enter('Usage', 'viewer');
    await page.getByRole('region', { name: 'Costs most' }).getByRole('row', { name: 'slow:one' }).waitFor();
  });
});

it('a viewer may look at all of it and end nothing', async () => {
  const { sink, write } = place.own;
  sink.takes = (key) => key === 'fir';
  await Promise.all([write('yew'), write('fir')]);
  const lock = await place.own.locks.acquire('watched', { ttl: '1m' });
  await place.own.consume('user:8');
  const page = await enter('Locks', 'viewer');
  await page.getByLabel('Name of a lock').fill('watched');
  await page.keyboard.press('Enter');
  await page.getByText(`token ${lock.token}`).waitFor();
  expect(await page.getByRole('button', { name: 'Release' }).count()).toBe(0);
  await openPage(visited, 'Limits');
  await page.getByLabel('Subject').fill('user:8');
  await page.keyboard.press('Enter');
  await page.getByText('2 left').waitFor();
  expect(await page.getByRole('button', { name: 'Reset' }).count()).toBe(0);
  // A name that is no folder.
  await page.getByLabel('Subject').fill('..');
  await page.keyboard.press('Enter');
  await page.getByText('3 left').waitFor();
  await openPage(visited, 'Queues');
  await page.getByRole('button', { name: 'Show dead letters' }).click();
  await page.getByText('no room for yew').waitFor();
  expect(await page.getByRole('button', { name: /Replay|Discard/ }).count()).toBe(0);
  await lock.release();
});
