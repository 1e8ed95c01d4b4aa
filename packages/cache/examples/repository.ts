import { createTiers } from '@tierkit/cache';

interface Hero {
  readonly id: string;
  readonly name: string;
  readonly language: string;
}

// Whatever finds and writes entities of one kind: here a Map that says what it is asked.
const rows = new Map<string, Hero>([
  ['1', { id: '1', name: 'Ann', language: 'en' }],
  ['2', { id: '2', name: 'Bo', language: 'fr' }],
]);
const heroTable = {
  async findById(id: string): Promise<Hero | undefined> {
    console.log('  source: hero', id);
    return rows.get(id);
  },
  async findBy(where: Partial<Hero>): Promise<Hero[]> {
    console.log('  source: heroes where', where);
    return [...rows.values()].filter((hero) => where.language === undefined || hero.language === where.language);
  },
  async findAll(): Promise<Hero[]> {
    console.log('  source: all heroes');
    return [...rows.values()];
  },
  async update(id: string, changes: Partial<Hero>): Promise<Hero> {
    const hero = { ...(rows.get(id) as Hero), ...changes };
    rows.set(id, hero);
    return hero;
  },
};

const tiers = createTiers({ redis: process.env['REDIS_URL'] ?? 'memory', prefix: 'example:repository:' });
await tiers.ready();
await tiers.global.clear();
const heroes = tiers.repository(heroTable, { entity: 'hero', ttl: '1h', indexes: ['language'] });

const show = async (): Promise<void> => {
  const names = async (language: string): Promise<string> =>
    (await heroes.findBy('language', language)).map((hero) => hero.name).join(', ');
  console.log(`en: ${await names('en')}; fr: ${await names('fr')}; in all: ${(await heroes.findAll()).length}`);
};
await show();
await show();

console.log('Ann learns French');
await heroes.update('1', { language: 'fr' });
await show();
console.log('by id:', await heroes.findById('1'));

const { hits, misses, writes, allCached } = await heroes.stats();
console.log({ hits, misses, writes, allCached });
await heroes.invalidate('all');
await tiers.close();
