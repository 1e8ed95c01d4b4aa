import { defineScript } from '@tierkit/redis';
import type { Taking } from '../stores/lock-store.ts';
import { isToken, KEEP_HELD_MS, LOCK_LUA, LONGEST_RETRY_MS } from './lock-lua.ts';

/**
 * The numbers of a free lock stay text, as formatting one takes as long as a command.
 *
 * `wake`, the command and channel that wake the owner, joins the queue; without it the lock is taken or left.
 */
export const takeScript = defineScript({
  name: 'take-lock',
  keys: ['state', 'holders', 'queue'],
  args: { me: 'string', shape: 'string', ttl: 'string', wake: 'string' },
  reply: (raw): Taking =>
    typeof raw === 'string' ? { token: raw } : { token: undefined, retryInMs: Math.max(1, Number(raw)) },
  lua: `
local value = redis.call('GET', state)
if shape == 'x' and (not value or ${isToken('value')}) then
  local time = redis.call('TIME')
  local since = time[1] .. string.sub('00000' .. time[2], -6)
  local token = since
  -- A clock that was put back must not put the token back.
  if value and #value == #since and value >= since then token = string.format('%.0f', tonumber(value) + 1) end
  redis.call('PSETEX', state, '${KEEP_HELD_MS}', token .. ' ' .. me .. ' ' .. since .. ' ' .. ttl)
  return token
end
ttl = tonumber(ttl)
${LOCK_LUA}
local foreign = load()
if foreign then return foreign end
expire()
if wake ~= '' then
  if shape == 'x' and holder == me then
    expires, granted = now + ttl, false
    save()
    return text(last)
  end
  if shape ~= 'x' then
    local token
    if redis.call('ZREM', holders, me .. ' g') == 1 then
      token = hold(me, shape, ttl)
    else
      local member = shared_holder(me)
      token = member and string.sub(member, #me + 2)
      if token then redis.call('ZADD', holders, text(now + ttl), member) end
    end
    if token then
      save()
      return token
    end
  end
  redis.call('ZADD', queue, 'NX', text(micros), me .. ' ' .. shape .. ' ' .. wake)
  redis.call('PEXPIRE', queue, ${10 * LONGEST_RETRY_MS})
end
local token = serve(me, ttl)
if not token and wake == '' and fits(shape) and redis.call('EXISTS', queue) == 0 then token = hold(me, shape, ttl) end
save()
if token then return token end
if holder then return expires - now end
local first = redis.call('ZRANGE', holders, 0, 0, 'WITHSCORES')
return (tonumber(first[2]) or now) - now
`,
});
