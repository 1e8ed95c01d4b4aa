import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from '../support/sleep.ts';
import { startRedis } from '../servers/index.ts';
import { launchChromium } from './chromium.ts';
import { openPage, openPlace, signedIn, type Place } from './dashboard.ts';

const FOLDER = fileURLToPath(new URL('../../docs/screenshots', import.meta.url));
/** So that the charts have something to show. */
const TRAFFIC_MS = 25_000;

/** Users who read projects and models, and now and then change something. */
async function traffic({ kit, other, own }: Place, signal: AbortSignal): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    const popular = (among: number): number => Math.floor(among * Math.random() ** 3);
    const project = kit.project(`proj${popular(6)}`);
    await Promise.all(
      Array.from({ length: 12 }, () =>
        project.getOrSet(['file', String(popular(40))], () => sleep(2 + 10 * Math.random(), { lines: 120 }), {
          tags: ['tree'],
        }),
      ),
    );
    await kit.global.get(`model:gpt-4:${popular(30)}`);
    await kit.session(`user${popular(9)}`).getOrSet('profile', () => sleep(3, { theme: 'dark' }));
    if (round % 20 === 0) await other.project(`proj${popular(6)}`).invalidateTags(['tree']);
    if (round % 9 === 0) await other.global.set(`model:gpt-4:${popular(30)}`, { context: 128_000, vendor: 'acme' });
    if (round % 30 === 0) await own.consume('user:7');
    await sleep(20);
  }
}

const redis = await startRedis();
const place = await openPlace(redis.url, 'shop:');
const browser = await launchChromium();
const stop = new AbortController();
const running = traffic(place, stop.signal);
try {
  mkdirSync(FOLDER, { recursive: true });
  const light = await signedIn(browser, place.url, 'admin', { colorScheme: 'light' });
  const phone = await signedIn(browser, place.url, 'viewer', {
    colorScheme: 'dark',
    viewport: { width: 390, height: 844 },
  });
  await sleep(TRAFFIC_MS);
  await light.page.screenshot({ path: join(FOLDER, 'overview.png') });
  await phone.page.screenshot({ path: join(FOLDER, 'phone.png') });
  await light.page.emulateMedia({ colorScheme: 'dark' });
  await openPage(light, 'Keys');
  await light.page.getByLabel('Pattern').fill('model:*');
  await light.page.getByRole('button', { name: 'Search' }).click();
  await light.page.getByRole('button', { name: 'model:gpt-4:' }).first().click();
  await light.page.getByRole('button', { name: 'Show the value' }).click();
  await light.page.getByLabel('Value').waitFor();
  await light.page.screenshot({ path: join(FOLDER, 'keys.png') });
} finally {
  stop.abort();
  await running;
  await browser.close();
  await place.close();
  await redis.stop();
}
