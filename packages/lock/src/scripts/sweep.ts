import { defineScript } from '@tierkit/redis';
import { LOCK_LUA } from './lock-lua.ts';
import { readRelease } from './release.ts';

/** Ends what has run out and serves the queue; for whoever gave a turn away that may not have been confirmed. */
export const sweepScript = defineScript({
  name: 'sweep-lock',
  keys: ['state', 'holders', 'queue'],
  args: {},
  reply: readRelease,
  lua: `
${LOCK_LUA}
if redis.call('EXISTS', queue) == 0 then return 0 end
if load() then return 0 end
expire()
serve('', 0)
save()
return 2 * grants
`,
});
