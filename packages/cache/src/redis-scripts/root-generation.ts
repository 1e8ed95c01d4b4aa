import { defineScript } from '@tierkit/redis';

/** The generation of the root, made anew when it was lost, with a time to live of at least \`ttlMs\`. */
export const rootGeneration = defineScript({
  name: 'cache-root-generation',
  keys: ['generation'],
  args: { freshGeneration: 'bytes', ttlMs: 'integer' },
  replyAs: 'buffer',
  reply: (raw): Buffer => raw as Buffer,
  lua: `
local current = redis.call('GET', generation)
if not current or #current ~= 8 then
  current = freshGeneration
  redis.call('SET', generation, current, 'PX', ttlMs * 2)
elseif redis.call('PTTL', generation) < ttlMs then
  redis.call('PEXPIRE', generation, ttlMs * 2)
end
return current
`,
});
