import { defineScript } from '@tierkit/redis';
import { LOCK_LUA } from './lock-lua.ts';
import { readRelease } from './release.ts';

export const forceReleaseScript = defineScript({
  name: 'force-release-lock',
  keys: ['state', 'holders', 'queue'],
  args: {},
  reply: readRelease,
  lua: `
${LOCK_LUA}
load()
expire()
local held = holder ~= nil
holder, granted = nil, false
if redis.call('DEL', holders) == 1 then held = true end
serve('', 0)
save()
return (held and 1 or 0) + 2 * grants
`,
});
