import { defineScript } from '@tierkit/redis';
import type { TagStamp } from '../../tags/stamped-tags.ts';
import { tagTable } from './tag-table.ts';

/** Where a table of tags stands; it is made if there is none, and lives for `ttlMs` at least. */
export const stampTags = defineScript({
  name: 'cache-stamp-tags',
  keys: ['tags'],
  args: { freshTable: 'integer', ttlMs: 'integer' },
  reply: (raw): TagStamp => {
    const [table, at] = raw as [number, string];
    return { table, at: Number(at) };
  },
  lua: `
${tagTable}
return { id, redis.call('ZSCORE', tags, ' at') }
`,
});
