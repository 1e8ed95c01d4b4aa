import { Redis } from 'ioredis';
import { createTiers } from '../../src/index.ts';
import { storedHeroes } from './stored-heroes.ts';

// Makes Ann French and dies between the source and the cache.
const [url = '', prefix = ''] = process.argv.slice(2);
const tiers = createTiers({ redis: url, prefix, load: { lease: '400ms' } });
await tiers.ready();
const source = storedHeroes(new Redis(url), `${prefix}source`);
const dying = {
  ...source,
  update: async (id: string, changes: { readonly language?: string }) => {
    await source.update(id, changes);
    process.kill(process.pid, 'SIGKILL');
    return source.findById(id);
  },
};
await tiers.repository(dying, { entity: 'hero', indexes: ['language'], writeTimeout: '1s' }).update('1', {
  language: 'fr',
});
