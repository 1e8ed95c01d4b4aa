import { defineScript } from '@tierkit/redis';

/**
 * The generation of the root, made anew when it was lost, with a time to live of at least \`ttlMs\`; whether it was kept,
 * which a server that is full refuses.
 */
export const rootGeneration = defineScript({
  name: 'cache-root-generation',
  keys: ['generation'],
  args: { freshGeneration: 'bytes', ttlMs: 'integer' },
  replyAs: 'buffer',
  reply: (raw): { readonly generation: Buffer; readonly kept: boolean } => {
    const [generation, kept] = raw as [Buffer, number];
    return { generation, kept: kept === 1 };
  },
  lua: `
local current = redis.call('GET', generation)
if not current or #current ~= 8 then
  current = freshGeneration
  if redis.pcall('SET', generation, current, 'PX', ttlMs * 2).err then return { current, 0 } end
elseif redis.call('PTTL', generation) < ttlMs then
  redis.call('PEXPIRE', generation, ttlMs * 2)
end
return { current, 1 }
`,
});
