import type { Redis } from 'ioredis';
import type { Hero } from './hero-table.ts';

/** A source of truth that several processes share: a Redis hash that belongs to no cache. */
export function storedHeroes(redis: Redis, key: string) {
  const findAll = async (): Promise<Hero[]> =>
    Object.values(await redis.hgetall(key)).map((row) => JSON.parse(row) as Hero);
  const findById = async (id: string): Promise<Hero | undefined> => (await findAll()).find((hero) => hero.id === id);
  const save = async (hero: Hero): Promise<Hero> => {
    await redis.hset(key, hero.id, JSON.stringify(hero));
    return hero;
  };
  return {
    findAll,
    findById,
    save,
    findBy: async ({ language }: Partial<Hero>) => (await findAll()).filter((hero) => hero.language === language),
    update: async (id: string, changes: Partial<Hero>) => save({ ...((await findById(id)) as Hero), ...changes }),
  };
}
