import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sleep } from '../../../test/support/sleep.ts';
import { ann, bo, HeroTable, type Hero } from './support/hero-table.ts';
import { twoInstances } from './support/two-repositories.ts';

const LANGUAGES = ['en', 'fr', 'de'] as const;
const instances = twoInstances();
let count = 0;

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
      const repositories = instances.tiers.map((tiers) => {
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
