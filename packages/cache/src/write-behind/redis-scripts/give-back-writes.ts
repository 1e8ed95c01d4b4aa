import { defineScript } from '@tierkit/redis';
import { serverMicros } from './server-micros.ts';

/** Ends a lease early: each name is due again after its delay. */
export const giveBackWrites = defineScript({
  name: 'cache-give-back-writes',
  keys: ['due', 'tries'],
  /** Of each write its name, its version, the delay in milliseconds and how often it failed. */
  args: { lease: 'integer', given: 'strings' },
  reply: (): void => undefined,
  lua: `
${serverMicros}
for i = 1, #given, 4 do
  local name = given[i]
  if tonumber(redis.call('ZSCORE', due, name) or '0') == lease then
    redis.call('ZADD', due, whole(nowUs + tonumber(given[i + 2]) * 1000), name)
    redis.call('HDEL', tries, 'c:' .. name)
    if given[i + 3] ~= '0' then redis.call('HSET', tries, 'f:' .. name, given[i + 1] .. ':' .. given[i + 3]) end
  end
end
return 1
`,
});
