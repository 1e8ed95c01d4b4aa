import { describe, expect, it } from 'vitest';
import { repository, type Scope } from '../../src/index.ts';
import { ann, bo, cy, HeroTable, type Hero } from '../support/hero-table.ts';

/** What repositories promise on every backend: one test for each sentence that a user can rely on. */
export function repositoryConformance(fresh: () => Scope): void {
  const heroesIn = (table: HeroTable, scope = fresh()) =>
    repository(table, {
      scope,
      entity: 'hero',
      ttl: '1h',
      allTtl: '10m',
      indexes: ['language', 'name', { name: 'exact', fields: ['name', 'level'], ttl: '5m' }],
    });
  type Heroes = ReturnType<typeof heroesIn>;

  async function readAll(heroes: Heroes): Promise<void> {
    for (const language of ['en', 'fr', 'de']) await heroes.findBy('language', language);
    await heroes.findAll();
    await heroes.findByIds(['1', '2', '3']);
  }

  describe('repository', () => {
    it('reads by id, by index, by several fields together and all, each once', async () => {
      const scope = fresh();
      const table = new HeroTable({ ...ann, level: 7 }, bo, cy);
      const heroes = heroesIn(table, scope);
      for (let read = 0; read < 2; read++) {
        expect(await heroes.findById('1')).toEqual({ ...ann, level: 7 });
        expect(await heroes.findBy('language', 'en')).toEqual([{ ...ann, level: 7 }]);
        expect(await heroes.findBy('name', 'Bo')).toEqual([bo]);
        expect(await heroes.findBy('exact', { name: 'Ann', level: 7 })).toEqual([{ ...ann, level: 7 }]);
        expect(await heroes.findBy('language', 'none')).toEqual([]);
        expect(await heroes.findAll()).toHaveLength(3);
        expect(await heroes.findByIds(['2', '1'])).toEqual([bo, { ...ann, level: 7 }]);
      }
      expect(table.questions().toSorted()).toEqual(['Ann 7', 'Bo', 'all', 'en', 'id 1', 'id 2', 'none']);
      for (const key of ['hero:1', 'hero:language:en', 'hero:name:Bo', 'hero:exact:Ann:7', 'hero:all'])
        expect([key, await scope.has(key)]).toEqual([key, true]);
      expect(await scope.ttl('hero:1')).toBeGreaterThan(3_500_000);
      expect(await scope.ttl('hero:all')).toBeLessThanOrEqual(600_000);
      expect(await scope.ttl('hero:exact:Ann:7')).toBeLessThanOrEqual(300_000);
    });

    it('reads several by id in one call, where the source can', async () => {
      const table = new HeroTable(ann, bo, cy);
      const asked: (readonly string[])[] = [];
      const source = {
        findById: (id: string) => table.findById(id),
        findByIds: async (ids: readonly string[]) => {
          asked.push(ids);
          return [...table.rows.values()].filter((hero) => ids.includes(hero.id)).toReversed();
        },
      };
      const heroes = repository(source, { scope: fresh(), entity: 'hero' });
      await heroes.findById('2');
      expect(await heroes.findByIds(['1', '2', 'none', '1', '3'])).toEqual([ann, bo, undefined, ann, cy]);
      expect(await heroes.findByIds(['3', '2', '1'])).toEqual([cy, bo, ann]);
      expect(asked).toEqual([['1', 'none', '3']]);
      expect((await heroes.stats()).methods['by_id']).toEqual({ hits: 5, misses: 4 });
    });

    it('does not keep what does not exist', async () => {
      const table = new HeroTable();
      const heroes = heroesIn(table);
      expect(await heroes.findById('1')).toBeUndefined();
      expect(await heroes.findById('1')).toBeUndefined();
      expect(table.questions()).toEqual(['id 1', 'id 1']);
    });

    it('keeps that there is none for `negativeTtl`, until there is one', async () => {
      const table = new HeroTable();
      const heroes = repository(table, { scope: fresh(), entity: 'hero', negativeTtl: '1m' });
      expect(await heroes.findById('1')).toBeUndefined();
      expect(await heroes.findById('1')).toBeUndefined();
      expect(table.questions()).toEqual(['id 1']);
      await heroes.save(ann);
      expect(await heroes.findById('1')).toEqual(ann);
      expect(await heroes.findById('n1')).toBeUndefined();
      const created = await heroes.save({ name: 'Di', language: 'fr' });
      expect(await heroes.findById('n1')).toEqual(created);
      await heroes.delete('1');
      expect(await heroes.findById('1')).toBeUndefined();
    });

    it('keeps for `negativeTtl` that there are none of several, and only then', async () => {
      for (const [policy, times] of [
        [{ negativeTtl: '1m' }, 1],
        [{}, 2],
      ] as const) {
        const asked: unknown[] = [];
        const findByIds = async (ids: readonly string[]) => (asked.push(ids), []);
        const heroes = repository<Hero>({ findByIds }, { scope: fresh(), entity: 'hero', ...policy });
        for (let read = 0; read < 2; read++) expect(await heroes.findByIds(['7', '8'])).toEqual([undefined, undefined]);
        expect(asked).toEqual(Array.from({ length: times }, () => ['7', '8']));
      }
    });

    it('forgets both lists when a hero goes from one to the other, keeps it by id, and leaves the others alone', async () => {
      const table = new HeroTable(ann, bo, cy);
      const heroes = heroesIn(table);
      await readAll(heroes);
      expect(await heroes.update('1', { language: 'fr' })).toEqual({ ...ann, language: 'fr' });
      table.questions();
      expect(await heroes.findById('1')).toEqual({ ...ann, language: 'fr' });
      expect(table.questions()).toEqual([]);
      expect(await heroes.findBy('language', 'en')).toEqual([]);
      expect(await heroes.findBy('language', 'fr')).toEqual([{ ...ann, language: 'fr' }, bo]);
      expect(await heroes.findAll()).toContainEqual({ ...ann, language: 'fr' });
      expect(table.questions()).toEqual(['en', 'fr', 'all']);
      expect(await heroes.findBy('language', 'de')).toEqual([cy]);
      expect(table.questions()).toEqual([]);
      expect(await heroes.stats()).toMatchObject({ writes: 1, allListsForgotten: 0 });
    });

    it('forgets the lists of a new hero, whose id the source chooses, and keeps it by id', async () => {
      const table = new HeroTable(ann, bo, cy);
      const heroes = heroesIn(table);
      await readAll(heroes);
      const created = await heroes.save({ name: 'Di', language: 'fr' });
      expect(created).toEqual({ id: 'n1', name: 'Di', language: 'fr' });
      table.questions();
      expect(await heroes.findById('n1')).toEqual(created);
      expect(table.questions()).toEqual([]);
      expect(await heroes.findBy('language', 'fr')).toEqual([bo, created]);
      expect(await heroes.findAll()).toHaveLength(4);
      await heroes.findBy('language', 'en');
      expect(table.questions()).toEqual(['fr', 'all']);
    });

    it('forgets the lists that a hero was in before it was saved over', async () => {
      const table = new HeroTable(ann, bo, cy);
      const heroes = heroesIn(table);
      await readAll(heroes);
      await heroes.save({ ...ann, language: 'de' });
      expect(await heroes.findBy('language', 'en')).toEqual([]);
      expect(await heroes.findBy('language', 'de')).toEqual([{ ...ann, language: 'de' }, cy]);
      expect(await heroes.findById('1')).toEqual({ ...ann, language: 'de' });
    });

    it('forgets a deleted hero and its lists', async () => {
      const table = new HeroTable(ann, bo, cy);
      const heroes = heroesIn(table);
      await readAll(heroes);
      expect(await heroes.delete('1')).toBe(true);
      expect(await heroes.findById('1')).toBeUndefined();
      expect(await heroes.findBy('language', 'en')).toEqual([]);
      expect(await heroes.findAll()).toEqual([bo, cy]);
      table.questions();
      expect(await heroes.findBy('language', 'de')).toEqual([cy]);
      expect(table.questions()).toEqual([]);
    });

    it('passes on the error of a write, and forgets what it may have changed', async () => {
      const table = new HeroTable(ann, bo, cy);
      const scope = fresh();
      const heroes = heroesIn(table, scope);
      await readAll(heroes);
      table.onWrite = async (step) => {
        if (step === 'after') throw new Error('connection lost');
      };
      await expect(heroes.update('1', { language: 'fr' })).rejects.toThrow('connection lost');
      expect(await heroes.findById('1')).toEqual({ ...ann, language: 'fr' });
      expect(await heroes.findBy('language', 'en')).toEqual([]);
      expect(await heroes.findBy('language', 'fr')).toHaveLength(2);
      await expect(heroes.save({ name: 'Di', language: 'de' })).rejects.toThrow('connection lost');
      expect(await heroes.findBy('language', 'de')).toHaveLength(2);
      await expect(heroes.delete('2')).rejects.toThrow('connection lost');
      expect(await heroes.findById('2')).toBeUndefined();
      await readAll(heroes);
      expect((await scope.deleteByPattern('*writing*', { dryRun: true })).deleted).toBe(0);
    });

    it('asks a source that tells nothing after a write', async () => {
      const table = new HeroTable(ann, bo, cy);
      const source = {
        findById: (id: string) => table.findById(id),
        findBy: (where: Partial<Hero>) => table.findBy(where),
        // The source has the last word: it moves whoever is saved.
        update: async (id: string) => void (await table.update(id, { language: 'de' })),
        save: async (hero: Hero) => void (await table.save(hero)),
      };
      const heroes = repository(source, { scope: fresh(), entity: 'hero', indexes: ['language'] });
      await heroes.findBy('language', 'de');
      expect(await heroes.update('1', { language: 'fr' })).toEqual({ ...ann, language: 'de' });
      expect(await heroes.findBy('language', 'de')).toHaveLength(2);
      expect(await heroes.findBy('language', 'fr')).toEqual([bo]);
      expect(await heroes.save({ ...bo, name: 'Bob' })).toEqual({ ...bo, name: 'Bob' });
    });

    it('forgets all lists where the source cannot say in which one a hero was', async () => {
      const table = new HeroTable(ann, bo, cy);
      const source = {
        findBy: (where: Partial<Hero>) => table.findBy(where),
        update: (id: string, changes: Partial<Hero>) => table.update(id, changes),
      };
      const heroes = repository(source, { scope: fresh(), entity: 'hero', indexes: ['language'] });
      for (const language of ['en', 'fr', 'de']) await heroes.findBy('language', language);
      await heroes.update('1', { language: 'fr' });
      expect(await heroes.findBy('language', 'en')).toEqual([]);
      expect(await heroes.findBy('language', 'fr')).toHaveLength(2);
      expect(await heroes.stats()).toMatchObject({ allListsForgotten: 1 });
      await expect(heroes.findById('1')).rejects.toMatchObject({ code: 'ERR_CACHE_SOURCE' });
      await expect(heroes.save(ann)).rejects.toMatchObject({ code: 'ERR_CACHE_SOURCE' });
    });

    it('invalidates by id, one list, all lists and everything, and counts what was read', async () => {
      const scope = fresh();
      const table = new HeroTable(ann, bo, cy);
      const heroes = heroesIn(table, scope);
      await scope.set('other', 1);
      const asked = async (): Promise<string[]> => {
        table.questions();
        await heroes.findById('1');
        await heroes.findBy('language', 'en');
        await heroes.findAll();
        return table.questions();
      };
      expect(await asked()).toEqual(['id 1', 'en', 'all']);
      expect(await asked()).toEqual([]);
      expect(await heroes.invalidate('by_id', '1')).toBe(true);
      expect(await asked()).toEqual(['id 1']);
      expect(await heroes.invalidate('language', 'en')).toBe(true);
      expect(await asked()).toEqual(['en']);
      expect(await heroes.invalidate('lists')).toBe(true);
      expect(await asked()).toEqual(['en', 'all']);
      expect(await heroes.invalidate('all')).toBe(true);
      const { allTtlRemainingMs, ...stats } = await heroes.stats();
      expect(stats).toEqual({
        entity: 'hero',
        hits: 8,
        misses: 7,
        hitRate: 8 / 15,
        methods: {
          by_id: { hits: 3, misses: 2 },
          all: { hits: 3, misses: 2 },
          language: { hits: 2, misses: 3 },
          name: { hits: 0, misses: 0 },
          exact: { hits: 0, misses: 0 },
        },
        writes: 0,
        allListsForgotten: 0,
        allCached: false,
      });
      expect(allTtlRemainingMs).toBeUndefined();
      expect(await asked()).toEqual(['id 1', 'en', 'all']);
      expect(await heroes.stats()).toMatchObject({ allCached: true });
      expect((await heroes.stats()).allTtlRemainingMs).toBeGreaterThan(500_000);
      expect(await scope.get('other')).toBe(1);
    });

    it('stores what `serialize` makes and hands out what `deserialize` makes', async () => {
      class Person {
        readonly id: number;
        readonly born: Date;
        constructor(id: number, born: Date) {
          this.id = id;
          this.born = born;
        }

        get year(): number {
          return this.born.getFullYear();
        }
      }
      const rows = new Map([[1, new Person(1, new Date('1990-06-01'))]]);
      const scope = fresh();
      const people = repository(
        {
          findById: async (id: number) => rows.get(id),
          findAll: async () => [...rows.values()],
          save: async (person: Person) => void rows.set(person.id, person),
        },
        {
          scope,
          entity: 'person',
          serialize: ({ id, born }) => [id, born.getTime()],
          deserialize: (stored) => {
            const [id, born] = stored as [number, number];
            return new Person(id, new Date(born));
          },
        },
      );
      for (let read = 0; read < 2; read++) {
        const person = await people.findById(1);
        expect(person).toBeInstanceOf(Person);
        expect(person?.year).toBe(1990);
        expect((await people.findAll())[0]).toBeInstanceOf(Person);
      }
      expect(await scope.get('person:1')).toEqual([1, new Date('1990-06-01').getTime()]);
      await people.save(new Person(1, new Date('1991-06-01')));
      expect((await people.findById(1))?.year).toBe(1991);
    });

    it('keeps apart values and ids that look alike', async () => {
      const values = ['all', '1', 1, 1n, true, 'true', null, 'null', '', '~', '~1', 'a:b', 'a', '{x}', '*'];
      const source = {
        findById: async (id: string) => ({ id, value: `id ${id}` as unknown }),
        findBy: async ({ value }: { value?: unknown }) => [{ id: 'x', value }],
        findAll: async () => [{ id: 'everything', value: 'all' as unknown }],
      };
      const things = repository(source, {
        scope: fresh(),
        entity: 'thing',
        indexes: ['value', { name: 'pair', fields: ['value', 'id'] }],
      });
      for (let read = 0; read < 2; read++) {
        expect(await things.findAll()).toEqual([{ id: 'everything', value: 'all' }]);
        for (const id of ['all', 'value', '~id', '~epoch']) expect((await things.findById(id))?.value).toBe(`id ${id}`);
        for (const value of values) expect(await things.findBy('value', value)).toEqual([{ id: 'x', value }]);
      }
      for (const value of [undefined, {}, Symbol('x')])
        await expect(things.findBy('value', value)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
      await expect(things.findBy('pair', 'a')).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
      await expect(things.findBy('none' as never, 1)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
    });

    it('takes values for the same that the source takes for the same', async () => {
      const table = new HeroTable(ann);
      const source = {
        findById: (id: string) => table.findById(id),
        update: (id: string, changes: Partial<Hero>) => table.update(id, changes),
        findBy: async ({ name = '' }: Partial<Hero>) =>
          (await table.findAll()).filter((hero) => hero.name.toLowerCase() === name.toLowerCase()),
      };
      const heroes = repository(source, {
        scope: fresh(),
        entity: 'hero',
        indexes: [{ name: 'name', normalize: (name: string) => name.toLowerCase() }],
      });
      expect(await heroes.findBy('name', 'ANN')).toEqual([ann]);
      await heroes.update('1', { name: 'Anna' });
      expect(await heroes.findBy('name', 'ann')).toEqual([]);
      expect(await heroes.findBy('name', 'anna')).toHaveLength(1);
    });
  });
}
