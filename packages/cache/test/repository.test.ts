import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { bundle } from '../../../test/support/bundle.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers, repository, type RepositoryOptions, type Tiers } from '../src/index.ts';
import { ann, bo, cy, HeroTable, type Hero } from './support/hero-table.ts';
import { storedHeroes } from './support/stored-heroes.ts';

const LANGUAGES = ['en', 'fr', 'de'] as const;

let one: Tiers;
let two: Tiers;
let count = 0;
beforeAll(async () => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  one = createTiers({ redis: sharedRedis(), prefix });
  two = createTiers({ redis: sharedRedis(), prefix });
  await Promise.all([one.ready(), two.ready()]);
});
afterAll(() => Promise.all([one.close(), two.close()]));

const heroesIn = (tiers: Tiers, entity: string, table: HeroTable) =>
  tiers.repository(table, { entity, indexes: ['language'] });
type Heroes = ReturnType<typeof heroesIn>;

/** Two instances on one table. */
function twoRepositories(table: HeroTable): readonly [Heroes, Heroes] {
  const entity = `hero${count++}`;
  return [heroesIn(one, entity, table), heroesIn(two, entity, table)];
}

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
  const [here, there] = twoRepositories(new HeroTable(ann, bo, cy));
  for (const language of LANGUAGES) await there.findBy('language', language);
  await there.findById('1');
  await here.update('1', { language: 'fr' });
  await expect.poll(() => there.findBy('language', 'en'), { interval: 1 }).toEqual([]);
  await expect.poll(() => there.findBy('language', 'fr'), { interval: 1 }).toHaveLength(2);
  await expect.poll(() => there.findById('1'), { interval: 1 }).toEqual({ ...ann, language: 'fr' });
});

it('forgets the list that a hero was in only between two writes that overlapped', async () => {
  const table = new HeroTable(ann, bo, cy);
  const [here, there] = twoRepositories(table);
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
  const [here] = twoRepositories(table);
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
  const [here, there] = twoRepositories(table);
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

describe('under concurrent writers', () => {
  interface Version {
    readonly language: string | undefined;
  }

  /** Each row counts its versions in `level`, so that a read can be told to be too old. */
  class VersionedTable extends HeroTable {
    readonly versions = new Map<string, Version[]>();

    constructor(...heroes: Hero[]) {
      super(...heroes.map((hero) => ({ ...hero, level: 0 })));
      for (const hero of heroes) this.versions.set(hero.id, [{ language: hero.language }]);
    }

    commit(id: string, language: string | undefined): number {
      const versions = this.versions.get(id) ?? [];
      const level = versions.push({ language }) - 1;
      if (language === undefined) this.rows.delete(id);
      else this.rows.set(id, { id, name: id, language, level });
      return level;
    }
  }

  const steps = fc.array(
    fc.record({
      instance: fc.nat({ max: 1 }),
      kind: fc.constantFrom('update', 'update', 'save', 'delete', 'list', 'list', 'id', 'all'),
      id: fc.constantFrom('1', '2'),
      language: fc.constantFrom(...LANGUAGES),
      startMs: fc.nat({ max: 15 }),
      beforeMs: fc.nat({ max: 4 }),
      afterMs: fc.nat({ max: 4 }),
      fails: fc.nat({ max: 9 }).map((n) => n === 0),
    }),
    { minLength: 4, maxLength: 14 },
  );

  it('never answers an instance with less than what its own writes had done', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const table = new VersionedTable(ann, bo);
        const entity = `hero${count++}`;
        const known = [new Map<string, number>(), new Map<string, number>()] as const;
        const repositories = [one, two].map((tiers) => {
          let settings = { beforeMs: 0, afterMs: 0, fails: false };
          const write = async (id: string, language: string | undefined): Promise<Hero | undefined> => {
            const { beforeMs, afterMs, fails } = settings;
            await sleep(beforeMs);
            table.commit(id, language);
            const row = table.rows.get(id);
            await sleep(afterMs);
            if (fails) throw new Error('lost');
            return row;
          };
          const read = async <T>(find: () => Promise<T>): Promise<T> => {
            const found = await find();
            await sleep(settings.afterMs);
            return found;
          };
          const source = {
            findById: (id: string) => read(() => table.findById(id)),
            findBy: (where: Partial<Hero>) => read(() => table.findBy(where)),
            findAll: () => read(() => table.findAll()),
            save: (hero: Hero) => write(hero.id, hero.language),
            update: (id: string, { language }: Partial<Hero>) => write(id, language),
            delete: (id: string) => write(id, undefined),
          };
          return {
            heroes: tiers.repository(source, { entity, indexes: ['language'] }),
            use: (next: typeof settings) => void (settings = next),
          };
        });

        // A hero in a list is as new as what was known; one that is missing was elsewhere at some time since.
        const check = (heroes: readonly Hero[], id: string, since: number, wanted: (one: Version) => boolean): void => {
          const hero = heroes.find((one) => one.id === id);
          if (hero !== undefined) expect(hero.level).toBeGreaterThanOrEqual(since);
          else
            expect(
              table.versions
                .get(id)
                ?.slice(since)
                .some((version) => !wanted(version)),
            ).toBe(true);
        };
        const readAndCheck = async (instance: number, kind: string, id: string, language: string): Promise<void> => {
          const { heroes } = repositories[instance] as (typeof repositories)[number];
          const since = new Map(known[instance as 0 | 1]);
          if (kind === 'list') {
            const list = await heroes.findBy('language', language);
            for (const one of ['1', '2']) check(list, one, since.get(one) ?? 0, (it) => it.language === language);
          } else if (kind === 'all') {
            const all = await heroes.findAll();
            for (const one of ['1', '2']) check(all, one, since.get(one) ?? 0, (it) => it.language !== undefined);
          } else {
            const hero = await heroes.findById(id);
            check(hero ? [hero] : [], id, since.get(id) ?? 0, (it) => it.language !== undefined);
          }
        };

        await Promise.all(
          plan.map(async ({ instance, kind, id, language, startMs, ...settings }) => {
            await sleep(startMs);
            const { heroes, use } = repositories[instance] as (typeof repositories)[number];
            use(settings);
            if (kind === 'list' || kind === 'all' || kind === 'id') return readAndCheck(instance, kind, id, language);
            const sinceBefore = (table.versions.get(id)?.length ?? 1) - 1;
            try {
              if (kind === 'update') await heroes.update(id, { language });
              else if (kind === 'save') await heroes.save({ id, name: id, language });
              else await heroes.delete(id);
            } catch (error) {
              expect(error).toEqual(new Error('lost'));
            }
            // Its own version is one of those since: the oldest that it may be is the next after what was there.
            const mine = known[instance as 0 | 1];
            mine.set(id, Math.max(mine.get(id) ?? 0, sinceBefore + 1));
          }),
        );
        // At rest, and once the news has arrived, both instances answer what the table has.
        for (const { heroes, use } of repositories) {
          use({ beforeMs: 0, afterMs: 0, fails: false });
          const read = async () => ({
            lists: await Promise.all(LANGUAGES.map((language) => heroes.findBy('language', language))),
            all: await heroes.findAll(),
            byId: await heroes.findByIds(['1', '2']),
          });
          const rows = [...table.rows.values()];
          await expect.poll(read, { interval: 2, timeout: 1_000 }).toEqual({
            lists: LANGUAGES.map((language) => rows.filter((hero) => hero.language === language)),
            all: rows,
            byId: ['1', '2'].map((id) => table.rows.get(id)),
          });
        }
      }),
      { numRuns: Number(process.env['REPOSITORY_RUNS'] ?? 60) },
    );
  });
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
    const scope = option === 'scope' ? {} : { scope: one.global };
    expect(() => repository(new HeroTable(), options({ ...scope, ...given }))).toThrow(
      expect.objectContaining({ code: 'ERR_CACHE_OPTIONS', details: { option } }),
    );
  });

  it('refuses a bad writeTimeout', () => {
    expect(() => repository(new HeroTable(), { scope: one.global, entity: 'hero', writeTimeout: 0 })).toThrow(
      expect.objectContaining({ code: 'ERR_DURATION_INVALID' }),
    );
  });
});
