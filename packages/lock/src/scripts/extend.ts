import { defineScript } from '@tierkit/redis';
import { LOCK_LUA } from './lock-lua.ts';

/** A hold that has run out while nobody else took the lock is good again. */
export const extendScript = defineScript({
  name: 'extend-lock',
  keys: ['state', 'holders', 'queue'],
  args: { me: 'string', shape: 'string', token: 'string', ttl: 'integer' },
  reply: (raw) => raw === 1,
  lua: `
${LOCK_LUA}
if load() then return 0 end
if shape == 'x' then
  if holder ~= me then return 0 end
  expires, granted = now + ttl, false
else
  local member = me .. ' ' .. token
  if not redis.call('ZSCORE', holders, member) then return 0 end
  redis.call('ZADD', holders, text(now + ttl), member)
end
save()
return 1
`,
});
