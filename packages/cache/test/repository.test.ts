import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { bundle } from '../../../test/support/bundle.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers, repository, type RepositoryOptions, type Tiers } from '../src/index.ts';
import { ann, bo, cy, HeroTable, type Hero } from './support/hero-table.ts';
import { storedHeroes } from './support/stored-heroes.ts';
import { heroesIn, twoInstances } from './support/two-repositories.ts';

const instances = twoInstances();

/** A gate: `reached` resolves when somebody waits at it, who goes on after `open`. */
class Gate {
  open!: () => void;
  readonly reached: Promise<void>;
  readonly #opened = new Promise<void>((resolve) => (this.open = resolve));
  #reach!: () => void;

  constructor() {
    this.reached = new Promise((resolve) => (this.#reach = resolve));
  }

  async pass(): Promise<void> {
    this.#reach();
    await this.#opened;
  }
}

it('drops on one instance what another one wrote', async () => {
  const [here, there] = instances.repositories(new HeroTable(ann, bo, cy));
  for (const language of ['en', 'fr', 'de']) await there.findBy('language', language);
  await there.findById('1');
  await here.update('1', { language: 'fr' });
  await expect.poll(() => there.findBy('language', 'en'), { interval: 1 }).toEqual([]);
  await expect.poll(() => there.findBy('language', 'fr'), { interval: 1 }).toHaveLength(2);
  await expect.poll(() => there.findById('1'), { interval: 1 }).toEqual({ ...ann, language: 'fr' });
});

it('forgets the list that a hero was in only between two writes that overlapped', async () => {
  const table = new HeroTable(ann, bo, cy);
  const [here, there] = instances.repositories(table);
  const slow = new Gate();
  let first = true;
  table.onWrite = async (step) => {
    if (step !== 'before' || !first) return;
    first = false;
    await slow.pass();
  };
  // It has read that Ann is English, and does not know that she will be French when it makes her German.
  const toGerman = here.update('1', { language: 'de' });
  await slow.reached;
  await there.update('1', { language: 'fr' });
  expect(await there.findBy('language', 'fr')).toHaveLength(2);
  slow.open();
  await toGerman;
  expect(await here.findBy('language', 'fr')).toEqual([bo]);
  expect(await here.findBy('language', 'de')).toHaveLength(2);
  expect(await here.findById('1')).toEqual({ ...ann, language: 'de' });
  await expect.poll(() => there.findBy('language', 'fr'), { interval: 1 }).toEqual([bo]);
  const forgotten = (await here.stats()).allListsForgotten + (await there.stats()).allListsForgotten;
  expect(forgotten).toBeGreaterThan(0);
});

it('keeps no list of a write under way, as a later write may end before it without knowing of the list', async () => {
  const table = new HeroTable(ann, bo, cy);
  const [here] = instances.repositories(table);
  const [french, german, answer] = [new Gate(), new Gate(), new Gate()];
  // Before both, then after the first.
  const gates = [french, german, answer];
  table.onWrite = () => gates.shift()?.pass() ?? Promise.resolve();
  const toFrench = here.update('1', { language: 'fr' });
  await french.reached;
  const toGerman = here.update('1', { language: 'de' });
  await german.reached;
  french.open();
  // Written, but its answer is slow.
  await answer.reached;
  expect(await here.findBy('language', 'fr')).toHaveLength(2);
  german.open();
  await toGerman;
  expect(await here.findBy('language', 'fr')).toEqual([bo]);
  answer.open();
  await toFrench;
  expect(await here.findBy('language', 'fr')).toEqual([bo]);
});

it('does not keep a list that was read while one of its heroes was written, and shares the reading', async () => {
  const table = new HeroTable(ann, bo, cy);
  const [here, there] = instances.repositories(table);
  await Promise.all([here, there].map((heroes) => heroes.findBy('language', 'en')));
  const slow = new Gate();
  table.onWrite = (step) => (step === 'before' ? slow.pass() : Promise.resolve());
  const update = here.update('1', { language: 'fr' });
  await slow.reached;
  table.questions();
  await expect
    .poll(async () => (await there.findBy('language', 'en'), table.questions()), { interval: 1 })
    .toEqual(['en']);
  const readings = Array.from({ length: 20 }, () => there.findBy('language', 'en'));
  expect(await Promise.all(readings)).toEqual(readings.map(() => [ann]));
  expect(table.questions().length).toBeLessThan(5);
  slow.open();
  await update;
  expect(await here.findBy('language', 'en')).toEqual([]);
  await expect.poll(() => there.findBy('language', 'en'), { interval: 1 }).toEqual([]);
});

it('leaves nothing older behind when its process dies between the source and the cache', async () => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const url = inject('redisUrl');
  const raw = new Redis(url);
  const tiers = createTiers({ redis: url, prefix, load: { lease: '400ms' } });
  const source = storedHeroes(raw, `${prefix}source`);
  for (const hero of [ann, bo]) await source.save(hero);
  const heroes = tiers.repository(source, { entity: 'hero', indexes: ['language'] });
  await tiers.ready();
  const read = async () => ({
    en: await heroes.findBy('language', 'en'),
    fr: (await heroes.findBy('language', 'fr')).length,
    all: (await heroes.findAll()).filter((hero) => hero.language === 'fr').length,
    ann: (await heroes.findById('1'))?.language,
  });
  expect(await read()).toEqual({ en: [ann], fr: 1, all: 1, ann: 'en' });
  const writer = await bundle(fileURLToPath(new URL('support/dying-writer.ts', import.meta.url)));
  onTestFinished(() => writer.remove());
  // Reads while the writer is about to die, so that what is loaded before its write has every chance to stay.
  const over = new AbortController();
  const dead = promisify(execFile)(process.execPath, [writer.file, url, prefix]).catch((error: unknown) => error);
  const reading = (async () => {
    while (!over.signal.aborted) await Promise.all([read(), sleep(1)]);
  })();
  expect(await dead).toMatchObject({ signal: 'SIGKILL' });
  over.abort();
  await reading;
  expect((await source.findById('1'))?.language).toBe('fr');
  // Marks are up for a second.
  await expect.poll(read, { timeout: 5_000 }).toEqual({ en: [], fr: 2, all: 2, ann: 'fr' });
  await sleep(1_100);
  expect(await read()).toEqual({ en: [], fr: 2, all: 2, ann: 'fr' });
  expect(await tiers.global.has('hero:language:en')).toBe(true);
  await tiers.close();
  raw.disconnect();
});

it('reads and writes on with Redis out of reach', async () => {
  const table = new HeroTable(ann, bo, cy);
  const away = createTiers({ redis: 'redis://127.0.0.1:1', l1: false });
  const heroes = heroesIn(away, 'hero', table);
  expect(await heroes.findBy('language', 'en')).toEqual([ann]);
  expect(await heroes.findById('1')).toEqual(ann);
  expect(table.questions()).toEqual(['en', 'id 1']);
  expect(await heroes.update('1', { language: 'fr' })).toEqual({ ...ann, language: 'fr' });
  expect(await heroes.findBy('language', 'fr')).toHaveLength(2);
  expect(await heroes.findById('1')).toEqual({ ...ann, language: 'fr' });
  expect(await heroes.invalidate('lists')).toBe(false);
  await away.close();
});

describe('options', () => {
  const options = (given: object) => given as RepositoryOptions<Hero, string> & { readonly scope: Tiers['global'] };
  it.each<[string, object]>([
    ['scope', { entity: 'hero' }],
    ['entity', { entity: '' }],
    ['entity', { entity: 'a:b' }],
    ['indexes', { entity: 'hero', indexes: ['all'] }],
    ['indexes', { entity: 'hero', indexes: ['name', 'name'] }],
    ['indexes', { entity: 'hero', indexes: ['~x'] }],
    ['indexes', { entity: 'hero', indexes: [{ name: 'none', fields: [] }] }],
    ['serialize', { entity: 'hero', serialize: (hero: Hero) => hero }],
  ])('refuses a bad %s', (option, given) => {
    const scope = option === 'scope' ? {} : { scope: instances.tiers[0].global };
    expect(() => repository(new HeroTable(), options({ ...scope, ...given }))).toThrow(
      expect.objectContaining({ code: 'ERR_CACHE_OPTIONS', details: { option } }),
    );
  });

  it('refuses a bad writeTimeout', () => {
    expect(() =>
      repository(new HeroTable(), { scope: instances.tiers[0].global, entity: 'hero', writeTimeout: 0 }),
    ).toThrow(expect.objectContaining({ code: 'ERR_DURATION_INVALID' }));
  });
});
