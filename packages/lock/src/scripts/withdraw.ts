import { defineScript } from '@tierkit/redis';
import { LOCK_LUA } from './lock-lua.ts';
import { readRelease } from './release.ts';

/** Ends whatever an owner has, a hold or a place in the queue, whose token may never have been told. */
export const withdrawScript = defineScript({
  name: 'withdraw-from-lock',
  keys: ['state', 'holders', 'queue'],
  args: { me: 'string', shape: 'string', wake: 'string' },
  reply: readRelease,
  lua: `
${LOCK_LUA}
if load() then return 0 end
redis.call('ZREM', queue, me .. ' ' .. shape .. ' ' .. wake)
local held = shape == 'x' and holder == me
if held then holder, granted = nil, false end
local member = shape ~= 'x' and shared_holder(me)
if member then held = redis.call('ZREM', holders, member) == 1 end
expire()
serve('', 0)
save()
return (held and 1 or 0) + 2 * grants
`,
});
