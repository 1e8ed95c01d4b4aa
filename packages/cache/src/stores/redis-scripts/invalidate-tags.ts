import { defineScript } from '@tierkit/redis';
import type { TagStamp } from '../../tags/stamped-tags.ts';
import { tagTable } from './tag-table.ts';

/**
 * Counts an invalidation, notes it for each of the tags and announces it, in one step that looks at no entry. Without
 * tags it replaces the table, which ends everything that was stamped with it.
 *
 * Of more than `maxTags` tags, those whose invalidation is longest ago are forgotten: entries from before it end.
 */
export const invalidateTags = defineScript({
  name: 'cache-invalidate-tags',
  keys: ['tags'],
  args: {
    freshTable: 'integer',
    ttlMs: 'integer',
    maxTags: 'integer',
    channel: 'string',
    message: 'string',
    names: 'strings',
  },
  reply: (raw): TagStamp => {
    const [table, at] = raw as [number, number];
    return { table, at };
  },
  lua: `
if #names == 0 then redis.call('DEL', tags) end
${tagTable}
local at = tonumber(redis.call('ZINCRBY', tags, 1, ' at'))
for _, name in ipairs(names) do redis.call('ZADD', tags, at, name) end
local over = redis.call('ZCARD', tags) - 3 - maxTags
if over > 0 then
  local forgotten = redis.call('ZRANGE', tags, 1 + over, 1 + over, 'WITHSCORES')
  redis.call('ZREMRANGEBYRANK', tags, 2, 1 + over)
  redis.call('ZADD', tags, forgotten[2], ' floor')
end
local news = message .. string.format('%.0f %.0f', id, at)
if #names > 0 then news = news .. '\\n' .. table.concat(names, '\\n') end
redis.call('PUBLISH', channel, news)
return { id, at }
`,
});
