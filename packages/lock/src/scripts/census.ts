import { defineScript } from '@tierkit/redis';
import type { StoredLock } from '../stores/lock-store.ts';
import { LOCK_LUA } from './lock-lua.ts';

/** How many hold a lock and wait for it. It changes nothing. */
export const censusScript = defineScript({
  name: 'census-of-lock',
  keys: ['state', 'holders', 'queue'],
  args: {},
  reply: (raw): Omit<StoredLock, 'resource'> => {
    const [holders = 0, waiting = 0, foreign] = raw as number[];
    return { holders, waiting, foreign: foreign === 1 };
  },
  lua: `
${LOCK_LUA}
local foreign = load() ~= nil
local sharing = redis.pcall('ZCOUNT', holders, '(' .. text(now), '+inf')
local waiting = redis.pcall('ZCARD', queue)
if foreign or type(sharing) == 'table' or type(waiting) == 'table' then return { 0, 0, 1 } end
return { (holder and expires > now and 1 or 0) + sharing, waiting, 0 }
`,
});
