import { defineScript } from '@tierkit/redis';
import { LOCK_LUA } from './lock-lua.ts';
import type { Release } from './release.ts';

export interface ForcedRelease extends Release {
  /** What stood there was not written by a lock. */
  readonly foreign: boolean;
}

/** Whatever stands there, the next can take the lock, with a token above the server's time as ever. */
export const forceReleaseScript = defineScript({
  name: 'force-release-lock',
  keys: ['state', 'holders', 'queue'],
  args: {},
  reply: (raw): ForcedRelease => {
    const [held, grants, foreign] = raw as number[];
    return { held: held === 1, granted: grants !== 0, foreign: foreign === 1 };
  },
  lua: `
${LOCK_LUA}
local foreign = load() ~= nil
for _, key in ipairs({ holders, queue }) do
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'zset' and kind ~= 'none' then
    redis.call('DEL', key)
    foreign = true
  end
end
expire()
local held = holder ~= nil
holder, granted = nil, false
if redis.call('DEL', holders) == 1 then held = true end
serve('', 0)
save()
return { held and 1 or 0, grants, foreign and 1 or 0 }
`,
});
